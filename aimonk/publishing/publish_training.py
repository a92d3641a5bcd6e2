"""What a training leaves behind: a run in MLflow, a model package, a report, a registered version.

The version is registered last, when everything else of the run is stored, and the alias `champion` moves
after that. A failure on the way leaves a run without a version, never a champion of a failed run.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

from ..config import Config
from ..data.dataset import Dataset
from ..data.split import split_table
from ..errors import TrackingError, UndeliveredError
from ..evaluation.comparison import Decision
from ..evaluation.shortcut_audit import audit_shortcuts
from ..features.cache_key import store_folder
from ..progress import Record, stage
from ..reporting.html import explained_cells
from ..results.evaluation_result import EvaluationResult
from ..results.presentation import without_nan
from ..results.training_result import TrainingResult
from ..reviewing.reviewed_training import AfterReview
from ..tracking.dataset_input import describe
from ..tracking.patience import be_patient
from ..tracking.predictions_table import log_predictions
from ..tracking.recorded_request import REQUEST, SETTINGS
from ..tracking.registry import Version, check_registry, register
from ..tracking.run import Run
from ..training.learner import Learner
from .candidate import Candidate
from .gate import judge, promote
from .log_evidence import log_evidence
from .log_model import log_model
from .log_report import draft_report, log_report

_PARTS = 5
"""Of a report: predictions, sets, figures of the evidence, comparison with the champion, the page."""


def record_request(run: Run, dataset: Dataset, config: Config, recipe: str) -> None:
    """Record the settings and what `--resume` needs to train the same again."""
    asked = {"data": str(dataset.folder.resolve()), "labels": str(dataset.labels.resolve())}
    run.params({**config.flat(), "data.folder": asked["data"], "data.labels": asked["labels"]})
    asked["store"] = str(store_folder(config.features).resolve())
    run.json(REQUEST, {**asked, "recipe": recipe, "config": dataclasses.asdict(config)})


def record_data(run: Run, dataset: Dataset) -> None:
    """Record what the data is: MLflow's data set input and the audit."""
    audit = dataset.audit
    facts = {"rows": audit.rows, "missing": len(audit.missing), "unreadable": len(audit.unreadable)}
    counts = dataset.counts
    run.dataset(describe(dataset.folder, dataset.digest, len(dataset), counts, facts), "training")
    run.json("audit.json", audit.to_json())
    run.json("read_as.json", dataset.read_as.to_json())


def prepare_delivery(run: Run, config: Config) -> None:
    """Find out that a version can be registered at the end; from then on, wait for a store that is away.

    Raises:
        TrackingError: it cannot.
    """
    check_registry(config.tracking.register, run.id)
    run.resume_command = f"aimonk train --resume {run.id}"
    be_patient(config.tracking.patience)


def publish_training(
    run: Run, learner: Learner, dataset: Dataset, candidate: Candidate, config: Config, record: Record
) -> TrainingResult:
    """Store the model, the scores, the evidence and the report; then register a version and judge it.

    Each step may be repeated, so a run that is resumed after an outage ends as if there had been none.

    Raises:
        UndeliveredError: the store or the registry cannot be written. It brings the evidence along.
    """
    facts = training_facts(learner, dataset, config)
    with stage("shortcuts", "Looking for shortcuts"):
        found = audit_shortcuts(dataset, candidate.evidence, config.evaluation.alpha, config.split.seed)
    candidate = dataclasses.replace(candidate, shortcuts=found)
    try:
        version, decision = _publish(run, learner, dataset, candidate, config, record, facts)
    except (TrackingError, OSError) as error:
        undelivered = EvaluationResult(
            model_uri="", version="", **_findings(run.id, dataset, candidate, record, facts)
        )
        raise UndeliveredError(str(error), undelivered) from error
    return TrainingResult(
        model_uri=version.uri,
        version=version.version,
        decision=decision,
        curve=candidate.curve,
        review=candidate.review,
        **_findings(run.id, dataset, candidate, record, facts),
    )


def _publish(
    run: Run,
    learner: Learner,
    dataset: Dataset,
    candidate: Candidate,
    config: Config,
    record: Record,
    facts: dict[str, Any],
) -> tuple[Version, Decision]:
    name, scores, evidence = config.tracking.register, candidate.scores, candidate.evidence
    with stage("suspects", "Suspects and galleries"):
        report = draft_report(run.id, dataset, candidate, config, facts)
        cells = explained_cells(report)
    with stage("package", "Model package") as progress:
        model = log_model(learner, dataset, candidate, config, cells, progress)
    with stage("report", "Report") as progress:
        progress(0, _PARTS)
        log_predictions(run, scores)
        progress(1, _PARTS)
        run.json(SETTINGS, dataclasses.asdict(config))
        saved = split_table(dataset.names, dataset.digests, candidate.split)
        columns = map(list, zip(*saved, strict=True))
        run.table("split.json", dict(zip(("image", "sha256", "set"), columns, strict=True)))
        progress(2, _PARTS)
        log_evidence(run, dataset, candidate, config, record.seconds)
        run.json("shortcuts.json", [shortcut.to_json() for shortcut in candidate.shortcuts])
        if candidate.review:
            record_review(run, candidate.review)
        progress(3, _PARTS)
        judgment = judge(name, scores, evidence, config)
        progress(4, _PARTS)
        for file, picture in model.examples.pictures.items():
            run.file(f"explanations/{file}", partial(Path.write_bytes, data=picture))
        report = dataclasses.replace(
            report,
            background=model.examples.background,
            overlays=model.examples.overlays,
            decision=judgment.decision.reason,
            seconds=record.seconds,
            warnings=tuple(record.warnings),
        )
        log_report(run, report)
        _tag(run, candidate, judgment.decision)
    with stage("register", "Registry"):
        tags = {
            "aimonk.learned": candidate.learned,
            "aimonk.data": dataset.digest,
            "aimonk.package": model.digest,
        }
        version = register(name, model.info, evidence.headline, model.card, tags)
        carried_out = promote(version, judgment, scores, evidence, config)
        if carried_out != judgment:  # another training was promoted meanwhile
            log_report(run, dataclasses.replace(report, decision=carried_out.decision.reason))
            _tag(run, candidate, carried_out.decision)
    return version, carried_out.decision


def record_review(run: Run, review: AfterReview) -> None:
    """Record the comparison with the training that the labels were reviewed with."""
    run.json("review_comparison.json", without_nan(dataclasses.asdict(review)))
    compared = review.comparison
    differences = {
        "old_labels": compared.given.difference,
        "new_labels": compared.corrected.difference,
        "right_labels": compared.right.difference,
    }
    run.metrics({f"review_mAP_{labels}": found.value for labels, found in differences.items()})
    run.tags({"aimonk.reviewed_run": review.run})


def _tag(run: Run, candidate: Candidate, decision: Decision) -> None:
    headline = candidate.evidence.headline
    run.tags(
        {
            "aimonk.verdict": headline,
            "aimonk.learned": candidate.learned,
            "aimonk.promoted": str(decision.promote).lower(),
            "mlflow.note.content": f"**{headline}**\n\n{decision.reason}",
        }
    )


def _findings(
    run_id: str, dataset: Dataset, candidate: Candidate, record: Record, facts: dict[str, Any]
) -> dict[str, Any]:
    """Return what a result holds whether or not the model could be registered."""
    return {
        "run_id": run_id,
        "images": len(dataset),
        "sets": {part: len(rows) for part, rows in candidate.split.parts().items()},
        "missing": dataset.audit.missing,
        "unreadable": tuple(image for image, _ in dataset.audit.unreadable),
        "seconds": record.seconds,
        "pos_weights": candidate.pos_weights,
        "evidence": candidate.evidence,
        "operating_points": candidate.operating_points,
        "unlearnable": dataset.unlearnable,
        "read_as": dataset.read_as.to_json(),
        "warnings": tuple(record.warnings),
        "facts": facts,
        "shortcuts": candidate.shortcuts,
    }


def training_facts(learner: Learner, dataset: Dataset, config: Config) -> dict[str, Any]:
    """Return what made the model, for the report and for programs."""
    return {
        "experiment": config.tracking.experiment,
        "model": config.tracking.register,
        "mode": config.training.mode,
        "backbone": str(learner.backbone.backbone),
        "weights": learner.backbone.digest,
        "engine": learner.key.engine,
        "precision": learner.key.precision,
        "forward_passes": learner.forward_passes,
        "data_digest": dataset.digest,
    }
