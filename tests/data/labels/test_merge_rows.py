from __future__ import annotations

import numpy as np

from aimonk.data.labels.merge_rows import merge_rows


def test_agreement_is_kept_and_contradiction_becomes_unknown() -> None:
    targets = np.array([[1, 1, -1], [0, 0, 0], [1, 0, 1], [1, -1, -1]], np.float32)
    merged = merge_rows(np.array([4, 2, 4, 4]), targets)
    assert merged.first.tolist() == [0, 1]
    assert merged.row_of.tolist() == [0, 1, 0, 0]
    assert merged.targets.tolist() == [[1, -1, 1], [0, 0, 0]]
    assert merged.contradictions == 1
