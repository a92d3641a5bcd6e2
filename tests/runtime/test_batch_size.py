from __future__ import annotations

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from aimonk.runtime.batch_size import batch_size


def convolving(side: int, channels: int, batch: int = -1) -> ov.Model:
    """One convolution of 3 x 3: 27 x 4 bytes of weights and side^2 x 4 bytes of map, for each channel."""
    pixels = ops.parameter([batch, side, side, 3], np.uint8)
    planes = ops.transpose(ops.convert(pixels, np.float32), np.array([0, 3, 1, 2]))
    kernels = np.ones((channels, 3, 3, 3), np.float32)
    maps = ops.convolution(planes, kernels, [1, 1], [1, 1], [1, 1], [1, 1])
    return ov.Model([ops.reduce_mean(maps, np.array([2, 3]))], [pixels], "convolving")


@pytest.mark.parametrize(("side", "expected"), [(5, 4), (6, 1), (64, 1)])
def test_several_images_where_the_weights_outweigh_the_maps(side: int, expected: int) -> None:
    # 64 channels: 6,912 bytes of weights and some 60 of constants; maps of 6,400 and 9,216 bytes
    assert batch_size(convolving(side, 64)) == expected


def test_the_graph_stays_as_it_is_whatever_its_batch() -> None:
    graph = convolving(5, 64, batch=7)
    assert batch_size(graph) == 4
    assert graph.input(0).get_partial_shape()[0].get_length() == 7


def test_matrix_products_count_as_maps() -> None:
    tokens = ops.parameter([-1, 100, 8], np.float32)
    weights = np.ones((8, 99), np.float32)
    assert batch_size(ov.Model([ops.matmul(tokens, weights, False, False)], [tokens], "few")) == 1
    tokens = ops.parameter([-1, 7, 8], np.float32)
    assert batch_size(ov.Model([ops.matmul(tokens, weights, False, False)], [tokens], "several")) == 4
