"""What a review has changed, in words: the same in the terminal and in the report."""

from __future__ import annotations

import math

from ..evaluation.intervals import Interval
from ..reviewing.reviewed_cells import RunComparison
from ..reviewing.reviewed_training import AfterReview
from .formatting import number, plural, signed


def review_story(found: AfterReview) -> list[str]:
    """Return what a training on corrected labels has gained over the one that was reviewed."""
    where = "images and folds" if found.same_folds else "images"
    changed = "1 label differs" if found.changed == 1 else f"{plural(found.changed, 'label')} differ"
    return [
        f"The labels come from a review of run {found.run}; {changed}. Mean AP of this training less "
        f"that one's, on the same {where}:",
        *comparison_lines(found.comparison),
    ]


def comparison_lines(found: RunComparison) -> list[str]:
    """Return the later run less the reviewed one, under three kinds of labels, and which to believe."""
    right = found.right.difference
    lines = [
        f"Under the old labels, some of them wrong: {_change(found.given.difference)}.",
        f"Under the new labels: {_change(found.corrected.difference)}. Not a fair figure: mostly labels that "
        "the reviewed run doubts were corrected.",
    ]
    if math.isfinite(right.value) and math.isfinite(right.low):
        lines.append(
            f"Under the right labels, estimated from random controls: {_change(right)}. Believe this one."
        )
    else:
        lines.append(
            "A figure free of that bias needs more wrong labels among the random controls of the review; "
            f"there are {found.right.first.errors} among {found.right.first.controls}."
        )
    return lines


def _change(difference: Interval) -> str:
    if not math.isfinite(difference.low):
        return signed(difference.value)
    bounds = f"{number(difference.low, 3)} to {number(difference.high, 3)}"
    return f"{signed(difference.value)} (95% interval {bounds})"
