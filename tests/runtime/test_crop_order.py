from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from aimonk.runtime.crop_order import crop_first

MAP = np.random.default_rng(0).normal(size=(2, 3, 8, 6)).astype(np.float32)
KEPT: tuple[list[int], list[int], list[int]] = ([], [], [])


def cropped(
    order: list[int],
    begin: list[int],
    end: list[int],
    masks: tuple[list[int], list[int]] = ([1, 0, 0, 1], [1, 0, 0, 1]),
    others: tuple[list[int], list[int], list[int]] = KEPT,
) -> ov.Model:
    """`(N, 3, 8, 6)` transposed, cropped and doubled."""
    values = ops.parameter([-1, 3, 8, 6], np.float32)
    bounds = [np.array(bound) for bound in (begin, end, [1] * len(begin))]
    part = ops.strided_slice(ops.transpose(values, np.array(order)), *bounds, *masks, *others)
    return ov.Model([ops.multiply(part, np.float32(2))], [values], "cropped")


def answer(graph: ov.Model) -> np.ndarray:
    return np.asarray(ov.Core().compile_model(graph, "CPU")(MAP)[0])


def kinds(graph: ov.Model) -> list[str]:
    return [str(node.get_type_name()) for node in graph.get_ordered_ops()]


@pytest.mark.parametrize(
    ("order", "window"),
    [
        ([0, 2, 3, 1], np.s_[:, 2:-2, 1:-1]),
        ([0, 3, 1, 2], np.s_[:, 2:-2, 1:-1]),
        ([3, 1, 0, 2], np.s_[:, 1:2]),
    ],
)
def test_the_crop_comes_first_and_the_values_stay(order: list[int], window: Any) -> None:
    full = (*window, *[slice(None)] * (4 - len(window)))
    begin = [part.start or 0 for part in full]
    end = [part.stop or 0 for part in full]
    graph = cropped(order, begin, end, ([int(not b) for b in begin], [int(not e) for e in end]))
    expected = 2 * MAP.transpose(order)[window]
    np.testing.assert_array_equal(answer(graph), expected)
    crop_first(graph)
    assert kinds(graph).index("StridedSlice") < kinds(graph).index("Transpose")
    assert kinds(graph).count("StridedSlice") == kinds(graph).count("Transpose") == 1
    np.testing.assert_array_equal(answer(graph), expected)


def test_a_crop_that_drops_or_adds_an_axis_stays_where_it_is() -> None:
    drops = cropped(
        [0, 2, 3, 1], [0, 1, 0, 0], [0, 2, 0, 0], ([1, 0, 1, 1], [1, 0, 1, 1]), ([], [0, 1, 0, 0], [])
    )
    few = cropped([0, 2, 3, 1], [0, 2], [0, -2], ([1, 0], [1, 0]))
    for graph, expected in (
        (drops, MAP.transpose(0, 2, 3, 1)[:, 1]),
        (few, MAP.transpose(0, 2, 3, 1)[:, 2:-2]),
    ):
        before = kinds(graph)
        crop_first(graph)
        assert kinds(graph) == before
        np.testing.assert_array_equal(answer(graph), 2 * expected)


def test_other_graphs_are_left_alone() -> None:
    values = ops.parameter([-1, 4], np.float32)
    part = ops.strided_slice(values, [0, 1], [0, 3], [1, 1], [1, 0], [1, 0])
    graph = ov.Model([part], [values], "plain")
    before = kinds(graph)
    crop_first(graph)
    assert kinds(graph) == before
