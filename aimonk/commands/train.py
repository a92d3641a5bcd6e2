"""The one story: read, audit, split, embed, fit, evaluate, package, log, register."""

from __future__ import annotations

import dataclasses
import importlib
import shutil
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import Config, checked
from ..data.dataset import Dataset, read_dataset
from ..data.image_index import look_up
from ..data.label_audit import Audit, check_learnable, count
from ..data.list_images import image_names
from ..data.split import Split, make_split
from ..errors import BackboneError, TrackingError
from ..evaluation.cross_validation import HeldOutScores, cross_fit, fold_splits, hold_out
from ..evaluation.evidence import Evidence, weigh_evidence
from ..evaluation.thresholds import OperatingPoint, operating_points
from ..features.cache_key import catalog_folder, store_folder
from ..progress import Stages
from ..results.training_result import Outcome
from ..training.history import After, History, Observer, joined
from ..training.learner import Learner, Trained
from ..training.open_learner import open_learner


@dataclass(frozen=True)
class Request:
    """What a user asks to be trained."""

    data: Path
    labels: Path | None
    config: Config
    demo: bool = False
    experiment_file: str = "default.toml"
    """Where the settings come from, for whoever compares runs."""
    resume: str | None = None
    """A run to go on with; it is told by `resumed`, from what the run itself keeps."""


@dataclass(frozen=True)
class Fit:
    """A trained model, and the scores of images that it, or its like, did not see."""

    model: Trained
    """What ships."""
    history: History
    """Of all that was trained under the observer's eyes, the shipped model last."""
    rows: np.ndarray
    """`(n,)` indices of the images it is trained on."""
    split: Split
    """How images were kept apart; with folds, all are for training."""
    held_out: HeldOutScores


@dataclass(frozen=True)
class Learned:
    """A trained model and what the images it did not see say of it."""

    fit: Fit
    evidence: Evidence
    operating_points: tuple[OperatingPoint, ...]
    pos_weights: dict[str, float]
    """By attribute, of the images the shipped model is trained on."""


def audit(data: Path, labels: Path | None, config: Config, stages: Stages) -> Audit:
    """Audit a folder, however many of its images cannot be used."""
    lenient = dataclasses.replace(config, data=dataclasses.replace(config.data, max_unusable=1.0))
    return read(data, labels, lenient, stages).audit


def embed(data: Path, config: Config, stages: Stages, spark: str = "") -> tuple[int, int]:
    """Fill the feature store with all images of a folder, labelled or not; on Spark, given a master.

    Returns the number of different images and of forward passes made. What cannot be read is named and left
    out. Of each image little more than its name is kept in memory: a folder may have any number.
    """
    from ..features.embedding import fill_store

    with stages.stage("read", "Reading images") as progress:
        names = image_names(data)
        files, unusable = [], []
        for facts in look_up(data, names, catalog_folder(config.features), progress):
            if facts.sha256 is None or facts.problem is not None:
                unusable.append(f"{facts.name} ({facts.problem})")
            else:
                files.append((facts.sha256, facts.path))
    if unusable:
        stages.warn(f"{len(unusable)} of {len(names)} images are left out, the first is {unusable[0]}")
    with stages.stage("embed", "Features") as progress:
        if spark:
            from ..features.spark_embedding import fill_store_spark

            filled = fill_store_spark(files, config.features, spark, progress, stages.warn)
        else:
            filled = fill_store(files, config.features, progress=progress, warn=stages.warn)
    return filled.images, filled.forward_passes


def train(request: Request, stages: Stages) -> Outcome:
    """Train, evaluate, log and register a model."""
    with ExitStack() as stack:
        if request.demo:
            request = _drawn(request, stages)
        config = request.config
        data = read(request.data, request.labels, config, stages)
        check_learnable(count(data.attributes, data.targets))
        plan = make_split(data.targets, data.groups, data.split, config.split, data.names)
        with stages.stage("open", "Backbone and tracking store"):
            store = open_store_meanwhile(config.tracking.experiment)
            learner, config = _open(config, request.demo, stages)
            import_training_meanwhile()
            store.join()
            from ..tracking.run import tracked_run

            tags = {"aimonk.experiment_file": request.experiment_file}
            run = stack.enter_context(
                tracked_run(config.tracking.experiment, tags=tags, run_id=request.resume)
            )
        from ..publishing.publish_training import Publisher

        publisher = Publisher(run, config, data, stages)
        publisher.begin(plan, request.experiment_file)
        learner.prepare(data, stages, stages.warn)
        checkpoints = store_folder(config.features) / "checkpoints" / run.id
        with stages.stage("fit", "Training"):
            fit = learn(learner, data, plan, config, run, checkpoints)
        with stages.stage("evidence", "Weighing the evidence"):
            learned = judge(fit, data, config)
        outcome = publisher.publish(learner, learned)
        shutil.rmtree(checkpoints, ignore_errors=True)
        return outcome


def resumed(run_id: str) -> Request:
    """What an interrupted run was asked for.

    Raises:
        TrackingError: there is no such run, it keeps no request, or it has finished.
        ConfigError: it was made by an aimonk with other settings.
    """
    from ..tracking.run import interrupted_request

    kept = interrupted_request(run_id)
    labels = kept["labels"]
    return Request(
        Path(kept["data"]), Path(labels) if labels else None, checked(kept["config"]), resume=run_id
    )


def learn(
    learner: Learner,
    data: Dataset,
    plan: Split,
    config: Config,
    observer: Observer | None = None,
    checkpoints: Path | None = None,
) -> Fit:
    """Fit what is shipped, and score images that were not seen.

    With `checkpoints`, a folder, every fit keeps its checkpoint there and goes on from one it finds.
    """

    def place(name: str) -> Path | None:
        return checkpoints / name if checkpoints else None

    evaluation, everything = config.evaluation, np.arange(len(data))
    if not evaluation.folds:
        model = learner.fit(plan, observer, place("model"))
        held_out = hold_out(model, data.targets, plan, evaluation)
        if not evaluation.refit:
            return Fit(model, model.history, plan.train, plan, held_out)
        later = After(model.history, observer) if observer else None
        shipped = learner.fit_all(model.epochs, later, place("refit"))
        return Fit(shipped, joined(model.history, shipped.history), everything, plan, held_out)
    numbers, splits = fold_splits(data.targets, data.groups, config.split, evaluation.folds)
    fitted: list[Trained] = [
        learner.fit(split, checkpoint=place(f"fold-{fold}")) for fold, split in enumerate(splits)
    ]
    held_out = cross_fit(fitted, data.targets, numbers, splits, evaluation)
    model = learner.fit_all(_typical_epochs(fitted), observer, place("model"))
    whole = Split(everything, everything[:0], everything[:0])
    return Fit(model, model.history, everything, whole, held_out)


def judge(fit: Fit, data: Dataset, config: Config) -> Learned:
    """Weigh what the unseen images say of the model."""
    from ..training.class_weights import pos_weights

    evaluation, held_out = config.evaluation, fit.held_out
    targets = data.targets[held_out.rows]
    evidence = weigh_evidence(
        targets,
        held_out.logits,
        data.attributes,
        data.groups[held_out.rows],
        held_out.folds,
        permutations=evaluation.permutations,
        resamples=evaluation.resamples,
        alpha=evaluation.alpha,
        seed=config.split.seed,
    )
    points = operating_points(targets, held_out.probabilities, held_out.thresholds, data.attributes)
    training = config.training
    weights = pos_weights(data.targets[fit.rows], training.pos_weight_power, training.pos_weight_max)
    by_name = dict(zip(data.attributes, map(float, weights), strict=True))
    return Learned(fit, evidence, points, by_name)


def _typical_epochs(fitted: list[Trained]) -> int:
    """How long the folds had to be trained: the median of their best epochs."""
    return max(1, round(float(np.median([model.epochs for model in fitted]))))


def read(data: Path, labels: Path | None, config: Config, stages: Stages) -> Dataset:
    """Read and audit a folder and its labels."""
    with stages.stage("audit", "Reading images") as progress:
        return read_dataset(data, labels, config.data, catalog_folder(config.features), progress)


def _drawn(request: Request, stages: Stages) -> Request:
    """The demo data beside the feature store, drawn the first time."""
    from ..data.demo.draw_demo import draw_demo

    folder = store_folder(request.config.features) / "demo"
    if not (folder / "labels.csv").is_file():
        with stages.stage("demo", "Drawing demo data") as progress:
            draw_demo(folder, progress=progress)
    return dataclasses.replace(request, data=folder, labels=folder / "labels.csv")


def _open(config: Config, demo: bool, stages: Stages) -> tuple[Learner, Config]:
    """The learner; the demo alone goes on with random weights where those of ImageNet cannot be had."""
    try:
        return open_learner(config), config
    except BackboneError as error:
        if not (demo and config.features.weights == "imagenet"):
            raise
        stages.warn(f"The demo goes on with random weights, which learn less: {error}")
        features = dataclasses.replace(config.features, weights="none")
        config = dataclasses.replace(config, features=features)
        return open_learner(config), config


def open_store_meanwhile(experiment: str) -> threading.Thread:
    """A new tracking store takes seconds to make; what goes wrong there is raised by `tracked_run`."""

    def work() -> None:
        from ..tracking.tracking_store import open_store

        with suppress(TrackingError):
            open_store(experiment, aside=True)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def import_training_meanwhile() -> None:
    """TensorFlow takes 6 s to import; meanwhile the run is opened and features are read.

    The thread is not a daemon: a process that ends in the middle of that import may crash.
    """
    threading.Thread(target=importlib.import_module, args=("aimonk.training.linear_probe.fit_head",)).start()
