"""`aimonk sweep`: read, embed once, search, choose twice, retrain, and publish as any training does."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import __version__
from ..backbones.large_backbone import is_large
from ..background_import import imported_in_background
from ..config import Config
from ..config_file import chosen_config
from ..data.dataset import Dataset
from ..data.split import Split
from ..errors import ConfigError
from ..evaluation.comparison import Comparison
from ..evaluation.cross_validation import FoldLogits, Operation, fold_splits, held_out_scores
from ..evaluation.held_out import HeldOutScores, compare_scores, evidence_of
from ..features.cache_key import check_store, store_folder
from ..progress import recorded, stage
from ..results.sweep_result import SweepResult
from ..sweeping.search import GENERATION, search
from ..sweeping.selection import fold_winners, overall_winner, score_table
from ..sweeping.space import Space, read_space, with_settings
from ..sweeping.study import open_study
from ..sweeping.trials import Trial
from ..training.learner import Learner
from ..training.open_learner import open_learner
from .data_warnings import warn_of_data
from .read_data import read_data
from .train import all_for_training, opened_store


@dataclass(frozen=True)
class SweepRequest:
    """What is to be searched; see `sweep`."""

    data: Path
    labels: Path | None
    config: Config
    space: str | Path
    trials: int = 50
    name: str = ""
    blind: bool = False


def sweep(
    data: str | Path,
    labels: str | Path | None = None,
    *,
    space: str | Path = "sweep",
    trials: int = 50,
    name: str = "",
    blind: bool = False,
    config: str | Path | None = None,
    settings: Iterable[str] = (),
    backbone: str = "",
    weights: str = "",
    experiment: str = "",
    register: str = "",
) -> SweepResult:
    """Search settings by cross-validation, then train, log and register the best ones.

    An interrupted sweep resumes when it is asked for again.

    >>> aimonk.sweep("photos", trials=20).settings  # doctest: +SKIP

    Args:
        data: folder of images.
        labels: labels file; by default `labels.txt`, else `labels.csv`, in the folder or beside it.
        space: what varies: a TOML file, or `sweep` for the built-in space.
        trials: in all, those of an earlier call included.
        name: of the study; by default one that stands for the data, the settings and the space.
        blind: draw settings at random and stop no trial early. The sampler and the pruner look at the
            validation images of every fold, which are test images of other folds, so which settings are tried
            is not quite independent of the images reported. Blind, it is.
        config: a recipe or a TOML file.
        settings: `section.key=value` for any setting.
        backbone: name of a Keras application.
        weights: `imagenet`, `none` (random), or the path of a weights file.
        experiment: MLflow experiment.
        register: registered model that the new version joins.

    Raises:
        ConfigError: the space is not valid, or leaves nothing to choose by.
        AimonkError: another of its kinds; the message is one sentence.
    """
    chosen = chosen_config(
        config,
        settings,
        backbone=backbone,
        weights=weights,
        experiment=experiment,
        register=register,
        is_large=is_large,
    )
    folder, source = Path(data), Path(labels) if labels else None
    return run_sweep(SweepRequest(folder, source, chosen, space, trials, name, blind))


def run_sweep(request: SweepRequest) -> SweepResult:
    """Search as requested: the whole story, from the folder to the registered winner."""
    config = request.config
    _check_choosable(config, request.name)
    space = read_space(request.space, config)
    check_store(config.features)
    with recorded() as record, imported_in_background("mlflow", "optuna"), ExitStack() as stack:
        dataset = read_data(request.data, request.labels, config)
        splits = fold_splits(dataset.targets, dataset.groups, config.split, config.folds)
        _check_folds(dataset, splits)
        with stage("open", "Backbone and tracking store"), opened_store(config.tracking.experiment):
            learner = open_learner(config)
        learner.prepare(dataset)
        identity = _identity(space, config, dataset, splits, learner, request.blind)
        name = request.name or f"sweep-{identity[:12]}"
        sweeps = store_folder(config.features) / "sweeps"
        study = stack.enter_context(
            open_study(sweeps, name, identity, space, config.training.seed, request.blind)
        )
        from ..publishing.candidate import Candidate
        from ..publishing.publish_sweep import publish_search, record_search, record_trial, sweep_run
        from ..publishing.publish_training import publish_training, record_data

        run = stack.enter_context(sweep_run(config, dataset, study, name, Path(request.space).name))
        resumed = len(study.trials)
        record_search(run, config, dataset, study)
        record_data(run, dataset)
        warn_of_data(dataset, splits, config)
        with stage("sweep", "Sweep") as progress:
            search(
                study,
                lambda settings: learner.reconfigured(with_settings(config, settings)),
                dataset.targets,
                splits,
                request.trials,
                space.starting(config),
                1 if config.training.mode == "finetune" else GENERATION,
                lambda trial: record_trial(run, trial),
                progress,
            )
        trials = tuple(study.trials)
        table = score_table([trial.scores for trial in trials], len(splits))
        best, winners = trials[overall_winner(table)], [trials[row] for row in fold_winners(table)]
        settled = with_settings(config, best.settings)
        with stage("fit", "Training the winner"):
            learner = learner.reconfigured(settled)
            model = learner.refit(best.epochs, run)
        with stage("evidence", "Weighing the evidence"):
            scores, operation = reported(winners, splits, dataset, settled)
            evidence = evidence_of(scores, settled)
            gain = _gain(trials, scores, splits, dataset, space, config)
        found = SweepResult.of(name, trials, resumed, best, winners, gain, study.importances(), config)
        publish_search(run, study, found)
        shipped = all_for_training(len(dataset))
        candidate = Candidate(model, model.history, shipped.train, shipped, scores, operation, evidence)
        training = publish_training(run, learner, dataset, candidate, settled, record)
    return dataclasses.replace(found, training=training)


def reported(
    winners: Sequence[Trial], splits: Sequence[Split], dataset: Dataset, config: Config
) -> tuple[HeldOutScores, Operation]:
    """Return scores of every image by the winner of the fold that held it out, from stored logits."""
    parts = [
        FoldLogits(split, trial.folds[fold].validation, trial.folds[fold].test)
        for fold, (trial, split) in enumerate(zip(winners, splits, strict=True))
    ]
    return held_out_scores(parts, dataset, config.evaluation)


def _gain(
    trials: tuple[Trial, ...],
    scores: HeldOutScores,
    splits: Sequence[Split],
    dataset: Dataset,
    space: Space,
    config: Config,
) -> Comparison | None:
    """Compare the sweep as a procedure with the settings as they stood, if these were among the trials."""
    start = space.starting(config)
    before = next((trial for trial in trials if trial.settings == start and not trial.pruned), None)
    if before is None:
        return None
    stood, _ = reported([before] * len(splits), splits, dataset, config)
    return compare_scores(scores, stood, config)


def _identity(
    space: Space, config: Config, dataset: Dataset, splits: Sequence[Split], learner: Learner, blind: bool
) -> str:
    """Hex SHA-256 of all that a trial's scores depend on besides its settings."""
    facts = {
        "space": space.to_json(),
        "training": dataclasses.asdict(config.training),
        "finetune": dataclasses.asdict(config.finetune) if config.training.mode == "finetune" else None,
        "views": config.features.views,
        "features": learner.key.folder,
        "data": dataset.digest,
        "blind": blind,
        "version": __version__,
    }
    content = hashlib.sha256(json.dumps(facts).encode())
    for split in splits:
        for rows in split.parts().values():
            content.update(np.ascontiguousarray(rows, dtype=np.int64).tobytes() + b"|")
    return content.hexdigest()


def _check_choosable(config: Config, name: str) -> None:
    if config.folds < 2:
        raise ConfigError("A sweep tries settings by cross-validation; set evaluation.folds to 2 or more.")
    if config.split.validation == 0:
        raise ConfigError("A sweep chooses settings on validation images; set split.validation above 0.")
    if name and not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", name):
        raise ConfigError(f"--name takes letters, digits, dots, dashes and underscores, not {name!r}.")


def _check_folds(dataset: Dataset, splits: Sequence[Split]) -> None:
    for fold, split in enumerate(splits, start=1):
        known = dataset.targets[split.validation]
        if not ((known == 1).any(axis=0) & (known == 0).any(axis=0)).any():
            raise ConfigError(
                f"The {len(known)} validation images of fold {fold} of {len(splits)} have no attribute "
                "with both a positive and a negative; raise split.validation."
            )
