"""`aimonk predict`: answers for a few image files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..results.prediction_result import PredictionResult
from ..runtime.predictor import Predictor
from ..tracking.logged_model import model_package
from .one_or_several import listed


def predict(model: str, images: str | Path | Sequence[str | Path]) -> PredictionResult:
    """Answer for single files, in order.

    >>> aimonk.predict("models:/dresses@champion", ["photo.jpg"]).table  # doctest: +SKIP

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        images: an image file, or several. One that cannot be read has an error; the others are answered.

    Raises:
        ModelError: there is no such model, or it is not one of ours.
        TrackingError: the store cannot be reached.
    """
    paths = listed(images)
    predictor = Predictor(model_package(model))
    answers = predictor.predict([Path(path) for path in paths])
    return PredictionResult(tuple(map(str, paths)), answers, predictor.info)
