from __future__ import annotations

import sys
import time

import pytest

from aimonk.cluster import slices, spark_session, watched
from aimonk.errors import ClusterError


def test_without_spark_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    monkeypatch.setitem(sys.modules, "py4j.protocol", None)
    with pytest.raises(ClusterError, match=r"pip install 'aimonk\[spark\]'"), spark_session("local", "test"):
        pass


@pytest.mark.slow
def test_a_master_that_is_none_is_one_sentence(master: str) -> None:
    with pytest.raises(ClusterError) as raised, spark_session("nowhere", "test"):
        pass
    message = str(raised.value)
    assert message.startswith("Spark cannot be started at nowhere: ")
    assert "Master must" in message or "master URL" in message
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
