"""Small networks written as ONNX files, whose features can be computed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PATCH, WIDTH = 8, 6


class VisionTransformer:
    """Patches, class and register tokens, learned positions, and one layer of attention.

    `prefix` tokens come before the patches; positions are those of a square of `side` pixels, as most exports
    have them, or none, so that the graph runs at any size.
    """

    def __init__(self, prefix: int, side: int = 32, positions: bool = True, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.prefix, self.side = prefix, side
        self.kernel = random.normal(0, 0.05, (WIDTH, 3, PATCH, PATCH)).astype(np.float32)
        self.extra = random.normal(0, 1, (1, prefix, WIDTH)).astype(np.float32)
        count = prefix + (side // PATCH) ** 2
        self.positions = random.normal(0, 1, (1, count, WIDTH)).astype(np.float32) if positions else None
        self.projections = random.normal(0, 0.5, (3, WIDTH, WIDTH)).astype(np.float32)
        self.pooler = random.normal(0, 1, (WIDTH, 4)).astype(np.float32)

    def tokens(self, values: np.ndarray) -> np.ndarray:
        """`(n, 3, h, w)` to `(n, prefix + patches, WIDTH)`."""
        n, _, height, width = values.shape
        rows, columns = height // PATCH, width // PATCH
        cut = values[:, :, : rows * PATCH, : columns * PATCH].reshape(n, 3, rows, PATCH, columns, PATCH)
        x = np.einsum("ncipjq,dcpq->nijd", cut, self.kernel).reshape(n, rows * columns, WIDTH)
        x = np.concatenate([np.repeat(self.extra, n, axis=0), x], axis=1)
        if self.positions is not None:
            x = x + self.positions
        query, key, value = (_standardized(x) @ projection for projection in self.projections)
        scores = query @ key.transpose(0, 2, 1)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return _standardized(x + weights / weights.sum(axis=-1, keepdims=True) @ value)

    def save(self, path: Path, outputs: Sequence[str] = ("last_hidden_state",), batch: Any = "batch") -> Path:
        """Write the network, by default with a batch of any size and images of any size."""
        constants = {
            "kernel": self.kernel,
            "extra": self.extra,
            "pooler": self.pooler,
            "one": np.ones(WIDTH, np.float32),
            **dict(zip(("query", "key", "value"), self.projections, strict=True)),
            "zero": np.array([0]),
            "flat": np.array([0, WIDTH, -1]),
            "ends": np.array([1]),
            "rest": np.array([self.prefix, WIDTH]),
            "first": np.array(0),
        }
        nodes = [
            helper.make_node("Conv", ["pixel_values", "kernel"], ["patches"], strides=[PATCH, PATCH]),
            helper.make_node("Reshape", ["patches", "flat"], ["columns"]),
            helper.make_node("Transpose", ["columns"], ["rows"], perm=[0, 2, 1]),
        ]
        x = "rows"
        if self.prefix:
            nodes += [
                helper.make_node("Shape", ["pixel_values"], ["shape"]),
                helper.make_node("Slice", ["shape", "zero", "ends"], ["n"]),
                helper.make_node("Concat", ["n", "rest"], ["wanted"], axis=0),
                helper.make_node("Expand", ["extra", "wanted"], ["expanded"]),
                helper.make_node("Concat", ["expanded", "rows"], ["joined"], axis=1),
            ]
            x = "joined"
        if self.positions is not None:
            constants["positions"] = self.positions
            nodes.append(helper.make_node("Add", [x, "positions"], ["placed"]))
            x = "placed"
        nodes += [
            helper.make_node("LayerNormalization", [x, "one"], ["normal"], epsilon=1e-6),
            *(
                helper.make_node("MatMul", ["normal", name], [f"{name}s"])
                for name in ("query", "key", "value")
            ),
            helper.make_node("Transpose", ["keys"], ["turned"], perm=[0, 2, 1]),
            helper.make_node("MatMul", ["querys", "turned"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["weights"], axis=-1),
            helper.make_node("MatMul", ["weights", "values"], ["attended"]),
            helper.make_node("Add", [x, "attended"], ["sum"]),
            helper.make_node("LayerNormalization", ["sum", "one"], ["last_hidden_state"], epsilon=1e-6),
            helper.make_node("Gather", ["last_hidden_state", "first"], ["token"], axis=1),
        ]
        nodes += [
            helper.make_node("MatMul", ["token", "pooler"], [name])
            for name in ("pooler_output", "image_embeds", "logits")
        ]
        shapes = {"last_hidden_state": [batch, "tokens", WIDTH]}
        return write(
            path, nodes, constants, {n: shapes.get(n, [batch, 4]) for n in outputs}, [batch, 3, "h", "w"]
        )


def _standardized(x: np.ndarray) -> np.ndarray:
    """Layer normalization without scale and offset."""
    return np.asarray((x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-6))


def convolutions(path: Path, shape: Sequence[Any] = ("batch", 3, "h", "w"), vector: bool = False) -> Path:
    """Three convolutions that each halve the image, to 4, 5 and 6 channels; `vector` pools the last one."""
    random = np.random.default_rng(1)
    constants, nodes, x, channels = {}, [], "pixel_values", 3
    for number, width in enumerate((4, 5, 6)):
        constants[f"kernel_{number}"] = random.normal(0, 0.3, (width, channels, 3, 3)).astype(np.float32)
        nodes += [
            helper.make_node(
                "Conv", [x, f"kernel_{number}"], [f"conv_{number}"], strides=[2, 2], pads=[1, 1, 1, 1]
            ),
            helper.make_node("Relu", [f"conv_{number}"], [f"map_{number}"]),
        ]
        x, channels = f"map_{number}", width
    if vector:
        nodes += [
            helper.make_node("GlobalAveragePool", [x], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["output"]),
        ]
        return write(path, nodes, constants, {"output": [shape[0], 6]}, shape)
    return write(path, nodes, constants, {x: [shape[0], 6, "rows", "columns"]}, shape)


def write(
    path: Path,
    nodes: list[Any],
    constants: Mapping[str, np.ndarray],
    outputs: Mapping[str, Sequence[Any]],
    shape: Sequence[Any],
    kind: int = TensorProto.FLOAT,
) -> Path:
    """Write a graph from `pixel_values` to the outputs that are named, of tensors of one kind."""

    def described(name: str, sides: Sequence[Any]) -> Any:
        return helper.make_tensor_value_info(name, kind, list(sides))

    graph = helper.make_graph(
        nodes,
        "network",
        [described("pixel_values", shape)],
        [described(name, sides) for name, sides in outputs.items()],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def describe(folder: Path, side: int = 32, **more: Any) -> None:
    """Put a preprocessor_config.json there: pixels from -1 to 1."""
    said = {"size": {"height": side, "width": side}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, **more}
    (folder / "preprocessor_config.json").write_text(json.dumps(said))
