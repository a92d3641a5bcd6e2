"""The table that `score` writes, its images answered by the workers of a Spark cluster.

MLflow brings the model to every worker, which needs what a server needs, and no aimonk. The images of a
folder are read where they are scored: the folder lies at the same place for all. This machine writes the
table, since an image leaves no more than a few numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pandas as pd

from ..data.list_images import image_names
from ..runtime.predictor import Prediction
from ..spark import slices, spark_session, watched, without_advice
from .batch_scoring import Scored, open_parquet, open_table, write_all

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

IMAGES_PER_TASK = 512


def score_spark(
    model: Path,
    data: Path,
    out: Path,
    master: str,
    progress: Callable[[int, int], None] | None = None,
) -> Scored:
    """Score a folder of images, or a Parquet file with a binary column `image`, into `out`.

    Args:
        model: folder of an MLflow model.
        data: as `score` takes it, reachable at this path by every worker.
        out: as `score` writes it: the same rows in the same order.
        master: where Spark is, e.g. `local[4]`.
        progress: called with (done, total) tasks.

    Raises:
        ImagesError: there is no such data, no image in it, or no binary column `image`.
        ClusterError: Spark cannot be started, or the job fails.
        AimonkError: `out` has another suffix or cannot be written.
    """
    read = (
        partial(_parquet, file=data, named_by=open_parquet(data)[1])
        if data.is_file()
        else partial(_folder, folder=data, names=image_names(data))
    )
    with open_table(out) as write, spark_session(master, "aimonk score") as spark:
        from pyspark import StorageLevel

        with _without_mlflow_advice():
            answers = _answers(spark, model, read(spark)).persist(StorageLevel.DISK_ONLY)
        watched(spark, answers.count, progress)  # all at once; they are read below a part at a time
        return write_all(_rows(answers), write)


def _folder(spark: SparkSession, folder: Path, names: list[str]) -> DataFrame:
    """`number`, `name`, `image` of a folder's files; an image that cannot be read is null."""
    from pyspark.sql import functions as F

    root = str(folder.resolve())

    def read(files: pd.Series) -> pd.Series:  # sent by value: workers have no aimonk
        def content(name: str) -> bytes | None:
            try:
                return Path(root, name).read_bytes()
            except OSError:
                return None

        return files.map(content)

    tasks = slices(spark, len(names), IMAGES_PER_TASK)
    numbered = spark.sparkContext.parallelize(list(enumerate(names)), tasks)
    frame = spark.createDataFrame(numbered, "number long, name string")
    return frame.withColumn("image", F.pandas_udf(read, "binary")("name"))  # type: ignore[call-overload]


def _parquet(spark: SparkSession, file: Path, named_by: str | None) -> DataFrame:
    """The same of a Parquet file's rows."""
    from pyspark.sql import functions as F

    number = F.col("_metadata.row_index")
    name = F.coalesce(F.col(named_by), F.lit("")) if named_by else number.cast("string")
    frame = spark.read.parquet(str(file.resolve()))
    return frame.select(number.alias("number"), name.alias("name"), "image")


def _answers(spark: SparkSession, model: Path, images: DataFrame) -> DataFrame:
    """`number`, `name`, `predicted_attributes`, `probabilities`, `error`."""
    answer = mlflow.pyfunc.spark_udf(spark, str(model), env_manager="local")
    answered = images.select("number", "name", answer("image").alias("answer"))
    return answered.select(
        "number", "name", "answer.predicted_attributes", "answer.probabilities", "answer.error"
    )


def _rows(answers: DataFrame) -> Iterator[tuple[str, Prediction]]:
    for row in answers.orderBy("number").toLocalIterator():
        probabilities = tuple(row["probabilities"])
        # where another row of the batch has an error, MLflow makes a text of a null
        error = None if probabilities else row["error"]
        yield row["name"], Prediction(tuple(row["predicted_attributes"]), probabilities, error)


@contextmanager
def _without_mlflow_advice() -> Iterator[None]:
    """Without MLflow's advice on environments: the workers have the one that is theirs."""
    logger = logging.getLogger("mlflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with without_advice():
            yield
    finally:
        logger.setLevel(before)
