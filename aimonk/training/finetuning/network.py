"""From a backbone and a linear head to one Keras model, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from ...backbones.color_histogram import ATTENTION
from ...backbones.linear_head import LinearHead
from ..backend import keras
from ..linear_probe.scaling import Scaling

LOGITS = "logits"
"""Name of the head's layer."""


def model_from_head(
    backbone: keras.Model, head: LinearHead, scaling: Scaling | None = None, dropout: float = 0.0
) -> keras.Model:
    """`backbone`, uint8 `(H, W, 3)` to `(D,)`, continued by the head: a model from pixels to `(L,)` logits.

    The layers are shared with `backbone`, so training the model changes it. With a `scaling` the features
    are standardised by a layer of its own before the head's, which then learns all of them at one rate;
    `dropout` is the share of features that each training step leaves out (Srivastava, Hinton, Krizhevsky,
    Sutskever and Salakhutdinov, "Dropout", JMLR 2014).
    """
    features = backbone.output
    if scaling is not None:
        head = scaling.unfolded(head)
        features = keras.layers.Normalization(
            mean=scaling.mean.tolist(), variance=(scaling.scale**2).tolist(), name="standardised"
        )(features)
    if dropout:
        features = keras.layers.Dropout(dropout, seed=0, name="dropout")(features)
    dense = keras.layers.Dense(head.bias.shape[0], name=LOGITS, dtype="float32")
    model = keras.Model(backbone.input, dense(features), name=backbone.name)
    dense.set_weights([head.kernel, head.bias])
    return model


def head_of(model: keras.Model) -> LinearHead:
    """The last layer of a model made by `model_from_head`, on scaled features if the model scales them."""
    kernel, bias = model.get_layer(LOGITS).get_weights()
    return LinearHead(np.asarray(kernel, np.float32), np.asarray(bias, np.float32))


def leaf_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """All layers that are no models themselves, in order, those of nested models included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaf_layers(layer)
        else:
            yield layer


def choose_trainable(model: keras.Model, last_layers: int) -> None:
    """Leave the last `last_layers` backbone layers with weights trainable (0: all), and what is new.

    Batch normalisation is never trained: it stays in inference mode with ImageNet's statistics, since those
    of small batches would undo what the backbone knows.
    """
    model.trainable = True
    new = (LOGITS, ATTENTION)  # without ImageNet's weights
    weighted = [layer for layer in leaf_layers(model) if layer.weights and not layer.name.startswith(new)]
    first = len(weighted) - last_layers if last_layers else 0
    for number, layer in enumerate(weighted):
        layer.trainable = number >= first and not isinstance(layer, keras.layers.BatchNormalization)


@contextlib.contextmanager
def computing_in_bfloat16(model: keras.Model, mixed: bool) -> Iterator[None]:
    """Meanwhile the layers compute in bfloat16, where `mixed`; the weights and the logits stay float32.

    bfloat16 has the range of float32, so that no loss scaling is needed.
    """
    layers = [layer for layer in leaf_layers(model) if layer.name != LOGITS] if mixed else []
    policies = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = "mixed_bfloat16"
    try:
        yield
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer.dtype_policy = policy
