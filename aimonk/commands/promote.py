"""`aimonk promote`: a registered version before the gate."""

from __future__ import annotations

from ..config_file import checked
from ..errors import TrackingError
from ..evaluation.held_out import evidence_of
from ..publishing.gate import judge
from ..publishing.gate import promote as carry_out
from ..results.promotion_result import PromotionResult
from ..tracking.predictions_table import read_predictions
from ..tracking.recorded_request import recorded_config
from ..tracking.registry import find_version


def promote(name: str, version: str | int | None = None) -> PromotionResult:
    """Make a version the champion, if it has learned something and is not worse than the present one.

    >>> aimonk.promote("dresses", 2).decision.promote  # doctest: +SKIP
    True

    The two are compared on images that neither was trained on, under the settings of the version's own run.

    Args:
        name: registered model.
        version: by default the newest.

    Raises:
        ModelError: there is no such version, or its run keeps no predictions.
        TrackingError: the registry cannot be used.
    """
    challenger = find_version(name, None if version is None else str(version))
    if challenger.run_id is None:
        raise TrackingError(f"{challenger.uri} has no run, so there is nothing to compare; train it again.")
    scores = read_predictions(challenger.run_id)
    config = checked(recorded_config(challenger.run_id))
    evidence = evidence_of(scores, config)
    judgment = judge(name, scores, evidence, config, challenger)
    carried_out = carry_out(challenger, judgment, scores, evidence, config)
    before = carried_out.champion
    return PromotionResult(
        name,
        challenger.version,
        before.version if before else None,
        carried_out.decision,
        carried_out.comparison,
    )
