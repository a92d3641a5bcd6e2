"""Model packages small enough to reckon by hand: mean color, then a linear head. No TensorFlow."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops
from PIL import Image

from aimonk.backbones.linear_head import LinearHead, append_head
from aimonk.runtime.record import Attribute, PackageInfo
from aimonk.serving.package import write_package

SIZE = 4

HEAD = LinearHead(
    kernel=np.array([[1, 0], [0, 0], [0, -1]], dtype=np.float32) / 100,
    bias=np.array([-1, 0.5], dtype=np.float32),
)
"""`red` has the logit red / 100 - 1; `dark` has 0.5 - blue / 100."""


def mean_color(size: int = SIZE) -> openvino.Model:
    """`(N, size, size, 3) uint8` to the mean of each channel, `(N, 3) float32`."""
    image = ops.parameter([-1, size, size, 3], np.uint8, name="pixels")
    mean = ops.reduce_mean(ops.convert(image, "f32"), ops.constant(np.array([1, 2])), False)
    return openvino.Model([ops.result(mean)], [image], "mean_color")


def plain_image(red: int, green: int, blue: int, kind: str = "PNG", side: int = 8) -> bytes:
    """A file of one color."""
    data = io.BytesIO()
    Image.new("RGB", (side, side), (red, green, blue)).save(data, kind)
    return data.getvalue()


def color_info(*thresholds: float) -> PackageInfo:
    red, dark = thresholds or (0.5, 0.5)
    attributes = (Attribute("red", red, 0.25, "learned"), Attribute("dark", dark))
    return PackageInfo(attributes, (SIZE, SIZE), "f32", "mean_color", weights="none")


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package whose attributes are `red` and `dark`."""
    folder = tmp_path_factory.mktemp("packages") / "colors"
    write_package(folder, append_head(mean_color(), HEAD), color_info(), HEAD)
    return folder


@pytest.fixture
def make_package(tmp_path: Path) -> Callable[..., Path]:
    """Write another package with this head."""

    def make(name: str = "other", head: LinearHead = HEAD, info: PackageInfo | None = None) -> Path:
        folder = tmp_path / name
        write_package(folder, append_head(mean_color(), head), info or color_info(), head)
        return folder

    return make
