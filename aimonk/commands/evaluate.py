"""`aimonk evaluate`: how well a model does on labeled images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.special import logit

from ..config_file import load_config
from ..data.dataset import Dataset
from ..errors import ImagesError, LabelsError
from ..evaluation.evidence import weigh_evidence
from ..evaluation.thresholds import operating_points
from ..progress import LOGGER, recorded, stage
from ..publishing.log_evidence import attribute_metrics, summary_metrics
from ..results.evaluation_result import EvaluationResult
from ..runtime.predictor import Predictor
from ..serving.file_scores import score_files
from ..serving.package import SEEN_DIGITS, read_seen
from ..tracking.logged_model import model_package
from ..tracking.registry import resolve
from ..tracking.tracked_run import tracked_run
from .read_data import read_data


def evaluate(
    model: str,
    data: str | Path,
    labels: str | Path | None = None,
    *,
    settings: Iterable[str] = (),
) -> EvaluationResult:
    """Weigh a model's evidence on labeled images that it was not trained on; the others are left out.

    >>> aimonk.evaluate("models:/dresses@champion", "photos").table  # doctest: +SKIP

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        data: folder of images.
        labels: labels file; by default `labels.txt`, else `labels.csv`, in the folder or beside it.
        settings: `section.key=value` for any setting.

    Raises:
        ImagesError: the model was trained on every image.
        LabelsError: the labels have not all of the model's attributes.
        ModelError: there is no such model.
        TrackingError: the store cannot be used.
    """
    config = load_config(None, settings)
    with recorded() as record:
        with stage("model", "Model"):
            version = resolve(model)
            package = model_package(model)
            predictor = Predictor(package, throughput=True)
        info = predictor.info
        dataset = read_data(data, labels, config, keep_unlearnable=True)
        columns = _columns(dataset, info.names)
        rows = _unseen_rows(dataset, read_seen(package))
        targets = dataset.targets[rows][:, columns]
        with stage("score", "Scoring") as progress:
            files = [(dataset.digests[row], dataset.paths[row]) for row in rows]
            probabilities = score_files(package, predictor, files, config.features, progress)
        thresholds = np.array([attribute.threshold for attribute in info.attributes])
        with stage("evidence", "Weighing the evidence") as progress:
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
                progress=progress,
            )
            points = operating_points(targets, probabilities, thresholds, info.names)
        name = f"evaluate {model} {dataset.folder.resolve().name}"
        tags = {"aimonk.verdict": evidence.headline}
        with tracked_run(config.tracking.experiment, name, tags) as run:
            run.params({"model": model, "data": dataset.folder, "labels": dataset.labels})
            most = config.tracking.attribute_metrics
            run.metrics(summary_metrics(evidence) | attribute_metrics(evidence, points, most))
            result = EvaluationResult(
                run_id=run.id,
                model_uri=version.uri if version else model,
                version=version.version if version else "",
                images=len(dataset),
                sets={"train": 0, "validation": 0, "test": len(rows)},
                missing=dataset.audit.missing,
                unreadable=tuple(image for image, _ in dataset.audit.unreadable),
                seconds=record.seconds,
                pos_weights={a.name: a.pos_weight for a in info.attributes if a.pos_weight is not None},
                evidence=evidence,
                operating_points=points,
                read_as=dataset.read_as.to_json(),
                warnings=tuple(record.warnings),
                facts={"backbone": info.backbone, "precision": info.precision},
            )
            run.json("evaluation.json", result.to_json())
    return result


def _columns(dataset: Dataset, names: tuple[str, ...]) -> list[int]:
    """Return where the model's attributes are among those of the labels."""
    lacking = [name for name in names if name not in dataset.attributes]
    if lacking:
        raise LabelsError(
            f"The labels {dataset.labels} have no column {', '.join(lacking)}, which the model predicts; "
            "name the columns as those it was trained on."
        )
    return [dataset.attributes.index(name) for name in names]


def _unseen_rows(dataset: Dataset, seen: frozenset[str]) -> np.ndarray:
    """Return the images to report: those the model did not see."""
    new = np.array([digest[:SEEN_DIGITS] not in seen for digest in dataset.digests])
    known = len(new) - int(new.sum())
    if known == len(new):
        raise ImagesError(
            f"The model was trained or tuned on all {known} images, so they say nothing about new ones; give "
            "others, or read the report of its run."
        )
    if known:
        LOGGER.warning(
            "%d of %d images are left out because the model was trained or tuned on them", known, len(new)
        )
    return np.flatnonzero(new)
