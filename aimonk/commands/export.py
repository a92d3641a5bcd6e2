"""`aimonk export`: a model in the format of another tool, made on demand."""

from __future__ import annotations

from pathlib import Path

from ..config import FeaturesConfig
from ..config_file import checked
from ..serving.export_model import Format, export_model
from ..tracking.logged_model import model_package
from ..tracking.recorded_request import recorded_config
from ..tracking.registry import find_run


def export(model: str, format: Format, out: str | Path) -> Path:
    """Write a model for another engine, and return where it is.

    >>> aimonk.export("models:/dresses/1", "openvino", "dresses")  # doctest: +SKIP
    PosixPath('dresses')

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        format: `openvino` (a folder with the graph; any model) or `keras` (a file for further training; of a
            model that is not fine-tuned and whose backbone is a Keras network, given by its version or run).
        out: what to write; it must not exist.

    Raises:
        ModelError: the format is not available for this model.
        AimonkError: `out` exists or cannot be written.
    """
    features = _trained_with(model) if format == "keras" else None
    return export_model(model_package(model), format, Path(out), features, model)


def _trained_with(model: str) -> FeaturesConfig | None:
    """The settings of the run that made a model; None where it is a folder."""
    run_id = find_run(model)
    return checked(recorded_config(run_id)).features if run_id else None
