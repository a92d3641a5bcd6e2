"""From a backbone and a linear head to one Keras model, and back."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator, Sequence

from ...backbones.color_histogram import ATTENTION
from ...backbones.linear_head import LinearHead
from ...errors import BackboneError
from ..backend import keras
from ..linear_probe.scaling import Scaling

LOGITS = "logits"
"""Name of the head's layer."""


def model_from_head(
    backbone: keras.Model, head: LinearHead, scaling: Scaling | None = None, dropout: float = 0.0
) -> keras.Model:
    """Continue a backbone by a head: a model from pixels to logits.

    The layers are shared with the backbone, so training the model changes it.

    Args:
        backbone: `(N, H, W, 3) uint8 -> (N, D)`, from `build_backbone`.
        head: the initial head, on raw features.
        scaling: standardizes the features in a layer of its own, so that the head learns all at one rate.
        dropout: share of features that each training step leaves out (Srivastava, Hinton, Krizhevsky,
            Sutskever and Salakhutdinov, "Dropout", JMLR 2014).

    Returns:
        A model `(N, H, W, 3) uint8 -> (N, L) float32`.

    """
    features = backbone.output
    if scaling is not None:
        head = scaling.unfolded(head)
        features = keras.layers.Normalization(
            mean=scaling.mean.tolist(), variance=(scaling.scale**2).tolist(), name="standardized"
        )(features)
    if dropout:
        features = keras.layers.Dropout(dropout, seed=0, name="dropout")(features)
    dense = keras.layers.Dense(head.bias.shape[0], name=LOGITS, dtype="float32")
    model = keras.Model(backbone.input, dense(features), name=backbone.name)
    dense.set_weights([head.kernel, head.bias])
    return model


def leaf_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """All layers that are no models themselves, in order, those of nested models included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaf_layers(layer)
        else:
            yield layer


def choose_trainable(model: keras.Model, last_layers: int | str) -> None:
    """Leave the last backbone layers trainable, and layers that are new.

    Batch normalization is never trained: it stays in inference mode with the statistics it came with, since
    those of small batches would undo what the backbone knows.

    Args:
        model: from `model_from_head`.
        last_layers: how many layers with weights, 0 for all; or the name of the first one to train.

    Raises:
        BackboneError: there is no layer of that name.

    """
    model.trainable = True
    new = (LOGITS, ATTENTION)  # without pretrained weights
    layers = [layer for layer in leaf_layers(model) if not layer.name.startswith(new)]
    weighted = [layer for layer in layers if layer.weights]
    if isinstance(last_layers, str):
        trained = layers[_position(layers, last_layers) :]
    else:
        trained = weighted[-last_layers:] if last_layers else weighted
    kept = {id(layer) for layer in trained}
    for layer in weighted:
        layer.trainable = id(layer) in kept and not isinstance(layer, keras.layers.BatchNormalization)


def _position(layers: Sequence[keras.layers.Layer], name: str) -> int:
    names = [layer.name for layer in layers]
    if name not in names:
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.0)
        raise BackboneError(
            f"finetune.last_layers names the layer {name!r}, which the backbone does not have; "
            f"similar ones are {', '.join(close)}."
        )
    return names.index(name)


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
