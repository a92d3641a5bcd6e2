from __future__ import annotations

import numpy as np
import pytest

from aimonk.data.dataset import Dataset
from aimonk.errors import ModelError
from aimonk.evaluation.held_out import HeldOutScores
from aimonk.reviewing.held_out_probabilities import held_out_probabilities


def scores(images: tuple[str, ...], digests: tuple[str, ...], attributes: tuple[str, ...]) -> HeldOutScores:
    numbers = np.arange(len(images) * len(attributes), dtype=float).reshape(len(images), -1) / 100
    rows = np.arange(len(images))
    return HeldOutScores(attributes, images, digests, rows, rows, numbers, numbers, numbers, numbers)


def test_images_are_matched_by_bytes_and_attributes_by_name(
    dataset: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    digest = dict(zip(dataset.names, dataset.digests, strict=True))
    run = scores(("moved.png", "a.png"), (digest["b.png"], digest["a.png"]), ("hat", "belt"))
    found = held_out_probabilities(dataset, run, "r")
    assert found[0, 0] == 0.03 and found[1, 0] == 0.01
    assert np.isnan(found[2:]).all() and np.isnan(found[:, 1]).all()
    assert "6 of 8 images have no score" in caplog.text


def test_copies_have_the_score_of_their_own_name(dataset: Dataset) -> None:
    digest = dataset.digests[1]
    run = scores(("a.png", "b.png"), (digest, digest), ("belt",))
    assert held_out_probabilities(dataset, run, "r")[1, 0] == 0.01


def test_a_run_on_other_data_is_refused(dataset: Dataset) -> None:
    with pytest.raises(ModelError, match="scored no image"):
        held_out_probabilities(dataset, scores(("x.png",), ("0",), ("belt",)), "r")
    with pytest.raises(ModelError, match="scored no attribute"):
        held_out_probabilities(dataset, scores(("a.png",), (dataset.digests[0],), ("hat",)), "r")
