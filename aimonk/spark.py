"""A Spark session at a master: quiet, its progress told, and what goes wrong in one sentence."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from .errors import ClusterError
from .native_stderr import hushed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Result = TypeVar("Result")
Progress = Callable[[int, int], None]
"""(done, total) tasks."""

_LOOK_SECONDS = 0.5
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Rows of images on their way to Python: Spark's own 10,000 photos would be a gigabyte.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
}


@contextmanager
def spark_session(master: str, name: str) -> Iterator[SparkSession]:
    """A session of its own at a master such as `local[4]` or `spark://host:7077`, stopped at the end.

    Raises:
        ClusterError: pyspark or Java is missing, the master cannot be reached, or a job fails.

    """
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise ClusterError(
            "Spark is not installed here; run: pip install 'aimonk[spark]', and see that there is a Java."
        ) from None
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # or Spark takes whatever `python3` is
    builder = SparkSession.builder.master(master).appName(name)
    for key, value in _SETTINGS.items():
        builder = builder.config(key, value)
    with hushed() as said, without_advice():
        try:
            session = builder.getOrCreate()
            session.sparkContext.setLogLevel("OFF")  # what it has to say comes as an exception, too
        except Exception as error:  # there is no common class for what keeps a session from starting
            cause = _cause(said(), error)
            raise ClusterError(
                f"Spark cannot be started at {master}: {cause}; check the master, and that java runs here."
            ) from None
    try:
        yield session
    except (PySparkException, Py4JError) as error:
        raise ClusterError(f"The job failed on Spark: {_cause('', error)}.") from None
    finally:
        session.stop()


def watched(session: SparkSession, job: Callable[[], Result], progress: Progress | None = None) -> Result:
    """Run something that Spark computes, and tell how many of its tasks are done."""
    tracker = session.sparkContext.statusTracker()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(job)
        try:
            while True:
                with contextlib.suppress(StillRunning):
                    return running.result(timeout=_LOOK_SECONDS)
                stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
                known = [stage for stage in stages if stage is not None]
                if progress and known:
                    done = sum(stage.numCompletedTasks for stage in known)
                    progress(done, sum(stage.numTasks for stage in known))
        finally:
            if not running.done():  # Ctrl-C, SIGTERM
                session.sparkContext.cancelAllJobs()


def slices(session: SparkSession, items: int, most: int) -> int:
    """How many tasks to make of `items`: as many for each core, none of more than `most`, none of nothing."""
    cores = session.sparkContext.defaultParallelism
    return min(items, cores * -(-items // (cores * most)))


@contextmanager
def without_advice() -> Iterator[None]:
    """Without Spark's warning of pandas 3, which does well for what is done here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def _cause(text: str, error: BaseException) -> str:
    """What went wrong in one sentence, from what Java printed or the error's own text.

    One of our own errors in a worker, or else the last exception that led to the others, or the first line.
    """
    told = f"{text}\n{error}"
    own = re.findall(r"^(?:\w+\.)*(?:user_)?errors\.\w+Error: (.+)", told, re.MULTILINE)
    named = re.findall(r"^(?:: |Caused by: |Exception in .*?)?[\w.$]+Exception: (.+)", told, re.MULTILINE)
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    found = own[0] if own else named[-1] if named else lines[0]
    return str(found).strip().rstrip(".:")[:300]
