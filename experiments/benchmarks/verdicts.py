"""Measure the verdicts on real data, by the command line: is something learned, and is it promoted?

    python experiments/benchmarks/verdicts.py

trains on `data/aimonk`, whose labels carry no visual signal, and on `data/clothing`, whose labels do: frozen
MobileNet@0.25 with ImageNet weights, 5 folds, all other settings the defaults. Prints a table of both, and
one of all attributes.

Measured 2026-11-25: aimonk 0 of 4 `learned` (mean AUC 0.50), refused; clothing 23 of 23 (mean AUC 0.90),
promoted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from trials import SHARED, WEIGHTS

SETS = {"aimonk": "labels.txt", "clothing": "labels.csv"}


def train(name: str, labels: str, folder: str) -> dict[str, Any]:
    """Run `aimonk train` with a tracking store of its own; its JSON answer."""
    data = SHARED / "data" / name
    command = [sys.executable, "-m", "aimonk", "train", "--data", data / "images", "--labels", data / labels]
    command += ["--backbone", "mobilenet@0.25", "--weights", WEIGHTS, "--register", name, "--json"]
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{Path(folder) / 'mlflow.db'}"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(answer, dict)
    return answer


def bounds(found: dict[str, Any], metric: str) -> str:
    """A value with its interval."""
    return f"{found[metric]:.3f} ({found[f'{metric}_low']:.3f} to {found[f'{metric}_high']:.3f})"


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        answers = {name: train(name, labels, folder) for name, labels in SETS.items()}
    print("| data | images | folds | learned | no evidence | too few | mAP | AUC | promoted |")
    print("|:---|---:|---:|---:|---:|---:|---:|---:|:---|")
    for name, answer in answers.items():
        verdicts = Counter(found["verdict"] for found in answer["attributes"])
        counts = " | ".join(str(verdicts[verdict]) for verdict in ("learned", "no evidence", "too few"))
        figures = f"{bounds(answer, 'mAP')} | {bounds(answer, 'AUC')}"
        promotion = answer["promotion"]
        decision = f'{"yes" if promotion["promoted"] else "no"}: "{promotion["reason"]}"'
        print(f"| {name} | {answer['images']} | {answer['folds']} | {counts} | {figures} | {decision} |")
    print("\n| data | attribute | positives | negatives | prevalence | AP | AUC | p, Holm | verdict |")
    print("|:---|:---|---:|---:|---:|---:|---:|---:|:---|")
    for name, answer in answers.items():
        for found in answer["attributes"]:
            counts = f"{found['positives']} | {found['negatives']} | {found['prevalence']:.3f}"
            figures = f"{bounds(found, 'ap')} | {bounds(found, 'auc')} | {found['p_value']:.4f}"
            print(f"| {name} | {found['name']} | {counts} | {figures} | {found['verdict']} |")


if __name__ == "__main__":
    main()
