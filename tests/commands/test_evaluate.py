from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from aimonk.commands.evaluate import _unseen_rows
from aimonk.errors import ImagesError
from aimonk.serving.package import SEEN_DIGITS

DIGESTS = tuple(f"{number:064x}"[::-1] for number in range(4))
SEEN = [digest[:SEEN_DIGITS] for digest in DIGESTS]


class Photos:
    digests = DIGESTS


def test_images_that_the_model_saw_are_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    photos: Any = Photos()
    with caplog.at_level(logging.WARNING):
        rows = _unseen_rows(photos, frozenset(SEEN[:1]))
    np.testing.assert_array_equal(rows, [1, 2, 3])
    assert "1 of 4 images are left out" in caplog.text


def test_images_of_which_none_is_new_give_no_figures() -> None:
    photos: Any = Photos()
    with pytest.raises(ImagesError, match="trained or tuned on all 4 images, so they say nothing about new"):
        _unseen_rows(photos, frozenset(SEEN))
