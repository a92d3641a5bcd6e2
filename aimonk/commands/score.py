"""`aimonk score`: many images into one table, here or on Spark."""

from __future__ import annotations

from pathlib import Path

from ..interruption import resumable, terminable
from ..progress import recorded, stage
from ..runtime.predictor import Predictor
from ..serving.batch_scoring import ScoringResult, check_places
from ..serving.batch_scoring import score as score_here
from ..serving.score_options import score_options
from ..serving.scores_table import Format
from ..tracking.logged_model import model_folder, model_package


def score(
    model: str,
    data: str | Path,
    out: str | Path,
    *,
    image: str = "image",
    name: str = "",
    format: Format = "long",
    shards: int = 0,
    max_unreadable: float = 1.0,
    resume: bool = True,
    spark: str = "",
) -> ScoringResult:
    """Score a folder of images or a Parquet file into one table.

    >>> aimonk.score("models:/dresses/1", "photos", "scores.parquet").images  # doctest: +SKIP
    200

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        data: folder of images, or a Parquet file with a column of images or of paths; also a URI.
        out: `.parquet` or `.csv`; also a URI.
        image: column of a Parquet file that holds the images, their paths, or both as Hugging Face has them.
        name: column that names its rows.
        format: `long` has lists of attributes and probabilities, `wide` a column for each attribute.
        shards: write a folder of so many files; 0 writes one file.
        max_unreadable: the result counts as failed if a larger share of images cannot be read; with 1, never.
        resume: keep the rows of an interrupted scoring of the same images.
        spark: a Spark master such as `local[4]` that does the work.

    Raises:
        AimonkError: one of its kinds; the message is one sentence.
    """
    options = score_options(
        image=image, name=name, format=format, shards=shards, max_unreadable=max_unreadable, resume=resume
    )
    check_places(data, out, options)
    with recorded():
        if spark:
            from ..serving.spark_scoring import score_spark

            folder = model_folder(model)
            with terminable(), stage("score", "Scoring on Spark") as progress:
                return score_spark(folder, data, out, spark, options, progress=progress)
        how = "The same command resumes it." if resume else "The same command without --no-resume resumes it."
        with (
            resumable(how),
            stage("score", "Scoring") as progress,
            Predictor(model_package(model), throughput=True) as predictor,
        ):
            return score_here(predictor, data, out, options, progress)
