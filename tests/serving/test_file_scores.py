"""Probabilities of files: from stored features where all are stored, else by forward passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aimonk.backbones.linear_head import LinearHead
from aimonk.config import FeaturesConfig
from aimonk.errors import ImagesError
from aimonk.features.feature_store import FeatureStore
from aimonk.runtime.prediction import Prediction
from aimonk.serving import file_scores
from aimonk.serving.file_scores import score_files

A, B = "a" * 64, "b" * 64
HEAD = LinearHead(np.array([[1.0, 0.0], [0.0, 2.0]], np.float32), np.array([0.0, 1.0], np.float32))


class Predictor:
    """Answers 0.25 and 0.75 for every file that is not broken."""

    info = SimpleNamespace(features="graph/openvino-f32", names=("belt", "hat"))

    def stream(self, paths: Iterable[Path]) -> Iterator[Prediction]:
        for path in paths:
            broken = path.name == "broken.jpg"
            yield Prediction((), (), "not an image") if broken else Prediction((), (0.25, 0.75), None)


@pytest.fixture
def score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(file_scores, "read_head", lambda _package: HEAD)
    config = FeaturesConfig(store=str(tmp_path))
    store = FeatureStore(tmp_path / Predictor.info.features)
    store.put([A, B], ["plain"] * 2, np.array([[0, 0], [2, -1]], np.float32))

    def score(*digests: str, progress: Any = None, name: str = "image.jpg") -> np.ndarray:
        predictor: Any = Predictor()
        files = [(digest, Path(name)) for digest in digests]
        return score_files(tmp_path, predictor, files, config, progress)

    return score


def test_stored_features_are_scored_without_a_forward_pass(score: Any) -> None:
    done: list[tuple[int, int]] = []
    found = score(B, A, B, progress=lambda now, of: done.append((now, of)))
    expected = 1 / (1 + np.exp([[-2.0, 1.0], [0.0, -1.0], [-2.0, 1.0]]))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert done == [(2, 2)]


def test_one_image_without_features_sends_all_through_the_network(score: Any) -> None:
    done: list[tuple[int, int]] = []
    found = score(A, "c" * 64, progress=lambda now, of: done.append((now, of)))
    assert found.tolist() == [[0.25, 0.75]] * 2
    assert done == [(1, 2), (2, 2)]


def test_an_image_that_has_become_unreadable_is_named(score: Any) -> None:
    with pytest.raises(ImagesError, match=r"The image broken\.jpg cannot be scored: not an image\."):
        score("c" * 64, name="broken.jpg")


def test_no_file_has_no_scores(score: Any) -> None:
    assert score().shape == (0, 2)
