"""Of which tensors of a model's graph its features are sums over places.

A feature is one of

- a mean over places of a map, or over those of a window in its middle;
- a root of a sum over places: the standard deviation of a map (of squared deviations), or a color's share
  (of attention times share);
- neither: a vector that the network puts out itself, or a class token. It has no place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .affine_head import constant_of, unshaped

if TYPE_CHECKING:
    import openvino as ov

Window = tuple[float, float, float, float]
"""Top, left, bottom and right, as shares of the image's height and width."""

WHOLE: Window = (0.0, 0.0, 1.0, 1.0)

DEVIATION = ("Multiply", "Subtract", "Power", "SquaredDifference")
"""Operations that lead from a part of a map to its squared deviations, the part being their first input."""


@dataclass(frozen=True)
class Term:
    """Features from `start` on, `width` of them, as a function of one tensor of the graph.

    Without a root they are `sum over places of weight * values + shift`, with one they are
    `sqrt(sum over places of weight * values + offset) + shift`.

    Attributes:
        values: the tensor; see `layout`.
        start: the first feature.
        width: how many there are.
        layout: `NHWC`, `NCHW`, `NTC` (places in one row, line by line), `NKTC` (the same, one of K weightings
            of which is `index`), or empty where the features have no place.
        window: where the places lie.
        weight: 1 / places for a mean, 1 for a sum.
        offset: what is added under the root; None without one.
        shift: what is added at the end.
        index: of the weighting, where the layout has several.
        skipped: places at the start that are no places of the image (class and register tokens).
        margins: rows and columns of a map on each side that lie outside the window.
    """

    values: ov.Output
    start: int
    width: int
    layout: str = ""
    window: Window = WHOLE
    weight: float = 1.0
    offset: float | None = None
    shift: float = 0.0
    index: int = 0
    skipped: int = 0
    margins: tuple[int, int] = (0, 0)


def find_terms(features: ov.Output) -> tuple[Term, ...]:
    """Take features `(N, D)` apart, in order."""
    terms: list[Term] = []
    start = 0
    for part in _parts(features):
        terms += _terms_of(part, start)
        start += _width(part)
    return tuple(terms)


def _parts(features: ov.Output) -> Iterator[ov.Output]:
    inner = unshaped(features)
    if inner.get_node().get_type_name() != "Concat":
        yield features
        return
    for part in inner.get_node().input_values():
        yield from _parts(part)


def _terms_of(part: ov.Output, start: int) -> list[Term]:
    """The term of features that are pooled alike; two or more where tokens are weighted in several ways."""
    inner, shift = _without_constant(unshaped(part))
    root = _under_root(inner)
    if root is None and shift:
        return [Term(part, start, _width(part))]
    summed, offset = root or (inner, None)
    node = unshaped(summed).get_node()
    if node.get_type_name() not in ("ReduceMean", "ReduceSum"):
        return [Term(part, start, _width(part))]
    values = node.input_value(0)
    shape = [0 if axis.is_dynamic else axis.get_length() for axis in values.get_partial_shape()]
    reduced = constant_of(node.input_value(1))
    assert reduced is not None, "the axes of a reduction are constants of the graph"
    axes = sorted(int(axis) % len(shape) for axis in np.ravel(reduced))
    layout = {(4, (1, 2)): "NHWC", (4, (2, 3)): "NCHW", (3, (1,)): "NTC", (4, (2,)): "NKTC"}.get(
        (len(shape), tuple(axes)), ""
    )
    if layout == "NKTC" and offset is None and node.get_type_name() == "ReduceSum":
        return _weighted_tokens(part, values, shape, start)
    if layout in ("", "NKTC"):
        return [Term(part, start, _width(part))]
    places = int(np.prod([shape[axis] for axis in axes]))
    weight = 1 / places if node.get_type_name() == "ReduceMean" else 1.0
    window, whole, margins = _window(values, layout)
    if whole is not None:  # the map is read once for all of its windows
        values, layout = whole
    return [
        Term(values, start, _width(part), layout, window, weight, offset, shift, margins=margins),
    ]


def _weighted_tokens(part: ov.Output, values: ov.Output, shape: list[int], start: int) -> list[Term]:
    """Terms of `(N, k, t, d)`: tokens times constant weights `(1, k, t, 1)`.

    Weights of the mean over all patches are 0 for the class token and registers alone, which come first.
    """
    constants = [constant_of(value) for value in values.get_node().input_values()]
    weights = next((constant[0, :, :, 0] for constant in constants if constant is not None), None)
    if weights is None:
        return [Term(part, start, _width(part))]
    skipped = shape[2] - int(np.count_nonzero(weights, axis=1).max())
    terms = []
    for index, row in enumerate(weights):
        layout = "" if row[:skipped].any() else "NKTC"  # the class token speaks of the image as a whole
        terms.append(Term(values, start + index * shape[3], shape[3], layout, index=index, skipped=skipped))
    return terms


def _under_root(value: ov.Output) -> tuple[ov.Output, float] | None:
    """What a root is taken of, and the constant that is added before."""
    node = value.get_node()
    halves = node.get_type_name() == "Power" and np.all(constant_of(node.input_value(1)) == 0.5)
    if node.get_type_name() != "Sqrt" and not halves:
        return None
    return _without_constant(unshaped(node.input_value(0)))


def _without_constant(value: ov.Output) -> tuple[ov.Output, float]:
    """The value that a scalar constant is added to, and that constant."""
    node = value.get_node()
    if node.get_type_name() in ("Add", "Subtract"):
        constant = constant_of(node.input_value(1))
        if constant is not None and constant.size == 1:
            sign = 1 if node.get_type_name() == "Add" else -1
            return unshaped(node.input_value(0)), sign * float(constant.ravel()[0])
    return value, 0.0


def _window(values: ov.Output, layout: str) -> tuple[Window, tuple[ov.Output, str] | None, tuple[int, int]]:
    """Where values lie that were cut out of the middle of a map; the margins on both sides are equal.

    Returns:
        The window; the map itself with its layout, where the values are a part of it and no more; and the
        margins in positions. Squared deviations are computed from such a part and have no map of their own.
    """
    inner, computed = values, False
    while inner.get_node().get_type_name() in DEVIATION:
        inner, computed = inner.get_node().input_value(0), True
    outer = inner
    while outer.get_node().get_type_name() in ("Slice", "StridedSlice"):
        outer = outer.get_node().input_value(0)
    if layout not in ("NHWC", "NCHW") or outer is inner:
        return WHOLE, None, (0, 0)
    pairs = list(zip(_sides(inner, layout), _sides(outer, layout), strict=True))
    rows, columns = ((1 - part / whole) / 2 for part, whole in pairs)
    window = (rows, columns, 1 - rows, 1 - columns)
    if computed:
        return window, None, (0, 0)
    top, left = ((whole - part) // 2 for part, whole in pairs)
    if layout == "NHWC" and outer.get_node().get_type_name() == "Transpose":
        return window, (outer.get_node().input_value(0), "NCHW"), (top, left)
    return window, (outer, layout), (top, left)


def _sides(value: ov.Output, layout: str) -> tuple[int, int]:
    shape = value.get_partial_shape()
    first = layout.index("H")
    return int(shape[first].get_length()), int(shape[first + 1].get_length())


def _width(part: ov.Output) -> int:
    return int(part.get_partial_shape()[1].get_length())
