from __future__ import annotations

import numpy as np
import pytest

from aimonk.backbones.color_histogram import palette
from aimonk.training.linear_probe.color_share import color_weights

COLORS = len(palette())


@pytest.mark.parametrize("others", [256, 6016])
def test_the_palette_has_its_share_whatever_the_number_of_the_others(others: int) -> None:
    weights = color_weights(others + COLORS, 1, 0.125)
    assert weights is not None
    assert (weights[:others] == 1).all()
    assert (weights[others:] ** 2).sum() / (weights**2).sum() == pytest.approx(0.125)


def test_each_of_several_places_weighs_as_much_as_one() -> None:
    one, two = color_weights(1000 + COLORS, 1, 0.2), color_weights(1000 + 2 * COLORS, 2, 0.2)
    assert one is not None and two is not None
    np.testing.assert_array_equal(two[: 1000 + COLORS], one)
    np.testing.assert_array_equal(two[1000 + COLORS :], one[1000:])


@pytest.mark.parametrize(("features", "places", "share"), [(256, 0, 0.1), (256, 1, 0.0), (COLORS, 1, 0.1)])
def test_nothing_to_weigh(features: int, places: int, share: float) -> None:
    assert color_weights(features, places, share) is None
