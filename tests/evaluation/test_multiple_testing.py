import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aimonk.evaluation.multiple_testing import holm


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.5 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.5; never falling.
    corrected = holm(np.array([0.03, 0.01, 0.5, 0.02]))
    np.testing.assert_allclose(corrected, [0.06, 0.04, 0.5, 0.06])


def test_holm_stops_at_one_and_leaves_out_the_untested() -> None:
    np.testing.assert_allclose(holm(np.array([0.4, np.nan, 0.9, 0.6])), [1, np.nan, 1, 1])
    assert holm(np.array([])).size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_raw_value_and_bonferroni(values: list[float]) -> None:
    raw = np.array(values)
    corrected = holm(raw)
    assert (corrected >= raw).all()
    assert (corrected <= np.minimum(1, raw.size * raw) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0).all()
