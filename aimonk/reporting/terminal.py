"""The findings in a terminal, for people: the caller prints them to stderr."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..data.label_audit import Audit
from ..evaluation.evidence import Evidence, Interval, Verdict
from ..evaluation.thresholds import OperatingPoint
from .figures.palette import VERDICT_MARKS
from .formatting import bounds, count, number, p_value, plural, signed
from .wording import always_yes, by_lift, data_summary, headline_parts, mean_prevalence, meaning

if TYPE_CHECKING:
    from ..evaluation.comparison import Comparison

_STYLES = {Verdict.LEARNED: "cyan", Verdict.NO_EVIDENCE: "yellow", Verdict.TOO_FEW: "dim"}


def audit_table(audit: Audit) -> RenderableType:
    """Tabulate counts per attribute, then what is wrong with the files."""
    table = _table("attribute", "present", "absent", "not known", "prevalence", "pos_weight")
    for a in audit.attributes:
        table.add_row(
            Text(a.name),
            count(a.positives),
            count(a.negatives),
            count(a.missing),
            number(a.prevalence, 3),
            number(a.pos_weight, 3),
        )
    return Group(Text(data_summary(audit), style="bold"), Text(), table, Text(), *_findings(audit), Text())


def _findings(audit: Audit) -> list[Text]:
    """One line per kind of trouble; a line that there is none, where there is none."""
    kinds = (
        (plural(len(audit.missing), "missing file"), list(audit.missing)),
        (
            plural(len(audit.unreadable), "unreadable file"),
            [f"{name} ({why})" for name, why in audit.unreadable],
        ),
        (
            plural(
                len(audit.mislabelled_formats),
                "name that lies about its format",
                "names that lie about their format",
            ),
            [f"{name} is {truth}" for name, truth in audit.mislabelled_formats],
        ),
        (
            plural(len(audit.identical), "group of identical files", "groups of identical files"),
            [" = ".join(group) for group in audit.identical],
        ),
        (
            plural(len(audit.near_identical), "group of look-alikes", "groups of look-alikes"),
            [" ~ ".join(group) for group in audit.near_identical],
        ),
        (
            plural(len(audit.retouched), "group of retouched copies", "groups of retouched copies"),
            [" ~ ".join(group) for group in audit.retouched],
        ),
        (
            plural(len(audit.contradictions), "contradiction"),
            [f"{c.attribute} of {' = '.join(c.images)}" for c in audit.contradictions],
        ),
    )
    lines = [Text.assemble((f"{what}: ", "yellow"), _some(examples)) for what, examples in kinds if examples]
    return lines or [Text("No file is missing, unreadable or there twice.", style="dim")]


def _some(examples: list[str], limit: int = 4) -> str:
    rest = len(examples) - limit
    return "; ".join([*examples[:limit], *([f"and {rest} more"] if rest > 0 else [])])


def evidence_table(
    evidence: Evidence, points: tuple[OperatingPoint, ...] = (), alpha: float = 0.05
) -> RenderableType:
    """Put the verdict first, what it means, then a line per attribute, strongest first."""
    headings = ("attribute", "verdict", "AP", "95%", "no skill", "AUC", "p")
    table = _table(*headings, *(("F1", "always yes") if points else ()), left=("verdict",))
    chosen = {point.name: point for point in points}
    for a in by_lift(evidence.attributes):
        point = chosen.get(a.name)
        numbers = [
            number(a.ap.value),
            bounds(a.ap),
            number(a.prevalence),
            number(a.auc.value),
            p_value(a.p_value),
        ]
        if point:
            numbers += [number(point.f1), number(point.f1_always_yes)]
        verdict = Text(f"{VERDICT_MARKS[a.verdict]} {a.verdict.value}", style=_STYLES[a.verdict])
        table.add_row(Text(a.name), verdict, *numbers)
    words = [*meaning(evidence, alpha), *filter(None, [always_yes(points)])]
    return Group(
        Text(),
        _headline(evidence),
        Text(),
        *(Text(paragraph) for paragraph in words),
        Text(),
        table,
        Text(),
        _means(evidence),
        Text(),
    )


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
    """Two versions on the same images: the difference of their means first, then per attribute."""
    table = _table("attribute", challenger, champion, "difference", "95%", "", left=("",))
    for a in sorted(
        comparison.attributes, key=lambda a: (math.isnan(a.difference.value), -a.difference.value)
    ):
        table.add_row(
            Text(a.name),
            number(a.challenger, 3),
            number(a.champion, 3),
            signed(a.difference.value),
            _signed_bounds(a.difference),
            _direction(a.difference),
        )
    table.add_section()
    table.add_row(
        Text("mean", style="bold"),
        number(comparison.challenger, 3),
        number(comparison.champion, 3),
        signed(comparison.difference.value),
        _signed_bounds(comparison.difference),
        _direction(comparison.difference),
    )
    title = f"Average precision on the same {plural(comparison.images, 'image')}"
    return Group(Text(title, style="bold"), Text(), table, Text())


def _signed_bounds(interval: Interval) -> str:
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    return f"[{signed(interval.low)}, {signed(interval.high)}]"


def _direction(difference: Interval) -> Text:
    """Said only where the interval leaves out 0."""
    if difference.low > 0:
        return Text("better", style="cyan")
    return Text("worse", style="yellow") if difference.high < 0 else Text()


def _table(*headings: str, left: tuple[str, ...] = ()) -> Table:
    """Make a table without boxes: names to the left, numbers to the right, two-word headings on two lines.

    It fits into the 80 columns that are assumed where nobody watches; only the names are ever folded.
    """
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, header_style="dim"
    )
    for place, heading in enumerate(headings):
        aside = place == 0 or heading in left
        table.add_column(
            heading.replace(" ", "\n", 1) if place else heading,
            justify="left" if aside else "right",
            vertical="bottom",
            no_wrap=place > 0,
            overflow="fold",
        )
    return table
