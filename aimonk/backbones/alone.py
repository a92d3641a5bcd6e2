"""Whether a network's answer for an image depends on that image, and on it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import BackboneError
from .probe_images import drawn_samples

if TYPE_CHECKING:
    import openvino as ov

_TOLERANCE = 1e-3
"""Of the largest feature: batches of other sizes are summed in another order."""


def check_alone(graph: ov.Model, name: str, colors: int = 0) -> None:
    """Compute features of two images together, again, and one by one.

    A network exported in training mode normalizes over the batch, or drops units at random. Its stored
    features would belong to no image, and a served answer would depend on who else asks. One whose weights
    were lost says the same of every image. Weights are looked at too, since a rectifier may hide that they
    are not numbers.

    Args:
        graph: `(N, H, W, 3) uint8 -> (N, D) float32`.
        name: what the message calls the backbone, such as its path.
        colors: how many of the D features, the last ones, are a palette's and not the network's.

    Raises:
        BackboneError: features of one image differ, do not differ from another image's, or are not finite.
    """
    import openvino as ov

    height, width = (axis.get_length() for axis in list(graph.inputs[0].get_partial_shape())[1:3])
    images = drawn_samples((height, width), 2)
    run = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    together, again = run(images)[0].copy(), run(images)[0].copy()
    single = np.concatenate([run(images[:1])[0].copy(), run(images[1:])[0].copy()])
    if _has_nan(graph) or not np.isfinite(together).all():
        raise BackboneError(
            f"The backbone {name} computes with numbers that are not finite: its weights are damaged, or do "
            "not fit into half precision; export it again, in float32."
        )
    if _differs(together, again):
        raise BackboneError(
            f"The backbone {name} answers otherwise each time it sees an image; export it for inference, "
            "without dropout or noise."
        )
    if _differs(together, single):
        raise BackboneError(
            f"The backbone {name} answers otherwise for an image when another is beside it; export it for "
            "inference, with the statistics of its batch normalization fixed."
        )
    own = together[:, : together.shape[1] - colors]
    if np.array_equal(own[0], own[1]):
        raise BackboneError(
            f"The backbone {name} says the same of every image: its weights are lost, or its mean and "
            "standard deviation leave nothing of the pixels; export it again, and look at those."
        )


def _has_nan(graph: ov.Model) -> bool:
    constants = (node for node in graph.get_ops() if node.get_type_name() == "Constant")
    # NumPy has no bfloat16: OpenVINO gives out its bits as if they were another type's.
    kinds = ("f16", "f32", "f64")
    return any(np.isnan(one.data).any() for one in constants if one.get_element_type().to_string() in kinds)


def _differs(one: np.ndarray, other: np.ndarray) -> bool:
    largest = np.nanmax(np.abs(one), initial=1e-6)
    return not np.allclose(one, other, rtol=0, atol=_TOLERANCE * largest, equal_nan=True)
