"""`aimonk explain`: where in an image the evidence for each attribute lies."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from ..atomic_files import replaced_file
from ..errors import AimonkError, ConfigError, ImagesError, ModelError
from ..progress import recorded, stage
from ..reporting.overlays import overlay
from ..results.explanation_result import ExplainedImage, ExplanationResult
from ..runtime.contributions import Explainer
from ..runtime.explained_prediction import drawn_attributes
from ..runtime.image_file import read_image_file
from ..tracking.logged_model import model_package
from .one_or_several import listed

JSON = "explanations.json"
_PICTURES = "[0-9][0-9][0-9]-*-[0-9][0-9]-*.png"


def explain(
    model: str,
    images: str | Path | Sequence[str | Path],
    out: str | Path | None = None,
    *,
    attributes: str | Sequence[str] = (),
) -> ExplanationResult:
    """Show where the evidence for each attribute lies; see `aimonk.runtime.contributions` for the formula.

    >>> aimonk.explain("models:/dresses@champion", ["photo.jpg"], "explained").table  # doctest: +SKIP

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        images: an image file, or several. One that cannot be read has an error; the others are explained.
        out: folder for a PNG per image and attribute, and for `explanations.json`; those of an earlier call
            in it are replaced. Without one, nothing is written.
        attributes: one or several to draw; by default those that the model finds present and that have
            evidence.

    Raises:
        ConfigError: there are attributes to draw and no folder.
        ModelError: there is no such model, it has no such attribute, or its logits cannot be taken apart.
        AimonkError: the folder cannot be written.
        TrackingError: the store cannot be reached.
    """
    with recorded():
        with stage("model", "Model"):
            explainer = Explainer(model_package(model))
        paths, drawn = listed(images), listed(attributes)
        unknown = [name for name in drawn if name not in explainer.info.names]
        if unknown:
            raise ModelError(
                f"The model {model} has no attribute {unknown[0]!r}; "
                f"it has {', '.join(explainer.info.names)}."
            )
        if drawn and out is None:
            raise ConfigError(
                f"The attribute {drawn[0]!r} is to be drawn, but there is no place for pictures; give --out."
            )
        folder = Path(out) if out is not None else None
        if folder is not None and folder.exists() and not folder.is_dir():
            raise AimonkError(f"{folder} is a file; give --out a folder, which need not exist.")
        if folder is not None:
            _clear(folder)
        explained = []
        with stage("explain", "Explaining") as progress:
            for number, image in enumerate(paths, start=1):
                explained.append(_explained(explainer, Path(image), folder, number, drawn))
                progress(number, len(paths))
        result = ExplanationResult(tuple(explained), explainer.info)
        if folder is not None:
            _write(folder / JSON, json.dumps(result.to_json(), allow_nan=False).encode())
    return result


def _explained(
    explainer: Explainer, path: Path, folder: Path | None, number: int, attributes: Sequence[str]
) -> ExplainedImage:
    try:
        content, _ = read_image_file(path)
        found = explainer.explain(content)
    except ImagesError as error:
        return ExplainedImage(str(path), None, str(error))
    if folder is None:
        return ExplainedImage(str(path), found)
    info = explainer.info
    columns = [info.names.index(name) for name in attributes] or drawn_attributes(found, info)
    pictures = []
    for column in columns:
        name = info.names[column]
        file = folder / f"{number:03d}-{_plain(path.stem)}-{column:02d}-{_plain(name)}.png"
        _write(file, overlay(content, found.places[column]))
        pictures.append((name, file))
    return ExplainedImage(str(path), found, pictures=tuple(pictures))


def _clear(folder: Path) -> None:
    """Remove what an earlier call wrote: its pictures would look as if they were explained by this one."""
    try:
        if (folder / JSON).is_file():
            for path in (*folder.glob(_PICTURES), folder / JSON):
                path.unlink()
    except OSError as error:
        raise AimonkError(f"{folder} cannot be written: {error.strerror or error}.") from None


def _plain(name: str) -> str:
    """A name as a part of a file's name; numbers before it keep files apart."""
    return re.sub(r"[^\w.-]+", "_", name)[:60]


def _write(path: Path, content: bytes) -> None:
    try:
        with replaced_file(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise AimonkError(f"Explanations cannot be written to {path}: {error.strerror or error}.") from None
