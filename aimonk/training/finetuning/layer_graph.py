"""Which layer reads and makes which tensor of a Keras model.

Keras records it, but has no public function for it. Its private names stand in this file alone, and
`tests/training/finetuning/test_layer_graph.py` fails when they change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..backend import keras


def functional_models(model: keras.Model) -> Iterator[keras.Model]:
    """The model and all models inside it that are graphs of layers."""
    if isinstance(model, keras.Sequential):  # Keras keeps its graph to itself
        return
    yield model
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from functional_models(layer)


def calls(operation: Any) -> int:
    """How often a layer or operation is called."""
    return len(operation._inbound_nodes)


def tensors_read(operation: Any) -> list[keras.KerasTensor]:
    """All tensors that a layer or operation reads, once for each time it is called with them."""
    return [tensor for node in operation._inbound_nodes for tensor in node.input_tensors]


def maker(tensor: keras.KerasTensor) -> Any:
    """The layer or operation that a tensor comes from."""
    return tensor._keras_history.operation
