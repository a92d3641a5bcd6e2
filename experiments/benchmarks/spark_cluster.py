"""Score and embed on a standalone Spark cluster, one of whose two workers dies, and compare with one process.

    python experiments/benchmarks/spark_cluster.py MODEL [--images 3000] [--data DIR]

MODEL is the folder of an MLflow model. Master and workers are processes of Spark's own on this machine, and
the workers have one core each. Each command runs in one process; on the cluster with few images, which shows
what the start takes; with all of them; and once more with one worker and its executor killed halfway. The
script ends with 1 unless rows, errors and, within 1e-6, all numbers are the same everywhere.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
from trials import SHARED, WEIGHTS, Place, copies, new_place, print_table

FEW = 64
TOLERANCE = 1e-6
STARTED = 60.0
_DEPLOY = "org.apache.spark.deploy"


@dataclass
class Cluster:
    """A master and its workers."""

    master: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill_one(self) -> None:
        """End a worker and all that runs for it, without notice."""
        worker = self.workers.pop()
        family = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
        for process in family:
            process.kill()
        worker.wait()


@contextmanager
def cluster(place: Place, workers: int = 2) -> Iterator[Cluster]:
    """A standalone cluster, ended in any case."""
    import pyspark

    home = Path(pyspark.__file__).parent
    port = _free_port()
    environment = {**place.environment, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    started: list[subprocess.Popen[bytes]] = []

    def start(kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (place.folder / "spark.txt").open("ab") as log:
            command = [str(home / "bin" / "spark-class"), f"{_DEPLOY}.{kind}", *arguments]
            started.append(
                subprocess.Popen(command, cwd=place.folder, env=environment, stdout=log, stderr=log)
            )
        return started[-1]

    try:
        where = ["--host", "127.0.0.1", "--webui-port", "0"]
        start("master.Master", *where, "--port", str(port))
        made = Cluster(f"spark://127.0.0.1:{port}")
        _until(lambda: _listens(port))
        for number in range(workers):
            folder = ["--work-dir", str(place.folder / f"work{number}")]
            made.workers.append(
                start("worker.Worker", *where, "--cores", "1", "--memory", "1g", *folder, made.master)
            )
        log = place.folder / "spark.txt"
        _until(lambda: log.read_text().count("Registering worker") == workers)
        yield made
    finally:
        for process in started:
            if process.poll() is None:
                for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                    one.kill()
                process.wait()


def tables_differ(first: Path, second: Path) -> str:
    """What is different between two tables of scores; empty if nothing is."""
    one, other = pq.read_table(first), pq.read_table(second)
    for name in ("image", "error", "predicted_attributes"):
        if name in one.column_names and one[name].to_pylist() != other[name].to_pylist():
            return f"column {name}"
    numbers = (np.concatenate(table["probabilities"].to_pylist()) for table in (one, other))
    return _apart(*numbers)


def stores_differ(first: Path, second: Path) -> str:
    """What is different between two feature stores."""
    from aimonk.features.feature_store import FeatureStore
    from aimonk.features.views import PLAIN

    stores = [FeatureStore(folder) for folder in (first, second)]
    digests = sorted(digest for digest, _ in stores[0].known())
    if digests != sorted(digest for digest, _ in stores[1].known()):
        return "other images"
    return _apart(*(store.get(digests, (PLAIN,)) for store in stores))


def _apart(one: np.ndarray, other: np.ndarray) -> str:
    if one.shape != other.shape:
        return f"{one.shape} and {other.shape}"
    most = float(np.abs(one.astype(np.float64) - other).max())
    return f"{most:.2g}" if most > TOLERANCE else ""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STARTED
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("The cluster did not start.")
        time.sleep(0.1)


def main() -> None:
    """Print the table; exit with 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "aimonk" / "images")
    given = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    rows: list[list[object]] = []
    with new_place() as place:
        few = copies(given.data, place.folder / "few", FEW)
        all_of_them = copies(given.data, place.folder / "all", given.images)

        def score(name: str, data: Path, spark: str) -> tuple[Path, float]:
            out = place.folder / f"{name}.parquet"
            more = ["--spark", spark] if spark else []
            model = given.model.resolve()
            done = place.aimonk("score", "--model", model, "--data", data, "--out", out, *more)
            return out, done.seconds

        def embed(name: str, data: Path, spark: str) -> tuple[Path, float]:
            more = ["--spark", spark] if spark else []
            backbone = ["--backbone", "mobilenet@0.25", "--weights", WEIGHTS]
            done = place.aimonk("embed", "--data", data, *backbone, *more)
            (filled,) = {part.parent for part in (place.folder / "store").rglob("*.parquet")}
            return filled.rename(place.folder / name), done.seconds  # the next one starts with an empty store

        for what, command, differ in (("score", score, tables_differ), ("embed", embed, stores_differ)):
            command(f"{what}-warm", few, "")
            expected, alone = command(f"{what}-alone", all_of_them, "")
            _, start = command(f"{what}-start", few, "")
            rows.append([what, "one process", alone, start, given.images / alone, ""])
            with cluster(place) as spark:
                _, start = command(f"{what}-few", few, spark.master)
                found, seconds = command(f"{what}-spark", all_of_them, spark.master)
                faults = differ(expected, found) or "the same"
                rows.append([what, "two workers", seconds, start, given.images / seconds, faults])
                death = threading.Timer(start + (seconds - start) / 2, spark.kill_one)
                death.start()
                found, killed = command(f"{what}-killed", all_of_them, spark.master)
                death.join()
                faults = differ(expected, found) or "the same"
                rows.append([what, "one of them killed", killed, "", given.images / killed, faults])
    header = ["command", "where", "seconds", f"of {FEW} images", "images per s", "against one process"]
    print_table(header, rows)
    sys.exit(any(row[-1] not in ("", "the same") for row in rows))


if __name__ == "__main__":
    main()
