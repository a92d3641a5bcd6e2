"""`aimonk export`: a model in the format of another tool, made on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..config_file import checked
from ..serving.export_model import export_model
from ..tracking.logged_model import model_package
from ..tracking.recorded_request import recorded_config
from ..tracking.registry import resolve


def export(model: str, format: Literal["openvino", "keras", "onnx"], out: str | Path) -> Path:
    """Write a model for another engine, and return where it is.

    >>> aimonk.export("models:/dresses/1", "openvino", "dresses")  # doctest: +SKIP
    PosixPath('dresses')

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        format: `openvino` (a folder with the graph) or `keras` (a file for further training).
        out: what to write; it must not exist.

    Raises:
        ModelError: the format is not available for this model.
        AimonkError: `out` exists or cannot be written.
    """
    version = resolve(model)
    run_id = version.run_id if version else None
    if run_id is None and model.startswith("runs:/"):
        run_id = model.removeprefix("runs:/").split("/")[0]
    features = checked(recorded_config(run_id)).features if run_id else None
    return export_model(model_package(model), format, Path(out), features)
