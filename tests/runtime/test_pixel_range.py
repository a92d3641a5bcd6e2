from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimonk.runtime.pixel_range import assumed_range, black_and_white, to_8_bits, used_range


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 255, (0, 255)),
        (0, 65535, (0, 65535)),
        (48, 4000, (0, 4095)),  # 12 bits
        (0, 900, (0, 1023)),  # 10 bits
        (300, 16000, (0, 16383)),  # 14 bits
        (0, 1, (0, 1)),  # a mask: less than a quarter of 8 bits
        (100_000, 100_255, (100_000, 100_255)),  # 8 bits and an offset
        (100_000, 100_245, (100_000, 100_255)),  # 245 of 255 is more than 15/16
        (10, 265, (10, 265)),
        (1000, 5095, (1000, 5095)),  # 12 bits and an offset
        (-1024, 3071, (-1024, 3071)),
        (21_000, 24_000, (21_000, 24_000)),  # temperatures: 3000 of 4095
        (32_768, 32_768, (0, 65_535)),  # one value: its place among 16 bits
        (-5, -5, (-5, -4)),
    ],
)
def test_integers(low: int, high: int, expected: tuple[int, int]) -> None:
    assert assumed_range(low, high, floating=False) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, (0, 1)),
        (0.1, 0.9, (0, 1)),
        (0.0, 0.2, (0.0, 0.2)),  # less than a quarter of 0 to 1
        (0.0, 254.7, (0, 255)),
        (0.0, 2.0, (0.0, 2.0)),
        (-1.0, 1.0, (-1.0, 1.0)),
        (-2.1, 2.6, (-2.1, 2.6)),  # standardized
        (0.0, 4095.0, (0, 4095)),
        (0.0, 1e30, (0.0, 1e30)),
    ],
)
def test_floats(low: float, high: float, expected: tuple[float, float]) -> None:
    assert assumed_range(low, high, floating=True) == expected


def test_a_stated_range_counts_unless_the_samples_exceed_it() -> None:
    samples = np.array([100, 900], np.uint16)
    assert black_and_white(samples, (0, 2000)) == (0, 2000)
    assert black_and_white(samples, (0, 899)) == black_and_white(samples) == (0, 1023)
    assert black_and_white(samples, (900, 100)) == (0, 1023)


def test_what_is_not_finite_does_not_count() -> None:
    samples = np.array([np.nan, np.inf, -np.inf, 0.0, 1.0], np.float32)
    assert used_range(samples) == (0.0, 1.0)
    assert to_8_bits(samples, 0, 1).tolist() == [0, 255, 0, 0, 255]
    assert used_range(samples[:3]) == (0.0, 0.0)


def test_scaling_by_hand() -> None:
    # 4095 / 255 = 16.06: 2048 is 127.53, hence 128
    assert to_8_bits(np.array([[0, 2048], [4095, 16]], np.uint16), 0, 4095).tolist() == [[0, 128], [255, 1]]
    assert to_8_bits(np.array([-1000, 0, 1000]), -1000, 1000).tolist() == [0, 128, 255]


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.integers(-(2**31), 2**31 - 1), min_size=2, max_size=30),
    kind=st.sampled_from([np.int32, np.float32, np.uint16]),
)
def test_no_value_is_clipped_and_the_order_is_kept(values: list[int], kind: type) -> None:
    samples: np.ndarray = np.array(values).astype(kind)
    black, white = black_and_white(samples)
    assert black < white and black <= samples.min() and samples.max() <= white
    gray = to_8_bits(samples, black, white)
    assert (np.diff(gray[np.argsort(samples, kind="stable")].astype(int)) >= 0).all()
