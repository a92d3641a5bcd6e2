"""The gate before the alias `champion`: two versions are compared on images that neither was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import Config
from ..errors import ModelError, StoreAwayError, TrackingError
from ..evaluation.comparison import Comparison, Decision, decide
from ..evaluation.evidence import Evidence
from ..evaluation.held_out import HeldOutScores, compare_scores
from ..tracking.predictions_table import read_predictions
from ..tracking.registry import Version, champion, record_decision


@dataclass(frozen=True)
class Judgment:
    """A decision, the champion that it was made against, and the comparison that it rests on."""

    decision: Decision
    champion: Version | None
    comparison: Comparison | None = None


def judge(
    name: str, scores: HeldOutScores, evidence: Evidence, config: Config, version: Version | None = None
) -> Judgment:
    """Decide whether a model replaces the champion of a registered model, and move nothing.

    A champion that cannot be compared stays: the answer is then "not promoted" with the reason.

    Args:
        name: the registered model.
        scores: the challenger's.
        evidence: what they say.
        config: the settings of the challenger's run.
        version: the challenger, where it is registered already and may be the champion itself.

    Raises:
        TrackingError: the registry cannot be reached.
    """
    present = champion(name)
    if present is None:
        return Judgment(decide(evidence, None), present)
    if version and version.version == present.version:
        alone = decide(evidence, None)
        known = Decision(True, f"Promoted: {present.uri} is the champion already.")
        return Judgment(known if alone.promote else alone, present)
    try:
        theirs = read_predictions(present.run_id or "")
    except StoreAwayError:
        raise
    except (ModelError, TrackingError) as error:
        return _incomparable(present, str(error).rstrip("."))
    if theirs.attributes != scores.attributes:
        return _incomparable(present, "it has other attributes")
    comparison = compare_scores(scores, theirs, config)
    if comparison is None:
        return _incomparable(present, "no image was held out by both versions")
    return Judgment(decide(evidence, comparison), present, comparison)


def promote(
    version: Version, judgment: Judgment, scores: HeldOutScores, evidence: Evidence, config: Config
) -> Judgment:
    """Move `champion` as was decided, unless the champion has changed since: then decide again.

    MLflow cannot move an alias on a condition, so the champion is read once more just before the move. Two
    trainings that end at once are thus compared with each other instead of both finding no champion.

    Returns:
        The judgment that was carried out.

    Raises:
        TrackingError: the registry cannot be read or written.
    """
    present = champion(version.name)
    if _number(present) not in (_number(judgment.champion), version.version):
        judgment = judge(version.name, scores, evidence, config, version)
    record_decision(version, judgment.decision.promote, judgment.decision.reason)
    return judgment


def _number(version: Version | None) -> str | None:
    return version.version if version else None


def _incomparable(present: Version, why: str) -> Judgment:
    return Judgment(
        Decision(False, f"Not promoted: the champion {present.uri} cannot be compared: {why}."), present
    )
