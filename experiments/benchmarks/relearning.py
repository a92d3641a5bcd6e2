"""Learn from changed labels: everything after the embedding anew, with the product's own functions."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from trials import SHARED, WEIGHTS

from aimonk.commands.train import fit_and_score, plan_splits
from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.data.labels import MISSING
from aimonk.evaluation.cross_validation import held_out_scores
from aimonk.evaluation.evidence import Evidence
from aimonk.evaluation.held_out import HeldOutScores, evidence_of
from aimonk.features.cache_key import image_index_folder
from aimonk.training.learner import Learner
from aimonk.training.open_learner import open_learner


@dataclass(frozen=True)
class Bench:
    """A data set whose images are embedded once, and whose labels may be changed."""

    data: Dataset
    config: Config
    learner: Learner

    def relearn(self, targets: np.ndarray) -> tuple[HeldOutScores, Evidence]:
        """Split, fit every fold and the shipped head, score and weigh, as `aimonk train` does.

        `targets` is `(N, L)` of 1, 0 and `MISSING`, for the images of `data`.
        """
        data = dataclasses.replace(self.data, targets=targets)
        self.learner.prepare(data)
        fit = fit_and_score(self.learner, plan_splits(data, self.config), self.config)
        scores, _ = held_out_scores(fit.parts, data, self.config.evaluation)
        return scores, evidence_of(scores, self.config)


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
    given: argparse.Namespace, assignments: Sequence[str] = (), recipe: str | None = None
) -> Bench:
    """Read the data and open the backbone; other settings are those of a recipe, or assigned."""
    named = [f"features.backbone={given.backbone}"]
    if Path(given.backbone).suffix not in (".onnx", ".keras"):  # such a file holds its own weights
        named.append(f"features.weights={given.weights}")
    config = load_config(recipe, [*named, *assignments])
    data = read_dataset(given.data, given.labels, config, image_index_folder(config.features))
    return Bench(data, config, open_learner(config))


def flip(targets: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Turn so large a share of each attribute's known labels into their opposite."""
    flipped = targets.copy()
    for j in range(targets.shape[1]):
        known = np.flatnonzero(targets[:, j] != MISSING)
        rows = generator.choice(known, round(share * known.size), replace=False)
        flipped[rows, j] = 1 - flipped[rows, j]
    return flipped
