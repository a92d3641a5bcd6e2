"""The report: one self-contained HTML file that says whether anything was learned."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from ..data.label_audit import Audit
from ..evaluation.evidence import AttributeEvidence, Verdict
from ..evaluation.thresholds import OperatingPoint
from . import formatting, wording
from .attribute_selection import MOST_PICTURED
from .curve_wording import curve_story
from .figures import palette
from .report_data import ReportData
from .thumbnails import Answer, best_and_worst, copy_groups, data_uri, shrunken, thumbnails

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUSPECT_PICTURES = 20
FILLABLE_PICTURES = 10
ANSWER_PICTURES = 5
SUSPECTS_EXPLAINED = 10
COPY_GROUPS = 10
"""Largest number of images, or groups of copies, shown of each kind. The rest is listed or counted."""
COPIES_SHOWN = 4
"""Images shown of one group of copies."""
NAMES_SHOWN = 12
"""Attributes of each kind listed on the card of one image."""

_TEMPLATES = Path(__file__).parent / "templates"
_RANKS = {Verdict.LEARNED: 2, Verdict.NO_EVIDENCE: 1, Verdict.TOO_FEW: 0}


@dataclass(frozen=True)
class AttributeRow:
    """One line of the table of attributes."""

    evidence: AttributeEvidence
    point: OperatingPoint | None
    ece_before: float
    ece_after: float

    @property
    def rank(self) -> int:
        """Of the verdict: larger is better."""
        return _RANKS[self.evidence.verdict]

    @property
    def lift(self) -> float:
        """AP above prevalence; nan where AP is not defined."""
        return self.evidence.ap.value - self.evidence.prevalence

    @property
    def point_cells(self) -> tuple[tuple[float, str], ...]:
        """Threshold, F1, F1 at 0.5 and F1 of always yes, each with its CSS class; nan without a threshold."""
        p = self.point
        numbers = (p.threshold, p.f1, p.f1_at_half, p.f1_always_yes) if p else (math.nan,) * 4
        return tuple(zip(numbers, ("", "strong", "", "soft"), strict=True))


def render_report(data: ReportData, drawn: dict[str, Figure] | None = None) -> str:
    """Render the whole report as one HTML page. Sections without data are left out.

    Args:
        data: what to show.
        drawn: the result of `figures(data)`, if the caller has it already.
    """
    best, worst = _answers(data)
    shown = _pictured(data, (*best, *worst))
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            **_page(data.title, data.created),
            **(_script() if data.evidence else {}),
            data=data,
            read_as=data.read_as,
            audit=data.audit,
            copies=copy_groups(data.audit) if data.audit else [],
            evidence=data.evidence,
            rows=_rows(data),
            best=best,
            worst=worst,
            pictures=thumbnails(shown, data.picture),
            overlays={cell: shrunken(picture) for cell, picture in data.overlays.items()},
            curve=data.curve,
            curve_story=curve_story(data.curve) if data.curve else [],
            figures=_as_svg(figures(data) if drawn is None else drawn),
        )
    )


def figures(data: ReportData) -> dict[str, Figure]:
    """Draw every figure of the report, by name. With a history, `loss_curve` is one of them."""
    from .figures import curves, learning_plot, plots

    drawn: dict[str, Figure] = {}
    if data.history:
        drawn["loss_curve"] = plots.loss_curve(data.history, data.loss_title)
    if data.evidence:
        if data.curve:
            drawn["learning_curve"] = learning_plot.learning_curve_plot(data.curve)
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
    """Draw every figure of the audit, by name."""
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


def explained_cells(data: ReportData) -> list[tuple[str, str]]:
    """List the images and attributes of the galleries whose evidence is shown, if anything was learned."""
    learned = data.evidence.learned if data.evidence else ()
    best, worst = _answers(data)
    cells = [(answer.image, answer.explained) for answer in (*best, *worst)]
    cells += [(suspect.image, suspect.attribute) for suspect in data.suspects[:SUSPECTS_EXPLAINED]]
    return [cell for cell in dict.fromkeys(cells) if cell[1] in learned]


def _rows(data: ReportData) -> list[AttributeRow]:
    """Rows of the table, strongest attribute first."""
    if data.evidence is None:
        return []
    points = {point.name: point for point in data.operating_points}
    column = {name: number for number, name in enumerate(data.attributes)}

    def error(errors: Any, name: str) -> float:
        return float(errors[column[name]]) if errors is not None else math.nan

    return [
        AttributeRow(a, points.get(a.name), error(data.ece_before, a.name), error(data.ece_after, a.name))
        for a in wording.by_lift(data.evidence.attributes)
    ]


def _answers(data: ReportData) -> tuple[tuple[Answer, ...], tuple[Answer, ...]]:
    if data.predictions is None or not data.attributes:
        return (), ()
    return best_and_worst(data.predictions, data.attributes, data.thresholds, ANSWER_PICTURES)


def _pictured(data: ReportData, answers: Iterable[Answer]) -> list[str]:
    """Names of all images in the report."""
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


@lru_cache(maxsize=1)
def _script() -> dict[str, str]:
    """The page's one script, and the digest by which its content security policy allows nothing else."""
    source = (_TEMPLATES / "attribute_table.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode("ascii")
    return {"script": Markup(source), "script_digest": f"sha256-{digest}"}


def _plain_number(value: float) -> str:
    """A number for the script to sort by; empty where it is not defined."""
    return f"{value:.6g}" if math.isfinite(value) else ""


def _page(title: str, created: str) -> dict[str, Any]:
    from .figures.curves import MOST_PANELS

    limits = {
        "suspects": SUSPECT_PICTURES,
        "fillable": FILLABLE_PICTURES,
        "copies": COPY_GROUPS,
        "copies_shown": COPIES_SHOWN,
        "names": NAMES_SHOWN,
        "pictured": MOST_PICTURED,
        "panels": MOST_PANELS,
    }
    return {"title": title, "created": created, "limits": limits}


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    """Templates beside this file. Every value is escaped, and an unknown name is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        number=formatting.number,
        plain_number=_plain_number,
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
        meaning=wording.meaning,
        always_yes=wording.always_yes,
        imbalance=wording.imbalance,
        headline_parts=wording.headline_parts,
        data_summary=wording.data_summary,
        mean=wording.mean,
        mean_prevalence=wording.mean_prevalence,
    )
    return environment
