from __future__ import annotations

import time
from pathlib import Path

import pytest

from aimonk.config import FeaturesConfig
from aimonk.features import throughput
from aimonk.features.throughput import images_per_second

from ..backbones.networks import convolutions, describe


def test_images_per_second_are_those_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = convolutions(tmp_path / "model.onnx")
    describe(tmp_path)
    store = tmp_path / "store"
    seconds = iter([10.0, 10.0, 11.0, 14.0])  # two rounds of 32 images until 4 seconds have passed
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(throughput, "ENOUGH", 3.0)
    config = FeaturesConfig(resolution=1.0, precision="f32", store=str(store))
    assert images_per_second(str(path), config) == pytest.approx(64 / 4)
    assert not store.exists()
