"""Means and spreads of a map read off it together while a network is trained, so that its gradient is one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..backend import keras, tf
from ..losses import Tensor
from .layer_graph import calls, functional_models, tensors_read


@dataclass(frozen=True)
class Branches:
    """The operations by which `Readout.attach` reads one of the finer maps."""

    mean: Any
    """Of the whole map."""
    middle: Any
    """Cuts out the middle."""
    center: Any
    """Mean of the middle."""
    variance: Any
    """Of the middle."""


@contextlib.contextmanager
def moments_joined(model: keras.Model) -> Iterator[None]:
    """Meanwhile the moments of each finer map are computed together, with a gradient of their own.

    One by one, each of them sends back a gradient as large as the map, and these are added up: eight passes
    over the largest maps of all. With the weights a, b and s that the three moments' gradients give, the sum
    at a place p is

        a + [p in the middle] (b + s (x_p - mean of the middle)),

    which is written in one pass. What is traced within the context computes so.
    """
    found = [branches for network in functional_models(model) for branches in _branches(network)]
    for one in found:
        joined = _Joined(one.middle.cropping)
        one.mean.call = partial(joined.moment, 0)
        one.middle.call = _same
        one.center.call = partial(joined.moment, 1)
        one.variance.call = partial(joined.moment, 2)
    try:
        yield
    finally:
        for one in found:
            for operation in (one.mean, one.middle, one.center, one.variance):
                del operation.call


def _branches(network: keras.Model) -> Iterator[Branches]:
    """Every map of which the mean, the mean of the middle and the variance of the middle are read."""
    readers: dict[int, list[Any]] = {}
    for operation in network.operations:
        for tensor in tensors_read(operation):
            readers.setdefault(id(tensor), []).append(operation)
    for middle in network.operations:
        if type(middle) is not keras.layers.Cropping2D or calls(middle) != 1:
            continue  # a layer that is called twice reads two maps
        means = [one for one in readers[id(middle.input)] if _is_mean(one)]
        own = readers.get(id(middle.output), [])
        centers = [one for one in own if _is_mean(one)]
        variances = [one for one in own if type(one).__name__ == "Var" and one.axis == (1, 2)]
        if len(own) == 2 and len(means) == len(centers) == len(variances) == 1:
            yield Branches(means[0], middle, centers[0], variances[0])


def _is_mean(operation: Any) -> bool:
    plain = type(operation) is keras.layers.GlobalAveragePooling2D and not operation.keepdims
    return plain and calls(operation) == 1


class _Joined:
    """The moments of a map, computed when the first of them is asked for."""

    def __init__(self, margins: Any) -> None:
        self.margins = margins
        self.maps: Tensor | None = None
        self.moments: tuple[Tensor, ...] = ()

    def moment(self, index: int, maps: Tensor) -> Tensor:
        """One of the three moments, `(N, C)`."""
        if maps is not self.maps:
            self.maps, self.moments = maps, moments(maps, self.margins)
        return self.moments[index]


def moments(maps: Tensor, margins: Any) -> tuple[Tensor, ...]:
    """Mean of `(N, h, w, C)` maps, mean of their middle, and variance of the middle, each `(N, C)`.

    Args:
        maps: the maps.
        margins: `((top, bottom), (left, right))` of what lies outside the middle.

    """
    (top, bottom), (left, right) = margins
    height, width = maps.shape[1:3]
    rows, columns = height - top - bottom, width - left - right

    @tf.custom_gradient
    def joined(maps: Tensor) -> tuple[tuple[Tensor, ...], Any]:
        middle = maps[:, top : height - bottom, left : width - right]
        center = tf.reduce_mean(middle, axis=(1, 2), keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(middle, center), axis=(1, 2))

        def slope(by_mean: Tensor, by_center: Tensor, by_variance: Tensor) -> Tensor:
            places = rows * columns
            parts = by_mean / (height * width), by_center / places, 2 * by_variance / places
            return _slope(maps, center, *(part[:, None, None] for part in parts), inside)

        return (tf.reduce_mean(maps, axis=(1, 2)), center[:, 0, 0], variance), slope

    inside = tf.pad(tf.ones((rows, columns, 1)), ((top, bottom), (left, right), (0, 0)))
    found = joined(tf.cast(maps, tf.float32))  # squares are too coarse in bfloat16
    return tuple(tf.cast(moment, maps.dtype) for moment in found)


@tf.function(jit_compile=True)
def _slope(maps: Tensor, center: Tensor, a: Tensor, b: Tensor, s: Tensor, inside: Tensor) -> Tensor:
    return a + inside * (b + s * (maps - center))


def _same(maps: Tensor) -> Tensor:
    return maps
