"""What a tracking server that goes away, and a training that is killed, leave behind.

    python experiments/benchmarks/outages.py [--postgres] [--skip outages|kills]
        [--seconds 60] [--kinds killed frozen gone] [--kills 40]

A small fine-tuning on drawn data (MobileNet, width 0.25, random weights) is run four times against an MLflow
server over HTTP: undisturbed; with the server killed and started again after a minute; frozen for a minute;
and gone until the training has given up, then resumed. Then trainings are killed at many moments and resumed.
Every run must end with each iteration once, the figures of the undisturbed run, one version, and the alias on
a version that is whole.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mlflow.tracking import MlflowClient  # noqa: E402

from tests.tracking.tracking_server import TrackingServer, postgres, running  # noqa: E402

IMAGES, EPOCHS = 80, 24
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)


@dataclass
class Ended:
    """How a command ended."""

    code: int
    seconds: float
    errors: str
    answer: dict[str, object]


class Bench:
    """A folder with drawn data, and trainings in it."""

    def __init__(self, folder: Path, uri: str, epochs: int) -> None:
        self.folder, self.epochs = folder, epochs
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")},
            "AIMONK_STORE": str(folder / "store"),
            "AIMONK_GRAPHS": str(folder / "graphs"),
            "MLFLOW_TRACKING_URI": uri,
            "PYTHONPATH": str(ROOT),
        }
        self.client = MlflowClient(uri, uri)
        if not (folder / "demo").exists():
            self.end(self.start("demo-data", "demo", "--images", str(IMAGES)))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of aimonk."""
        command = [sys.executable, "-m", "aimonk", *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, text=True, stdout=-1, stderr=-1
        )

    def train(self, name: str, patience: float = 600) -> subprocess.Popen[str]:
        """Start a training into an experiment and a registered model of its own."""
        return self.start(
            *("train", "--config", "finetune", "--data", "demo", "--json", "--experiment", name),
            *("--register", name, "--backbone", "mobilenet@0.25", "--weights", "none"),
            *("--epochs", str(self.epochs), "--set", "features.resolution=0.3"),
            *("--set", "finetune.resolution=0", "--set", "training.epochs=2"),
            *("--set", "finetune.batch_size=4", "--set", "finetune.learning_rate=1e-4"),
            *("--set", "evaluation.folds=0", "--set", f"tracking.patience={patience}"),
        )

    def end(self, process: subprocess.Popen[str], began: float = 0.0) -> Ended:
        """Wait for a command; `began` is when its seconds count from."""
        out, errors = process.communicate()
        lines = out.strip().splitlines()
        answer = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
        return Ended(process.returncode, time.monotonic() - began, errors, answer)

    def resume(self, run_id: str) -> Ended:
        """Resume a run and wait."""
        return self.end(self.start("train", "--resume", run_id, "--json"), time.monotonic())

    def run_of(self, name: str) -> str | None:
        """Return the id of an experiment's only run."""
        experiment = self.client.get_experiment_by_name(name)
        runs = self.client.search_runs([experiment.experiment_id]) if experiment else []
        return str(runs[0].info.run_id) if runs else None

    def points(self, run_id: str) -> list[tuple[int, float]]:
        """Return step and loss of every iteration that is stored, repeated ones too."""
        history = self.client.get_metric_history(run_id, "training_loss")
        return sorted((point.step, point.value) for point in history)

    def check(self, name: str, run_id: str, whole: Whole) -> str:
        """Say what is wrong with a run that has ended; empty if nothing is."""
        faults = []
        run = self.client.get_run(run_id)
        if run.info.status != "FINISHED":
            faults.append(run.info.status)
        points = self.points(run_id)
        if points != whole.points:
            faults.append(f"{len(points)} of {len(whole.points)} points, or other losses")
        if run.data.metrics.get("mAP") != whole.mean_ap:
            faults.append("another mAP")
        versions = self.client.search_model_versions(f"name = '{name}'")
        if len(versions) != 1:
            faults.append(f"{len(versions)} versions")
        elif self.aliases(name) != whole.aliases:
            faults.append(f"aliases {self.aliases(name)}")
        if (self.folder / "store" / "checkpoints" / run_id).exists():
            faults.append("a folder is left")
        return "; ".join(faults)

    def aliases(self, name: str) -> list[str]:
        """Return the aliases of all versions of a registered model."""
        versions = self.client.search_model_versions(f"name = '{name}'")
        found = [self.client.get_model_version(name, version.version).aliases for version in versions]
        return sorted(alias for aliases in found for alias in aliases)


@dataclass
class Whole:
    """An undisturbed training."""

    points: list[tuple[int, float]]
    mean_ap: float
    aliases: list[str]
    seconds: float
    fit_seconds: float


def undisturbed(bench: Bench, name: str) -> Whole:
    """Train without any trouble."""
    began = time.monotonic()
    ended = bench.end(bench.train(name), began)
    assert ended.code == 0, ended.errors
    run_id = str(ended.answer["run_id"])
    mean_ap = bench.client.get_run(run_id).data.metrics["mAP"]
    return Whole(bench.points(run_id), mean_ap, bench.aliases(name), ended.seconds, _fit_seconds(ended))


def _fit_seconds(ended: Ended) -> float:
    """Seconds of the stages in which a model is trained."""
    seconds = ended.answer.get("seconds")
    assert isinstance(seconds, dict)
    return float(sum(seconds.get(stage, 0.0) for stage in ("fit", "finetune")))


def outages(bench: Bench, server: TrackingServer, seconds: float, label: str, asked: list[str]) -> None:
    """Print a table row per kind of outage."""
    undisturbed(bench, f"{label}-warm")
    whole = undisturbed(bench, f"{label}-whole")
    print(f"| {label} | undisturbed | {whole.seconds:.1f} | {whole.fit_seconds:.1f} | | |", flush=True)

    def killed() -> None:
        server.kill()
        time.sleep(seconds)
        server.start()

    def frozen() -> None:
        server.signal(signal.SIGSTOP)
        time.sleep(seconds)
        server.signal(signal.SIGCONT)

    kinds: dict[str, Callable[[], None]] = {"killed": killed, "frozen": frozen}
    for kind, strike in kinds.items():
        if kind not in asked:
            continue
        name, began = f"{label}-{kind}", time.monotonic()
        process = bench.train(name)
        _wait_for(lambda: _fine_tuning(bench), process)  # noqa: B023
        striking = threading.Thread(target=strike)
        striking.start()
        ended = bench.end(process, began)
        striking.join()
        faults = f"ended with {ended.code}: {ended.errors[-300:]}"
        if ended.code == 0:
            faults = bench.check(name, str(ended.answer["run_id"]), whole)
        more = ended.seconds - whole.seconds
        fit = _fit_seconds(ended) / whole.fit_seconds - 1 if ended.answer else float("nan")
        print(
            f"| {label} | {kind} for {seconds:.0f} s | {ended.seconds:.1f} ({more:+.1f}) "
            f"| {fit:+.1%} | {faults or 'nothing wrong'} | |",
            flush=True,
        )
    if "gone" in asked:
        _gone(bench, server, label, whole)


def _gone(bench: Bench, server: TrackingServer, label: str, whole: Whole) -> None:
    name, began = f"{label}-gone", time.monotonic()
    process = bench.train(name, patience=5)
    _wait_for(lambda: _fine_tuning(bench), process)
    server.kill()
    ended = bench.end(process, began)
    shown = "figures shown" if ended.answer.get("mAP") is not None else "no figures"
    last = ended.errors.strip().splitlines()[-1]
    server.start()
    run_id = bench.run_of(name)
    assert run_id and f"aimonk train --resume {run_id}" in last, last
    resumed = bench.resume(run_id)
    faults = bench.check(name, run_id, whole) if resumed.code == 0 else resumed.errors[-300:]
    print(
        f"| {label} | gone, resumed later | {ended.seconds:.1f} + {resumed.seconds:.1f} | | "
        f"{faults or 'nothing wrong'} | {shown}, exit code {ended.code} |",
        flush=True,
    )


def _fine_tuning(bench: Bench) -> bool:
    """Whether a checkpoint of an epoch is there; those of earlier trainings are deleted."""
    return any((bench.folder / "store" / "checkpoints").glob("*/*/*.npz"))


def _wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.02)


def kills(bench: Bench, number: int, label: str) -> None:
    """Kill trainings at moments spread over their length, resume each, and print what was wrong."""
    whole = undisturbed(bench, f"{label}-whole")
    by_signal: dict[str, list[str]] = {}
    for index in range(number):
        sent, moment = SIGNALS[index % 3], whole.seconds * (index + 0.5) / number
        name = f"{label}-{index}"
        process, began = bench.train(name), time.monotonic()
        time.sleep(moment)
        process.send_signal(sent)
        ended = bench.end(process, began)
        by_signal.setdefault(sent.name, []).append(_after_kill(bench, name, sent, ended, whole))
    for sent_name, outcomes in by_signal.items():
        counted = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
        print(f"| {sent_name} | {len(outcomes)} | {counted} |", flush=True)


def _after_kill(bench: Bench, name: str, sent: signal.Signals, ended: Ended, whole: Whole) -> str:
    run_id = bench.run_of(name)
    if run_id is None:
        return "before the run began"
    if "Traceback" in ended.errors:
        return f"traceback: {ended.errors[-300:]}"
    status = bench.client.get_run(run_id).info.status
    if status == "FINISHED":
        return bench.check(name, run_id, whole) or "had finished"
    if sent != signal.SIGKILL and status != "KILLED":
        return f"left {status}: {ended.errors[-300:]}"
    tags = bench.client.get_run(run_id).data.tags
    if "champion" in bench.aliases(name) and "aimonk.promoted" not in tags:
        return "promoted before it was whole"
    resumed = bench.resume(run_id)
    if resumed.code and "keeps no request.json" in resumed.errors:
        return "before the request was recorded"
    return bench.check(name, run_id, whole) if resumed.code == 0 else resumed.errors[-300:]


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--postgres", action="store_true", help="let the server keep its data in PostgreSQL")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of an outage")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--kinds", nargs="+", default=["killed", "frozen", "gone"])
    parser.add_argument("--skip", choices=("outages", "kills"))
    asked = parser.parse_args()
    label = "PostgreSQL" if asked.postgres else "SQLite"
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres() if asked.postgres else nullcontext("") as backend,
        running(Path(folder) / "server", backend) as server,
    ):
        bench = Bench(Path(folder), server.uri, asked.epochs)
        if asked.skip != "outages":
            print("| server | outage | seconds | fitting | faults | said |\n|---|---|---|---|---|---|")
            outages(bench, server, asked.seconds, label, asked.kinds)
        if asked.skip != "kills":
            bench = Bench(Path(folder), server.uri, 3)
            print("| signal | trainings | faults (none: '') |\n|---|---|---|")
            kills(bench, asked.kills, f"{label}-kill")


if __name__ == "__main__":
    main()
