from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aimonk.runtime.evidence_location import Location, locate


def test_even_evidence_lies_where_the_image_does() -> None:
    for side in (4, 7, 16):
        found = locate(np.ones((side, side)))
        assert found.border == pytest.approx(1 - 0.75**2)
        assert found.outside_middle == pytest.approx(0.75)
        assert found.sentence == ""


def test_a_corner_is_named_and_counterevidence_does_not_count() -> None:
    places = np.full((16, 16), -5.0)
    places[:2, :2], places[8, 8] = 1.0, 1.0
    found = locate(places)
    assert dataclasses.asdict(found) == pytest.approx({"border": 0.8, "outside_middle": 0.8})
    assert found.sentence == "80% of the evidence lies in the border of the image"


def test_evidence_around_the_middle_is_named() -> None:
    places = np.zeros((16, 16))
    places[3, 3:13] = 1.0
    assert locate(places).sentence == "100% of the evidence lies outside the middle of the image"


def test_no_evidence_has_no_place() -> None:
    assert locate(np.zeros((3, 3))) == Location(0.0, 0.0)
