from __future__ import annotations

import sys
import time

import pytest

from aimonk.errors import ClusterError
from aimonk.spark import _cause, slices, spark_session, watched


def test_without_spark_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    monkeypatch.setitem(sys.modules, "py4j.protocol", None)
    with pytest.raises(ClusterError, match=r"pip install 'aimonk\[spark\]'"), spark_session("local", "test"):
        pass


GATEWAY = "[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number."
SUBMIT = """WARNING: Using incubator modules: jdk.incubator.vector
Exception in thread "main" org.apache.spark.SparkException: Master must start with local
\tat org.apache.spark.deploy.SparkSubmit.error(SparkSubmit.scala:1068)
"""
CONTEXT = """An error occurred while calling None.org.apache.spark.api.java.JavaSparkContext.
: org.apache.spark.SparkException: Could not parse Master URL: 'nowhere'
\tat org.apache.spark.SparkContext$.createTaskScheduler(SparkContext.scala:3319)
"""
NESTED = """An error occurred while calling o1.collect.
: org.apache.spark.SparkException: Exception thrown in awaitResult:
\tat org.apache.spark.util.ThreadUtils$.awaitResult(ThreadUtils.scala:1)
Caused by: java.io.IOException: Failed to connect to /127.0.0.1:1
"""
WORKER = """An error occurred while calling o1.collect.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed
Traceback (most recent call last):
  File "reading.py", line 1, in read_views
aimonk.errors.ImagesError: Cannot read image a.jpg (gone); check the file.
"""


@pytest.mark.parametrize(
    ("printed", "error", "cause"),
    [
        (SUBMIT, GATEWAY, "Master must start with local"),
        ("JAVA_HOME is not set\n", GATEWAY, GATEWAY.rstrip(".")),
        ("", CONTEXT, "Could not parse Master URL: 'nowhere'"),
        ("", NESTED, "Failed to connect to /127.0.0.1:1"),
        ("", WORKER, "Cannot read image a.jpg (gone); check the file"),
        ("", "", "RuntimeError"),
    ],
)
def test_of_all_that_java_says_the_cause_is_told(printed: str, error: str, cause: str) -> None:
    assert _cause(printed, RuntimeError(error)) == cause


@pytest.mark.slow
def test_a_master_that_is_none_is_one_sentence(master: str) -> None:
    with pytest.raises(ClusterError) as raised, spark_session("nowhere", "test"):
        pass
    message = str(raised.value)
    assert message.startswith("Spark cannot be started at nowhere: ")
    assert "master" in message.split(": ", 1)[1].split(";")[0].lower()
    assert "\n" not in message


@pytest.mark.slow
def test_what_a_task_says_is_what_the_user_reads(master: str) -> None:
    def work(_: object) -> None:
        from aimonk.errors import ImagesError

        raise ImagesError("Cannot read image a.jpg (gone); check the file.")

    expected = r"^The job failed on Spark: Cannot read image a\.jpg \(gone\); check the file\.$"
    with pytest.raises(ClusterError, match=expected), spark_session(master, "test") as spark:
        spark.sparkContext.parallelize([1], 1).map(work).collect()


@pytest.mark.slow
def test_every_core_gets_as_many_tasks(master: str) -> None:
    with spark_session(master, "test") as spark:
        assert [slices(spark, items, 10) for items in (1, 2, 15, 20, 21, 40, 41)] == [1, 2, 2, 2, 4, 4, 6]


@pytest.mark.slow
def test_progress_is_told_and_what_is_abandoned_ends(master: str) -> None:
    def work(number: int) -> int:
        time.sleep(0.3)
        return number

    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Enough

    steps: list[tuple[int, int]] = []
    with spark_session(master, "test") as spark:
        job = spark.sparkContext.parallelize(range(8), 8).map(work).sum
        assert watched(spark, job, lambda *step: steps.append(step)) == 28
        long = spark.sparkContext.parallelize(range(400), 400).map(work).sum
        began = time.monotonic()
        with pytest.raises(Enough):
            watched(spark, long, stop)
        assert time.monotonic() - began < 30  # all of it takes 60 s
    assert steps and all(total == 8 and 0 <= done <= 8 for done, total in steps)
    assert sorted(steps) == steps
