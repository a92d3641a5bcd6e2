"""Batch normalization that is not trained, folded into the convolutions before it during a training."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..backend import keras, tf
from ..losses import Tensor
from .layer_graph import functional_models, maker, tensors_read

Pair = tuple[keras.layers.Layer, keras.layers.Layer]
"""A convolution, and the batch normalization of its output."""


@contextlib.contextmanager
def norms_folded(model: keras.Model) -> Iterator[None]:
    """Meanwhile each convolution computes what it and the batch normalization after it compute together.

    With the statistics m and v, the scale g and the offset b of the normalization,

        g (w * x - m) / sqrt(v + e) + b  =  (s w) * x + (b - s m),   s = g / sqrt(v + e),

    where `*` convolves. The weights w stay the variables that are trained, and their gradient is the same up
    to rounding, but maps are read and written half as often, and oneDNN joins the convolution with the sum
    and the activation that follow. Normalizations that are trained are left alone.

    What is traced within the context computes so; layers are as they were afterwards.
    """
    pairs = list(foldable(model))
    for convolution, norm in pairs:
        convolution.call = _Folded(convolution, norm)
        norm.call = _unchanged
    try:
        yield
    finally:
        for pair in pairs:
            for layer in pair:
                del layer.call


def foldable(model: keras.Model) -> Iterator[Pair]:
    """Convolutions whose output only a batch normalization reads that is not trained."""
    for network in functional_models(model):
        readers = Counter(id(tensor) for tensor in network.outputs)
        readers.update(id(tensor) for layer in network.operations for tensor in tensors_read(layer))
        for layer in network.operations:
            if not isinstance(layer, keras.layers.BatchNormalization) or layer.trainable:
                continue
            (tensor, *_) = tensors_read(layer)
            before = maker(tensor)
            if readers[id(tensor)] == 1 and _can_fold(before, layer):
                yield before, layer


def _can_fold(layer: Any, norm: keras.layers.BatchNormalization) -> bool:
    plain = type(layer) is keras.layers.DepthwiseConv2D or (
        type(layer) is keras.layers.Conv2D and layer.groups == 1
    )
    return bool(
        plain
        and len(tensors_read(layer)) == len(tensors_read(norm)) == 1
        and layer.data_format == "channels_last"
        and layer.activation is keras.activations.linear
        and norm.axis in (-1, 3)
    )


class _Folded:
    """The call of a convolution that its batch normalization is folded into."""

    def __init__(self, convolution: Any, norm: Any) -> None:
        self.convolution, self.norm = convolution, norm

    def __call__(self, inputs: Tensor) -> Tensor:
        layer, norm = self.convolution, self.norm
        scale = tf.math.rsqrt(norm.moving_variance + norm.epsilon)
        if norm.scale:
            scale *= norm.gamma
        offset = -norm.moving_mean * scale
        if layer.use_bias:
            offset += layer.bias * scale
        if norm.center:
            offset += norm.beta
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        kernel = tf.convert_to_tensor(layer.kernel)
        # The outputs of a depthwise convolution are numbered by input channel, then by multiplier.
        factor = tf.reshape(scale, kernel.shape[2:]) if depthwise else scale
        convolve = keras.ops.depthwise_conv if depthwise else keras.ops.conv
        maps = convolve(
            inputs,
            tf.cast(kernel * factor, layer.compute_dtype),
            strides=layer.strides,
            padding=layer.padding,
            data_format=layer.data_format,
            dilation_rate=layer.dilation_rate,
        )
        return tf.nn.bias_add(maps, tf.cast(offset, layer.compute_dtype))


def _unchanged(inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
    return inputs
