"""The learning curve in words: what more labeled photos would bring, and for which attributes."""

from __future__ import annotations

from ..evaluation.learning_curve import COVERAGE, FLAT, AttributeCurve, LearningCurve
from .formatting import listing, number, percent, plural, signed


def curve_story(curve: LearningCurve) -> list[str]:
    """Say what two and four times as many photos would bring, then which attributes still rise.

    Args:
        curve: of a training.

    Returns:
        One to four sentences.

    """
    images = round(curve.sizes[-1])
    mean = curve.mean
    doubled, fourfold = mean.gains
    story = [
        f"From {plural(images, 'training image')}, twice as many photos would bring about "
        f"{signed(doubled.value, 2)} mean AP ({signed(doubled.low, 2)} to {signed(doubled.high, 2)}, "
        f"{percent(COVERAGE)} interval), four times as many about {signed(fourfold.value, 2)} "
        f"({signed(fourfold.low, 2)} to {signed(fourfold.high, 2)})."
    ]
    rising, flat, open_ = (_named(curve, state) for state in ("rising", "flat", "open"))
    if rising:
        verb = "has" if len(rising) == 1 else "have"
        story.append(f"{listing(rising)} {verb} not begun to flatten.")
    if flat:
        verb = "has" if len(flat) == 1 else "have"
        begun = "" if rising else " begun to flatten"
        story.append(f"{listing(flat)} {verb}{begun}: a doubling would bring less than {number(FLAT)}.")
    if open_:
        story.append(f"It cannot be told yet for {listing(open_)}.")
    return story


def _named(curve: LearningCurve, state: str) -> list[str]:
    """Attributes in a state, the largest gain first."""
    found = [one for one in curve.attributes if one.state == state]
    return [one.name for one in sorted(found, key=_gain, reverse=True)]


def _gain(one: AttributeCurve) -> float:
    return one.gains[0].value
