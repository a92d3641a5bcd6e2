"""A backbone that anyone can compute by hand: the mean color of the image, as a graph in a store."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from PIL import Image

from aimonk.backbones.graph import write_graph
from aimonk.config import FeaturesConfig
from aimonk.features.extractor import FeatureExtractor

Files = list[tuple[str, Path]]


def mean_color_graph(side: int = 224) -> ov.Model:
    """`(N, side, side, 3) uint8 -> (N, 3) float32`: the mean of each channel."""
    from openvino import opset13 as ops

    pixels = ops.parameter([-1, side, side, 3], np.uint8, name="pixels")
    means = ops.reduce_mean(ops.convert(pixels, "f32"), ops.constant(np.array([1, 2])), keep_dims=False)
    return ov.Model([ops.result(means)], [pixels], "mean_color")


@pytest.fixture
def config(tmp_path: Path) -> FeaturesConfig:
    """Settings whose graph is, in this store, that of the mean color."""
    config = FeaturesConfig(
        resolution=1.0,
        backbone="mobilenet@0.25",
        weights="none",
        engine="openvino",
        precision="f32",
        store=str(tmp_path / "store"),
    )
    write_graph(mean_color_graph(), FeatureExtractor(config).folder / "ir")
    return config


@pytest.fixture
def gray_images(tmp_path: Path) -> Callable[[int], Files]:
    """Draw images of which the i-th is all of the color (i, 2 i, 255 - i)."""

    def draw(count: int) -> Files:
        files = []
        for index in range(count):
            buffer = io.BytesIO()
            Image.new("RGB", (32, 24), (index, 2 * index, 255 - index)).save(buffer, "PNG")
            path = tmp_path / f"{index}.png"
            path.write_bytes(buffer.getvalue())
            files.append((hashlib.sha256(buffer.getvalue()).hexdigest(), path))
        return files

    return draw


def colors(count: int) -> np.ndarray:
    """The vectors of `gray_images`, `(count, 3) float32`."""
    index = np.arange(count)
    return np.stack([index, 2 * index, 255 - index], axis=1).astype(np.float32)
