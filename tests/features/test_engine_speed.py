from __future__ import annotations

import numpy as np
import openvino as ov

from aimonk.features.engine_speed import SIDE, images_per_second, small_network


def test_the_network_has_the_size_of_mobilenet_at_a_quarter_width() -> None:
    network = small_network()
    sizes = [np.prod(node.shape) for node in network.get_ops() if node.get_type_name() == "Constant"]
    # Keras' MobileNet(alpha=0.25, include_top=False) has 218,544 weights. Its batch norms hold 4 numbers for
    # each of 8 + 1240 + 1488 channels: of the first layer, of the depthwise and of the pointwise ones.
    assert sum(size for size in sizes if size > 6) == 218_544 - 4 * 2736
    vectors = ov.Core().compile_model(network, "CPU")(np.zeros((2, SIDE, SIDE, 3), np.uint8))[0]
    assert vectors.shape == (2, 256)


def test_speed_is_measured_for_as_long_as_asked() -> None:
    assert 1 < images_per_second(seconds=0.2) < 1e6
