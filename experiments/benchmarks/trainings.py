"""Small fine-tunings on drawn data in processes of their own, and what must be true of each at its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mlflow.tracking import MlflowClient  # noqa: E402

IMAGES = 80


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

    def start(self, *arguments: str, code: tuple[str, ...] = ("-m", "aimonk")) -> subprocess.Popen[str]:
        """Start a command of aimonk; `code` is what Python runs."""
        command = [sys.executable, *code, *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, text=True, stdout=-1, stderr=-1
        )

    def train(
        self, name: str, patience: float = 600, code: tuple[str, ...] = ("-m", "aimonk")
    ) -> subprocess.Popen[str]:
        """Start a training into an experiment and a registered model of its own."""
        return self.start(
            *("train", "--config", "finetune", "--data", "demo", "--json", "--experiment", name),
            *("--register", name, "--backbone", "mobilenet@0.25", "--weights", "none"),
            *("--epochs", str(self.epochs), "--set", "features.resolution=0.3"),
            *("--set", "finetune.resolution=0", "--set", "training.epochs=2"),
            *("--set", "finetune.batch_size=4", "--set", "finetune.learning_rate=1e-4"),
            *("--set", "evaluation.folds=0", "--set", f"tracking.patience={patience}"),
            code=code,
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
    return Whole(bench.points(run_id), mean_ap, bench.aliases(name), ended.seconds, fit_seconds(ended))


def fit_seconds(ended: Ended) -> float:
    """Seconds of the stages in which a model is trained."""
    seconds = ended.answer.get("seconds")
    assert isinstance(seconds, dict)
    return float(sum(seconds.get(stage, 0.0) for stage in ("fit", "finetune")))
