"""The findings in plain words: what the verdict means, and what a model that never looks would score."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..data.label_audit import Audit
from ..evaluation.evidence import AttributeEvidence, Evidence, Verdict
from ..evaluation.thresholds import OperatingPoint
from .formatting import count, listing, number, percent, plural


def mean(values: Iterable[float]) -> float:
    """Mean of the values that are defined; nan when none is."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else float("nan")


def mean_prevalence(evidence: Evidence) -> float:
    """Say what mean AP would be without skill: the mean prevalence where AP is defined."""
    return mean(a.prevalence for a in evidence.attributes if not math.isnan(a.ap.value))


def by_lift(attributes: Iterable[AttributeEvidence]) -> list[AttributeEvidence]:
    """Strongest first: by AP above prevalence; attributes without an AP come last."""

    def lift(attribute: AttributeEvidence) -> float:
        gain = attribute.ap.value - attribute.prevalence
        return -math.inf if math.isnan(gain) else gain

    return sorted(attributes, key=lambda a: (-lift(a), a.name))


def named(evidence: Evidence, verdict: Verdict) -> tuple[str, ...]:
    """Names of the attributes with this verdict."""
    return tuple(a.name for a in evidence.attributes if a.verdict is verdict)


def headline_parts(evidence: Evidence) -> tuple[str, str, str]:
    """Split the headline into what is set in colour, what follows, and what stands in brackets.

    `("LEARNED", "22 of 23 attributes", "")`, or
    `("NO EVIDENCE", "that anything was learned", "(0 of 4 attributes)")`.
    """
    sentence, bracket, inside = evidence.headline.partition(" (")
    words = sentence.split()
    capitals = next((place for place, word in enumerate(words) if not word.isupper()), len(words))
    return " ".join(words[:capitals]), " ".join(words[capitals:]), (bracket + inside).strip()


def meaning(evidence: Evidence, alpha: float) -> list[str]:
    """One to three paragraphs: what the verdict means to somebody who has to act on it."""
    without, few = named(evidence, Verdict.NO_EVIDENCE), named(evidence, Verdict.TOO_FEW)
    story = []
    if evidence.learned:
        story.append(_learned(evidence, alpha))
        if without:
            them = "it" if len(without) == 1 else "them"
            story.append(f"There is no evidence for {listing(without)}: ignore what is said of {them}.")
    elif without:
        story.append(
            f"On {_seen(evidence)}, labels dealt out at random would fit the scores as well as the true "
            "ones do, too often to tell the two apart. The pictures may not show what the labels say, the "
            "labels may be wrong, or there is too little of either. A training loss that falls does not "
            "contradict this: a model can memorise its own training images. Do not act on this model's "
            "predictions."
        )
    if few:
        it = "it" if len(few) == 1 else "them"
        story.append(
            f"Too few labels to tell for {listing(few)}: fewer than 10 photos are known to have {it}, "
            f"or to lack {it}."
        )
    return story


def _seen(evidence: Evidence) -> str:
    images = plural(evidence.images, "image")
    if evidence.folds:
        return f"{images}, each scored by a model that had seen neither it nor a copy of it"
    return f"{images} that were kept away from training"


def _learned(evidence: Evidence, alpha: float) -> str:
    learned, total = len(evidence.learned), len(evidence.attributes)
    attributes = f"{learned} of {total} attributes"
    if learned == total:
        attributes = "every attribute" if total > 1 else evidence.learned[0]
    return (
        f"On {_seen(evidence)}, the model ranks pictures that have the attribute above pictures that "
        f"lack it, beyond what chance explains, for {attributes}. The chance of even one false claim among "
        f"them is at most {percent(alpha)}."
    )


def always_yes(points: tuple[OperatingPoint, ...]) -> str:
    """Say what F1 is worth here: the score of answering "present" without looking, beside the model's."""
    blind, tuned = mean(p.f1_always_yes for p in points), mean(p.f1 for p in points)
    if math.isnan(blind) or math.isnan(tuned):
        return ""
    easiest = max((p for p in points if not math.isnan(p.f1_always_yes)), key=lambda p: p.f1_always_yes)
    example = f", and {number(easiest.f1_always_yes)} on {easiest.name}" if len(points) > 1 else ""
    comparison = (
        f"this model, with tuned thresholds, scores {number(tuned)}"
        if round(tuned, 2) > round(blind, 2)
        else f"this model scores no more than that, {number(tuned)}"
    )
    return (
        f"Answering “present” for every picture, without looking, scores a mean F1 of "
        f"{number(blind)}{example}; {comparison}."
    )


def data_summary(audit: Audit) -> str:
    """Sum up the data in one sentence."""
    cells = sum(a.positives + a.negatives + a.missing for a in audit.attributes)
    holes = sum(a.missing for a in audit.attributes)
    share = f"{percent(holes / cells)} of the labels are not known" if holes else "every label is known"
    return (
        f"{plural(audit.rows, 'label row')} for {plural(len(audit.attributes), 'attribute')}, "
        f"{count(len(audit.usable))} with a picture that can be read; {share}."
    )
