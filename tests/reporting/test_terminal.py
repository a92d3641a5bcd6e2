from __future__ import annotations

import dataclasses
import math
from typing import Any

from rich.console import Console, RenderableType

from aimonk.evaluation.comparison import AttributeComparison, Comparison
from aimonk.evaluation.intervals import Interval
from aimonk.reporting.terminal import audit_table, comparison_table, evidence_table


def printed(renderable: RenderableType, width: int = 130) -> list[str]:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(renderable)
    return [" ".join(line.split()) for line in console.export_text().splitlines() if line.strip(" ─")]


def test_the_verdict_is_the_first_line(small: Any) -> None:
    lines = printed(evidence_table(small.evidence, small.operating_points))
    assert lines[0] == "LEARNED 1 of 3 attributes"
    assert (
        lines[-1]
        == "Mean AP 0.55 [0.48, 0.62], without skill 0.26; mean AUC 0.66 [0.59, 0.73], without skill 0.50."
    )


def test_a_line_per_attribute_strongest_first(small: Any) -> None:
    lines = printed(evidence_table(small.evidence, small.operating_points))
    head = lines.index("attribute verdict AP 95% skill AUC p F1 yes")
    assert lines[head + 1 : head + 4] == [
        "collar ● learned 0.75 [0.65, 0.85] 0.40 0.80 < 0.001 0.75 0.57",
        "<b>hat</b> – too few 0.06 0.04 0.50 – 0.00 0.08",
        "scarf ○ no evidence 0.35 [0.25, 0.45] 0.33 0.52 0.412 0.50 0.50",
    ]


def named(data: Any, *names: str) -> tuple[Any, Any]:
    """The evidence and thresholds of `data` with its second attribute under each of these names."""
    attribute, point = data.evidence.attributes[1], data.operating_points[1]
    evidence = dataclasses.replace(
        data.evidence, attributes=tuple(dataclasses.replace(attribute, name=name) for name in names)
    )
    return evidence, tuple(dataclasses.replace(point, name=name) for name in names)


def test_names_and_numbers_are_whole_in_80_columns_and_what_is_left_out_is_said(small: Any) -> None:
    lines = printed(evidence_table(*named(small, "a_rather_long_attribute_name")), width=80)
    assert "a_rather_long_attribute_name ○ no evidence 0.35 [0.25, 0.45] 0.33 0.52 0.412" in lines
    assert "Left out to fit the width: F1, always yes." in lines


def test_short_names_keep_every_column_in_80_columns(small: Any) -> None:
    lines = printed(evidence_table(*named(small, "long_sleeves")), width=80)
    assert "long_sleeves ○ no evidence 0.35 [0.25, 0.45] 0.33 0.52 0.412 0.50 0.50" in lines
    assert not any(line.startswith("Left out") for line in lines)


def test_a_control_character_in_a_name_is_shown_not_obeyed(small: Any) -> None:
    lines = printed(evidence_table(*named(small, "two\nlines\x1b[31m")))
    assert any(line.startswith(r"two\nlines\x1b[31m ○ no evidence") for line in lines)


def test_examples_are_cut_with_a_count(small: Any) -> None:
    audit = dataclasses.replace(small.audit, missing=tuple(f"{i}.jpg" for i in range(9)))
    assert "9 missing files: 0.jpg; 1.jpg; 2.jpg; 3.jpg; and 5 more" in printed(audit_table(audit))


def test_without_thresholds_there_are_no_columns_for_them(small: Any) -> None:
    lines = printed(evidence_table(small.evidence))
    assert "attribute verdict AP 95% skill AUC p" in lines
    assert not any("always" in line for line in lines)


def test_names_are_not_taken_for_markup(small: Any) -> None:
    attribute = dataclasses.replace(small.evidence.attributes[0], name="[red]dress[/red]")
    lines = printed(evidence_table(dataclasses.replace(small.evidence, attributes=(attribute,))))
    assert any(line.startswith("[red]dress[/red] ●") for line in lines)


def test_the_audit_counts_and_names_what_is_wrong(small: Any) -> None:
    lines = printed(audit_table(small.audit))
    assert lines == [
        "100 label rows for 3 attributes, 98 with a readable image; 5.3% of the labels are missing.",
        "attribute present absent unknown prevalence imbalance",
        "collar 40 60 0 0.400 1.500",
        "scarf 30 60 10 0.333 2.000",
        "<b>hat</b> 4 90 6 0.043 22.500",
        "1 missing file: gone.jpg",
        "1 unreadable file: broken.jpg (cut short)",
        "1 file with the wrong suffix: photo.jpg is PNG",
        "1 group of identical files: a.jpg = b.jpg",
        "1 photo in several files: c.jpg ~ d.jpg",
        "1 group of retouched copies: e.jpg ~ f.jpg ~ g.jpg",
        "1 contradiction among copies: scarf of a.jpg = b.jpg",
    ]


def test_data_without_trouble_says_so(small: Any) -> None:
    clean = dataclasses.replace(
        small.audit,
        missing=(),
        unreadable=(),
        mislabeled_formats=(),
        identical=(),
        near_identical=(),
        retouched=(),
        contradictions=(),
    )
    assert printed(audit_table(clean, ["Read 1 as present and 0 as absent."]))[0].startswith("Read 1 as")
    assert printed(audit_table(clean))[-1] == "No file is missing, unreadable or duplicated."


def test_a_comparison_says_better_and_worse_only_where_the_interval_leaves_out_zero() -> None:
    nan = math.nan
    comparison = Comparison(
        attributes=(
            AttributeComparison("same", 0.5, 0.5, Interval(0.0, -0.02, 0.02)),
            AttributeComparison("worse", 0.4, 0.5, Interval(-0.1, -0.15, -0.05)),
            AttributeComparison("unknown", nan, nan, Interval(nan, nan, nan)),
            AttributeComparison("better", 0.7, 0.5, Interval(0.2, 0.1, 0.3)),
        ),
        challenger=0.533,
        champion=0.5,
        difference=Interval(0.033, 0.001, 0.065),
        images=304,
    )
    assert printed(comparison_table(comparison, "version 7", "version 3")) == [
        "Average precision on the same 304 images",
        "version version",
        "attribute 7 3 difference 95%",
        "better 0.700 0.500 +0.200 [+0.100, +0.300] better",
        "same 0.500 0.500 0.000 [−0.020, +0.020]",
        "worse 0.400 0.500 −0.100 [−0.150, −0.050] worse",
        "unknown – – –",
        "mean 0.533 0.500 +0.033 [+0.001, +0.065] better",
    ]


def test_images_of_one_color_are_named(small: Any) -> None:
    audit = dataclasses.replace(small.audit, flat=("cap.jpg", "black.png"))
    assert "2 images that show one color only: cap.jpg; black.png" in printed(audit_table(audit))
