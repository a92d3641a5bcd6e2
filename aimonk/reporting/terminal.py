"""Findings as tables for the terminal. The caller prints them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from ..data.label_audit import Audit
from ..data.match_images import is_ambiguous
from ..evaluation.evidence import AttributeEvidence, Evidence, Verdict
from ..evaluation.intervals import Interval
from ..evaluation.thresholds import OperatingPoint
from .figures.palette import VERDICT_MARKS
from .fitted_table import Column, FittedTable
from .formatting import bounds, count, number, p_value, plural, signed
from .wording import always_yes, by_lift, data_summary, headline_parts, imbalance, mean_prevalence, meaning

if TYPE_CHECKING:
    from ..evaluation.comparison import Comparison

_STYLES = {Verdict.LEARNED: "cyan", Verdict.NO_EVIDENCE: "yellow", Verdict.TOO_FEW: "dim"}


def audit_table(audit: Audit, read_as: Sequence[str] = ()) -> RenderableType:
    """Counts per attribute, followed by the problems that were found in the files.

    Args:
        audit: what was found.
        read_as: sentences that say how the labels file was read; they come first.
    """
    columns = (
        Column("attribute"),
        Column("present"),
        Column("absent"),
        Column("unknown"),
        Column("prevalence", drop=1),
        Column("imbalance", drop=2),
    )
    rows = [
        (
            a.name,
            Text(count(a.positives)),
            Text(count(a.negatives)),
            Text(count(a.missing)),
            Text(number(a.prevalence, 3)),
            Text(number(imbalance(a), 3)),
        )
        for a in audit.attributes
    ]
    return Group(
        *(Text(sentence) for sentence in read_as),
        Text(data_summary(audit), style="bold"),
        Text(),
        FittedTable(columns, rows),
        Text(),
        *_findings(audit),
        Text(),
    )


def _findings(audit: Audit) -> list[Text]:
    """One line per kind of problem, or a single line that says there is none."""
    unreadable = [f"{name} ({why})" for name, why in audit.unreadable if not is_ambiguous(why)]
    ambiguous = [f"{name} {why}" for name, why in audit.unreadable if is_ambiguous(why)]
    kinds = (
        (plural(len(audit.missing), "missing file"), list(audit.missing)),
        (
            plural(
                len(ambiguous),
                "ambiguous name; write the folder before it",
                "ambiguous names; write the folder before them",
            ),
            ambiguous,
        ),
        (plural(len(unreadable), "unreadable file"), unreadable),
        (
            plural(
                len(audit.mislabeled_formats),
                "file with the wrong suffix",
                "files with the wrong suffix",
            ),
            [f"{name} is {truth}" for name, truth in audit.mislabeled_formats],
        ),
        (
            plural(len(audit.flat), "image that shows one color only", "images that show one color only"),
            list(audit.flat),
        ),
        (
            plural(len(audit.identical), "group of identical files", "groups of identical files"),
            [" = ".join(group) for group in audit.identical],
        ),
        (
            plural(len(audit.near_identical), "photo in several files", "photos in several files"),
            [" ~ ".join(group) for group in audit.near_identical],
        ),
        (
            plural(len(audit.retouched), "group of retouched copies", "groups of retouched copies"),
            [" ~ ".join(group) for group in audit.retouched],
        ),
        (
            plural(len(audit.contradictions), "contradiction among copies", "contradictions among copies"),
            [f"{c.attribute} of {' = '.join(c.images)}" for c in audit.contradictions],
        ),
    )
    lines = [Text.assemble((f"{what}: ", "yellow"), _some(examples)) for what, examples in kinds if examples]
    return lines or [Text("No file is missing, unreadable or duplicated.", style="dim")]


def _some(examples: list[str], limit: int = 4) -> str:
    rest = len(examples) - limit
    return "; ".join([*examples[:limit], *([f"and {rest} more"] if rest > 0 else [])])


def evidence_table(
    evidence: Evidence, points: tuple[OperatingPoint, ...] = (), alpha: float = 0.05
) -> RenderableType:
    """The verdict, what it means, and one line per attribute, strongest first.

    Args:
        evidence: of the held-out images.
        points: thresholds and F1 by attribute; without them these columns are left out.
        alpha: the family-wise error rate of the verdicts.
    """
    columns = [
        Column("attribute"),
        Column("verdict", left=True),
        Column("AP"),
        Column("95%", drop=1),
        Column("no skill"),
        Column("AUC", drop=3),
        Column("p", drop=2),
    ]
    if points:
        columns += [Column("F1", drop=4), Column("always yes", drop=5)]
    chosen = {point.name: point for point in points}
    rows = [_evidence_row(a, chosen.get(a.name), bool(points)) for a in by_lift(evidence.attributes)]
    words = [*meaning(evidence, alpha), *filter(None, [always_yes(points)])]
    return Group(
        Text(),
        _headline(evidence),
        Text(),
        *(Text(paragraph) for paragraph in words),
        Text(),
        FittedTable(tuple(columns), rows),
        Text(),
        _means(evidence),
        Text(),
    )


def _evidence_row(
    a: AttributeEvidence, point: OperatingPoint | None, with_points: bool
) -> tuple[str, *tuple[Text, ...]]:
    verdict = Text(f"{VERDICT_MARKS[a.verdict]} {a.verdict.value}", style=_STYLES[a.verdict])
    cells = [verdict, Text(number(a.ap.value)), Text(bounds(a.ap)), Text(number(a.prevalence))]
    cells += [Text(number(a.auc.value)), Text(p_value(a.p_value))]
    if with_points:
        cells += [Text(number(point.f1)), Text(number(point.f1_always_yes))] if point else [Text(), Text()]
    return (a.name, *cells)


def _headline(evidence: Evidence) -> Text:
    lead, rest, bracket = headline_parts(evidence)
    style = "bold cyan" if evidence.learned else "bold yellow"
    return Text.assemble((lead, style), (f" {rest}", "bold"), (f" {bracket}" if bracket else "", "dim"))


def _means(evidence: Evidence) -> Text:
    ap, auc = evidence.mean_ap, evidence.mean_auc
    return Text(
        f"Mean AP {number(ap.value)} {bounds(ap)}, without skill {number(mean_prevalence(evidence))}; "
        f"mean AUC {number(auc.value)} {bounds(auc)}, without skill 0.50."
    )


def comparison_table(
    comparison: Comparison, challenger: str = "challenger", champion: str = "champion"
) -> RenderableType:
    """Two versions on the same images: one line per attribute, largest gain first, and their means.

    Args:
        comparison: of average precision, paired.
        challenger: what to call the new version.
        champion: what to call the present one.
    """
    columns = (
        Column("attribute"),
        Column(challenger, drop=1),
        Column(champion, drop=1),
        Column("difference"),
        Column("95%", drop=2),
        Column("", left=True),
    )
    ordered = sorted(
        comparison.attributes, key=lambda a: (math.isnan(a.difference.value), -a.difference.value)
    )
    rows = [_comparison_row(a.name, a.challenger, a.champion, a.difference) for a in ordered]
    mean = _comparison_row("mean", comparison.challenger, comparison.champion, comparison.difference)
    title = f"Average precision on the same {plural(comparison.images, 'image')}"
    return Group(Text(title, style="bold"), Text(), FittedTable(columns, rows, mean), Text())


def _comparison_row(
    name: str, challenger: float, champion: float, difference: Interval
) -> tuple[str, *tuple[Text, ...]]:
    return (
        name,
        Text(number(challenger, 3)),
        Text(number(champion, 3)),
        Text(signed(difference.value)),
        Text(_signed_bounds(difference)),
        _direction(difference),
    )


def _signed_bounds(interval: Interval) -> str:
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    return f"[{signed(interval.low)}, {signed(interval.high)}]"


def _direction(difference: Interval) -> Text:
    """`better` or `worse` if the interval excludes 0, else nothing."""
    if difference.low > 0:
        return Text("better", style="cyan")
    return Text("worse", style="yellow") if difference.high < 0 else Text()
