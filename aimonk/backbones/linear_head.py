"""A linear head on a backbone's features, as a record and as the last layer of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError


@dataclass(frozen=True)
class LinearHead:
    """A linear head on raw (unscaled) features: scaling and calibration are folded in.

    `kernel` is `(D, L) float32`, `bias` is `(L,) float32`.
    """

    kernel: np.ndarray
    bias: np.ndarray

    def logits(self, features: np.ndarray) -> np.ndarray:
        """`(N, D)` features to `(N, L) float32` logits."""
        return np.asarray(features @ self.kernel + self.bias, dtype=np.float32)


def append_head(backbone: Path | Any, head: LinearHead) -> Any:
    """Return a new `openvino.Model`: the backbone's features, then `features @ kernel + bias`.

    Args:
        backbone: IR file or `openvino.Model`, `(N, H, W, 3) uint8` -> `(N, D) float32`; left as it is.
        head: the linear head on those features.

    The product is written as a sum over D of `features (N, D, 1) * kernel (1, D, L)`: under a bf16 hint
    the CPU plugin computes a MatMul in bf16 (measured on ResNet50: logits off by 0.5%), but leaves the
    elementwise tail after the last convolution in f32. The transposed layout, `(N, 1, D) * (1, L, D)`, must
    not be used: OpenVINO 2026.4 computes wrong sums for it behind a global average pooling.

    Raises:
        ModelError: the backbone's width is not the head's.
    """
    import openvino
    from openvino import opset13 as ops

    graph = openvino.Core().read_model(backbone) if isinstance(backbone, Path) else backbone.clone()
    features = graph.output(0).get_node().input_value(0)
    width = features.get_partial_shape()[1]
    if width != head.kernel.shape[0]:
        raise ModelError(
            f"The backbone has {width} features per image, the head expects {head.kernel.shape[0]}."
        )
    kernel = ops.constant(np.ascontiguousarray(head.kernel, dtype=np.float32)[None])
    bias = ops.constant(np.ascontiguousarray(head.bias, dtype=np.float32)[None])
    products = ops.multiply(ops.unsqueeze(features, ops.constant(np.array([2]))), kernel)
    logits = ops.add(ops.reduce_sum(products, ops.constant(np.array([1])), False), bias)
    model = openvino.Model([ops.result(logits)], graph.get_parameters(), "aimonk")
    model.input(0).set_names({"image"})
    model.output(0).set_names({"logits"})
    return model


def append_scale(graph: Any, scale: np.ndarray, shift: np.ndarray) -> Any:
    """Return a new `openvino.Model` whose logits are `scale * logits + shift`.

    Args:
        graph: an `openvino.Model` to `(N, L)` logits.
        scale: `(L,)`.
        shift: `(L,)`.
    """
    import openvino
    from openvino import opset13 as ops

    logits = graph.output(0).get_node().input_value(0)
    factor, summand = (ops.constant(np.asarray(values, dtype=np.float32)[None]) for values in (scale, shift))
    scaled = ops.add(ops.multiply(logits, factor), summand)
    model = openvino.Model([ops.result(scaled)], graph.get_parameters(), "aimonk")
    model.output(0).set_names({"logits"})
    return model
