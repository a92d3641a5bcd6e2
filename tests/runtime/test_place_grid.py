from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aimonk.runtime.place_grid import rows_and_columns, to_grid

SIDES = st.integers(1, 13)
WHOLE = (0.0, 0.0, 1.0, 1.0)


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from([WHOLE, (0.25, 0.25, 0.75, 0.75), (0.2, 0.0, 0.8, 1.0)]))
def test_sums_stay_the_same(
    height: int, width: int, rows: int, columns: int, window: tuple[float, float, float, float]
) -> None:
    values = np.random.default_rng(0).normal(0, 1, (2, height, width, 3)).astype(np.float32)
    found = to_grid(values, window, (rows, columns))
    assert found.shape == (2, rows, columns, 3)
    np.testing.assert_allclose(found.sum(axis=(1, 2)), values.sum(axis=(1, 2)), atol=1e-4)


def test_a_position_is_shared_by_the_cells_it_covers() -> None:
    values = np.array([[1.0], [2.0]], np.float32)[None, :, None, :].reshape(1, 2, 1, 1)
    np.testing.assert_allclose(
        to_grid(values, WHOLE, (3, 1))[0, :, 0, 0], [2 / 3, 1 / 3 + 2 / 3, 4 / 3], atol=1e-6
    )


def test_a_window_covers_the_middle_alone() -> None:
    found = to_grid(np.ones((1, 2, 2, 1), np.float32), (0.25, 0.25, 0.75, 0.75), (4, 4))[0, :, :, 0]
    np.testing.assert_array_equal(found[1:3, 1:3], 1)
    assert found.sum() == 4


def test_tokens_form_rows_as_the_image_does() -> None:
    assert rows_and_columns(256, (224, 224)) == (16, 16)
    assert rows_and_columns(24, (320, 480)) == (4, 6)
    assert rows_and_columns(7, (700, 100)) == (7, 1)
