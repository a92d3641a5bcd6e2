"""The report in MLflow: one page, its pictures, and the cells that deserve a look as tables."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from ..config import Config
from ..data.dataset import Dataset
from ..evaluation.calibration import expected_calibration_error
from ..evaluation.label_errors import find_fillable, find_suspects
from ..reporting.figures.canvas import to_png
from ..reporting.html import figures, render_report
from ..reporting.report_data import Predictions, ReportData
from ..reporting.review_wording import review_story
from ..tracking.run import Run
from .candidate import Candidate


def log_report(run: Run, report: ReportData) -> None:
    """Record `report.html`, `loss_curve.png`, the other pictures, and the tables of cells."""
    columns = ("image", "attribute", "label", "probability")
    for name, cells in (("suspects", report.suspects), ("missing_labels", report.fillable)):
        run.table(f"{name}.json", {column: [getattr(cell, column) for cell in cells] for column in columns})
    if report.curve:
        run.json("learning_curve.json", report.curve.to_json())
    drawn = figures(report)
    for name, figure in drawn.items():
        path = "loss_curve.png" if name == "loss_curve" else f"figures/{name}.png"
        run.file(path, partial(Path.write_bytes, data=to_png(figure)))
    run.text("report.html", render_report(report, drawn))


def draft_report(
    run_id: str, dataset: Dataset, candidate: Candidate, config: Config, facts: Mapping[str, Any]
) -> ReportData:
    """Return what the report shows as far as it is known before the model is stored and judged."""
    scores, evaluation = candidate.scores, config.evaluation
    raw = expit(scores.logits)
    cells = (scores.targets, scores.probabilities, scores.images, scores.attributes, evaluation.suspects)
    return ReportData(
        title=dataset.folder.resolve().name,
        created=f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        facts={name: str(fact) for name, fact in facts.items()} | {"run": run_id},
        audit=dataset.audit,
        read_as=tuple(dataset.read_as.sentences()),
        evidence=candidate.evidence,
        operating_points=candidate.operating_points,
        ece_before=expected_calibration_error(scores.targets, raw),
        ece_after=expected_calibration_error(scores.targets, scores.probabilities),
        history=candidate.history,
        suspects=find_suspects(*cells, groups=scores.groups),
        fillable=find_fillable(*cells, groups=scores.groups),
        predictions=Predictions(
            scores.images, scores.targets, scores.probabilities, raw if evaluation.calibrate else None
        ),
        picture=dict(zip(dataset.names, dataset.paths, strict=True)).get,
        shortcuts=candidate.shortcuts,
        trained_on=len(candidate.rows),
        refitted=_is_refitted(dataset, candidate),
        loss_title=config.tracking.title,
        alpha=evaluation.alpha,
        permutations=evaluation.permutations,
        resamples=evaluation.resamples,
        curve=candidate.curve,
        review=tuple(review_story(candidate.review)) if candidate.review else (),
    )


def _is_refitted(dataset: Dataset, candidate: Candidate) -> bool:
    """Whether what ships was also trained on images that are reported, so that another model scored them."""
    trained_on = {dataset.names[row] for row in candidate.rows}
    return bool(np.any([image in trained_on for image in candidate.scores.images]))
