"""One page that says whether anything was learned: a single HTML file that asks nothing of any host."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from ..data.label_audit import Audit
from ..evaluation.evidence import AttributeEvidence
from ..evaluation.thresholds import OperatingPoint
from . import formatting
from . import wording as narrative
from .figures import palette
from .report_data import ReportData, Resolver, no_pictures
from .thumbnails import Answer, best_and_worst, copy_groups, data_uri, thumbnails

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUSPECT_PICTURES = 20
FILLABLE_PICTURES = 10
ANSWER_PICTURES = 5
COPY_GROUPS = 10
"""Pictures (or groups of copies) shown of each kind; the rest is listed in words."""
COPIES_SHOWN = 4
"""Pictures shown of one group of copies."""


@dataclass(frozen=True)
class AttributeRow:
    """One line of the table of attributes."""

    evidence: AttributeEvidence
    point: OperatingPoint | None
    ece_before: float
    ece_after: float


def render_report(data: ReportData, drawn: dict[str, Figure] | None = None) -> str:
    """Render the whole report as one HTML page; sections without data are left out.

    `drawn` is what `figures(data)` returned, where the caller has it already.
    """
    best, worst = _answers(data)
    shown = _pictured(data, (*best, *worst))
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            **_page(data.title, data.created),
            data=data,
            audit=data.audit,
            copies=copy_groups(data.audit) if data.audit else [],
            evidence=data.evidence,
            rows=_rows(data),
            best=best,
            worst=worst,
            pictures=thumbnails(shown, data.picture),
            figures=_as_svg(figures(data) if drawn is None else drawn),
        )
    )


def render_audit(
    audit: Audit, picture: Resolver = no_pictures, title: str = "Data audit", created: str = ""
) -> str:
    """Render the pages of the audit alone, as one HTML page of the same look."""
    return (
        _environment()
        .get_template("audit.html.jinja")
        .render(
            **_page(title, created),
            audit=audit,
            copies=copy_groups(audit),
            pictures=thumbnails(_copies(audit), picture),
            figures=_as_svg(audit_figures(audit)),
        )
    )


def figures(data: ReportData) -> dict[str, Figure]:
    """Every picture of the report by name; `loss_curve` is there whenever there is a history."""
    from .figures import curves, plots

    drawn: dict[str, Figure] = {}
    if data.history:
        drawn["loss_curve"] = plots.loss_curve(data.history, data.loss_title)
    if data.evidence:
        drawn["average_precision"] = plots.ap_intervals(data.evidence)
        if data.predictions and data.predictions.images:
            drawn["precision_recall"] = curves.precision_recall_curves(data.predictions, data.evidence)
            drawn["calibration"] = curves.calibration_curves(data.predictions, data.evidence)
    if data.operating_points:
        drawn["operating_points"] = plots.operating_points(data.operating_points)
    if data.audit:
        drawn.update(audit_figures(data.audit))
    return drawn


def audit_figures(audit: Audit) -> dict[str, Figure]:
    """Draw the pictures of the audit by name."""
    from .figures import audit_plots

    drawn = {"label_counts": audit_plots.label_counts(audit)}
    if any(a.missing for a in audit.attributes):
        drawn["not_known_together"] = audit_plots.na_patterns(audit)
    if len(audit.attributes) > 1:
        drawn["present_together"] = audit_plots.cooccurrence(audit)
    return drawn


def _as_svg(drawn: dict[str, Figure]) -> dict[str, str]:
    from .figures.canvas import to_svg

    return {name: data_uri(to_svg(figure), "image/svg+xml") for name, figure in drawn.items()}


def _rows(data: ReportData) -> list[AttributeRow]:
    """Lines of the table, strongest attribute first."""
    if data.evidence is None:
        return []
    points = {point.name: point for point in data.operating_points}
    column = {name: number for number, name in enumerate(data.attributes)}

    def error(errors: Any, name: str) -> float:
        return float(errors[column[name]]) if errors is not None else math.nan

    return [
        AttributeRow(a, points.get(a.name), error(data.ece_before, a.name), error(data.ece_after, a.name))
        for a in narrative.by_lift(data.evidence.attributes)
    ]


def _answers(data: ReportData) -> tuple[tuple[Answer, ...], tuple[Answer, ...]]:
    if data.predictions is None or not data.attributes:
        return (), ()
    return best_and_worst(data.predictions, data.attributes, data.thresholds, ANSWER_PICTURES)


def _pictured(data: ReportData, answers: Iterable[Answer]) -> list[str]:
    """Names of all images that the report shows."""
    return [
        *(_copies(data.audit) if data.audit else ()),
        *(suspect.image for suspect in data.suspects[:SUSPECT_PICTURES]),
        *(suspect.image for suspect in data.fillable[:FILLABLE_PICTURES]),
        *(answer.image for answer in answers),
    ]


def _copies(audit: Audit) -> list[str]:
    return [
        image
        for _, _, groups in copy_groups(audit)
        for group in groups[:COPY_GROUPS]
        for image in group.images[:COPIES_SHOWN]
    ]


def _page(title: str, created: str) -> dict[str, Any]:
    limits = {
        "suspects": SUSPECT_PICTURES,
        "fillable": FILLABLE_PICTURES,
        "copies": COPY_GROUPS,
        "copies_shown": COPIES_SHOWN,
    }
    return {"title": title, "created": created, "limits": limits}


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    """Templates beside this file; every value is escaped, and an unknown name is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        number=formatting.number,
        bounds=formatting.bounds,
        p_value=formatting.p_value,
        percent=formatting.percent,
        count=formatting.count,
        plural=formatting.plural,
        listing=formatting.listing,
        duration=formatting.duration,
    )
    environment.globals.update(
        colors=palette.css_variables(),
        verdict_marks=palette.VERDICT_MARKS,
        meaning=narrative.meaning,
        always_yes=narrative.always_yes,
        headline_parts=narrative.headline_parts,
        data_summary=narrative.data_summary,
        mean=narrative.mean,
        mean_prevalence=narrative.mean_prevalence,
    )
    return environment
