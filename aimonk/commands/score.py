"""`aimonk score`: many images into one table, here or on Spark."""

from __future__ import annotations

from pathlib import Path

from ..progress import recorded, stage
from ..runtime.predictor import Predictor
from ..serving.batch_scoring import ScoringResult
from ..serving.batch_scoring import score as score_here
from ..tracking.logged_model import model_folder, model_package


def score(model: str, data: str | Path, out: str | Path, *, spark: str = "") -> ScoringResult:
    """Score a folder of images or a Parquet file into one table.

    >>> aimonk.score("models:/dresses/1", "photos", "scores.parquet").images  # doctest: +SKIP
    200

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        data: folder of images, or a Parquet file with a binary column `image`.
        out: `.parquet` or `.csv`.
        spark: a Spark master such as `local[4]` that does the work.

    Raises:
        AimonkError: one of its kinds; the message is one sentence.
    """
    with recorded():
        if spark:
            from ..serving.spark_scoring import score_spark

            folder = model_folder(model)
            with stage("score", "Scoring on Spark") as progress:
                return score_spark(folder, Path(data), Path(out), spark, progress=progress)
        predictor = Predictor(model_package(model), throughput=True)
        with stage("score", "Scoring") as progress:
            return score_here(predictor, Path(data), Path(out), progress=progress)
