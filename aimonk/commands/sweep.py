"""The story of a sweep: read, embed once, search, choose twice, retrain, and publish as any training does."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import __version__
from ..config import Config
from ..data.dataset import Dataset
from ..data.label_audit import check_learnable, count
from ..data.split import Split, make_split
from ..errors import ConfigError
from ..evaluation.comparison import Comparison, compare
from ..evaluation.cross_validation import HeldOutScores, cross_fit, fold_splits
from ..evaluation.folds import pool_folds
from ..features.cache_key import store_folder
from ..progress import Stages
from ..results.sweep_result import Swept
from ..sweeping.search import GENERATION, search
from ..sweeping.selection import fold_winners, overall_winner, score_table
from ..sweeping.space import Space, read_space, with_settings
from ..sweeping.study import open_study
from ..sweeping.trials import Trial
from ..training.learner import Learner
from ..training.open_learner import open_learner
from .train import Fit, judge, open_store_meanwhile, read


@dataclass(frozen=True)
class SweepRequest:
    """What a user asks to be searched."""

    data: Path
    labels: Path | None
    config: Config
    space: Path
    trials: int = 50
    name: str = ""
    """Of the study; empty means one that stands for the data, the settings and the space."""
    blind: bool = False
    """Draw settings at random and stop no trial early. The sampler and the pruner look at the validation
    images of every fold, which are test images of other folds, so that which settings are tried at all is not
    quite independent of the images reported. Blind, it is."""


@dataclass(frozen=True)
class Folds:
    """Fold numbers `(N,)` of all images, and a split for each fold."""

    numbers: np.ndarray
    splits: list[Split]


def sweep(request: SweepRequest, stages: Stages) -> Swept:
    """Search, then train, log and register the winner. Interrupted, it goes on when it is asked for again.

    Raises:
        ConfigError: the space is not valid, or leaves nothing to choose by.
    """
    config = request.config
    _check_choosable(config, request.name)
    space = read_space(request.space, config)
    with ExitStack() as stack:
        data = read(request.data, request.labels, config, stages)
        check_learnable(count(data.attributes, data.targets))
        plan = make_split(data.targets, data.groups, data.split, config.split, data.names)
        folds = Folds(*fold_splits(data.targets, data.groups, config.split, config.evaluation.folds))
        _check_folds(data, folds)
        with stages.stage("open", "Backbone and tracking store"):
            store = open_store_meanwhile(config.tracking.experiment)
            learner = open_learner(config)
            store.join()
        learner.prepare(data, stages, stages.warn)
        identity = _identity(space, config, data, folds, learner, request.blind)
        name = request.name or f"sweep-{identity[:12]}"
        sweeps = store_folder(config.features) / "sweeps"
        seed = config.training.seed
        study = stack.enter_context(open_study(sweeps, name, identity, space, seed, request.blind))
        from ..publishing.publish_sweep import SweepPublisher

        publisher = stack.enter_context(
            SweepPublisher.open(config, data, stages, study, name, request.space.name)
        )
        taken_up = len(study.trials)
        publisher.begin(plan)
        with stages.stage("sweep", "Sweep") as progress:
            search(
                study,
                lambda settings: learner.reconfigured(with_settings(config, settings)),
                data.targets,
                folds.splits,
                request.trials,
                space.starting(config),
                1 if config.training.mode == "finetune" else GENERATION,
                publisher.log_trial,
                progress,
            )
        trials = tuple(study.trials)
        table = score_table([trial.scores for trial in trials], len(folds.splits))
        best, winners = trials[overall_winner(table)], [trials[row] for row in fold_winners(table)]
        settled = with_settings(config, best.settings)
        with stages.stage("fit", "Training the winner"):
            learner = learner.reconfigured(settled)
            model = learner.fit_all(best.epochs, publisher.run)
        with stages.stage("evidence", "Weighing the evidence"):
            everything = np.arange(len(data))
            shipped = Split(everything, everything[:0], everything[:0])
            held_out = reported(winners, data.targets, folds, config)
            fit = Fit(model, model.history, everything, shipped, held_out)
            learned = judge(fit, data, settled)
            gain = _gain(trials, held_out, data, folds, space, config)
        found = Swept.of(name, trials, taken_up, best, winners, gain, study.importances(), config)
        return publisher.publish_sweep(learner, learned, found)


def reported(winners: list[Trial], targets: np.ndarray, folds: Folds, config: Config) -> HeldOutScores:
    """Scores of every image by the winner of the fold that it was kept out of."""
    kept = [
        _Remembered(trial, fold, split, targets.shape)
        for fold, (trial, split) in enumerate(zip(winners, folds.splits, strict=True))
    ]
    return cross_fit(kept, targets, folds.numbers, folds.splits, config.evaluation)


class _Remembered:
    """A fit of which only the logits of its validation and test images are left."""

    def __init__(self, trial: Trial, fold: int, split: Split, shape: tuple[int, ...]) -> None:
        kept = trial.folds[fold]
        self._table = np.full(shape, np.nan, dtype=np.float32)
        self._table[split.validation], self._table[split.test] = kept.validation, kept.test

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """See `evaluation.crossfit.Fitted`."""
        return self._table[rows]


def _gain(
    trials: tuple[Trial, ...],
    held_out: HeldOutScores,
    data: Dataset,
    folds: Folds,
    space: Space,
    config: Config,
) -> Comparison | None:
    """What the sweep as a procedure adds to the settings as they stood, if these were among the trials."""
    start = space.starting(config)
    before = next((trial for trial in trials if trial.settings == start and not trial.pruned), None)
    if before is None:
        return None
    as_they_stood = reported([before] * len(folds.splits), data.targets, folds, config)
    after, stood = (
        np.nan_to_num(pool_folds(data.targets, scores.logits, folds.numbers))
        for scores in (held_out, as_they_stood)
    )
    return compare(
        data.targets,
        after,
        stood,
        data.attributes,
        data.groups,
        resamples=config.evaluation.resamples,
        seed=config.split.seed,
    )


def _identity(
    space: Space, config: Config, data: Dataset, folds: Folds, learner: Learner, blind: bool
) -> str:
    """Hex SHA-256 of all that a trial's scores depend on besides its settings."""
    facts = {
        "space": space.to_json(),
        "training": dataclasses.asdict(config.training),
        "finetune": dataclasses.asdict(config.finetune) if config.training.mode == "finetune" else None,
        "views": config.features.views,
        "features": learner.key.folder,
        "data": data.digest,
        "blind": blind,
        "version": __version__,
    }
    content = hashlib.sha256(json.dumps(facts).encode())
    for split in folds.splits:
        for rows in split.parts().values():
            content.update(np.ascontiguousarray(rows, dtype=np.int64).tobytes() + b"|")
    return content.hexdigest()


def _check_choosable(config: Config, name: str) -> None:
    if config.evaluation.folds < 2:
        raise ConfigError("A sweep tries settings by cross-validation; set evaluation.folds to 2 or more.")
    if config.split.validation == 0:
        raise ConfigError("A sweep chooses settings on validation images; set split.validation above 0.")
    if name and not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", name):
        raise ConfigError(f"--name takes letters, digits, dots, dashes and underscores, not {name!r}.")


def _check_folds(data: Dataset, folds: Folds) -> None:
    for fold, split in enumerate(folds.splits):
        known = data.targets[split.validation]
        if not ((known == 1).any(axis=0) & (known == 0).any(axis=0)).any():
            raise ConfigError(
                f"The {len(known)} validation images of fold {fold + 1} of {len(folds.splits)} have no "
                "attribute with both a positive and a negative; raise split.validation."
            )
