from __future__ import annotations

from pathlib import Path

import numpy as np

from aimonk.data.labels import MISSING, LabelTable
from aimonk.reviewing.corrected_labels import correct_labels

from .test_answer_book import said


def test_each_answer_does_what_it_says() -> None:
    targets = np.array([[1], [1], [MISSING], [0], [1], [0]], dtype=np.float32)
    table = LabelTable(Path("labels.csv"), tuple(f"{n}.jpg" for n in range(6)), ("belt",), targets)
    answers = ["absent", "unclear", "present", "absent", "skipped"]
    found = correct_labels(
        table,
        [said(str(row), answer, image=f"{row}.jpg") for row, answer in enumerate(answers)]
        + [said("9", "absent", image="gone.jpg")],
    )
    assert found.table.targets.ravel().tolist() == [0, MISSING, 1, 0, 1, 0]
    assert (found.flipped, found.removed, found.filled, found.confirmed) == (1, 1, 1, 1)
    assert found.unmatched == (("gone.jpg", "belt"),)
    assert table.targets.ravel().tolist() == [1, 1, MISSING, 0, 1, 0]
