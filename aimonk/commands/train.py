"""`aimonk train`: read, audit, split, features, fit, evaluate, publish."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..backbones.large_backbone import is_large
from ..background_import import imported_in_background
from ..config import Config
from ..config_file import chosen_config
from ..data.dataset import Dataset
from ..data.split import Split, make_split
from ..errors import BackboneError, ConfigError
from ..evaluation.cross_validation import FoldLogits, fold_splits, held_out_scores, score_fold
from ..evaluation.held_out import evidence_of
from ..features.cache_key import check_store, checkpoint_folder, store_folder
from ..progress import LOGGER, ProgressCallback, recorded, stage, tell
from ..scratch import check_room
from ..training.growing_shares import measure_curve
from ..training.history import EpochProgress, History, Observer, SecondPhase, joined
from ..training.learner import FittedModel, Learner
from ..training.open_learner import open_learner
from .data_warnings import filled_in, warn_of_data
from .read_data import read_data
from .training_request import TrainingRequest, interrupted_request

if TYPE_CHECKING:
    from ..results.training_result import TrainingResult


def train(
    data: str | Path | None = None,
    labels: str | Path | None = None,
    *,
    config: str | Path | None = None,
    settings: Iterable[str] = (),
    backbone: str = "",
    weights: str = "",
    epochs: int | None = None,
    experiment: str = "",
    register: str = "",
    demo: bool = False,
    resume: str = "",
) -> TrainingResult:
    """Train, evaluate, log and register a model, and say whether it learned anything.

    >>> aimonk.train("photos", "labels.csv", backbone="resnet50", epochs=3)  # doctest: +SKIP

    Args:
        data: folder of images.
        labels: labels file; by default `labels.txt`, else `labels.csv`, in the folder or beside it.
        config: a recipe (`default`, `finetune`, `notebook`) or a TOML file.
        settings: `section.key=value` for any setting.
        backbone: name of a Keras application such as `resnet50` or `mobilenet@0.25`.
        weights: `imagenet`, `none` (random), or the path of a weights file.
        epochs: of fine-tuning where the settings fine-tune, else of the head.
        experiment: MLflow experiment.
        register: registered model that the new version joins.
        demo: draw a data set and train on it, if no `data` is given.
        resume: id of an interrupted run; it brings its own data and settings, so nothing else may be given.

    Raises:
        AimonkError: one of its kinds in `aimonk.errors`; the message is one sentence and says what to do.
    """
    if resume:
        options = (data, labels, config, backbone, weights, epochs, experiment, register, *settings)
        if any(option not in (None, "") for option in options):
            raise ConfigError("A resumed run keeps its own data and settings; give --resume alone.")
        return run_training(interrupted_request(resume))
    chosen = chosen_config(
        config,
        settings,
        epochs=epochs,
        backbone=backbone,
        weights=weights,
        experiment=experiment,
        register=register,
        is_large=is_large,
    )
    if data is None and not demo:
        raise ConfigError("There is nothing to train on; give --data a folder of images, or --demo.")
    with recorded():
        folder = _demo_folder(chosen) if data is None else Path(data)
    recipe = Path(config).stem if config else "default"
    request = TrainingRequest(folder, Path(labels) if labels else None, chosen, recipe)
    return run_training(request, may_use_random_weights=data is None)


def run_training(request: TrainingRequest, may_use_random_weights: bool = False) -> TrainingResult:
    """Train as requested: the whole story, from the folder to the registered version."""
    config = request.config
    check_room()
    check_store(config.features)
    with recorded() as record, imported_in_background("mlflow"):
        dataset = read_data(request.data, request.labels, config)
        tell(*dataset.read_as.sentences()[:2], *filled_in(dataset, config))
        plan = plan_splits(dataset, config)
        with stage("open", "Backbone and tracking store"), opened_store(config.tracking.experiment):
            learner, config = _open_learner(config, may_use_random_weights)
        from ..reviewing.reviewed_training import compare_with_reviewed, reviewed_training, same_folds

        former = reviewed_training(dataset.labels)
        if former is not None:
            plan = plan_splits(dataset, config, same_folds(former, dataset, config.folds))
        from ..publishing.publish_training import (
            prepare_delivery,
            publish_training,
            record_data,
            record_request,
        )
        from ..tracking.tracked_run import tracked_run

        name = f"{request.recipe} {learner.backbone.backbone} {dataset.folder.resolve().name}"
        tags = {"aimonk.recipe": request.recipe}
        folders = checkpoint_folder(config.features)
        experiment = config.tracking.experiment
        with tracked_run(experiment, name, tags, run_id=request.run_id, folders=folders) as run:
            if not request.run_id:
                record_request(run, dataset, config, request.recipe)
            record_data(run, dataset)
            prepare_delivery(run, config)
            warn_of_data(dataset, plan, config)
            learner.prepare(dataset)
            with stage("fit", "Training") as progress:
                fit = fit_and_score(learner, plan, config, run, run.folder, progress)
            learner.rest()
            with stage("evidence", "Weighing the evidence") as progress:
                scores, operation = held_out_scores(fit.parts, dataset, config.evaluation)
                evidence = evidence_of(scores, config, progress)
            with stage("curve", "Learning curve") as progress:
                curve = measure_curve(learner, dataset, fit.parts, scores, config, progress)
            from ..publishing.candidate import Candidate

            review = compare_with_reviewed(former, dataset, scores) if former else None
            candidate = Candidate(
                fit.model, fit.history, fit.rows, fit.split, scores, operation, evidence, curve, review
            )
            result = publish_training(run, learner, dataset, candidate, config, record)
    return result


def plan_splits(dataset: Dataset, config: Config, folds: np.ndarray | None = None) -> tuple[Split, ...]:
    """Return one split, or one per fold of a cross-validation; `folds` `(N,)` settles which those are."""
    if config.folds:
        return fold_splits(dataset.targets, dataset.groups, config.split, config.folds, folds)
    return (make_split(dataset.targets, dataset.groups, dataset.split, config.split, dataset.names),)


@dataclass(frozen=True)
class Fit:
    """The model that ships, and the logits of images that it, or its like, was not trained on."""

    model: FittedModel
    history: History
    """Of all trainings whose losses were observed, that of the shipped model last."""
    rows: np.ndarray
    """`(n,)` indices of the images that the shipped model was trained on."""
    split: Split
    """How images were kept apart; with folds, all are for training."""
    parts: tuple[FoldLogits, ...]


def fit_and_score(
    learner: Learner,
    plan: tuple[Split, ...],
    config: Config,
    observer: Observer | None = None,
    checkpoints: Path | None = None,
    progress: ProgressCallback | None = None,
) -> Fit:
    """Score images that were not seen, and fit what ships.

    Each fit gives up its logits and is forgotten, so that no more than one model is alive at a time. With
    `checkpoints`, a folder, every fit keeps its checkpoint there and resumes from one that it finds.
    `progress` is called with (epochs done, epochs) of a frozen backbone's heads; fine-tuning has its own.
    """
    epochs_each = config.training.epochs

    def place(name: str) -> Path | None:
        return checkpoints / name if checkpoints else None

    def shown(number: int, of: int, told: Observer | None) -> Observer | None:
        if progress is None or config.training.mode != "frozen":
            return told
        return EpochProgress(progress, number * epochs_each, of * epochs_each, told)

    everything = np.arange(sum(len(rows) for rows in plan[0].parts().values()))
    if len(plan) == 1:
        split = plan[0]
        trainings = 1 + config.evaluation.refit
        model = learner.fit(split, shown(0, trainings, observer), place("model"))
        parts: tuple[FoldLogits, ...] = (score_fold(model, split),)
        if not config.evaluation.refit:
            return Fit(model, model.history, split.train, split, parts)
        later = SecondPhase(model.history, observer) if observer else None
        shipped = learner.refit(model.epochs, shown(1, trainings, later), place("refit"))
        return Fit(shipped, joined(model.history, shipped.history), everything, split, parts)
    parts, epochs = (), []
    for fold, split in enumerate(plan):
        model = learner.fit(split, shown(fold, len(plan) + 1, None), place(f"fold-{fold}"))
        parts = (*parts, score_fold(model, split))
        epochs.append(model.epochs)
    # The folds' best epochs say how long such a training takes: their median.
    typical = max(1, round(float(np.median(epochs))))
    shipped = learner.refit(typical, shown(len(plan), len(plan) + 1, observer), place("model"))
    return Fit(shipped, shipped.history, everything, all_for_training(len(everything)), parts)


def all_for_training(images: int) -> Split:
    """Return a split that trains on every image."""
    rows = np.arange(images)
    return Split(train=rows, validation=rows[:0], test=rows[:0])


@contextmanager
def opened_store(experiment: str) -> Iterator[None]:
    """Open the tracking store meanwhile; a new one takes a second to make.

    Raises:
        TrackingError: it cannot be reached or written.
    """

    def work() -> None:
        from ..tracking.tracking_store import open_store

        open_store(experiment)

    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(work)
        yield
        opening.result()


def _demo_folder(config: Config) -> Path:
    """Return the folder of the demo data, beside the feature store; it is drawn the first time."""
    from ..data.demo.draw_demo import draw_demo

    folder = store_folder(config.features) / "demo"
    if not (folder / "labels.csv").is_file():
        with stage("demo", "Drawing demo data") as progress:
            draw_demo(folder, progress=progress)
    return folder


def _open_learner(config: Config, may_use_random_weights: bool) -> tuple[Learner, Config]:
    """Open the learner. The demo falls back to random weights where ImageNet's cannot be downloaded."""
    try:
        return open_learner(config), config
    except BackboneError as error:
        if not (may_use_random_weights and config.features.weights == "imagenet"):
            raise
        LOGGER.warning("The demo uses random weights, which learn less: %s", error)
        features = dataclasses.replace(config.features, weights="none")
        config = dataclasses.replace(config, features=features)
        return open_learner(config), config
