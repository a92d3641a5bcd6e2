"""The shipped model in MLflow: a package is written from the fitted model and logged with the run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlflow.models.model import ModelInfo

from ..config import Config
from ..data.dataset import Dataset
from ..progress import ProgressCallback
from ..runtime.package_digests import package_digest
from ..runtime.record import Attribute, PackageInfo
from ..serving.log_package import log_package
from ..serving.model_card import model_card
from ..serving.package import write_package
from ..tracking.patience import patiently
from ..training.learner import Learner
from .candidate import Candidate
from .evidence_examples import Cell, EvidenceExamples, evidence_examples


@dataclass(frozen=True)
class LoggedModel:
    """A model that is stored with its run, and what its registered version says of it."""

    info: ModelInfo
    card: str
    """The model card as Markdown."""
    digest: str
    """Hex SHA-256 over all files of the package."""
    examples: EvidenceExamples


def log_model(
    learner: Learner,
    dataset: Dataset,
    candidate: Candidate,
    config: Config,
    cells: Iterable[Cell] = (),
    progress: ProgressCallback | None = None,
) -> LoggedModel:
    """Write the package of the shipped model and log it with the active run.

    Args:
        learner: whose backbone the model has.
        dataset: what it was trained on.
        candidate: the model, and the evidence for it.
        config: the settings.
        cells: images and attributes of which pictures of the evidence are wanted.
        progress: called with (pictures explained, pictures), which takes most of the time.

    Raises:
        ModelError: the package cannot be written.
        TrackingError: the store cannot be written.
    """
    exported = candidate.model.export(candidate.operation.calibration)
    info = PackageInfo(
        attributes=_attributes(dataset, candidate),
        input_size=learner.backbone.size,
        precision="bf16" if exported.precision == "bf16" else "f32",
        backbone=str(learner.backbone.backbone),
        weights=learner.backbone.digest,
        features=learner.key.folder if exported.head else "",
        calibrated=config.evaluation.calibrate,
        mode=config.training.mode,
        headline=candidate.evidence.headline,
        training={
            "images": len(candidate.rows),
            "folder": dataset.folder.resolve().name,
            "labels": dataset.labels.name,
            "data digest": dataset.digest,
        },
        max_pixels=config.data.max_pixels,
    )
    # Images that chose thresholds count as seen, like those it was trained on.
    seen = [dataset.digests[row] for row in (*candidate.rows, *candidate.split.validation)]
    with tempfile.TemporaryDirectory(prefix="aimonk-") as folder:
        package = Path(folder) / "package"
        write_package(package, exported.graph, info, exported.head, seen=seen)
        examples = evidence_examples(package, dataset, candidate.evidence.learned, cells, progress)
        logged = patiently(lambda: log_package(package))
        return LoggedModel(logged, model_card(info), package_digest(package), examples)


def _attributes(dataset: Dataset, candidate: Candidate) -> tuple[Attribute, ...]:
    return tuple(
        Attribute(
            name=found.name,
            threshold=float(threshold),
            prevalence=counted.prevalence,
            verdict=str(found.verdict),
            pos_weight=candidate.pos_weights[found.name],
            ap=found.ap.value,
            auc=found.auc.value,
        )
        for threshold, counted, found in zip(
            candidate.operation.thresholds, dataset.counts, candidate.evidence.attributes, strict=True
        )
    )
