from __future__ import annotations

import math

from aimonk.evaluation.comparison import Comparison
from aimonk.evaluation.intervals import Interval
from aimonk.evaluation.review_bias import ReviewedComparison, ReviewedPrecision
from aimonk.reporting.review_wording import review_story
from aimonk.reviewing.reviewed_cells import RunComparison
from aimonk.reviewing.reviewed_training import AfterReview

NAN = math.nan


def compared(right: Interval) -> RunComparison:
    def under(*difference: float) -> Comparison:
        return Comparison((), 0.6, 0.5, Interval(*difference), 100)

    precision = ReviewedPrecision(0.6, 0.6, right, 3, 40, 2)
    return RunComparison(
        under(-0.01, -0.02, 0.0), under(0.05, 0.03, 0.07), ReviewedComparison(precision, precision, right)
    )


def test_three_figures_and_which_to_believe() -> None:
    story = review_story(AfterReview("4f0c", 12, True, compared(Interval(0.04, 0.01, 0.07))))
    assert story == [
        "The labels come from a review of run 4f0c; 12 labels differ. Mean AP of this training less that "
        "one's, on the same images and folds:",
        "Under the old labels, some of them wrong: −0.010 (95% interval −0.020 to 0.000).",
        "Under the new labels: +0.050 (95% interval 0.030 to 0.070). Not a fair figure: mostly labels that "
        "the reviewed run doubts were corrected.",
        "Under the right labels, estimated from random controls: +0.040 (95% interval 0.010 to 0.070). "
        "Believe this one.",
    ]


def test_too_few_controls_give_no_third_figure() -> None:
    story = review_story(AfterReview("4f0c", 1, False, compared(Interval(0.04, NAN, NAN))))
    assert "1 label differs" in story[0] and "on the same images:" in story[0]
    assert story[-1] == (
        "A figure free of that bias needs more wrong labels among the random controls of the review; "
        "there are 2 among 40."
    )
