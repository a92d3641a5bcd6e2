from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset14 as ops
import pytest

from aimonk.backbones.alone import check_alone
from aimonk.errors import BackboneError


def graph(change: Callable[[Any], Any]) -> ov.Model:
    """Mean colors `(N, 3)`, changed."""
    pixels = ops.parameter([-1, 16, 16, 3], np.uint8, "pixels")
    return ov.Model([change(ops.reduce_mean(ops.convert(pixels, np.float32), [1, 2], False))], [pixels])


def noisy(colors: Any) -> Any:
    shape, low, high = (ops.constant(np.array(value)) for value in ([1, 3], np.float32(0), np.float32(50)))
    noise = ops.random_uniform(shape, low, high, "f32")
    return ops.add(colors, noise)


def test_a_network_that_sees_one_image_at_a_time_passes() -> None:
    check_alone(graph(lambda colors: ops.multiply(colors, np.float32(2))), "mine")


def test_normalizing_over_the_batch_is_found() -> None:
    centered = graph(lambda colors: ops.subtract(colors, ops.reduce_mean(colors, [0], True)))
    with pytest.raises(BackboneError, match="mine answers otherwise for an image when another is beside"):
        check_alone(centered, "mine")


def test_noise_is_found() -> None:
    with pytest.raises(BackboneError, match="mine answers otherwise each time"):
        check_alone(graph(noisy), "mine")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_found(value: float) -> None:
    with pytest.raises(BackboneError, match="mine computes with numbers that are not finite"):
        check_alone(graph(lambda colors: ops.multiply(colors, np.float32(value))), "mine")


def test_a_rectifier_does_not_hide_weights_that_are_not_numbers() -> None:
    weights = np.array([1, np.nan, 1], np.float32)
    hidden = graph(lambda colors: ops.relu(ops.multiply(colors, ops.constant(weights))))
    with pytest.raises(BackboneError, match="computes with numbers that are not finite"):
        check_alone(hidden, "mine")


def test_a_network_that_says_the_same_of_every_image_is_found_whatever_their_colors() -> None:
    lost = graph(lambda colors: ops.concat([ops.multiply(colors, np.float32(0)), colors], 1))
    check_alone(lost, "mine")
    with pytest.raises(BackboneError, match="mine says the same of every image"):
        check_alone(lost, "mine", colors=3)


def test_the_bits_of_other_kinds_of_numbers_are_not_taken_for_nan() -> None:
    mask = ops.constant(
        [-3.3e38, 0.0, 0.0], dtype=ov.Type.bf16
    )  # as attention has it; NaN if read as float16
    check_alone(graph(lambda colors: ops.maximum(colors, ops.convert(mask, np.float32))), "mine")
