"""The findings in plain words, shared by the report and the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..data.label_audit import AttributeCounts, Audit
from ..evaluation.evidence import AttributeEvidence, Evidence, Verdict
from ..evaluation.thresholds import OperatingPoint
from .formatting import count, listing, number, percent, plural


def mean(values: Iterable[float]) -> float:
    """Mean of the values that are defined; nan when none is."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else float("nan")


def mean_prevalence(evidence: Evidence) -> float:
    """Mean AP of a model without skill: the mean prevalence of the attributes whose AP is defined."""
    return mean(a.prevalence for a in evidence.attributes if not math.isnan(a.ap.value))


def by_lift(attributes: Iterable[AttributeEvidence]) -> list[AttributeEvidence]:
    """Sort attributes by how far AP exceeds prevalence, strongest first; those without an AP come last."""

    def lift(attribute: AttributeEvidence) -> float:
        gain = attribute.ap.value - attribute.prevalence
        return -math.inf if math.isnan(gain) else gain

    return sorted(attributes, key=lambda a: (-lift(a), a.name))


def named(evidence: Evidence, verdict: Verdict) -> tuple[str, ...]:
    """Names of the attributes with this verdict."""
    return tuple(a.name for a in evidence.attributes if a.verdict is verdict)


def headline_parts(evidence: Evidence) -> tuple[str, str, str]:
    """Split the headline into its colored lead, its rest, and its bracket.

    Returns:
        For example `("LEARNED", "22 of 23 attributes", "")`, or
        `("NO EVIDENCE", "that anything was learned", "(0 of 4 attributes)")`.
    """
    sentence, bracket, inside = evidence.headline.partition(" (")
    words = sentence.split()
    capitals = next((place for place, word in enumerate(words) if not word.isupper()), len(words))
    return " ".join(words[:capitals]), " ".join(words[capitals:]), (bracket + inside).strip()


def meaning(evidence: Evidence, alpha: float) -> list[str]:
    """One to three paragraphs that explain the verdict to somebody who must act on it."""
    without, few = named(evidence, Verdict.NO_EVIDENCE), named(evidence, Verdict.TOO_FEW)
    story = []
    if evidence.learned:
        story.append(_learned(evidence, alpha))
        if without:
            them = "it" if len(without) == 1 else "them"
            story.append(
                f"There is no evidence for {listing(without)}. Ignore what the model says about {them}."
            )
    elif without:
        story.append(
            f"On {_seen(evidence)}, the scores fit the true labels no better than they often fit randomly "
            "shuffled labels. Perhaps the images do not show these attributes, the labels are wrong, or "
            "there are too few of them. A falling training loss does not contradict this: a model can "
            "memorize its own training images. Do not act on this model's predictions."
        )
    if few:
        story.append(
            f"There are too few labels for a verdict on {listing(few)}: fewer than 10 photos are labeled "
            "present, or fewer than 10 absent, counting copies of a photo once."
        )
    return story


def _seen(evidence: Evidence) -> str:
    images = plural(evidence.images, "image")
    if evidence.folds:
        return f"{images}, each scored by a model that had seen neither the image nor a copy of it"
    return f"{images} that were held out from training"


def _learned(evidence: Evidence, alpha: float) -> str:
    learned, total = len(evidence.learned), len(evidence.attributes)
    attributes = f"{learned} of {total} attributes"
    if learned == total:
        attributes = "every attribute" if total > 1 else evidence.learned[0]
    return (
        f"On {_seen(evidence)}, the model ranks images that have the attribute above images that do not, "
        f"by more than chance explains, for {attributes}. The probability of even one false claim among "
        f"them is at most {percent(alpha)}."
    )


def always_yes(points: tuple[OperatingPoint, ...]) -> str:
    """Compare the model's mean F1 with that of answering "present" for every image; empty without points."""
    blind, tuned = mean(p.f1_always_yes for p in points), mean(p.f1 for p in points)
    if math.isnan(blind) or math.isnan(tuned):
        return ""
    easiest = max((p for p in points if not math.isnan(p.f1_always_yes)), key=lambda p: p.f1_always_yes)
    example = f", and {number(easiest.f1_always_yes)} on {easiest.name}" if len(points) > 1 else ""
    comparison = (
        f"This model, with tuned thresholds, scores {number(tuned)}"
        if round(tuned, 2) > round(blind, 2)
        else f"This model scores {number(tuned)}, which is no better"
    )
    return (
        f"Answering “present” for every image, without looking, scores a mean F1 of "
        f"{number(blind)}{example}. {comparison}."
    )


def data_summary(audit: Audit) -> str:
    """Summarize the data in one sentence."""
    cells = sum(a.positives + a.negatives + a.missing for a in audit.attributes)
    missing = sum(a.missing for a in audit.attributes)
    share = f"{percent(missing / cells)} of the labels are missing" if missing else "no label is missing"
    return (
        f"{plural(audit.rows, 'label row')} for {plural(len(audit.attributes), 'attribute')}, "
        f"{count(len(audit.usable))} with a readable image; {share}."
    )


def imbalance(counts: AttributeCounts) -> float:
    """Negatives per positive among the known labels; inf without a positive, nan without any known label."""
    if counts.positives:
        return counts.negatives / counts.positives
    return math.inf if counts.negatives else math.nan
