"""What is done with a trained model: evaluate, predict, score many, promote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit

from ..config import Config
from ..data.dataset import Dataset, read_dataset
from ..errors import LabelsError
from ..evaluation.comparison import Comparison, Decision
from ..evaluation.evidence import weigh_evidence
from ..evaluation.thresholds import operating_points
from ..features.cache_key import catalog_folder, store_folder
from ..features.feature_store import FeatureStore
from ..features.views import PLAIN
from ..progress import Stages
from ..publishing.gate import Gate
from ..results.training_result import Outcome, evidence_metrics
from ..runtime.predictor import Prediction, Predictor
from ..serving.batch_scoring import ScoringResult
from ..serving.batch_scoring import score as score_all
from ..serving.package import SEEN_DIGITS, read_head, read_seen
from ..tracking.held_out import read_held_out
from ..tracking.logged_model import model_folder, model_package
from ..tracking.registry import Promotion, find_version
from ..tracking.registry import promote as put_before_the_gate
from ..tracking.run import tracked_run

if TYPE_CHECKING:
    from rich.console import RenderableType


def predict(model: str, images: Sequence[Path]) -> tuple[Prediction, ...]:
    """Answer for single files, in order."""
    return Predictor(model_package(model)).predict(list(images))


def score(model: str, data: Path, out: Path, stages: Stages, spark: str = "") -> ScoringResult:
    """Score a folder or a Parquet file into one table; on Spark, given a master."""
    if spark:
        from ..serving.spark_scoring import score_spark

        folder = model_folder(model)
        with stages.stage("score", "Scoring on Spark") as progress:
            return score_spark(folder, data, out, spark, progress=progress)
    predictor = Predictor(model_package(model), throughput=True)
    with stages.stage("score", "Scoring") as progress:
        return score_all(predictor, data, out, progress=progress)


def evaluate(model: str, data: Path, labels: Path | None, config: Config, stages: Stages) -> Outcome:
    """Weigh a model's evidence on labelled images, if possible only on those it was not trained on.

    Raises:
        LabelsError: the labels have not all the model's attributes.
    """
    with stages.stage("model", "Model"):
        package = model_package(model)
        predictor = Predictor(package, throughput=True)
    info = predictor.info
    with stages.stage("audit", "Reading images") as progress:
        dataset = read_dataset(data, labels, config.data, catalog_folder(config.features), progress)
    columns = _columns(dataset, info.names)
    rows = _unseen(dataset, read_seen(package), stages)
    targets = dataset.targets[rows][:, columns]
    with stages.stage("score", "Scoring") as progress:
        probabilities = _probabilities(package, predictor, dataset, rows, config)
    thresholds = np.array([attribute.threshold for attribute in info.attributes])
    with stages.stage("evidence", "Weighing the evidence"):
        evidence = weigh_evidence(
            targets,
            logit(np.clip(probabilities, 1e-12, 1 - 1e-12)),
            info.names,
            dataset.groups[rows],
            None,
            permutations=config.evaluation.permutations,
            resamples=config.evaluation.resamples,
            alpha=config.evaluation.alpha,
            seed=config.split.seed,
        )
        points = operating_points(targets, probabilities, thresholds, info.names)
    counts = {count.name: count for count in dataset.audit.usable_attributes}
    with tracked_run(config.tracking.experiment, tags={"aimonk.verdict": evidence.headline}) as run:
        run.params({"model": model, "data": dataset.folder, "labels": dataset.labels})
        run.metrics(evidence_metrics(evidence, points))
        outcome = Outcome(
            run_id=run.id,
            model_uri=model,
            version=model.rpartition("/")[2] if model.startswith("models:/") else "",
            images=len(dataset),
            sets={"train": 0, "validation": 0, "test": len(rows)},
            missing=dataset.audit.missing,
            unreadable=tuple(name for name, _ in dataset.audit.unreadable),
            seconds=stages.seconds,
            pos_weights={name: counts[name].pos_weight for name in info.names},
            evidence=evidence,
            operating_points=points,
            warnings=tuple(stages.warnings),
            facts={"backbone": info.backbone, "precision": info.precision},
        )
        run.json("evaluation.json", outcome.to_json())
    return outcome


def _columns(dataset: Dataset, names: tuple[str, ...]) -> list[int]:
    lacking = [name for name in names if name not in dataset.attributes]
    if lacking:
        raise LabelsError(
            f"The labels {dataset.labels} have no column {', '.join(lacking)}, which the model predicts; "
            "name the columns as those it was trained on."
        )
    return [dataset.attributes.index(name) for name in names]


def _unseen(dataset: Dataset, seen: frozenset[str], stages: Stages) -> np.ndarray:
    """Indices of the images to report: those the model did not see, or all if it saw each of them."""
    new = np.array([digest[:SEEN_DIGITS] not in seen for digest in dataset.digests])
    known = len(new) - int(new.sum())
    if known == len(new):
        stages.warn(f"The model was trained on all {known} images, so these figures say nothing of new ones")
        return np.arange(len(new))
    if known:
        stages.warn(
            f"{known} of {len(new)} images are left out because the model was trained or tuned on them"
        )
    return np.flatnonzero(new)


def _probabilities(
    package: Path, predictor: Predictor, dataset: Dataset, rows: np.ndarray, config: Config
) -> np.ndarray:
    """`(n, L)`: from stored features where all of them are there, else by the served graph."""
    head = read_head(package)
    digests = [dataset.digests[row] for row in rows]
    if head is not None and predictor.info.features:
        store = FeatureStore(store_folder(config.features) / predictor.info.features)
        if {(digest, PLAIN) for digest in digests} <= set(store.known()):
            return expit(head.logits(store.get(digests, (PLAIN,))[:, 0]).astype(np.float64))
    answers = predictor.stream(dataset.paths[row] for row in rows)
    return np.array([answer.probabilities for answer in answers])


@dataclass(frozen=True)
class Promoted:
    """The answer of `aimonk promote`."""

    promotion: Promotion
    comparison: Comparison | None

    @property
    def decision(self) -> Decision:
        """What the gate decided."""
        return self.promotion.decision

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return self.promotion.to_json()

    def summary(self) -> list[RenderableType]:
        """The decision, and the table of the comparison where there was a champion."""
        from rich.text import Text

        from ..reporting.terminal import comparison_table

        table = [comparison_table(self.comparison)] if self.comparison else []
        return [*table, Text(self.decision.reason)]


def promote(name: str, version: str | None) -> Promoted:
    """Put a version before the gate, on the images that it and the champion have not seen."""
    challenger = find_version(name, version)
    gate = Gate(read_held_out(challenger.run_id or ""), None, Config())
    return Promoted(put_before_the_gate(name, gate, challenger.version), gate.comparison)
