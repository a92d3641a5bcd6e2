"""`aimonk predict`: answers for a few image files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..results.prediction_result import PredictionResult
from ..runtime.predictor import Predictor
from ..tracking.logged_model import model_package


def predict(model: str, images: Sequence[str | Path]) -> PredictionResult:
    """Answer for single files, in order.

    >>> aimonk.predict("models:/dresses@champion", ["photo.jpg"]).table  # doctest: +SKIP

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        images: image files. One that cannot be read has an error; the others are answered.

    Raises:
        ModelError: there is no such model, or it is not one of ours.
        TrackingError: the store cannot be reached.
    """
    predictor = Predictor(model_package(model))
    answers = predictor.predict([Path(image) for image in images])
    return PredictionResult(tuple(map(str, images)), answers, predictor.info)
