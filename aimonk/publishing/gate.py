"""The gate before the alias `champion`: two versions meet on images that neither was trained on."""

from __future__ import annotations

import numpy as np

from ..config import Config
from ..evaluation.comparison import Comparison, Decision, compare, decide
from ..evaluation.evidence import Evidence, weigh_evidence
from ..evaluation.folds import pool_folds
from ..tracking.held_out import HeldOut, matching_rows, read_held_out
from ..tracking.registry import Version


class Gate:
    """Decides about one challenger; `comparison` is what it saw of the champion, if there was one.

    Args:
        challenger: its scores of held-out images.
        evidence: what they say, if that is known already.
        config: how evidence is weighed and models are compared.
    """

    def __init__(self, challenger: HeldOut, evidence: Evidence | None, config: Config) -> None:
        self.held_out = challenger
        self.config = config
        self.evidence = evidence or evidence_of(challenger, config)
        self.comparison: Comparison | None = None

    def __call__(self, challenger: Version, champion: Version | None) -> Decision:
        """The decision that `tracking.registry.promote` asks for."""
        if champion is None or champion.version == challenger.version:
            return decide(self.evidence, None)
        if champion.run_id is None:
            return Decision(False, f"Not promoted: the champion {champion.uri} has no run to compare with.")
        theirs = read_held_out(champion.run_id)
        if theirs.attributes != self.held_out.attributes:
            return Decision(False, f"Not promoted: the champion {champion.uri} has other attributes.")
        ours_at, theirs_at = matching_rows(self.held_out, theirs)
        if len(ours_at) == 0:
            return Decision(
                False,
                f"Not promoted: no image was held out by both this version and the champion {champion.uri}.",
            )
        self.comparison = compare(
            self.held_out.targets[ours_at],
            comparable(self.held_out)[ours_at],
            comparable(theirs)[theirs_at],
            self.held_out.attributes,
            self.held_out.groups[ours_at],
            resamples=self.config.evaluation.resamples,
            seed=self.config.split.seed,
        )
        return decide(self.evidence, self.comparison)


def evidence_of(held_out: HeldOut, config: Config) -> Evidence:
    """Weigh a saved table of scores again."""
    evaluation = config.evaluation
    return weigh_evidence(
        held_out.targets,
        held_out.probabilities,
        held_out.attributes,
        held_out.groups,
        held_out.folds if len(np.unique(held_out.folds)) > 1 else None,
        permutations=evaluation.permutations,
        resamples=evaluation.resamples,
        alpha=evaluation.alpha,
        seed=config.split.seed,
    )


def comparable(held_out: HeldOut) -> np.ndarray:
    """Scores `(N, L)` that may be ranked across folds; 0 where the label is not known."""
    folds = held_out.folds if len(np.unique(held_out.folds)) > 1 else None
    return np.nan_to_num(pool_folds(held_out.targets, held_out.probabilities, folds))
