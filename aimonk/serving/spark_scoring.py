"""The table that `score` writes, its images answered by the workers of a Spark cluster.

MLflow brings the model to every worker, which needs what a server needs, and no aimonk. Images that are files
are read where they are scored, so they lie at the same path on every worker. This machine writes the table,
since an image leaves no more than a few numbers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd

from ..errors import AimonkError
from ..runtime.prediction import Prediction
from ..runtime.record import read_info
from ..spark import slices, spark_session, watched, without_advice
from .batch_scoring import Progress, ScoringResult, open_source
from .parquet_source import column_type
from .remote_files import local_path, open_location, writing
from .score_options import ScoreOptions
from .scores_output import write_table
from .scores_table import long_table
from .scoring_parts import ROWS_PER_PART, ScoringParts
from .scoring_source import ScoringSource

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame, SparkSession

IMAGES_PER_TASK = 512


def score_spark(
    model: Path,
    data: str | Path,
    out: str | Path,
    master: str,
    options: ScoreOptions | None = None,
    progress: Progress | None = None,
) -> ScoringResult:
    """Score a folder of images, or a Parquet file, into `out`, on Spark. Nothing is kept of a failed job.

    Args:
        model: folder of an MLflow model.
        data: as `score` takes it; a path that every worker can read.
        out: as `score` writes it: the same rows in the same order.
        master: where Spark is, e.g. `local[4]`.
        options: as `score` takes them; `resume` has no effect.
        progress: called with (done, total) tasks.

    Raises:
        ImagesError: there is no such data, or no image in it.
        ClusterError: Spark cannot be started, or the job fails.
        ConfigError: a column is named, but `data` is a folder.
        AimonkError: `data` is not a path, or `out` cannot be written, or should not be.
    """
    options = options or ScoreOptions()
    source = open_source(data, out, options)
    fs, path = open_location(data)
    place = local_path(fs, path)
    if place is None:
        raise AimonkError(f"Workers read images from a path, not from {data}; score it without Spark.")
    names = read_info(model / "artifacts" / _package(model)).names
    parts = ScoringParts(*open_location(out), {})
    with writing(str(out)), parts.claimed():
        try:
            with spark_session(master, "aimonk score") as spark:
                images = _parquet(spark, place, options) if place.is_file() else _folder(spark, place, source)
                unreadable = _write(spark, model, images, source, names, str(out), parts, options, progress)
        finally:
            parts.remove()
    images_in_all = len(source.names)
    return ScoringResult(str(out), images_in_all, unreadable, options.max_unreadable, 0, source.skipped)


def _write(
    spark: SparkSession,
    model: Path,
    images: DataFrame,
    source: ScoringSource,
    attributes: tuple[str, ...],
    out: str,
    parts: ScoringParts,
    options: ScoreOptions,
    progress: Progress | None,
) -> int:
    """Compute the answers, write the table, and return how many images could not be read."""
    from pyspark import StorageLevel
    from pyspark.sql import functions as F

    with _without_mlflow_advice():
        answer = mlflow.pyfunc.spark_udf(spark, str(model), env_manager="local")
        answers = images.select("number", answer("image").alias("answer")).persist(StorageLevel.DISK_ONLY)
    watched(spark, answers.count, progress)  # all at once; they are read below a part at a time
    write_table(_tables(answers, source.names), len(source.names), attributes, out, parts.folder, options)
    return int(answers.filter(F.col("answer.error").isNotNull()).count())


def _package(model: Path) -> str:
    return next(path.parent.name for path in (model / "artifacts").glob("*/attributes.json"))


def _folder(spark: SparkSession, folder: Path, source: ScoringSource) -> DataFrame:
    """`number`, `image` of a folder's files; an image that cannot be read is null."""
    from pyspark.sql import functions as F

    files = list(enumerate(bytearray(os.fsencode(name)) for name in source.files))
    numbered = spark.sparkContext.parallelize(files, slices(spark, len(files), IMAGES_PER_TASK))
    frame = spark.createDataFrame(numbered, "number long, path binary")
    return frame.select("number", _reader(folder.resolve())(F.col("path")).alias("image"))


def _parquet(spark: SparkSession, file: Path, options: ScoreOptions) -> DataFrame:
    """The same of a Parquet file's rows."""
    import pyarrow.parquet as pq
    from pyspark.sql import functions as F

    kind = column_type(pq.read_schema(file), options.image)
    column = F.col(f"`{options.image}`")
    number = F.col("_metadata.row_index").alias("number")
    read = _reader(file.resolve().parent)
    frame = spark.read.parquet(str(file.resolve()))
    if kind == "bytes":
        image = column
    elif kind == "path":
        image = read(column.cast("binary"))
    else:
        fields = set(pq.read_schema(file).field(options.image).type.names)
        found = [column["bytes"]] if "bytes" in fields else []
        found += [read(column["path"].cast("binary"))] if "path" in fields else []
        image = F.coalesce(*found)
    return frame.select(number, image.alias("image"))


def _reader(folder: Path) -> Callable[[Column], Column]:
    """A column function from paths relative to `folder`, in bytes, to the files' contents or null."""
    from pyspark.sql import functions

    untyped: Any = functions  # Spark's stubs lack the `pandas_udf` that reads a function's own annotations
    root = os.fsencode(folder)

    def read(paths: pd.Series) -> pd.Series:  # sent by value: workers have no aimonk
        def content(path: bytes | None) -> bytes | None:
            try:
                with open(os.path.join(root, bytes(path or b"")), "rb") as file:
                    return bytes(file.read())
            except OSError:  # of a null path, too: a folder is no file
                return None

        return paths.map(content)

    column_function: Callable[[Column], Column] = untyped.pandas_udf(read, "binary")
    return column_function


def _tables(answers: DataFrame, names: list[str]) -> Iterator[pa.Table]:
    rows = answers.orderBy("number").toLocalIterator()
    while part := list(islice(rows, ROWS_PER_PART)):
        predictions = [
            Prediction(
                tuple(row.answer.predicted_attributes), tuple(row.answer.probabilities), row.answer.error
            )
            for row in part
        ]
        yield long_table([names[row.number] for row in part], predictions)


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
