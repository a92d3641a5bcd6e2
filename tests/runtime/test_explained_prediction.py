from __future__ import annotations

import numpy as np

from aimonk.runtime.contributions import Contributions
from aimonk.runtime.explained_prediction import ATTRIBUTES, drawn_attributes, explanations, is_present
from aimonk.runtime.record import Attribute, PackageInfo


def model(*verdicts: str | None, threshold: float = 0.5) -> PackageInfo:
    attributes = tuple(Attribute(f"a{n}", threshold, verdict=verdict) for n, verdict in enumerate(verdicts))
    return PackageInfo(attributes, (32, 32), "f32", "test", weights="none")


def found(*logits: float) -> Contributions:
    """A quarter of each logit at every place of a grid of two by two."""
    values = np.array(logits)
    nothing = np.zeros(len(values))
    return Contributions(values, nothing, nothing, np.tile(values[:, None, None] / 4, (1, 2, 2)))


def test_present_attributes_with_evidence_are_explained_the_surest_first() -> None:
    info = model("learned", None, "no evidence", "learned", "learned")
    answer = explanations(found(1.0, 3.0, 5.0, -1.0, 2.0), info)
    assert [one.attribute for one in answer] == ["a1", "a4", "a0"]
    assert answer[0].contributions == [[0.75, 0.75], [0.75, 0.75]]
    assert (answer[0].logit, answer[0].baseline, answer[0].elsewhere) == (3.0, 0.0, 0.0)


def test_where_nothing_is_present_the_best_score_is_explained() -> None:
    assert drawn_attributes(found(-3.0, -1.0), model("learned", "learned")) == [1]


def test_a_reply_has_a_bounded_number_of_grids() -> None:
    many = 3 * ATTRIBUTES
    answer = explanations(found(*range(1, many + 1)), model(*["learned"] * many))
    assert [one.attribute for one in answer] == [f"a{many - 1 - n}" for n in range(ATTRIBUTES)]


def test_presence_follows_the_thresholds() -> None:
    assert is_present(found(0.0, 1.0), model(None, None, threshold=0.6)).tolist() == [False, True]
