"""The affine end of a model's graph: from its features to its logits, read as one matrix and one vector.

Frozen models end in `features @ kernel + bias`, written as a sum of products. Fine-tuned models may
standardize the features first. Every such step is affine, so all of them are one affine map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .user_errors import ModelError

if TYPE_CHECKING:
    import openvino as ov

SHAPING = ("Reshape", "Unsqueeze", "Squeeze", "Convert")
"""Operations that change how a vector is laid out, but no value of it."""


@dataclass(frozen=True)
class AffineHead:
    """`logits = features @ kernel + bias`.

    `features` is the graph's output `(N, D)`, `kernel` is `(D, L) float64`, `bias` is `(L,) float64`.
    """

    features: ov.Output
    kernel: np.ndarray
    bias: np.ndarray


def read_head(graph: ov.Model) -> AffineHead:
    """Walk from the logits back to the features.

    With `logits = v @ K + b` for the value v of the present node, and v computed from x,

        v = x + c:      b becomes c @ K + b
        v = x * c:      K becomes diag(c) @ K
        v = x @ W:      K becomes W @ K.

    The features are where the first join or pooling is.

    Raises:
        ModelError: the model does not end in an affine map.
    """
    value = graph.output(0).get_node().input_value(0)
    kernel = np.eye(value.get_partial_shape()[1].get_length())
    bias = np.zeros(len(kernel))
    while not _is_features(value):
        node = value.get_node()
        kind = node.get_type_name()
        if kind in SHAPING:
            value = node.input_value(0)
            continue
        if kind == "ReduceSum":  # of the products x (N, D, 1) * W (1, D, L)
            value, weights = _operands(node.input_value(0).get_node())
            kernel = np.asarray(weights[0] @ kernel)
            continue
        value, constant = _operands(node)
        if kind == "MatMul":
            kernel = (constant.T if node.get_attributes()["transpose_b"] else constant) @ kernel
        elif kind in ("Add", "Subtract"):
            sign = 1 if kind == "Add" else -1
            bias = bias + sign * (np.broadcast_to(constant.ravel(), len(kernel)) @ kernel)
        elif kind in ("Multiply", "Divide"):
            factor = np.broadcast_to(constant.ravel(), len(kernel))[:, None]
            kernel = kernel * factor if kind == "Multiply" else kernel / factor
        else:
            raise ModelError(
                f"The model cannot be explained: its end ({kind}) is not linear in its features."
            )
    return AffineHead(value, kernel, bias)


def constant_of(value: ov.Output) -> np.ndarray | None:
    """The value of a constant, or None where it is computed."""
    node = value.get_node()
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return np.asarray(node.data) if node.get_type_name() == "Constant" else None


def unshaped(value: ov.Output) -> ov.Output:
    """The value before operations that only lay it out."""
    while value.get_node().get_type_name() in SHAPING:
        value = value.get_node().input_value(0)
    return value


def _is_features(value: ov.Output) -> bool:
    if len(value.get_partial_shape()) != 2:
        return False
    node = unshaped(value).get_node()
    pools = node.get_type_name() == "ReduceSum" and len(node.input_value(0).get_partial_shape()) == 4
    return pools or node.get_type_name() in ("Concat", "ReduceMean")


def _operands(node: Any) -> tuple[ov.Output, np.ndarray]:
    """The computed operand and the constant one.

    Raises:
        ModelError: there are not one of each, or the constant comes first where the order matters.
    """
    first, second = node.input_values()[:2] if node.get_input_size() == 2 else (None, None)
    if first is not None and (constant := constant_of(second)) is not None:
        return first, constant.astype(np.float64)
    swaps = node.get_type_name() in ("Add", "Multiply")
    if first is not None and swaps and (constant := constant_of(first)) is not None:
        return second, constant.astype(np.float64)
    raise ModelError(
        f"The model cannot be explained: its end ({node.get_type_name()}) is not linear in its features."
    )
