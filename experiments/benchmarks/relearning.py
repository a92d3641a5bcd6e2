"""Learn from changed labels: everything after the embedding anew, with the product's own functions."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from trials import SHARED, WEIGHTS

from aimonk.commands.train import Learned, judge, learn
from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.data.labels import MISSING
from aimonk.data.split import make_split
from aimonk.features.cache_key import image_index_folder
from aimonk.progress import Stages
from aimonk.training.learner import Learner
from aimonk.training.open_learner import open_learner


@dataclass(frozen=True)
class Bench:
    """A data set whose images are embedded once, and whose labels may be changed."""

    data: Dataset
    config: Config
    learner: Learner
    stages: Stages

    def relearn(self, targets: np.ndarray) -> Learned:
        """Split, fit every fold and the shipped head, score and judge, as `aimonk train` does.

        `targets` is `(N, L)` of 1, 0 and `MISSING`, for the images of `data`.
        """
        data = dataclasses.replace(self.data, targets=targets)
        self.learner.prepare(data, self.stages, self.stages.warn)
        plan = make_split(targets, data.groups, data.split, self.config.split, data.names)
        return judge(learn(self.learner, data, plan, self.config), data, self.config)


def arguments(documentation: str | None) -> argparse.ArgumentParser:
    """The options that say what is learned from: by default clothing, by frozen MobileNet@0.25."""
    parser = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "clothing" / "images")
    parser.add_argument("--labels", type=Path, default=None)
    parser.add_argument("--backbone", default="mobilenet@0.25")
    parser.add_argument("--weights", default=str(WEIGHTS))
    parser.add_argument("--seed", type=int, default=0)
    return parser


def open_bench(
    given: argparse.Namespace, assignments: Sequence[str] = (), experiment: Path | None = None
) -> Bench:
    """Read the data and open the backbone; other settings are those of the experiment's file, or assigned."""
    named = [f"features.backbone={given.backbone}", f"features.weights={given.weights}"]
    config = load_config(experiment, [*named, *assignments])
    data = read_dataset(given.data, given.labels, config.data, image_index_folder(config.features))
    return Bench(data, config, open_learner(config), Stages(Console(stderr=True)))


def flip(targets: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Turn so large a share of each attribute's known labels into their opposite."""
    flipped = targets.copy()
    for j in range(targets.shape[1]):
        known = np.flatnonzero(targets[:, j] != MISSING)
        rows = generator.choice(known, round(share * known.size), replace=False)
        flipped[rows, j] = 1 - flipped[rows, j]
    return flipped
