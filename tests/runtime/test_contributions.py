"""Contributions against sums worked by hand, and against the logits of every kind of network."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino
import pytest
from PIL import Image

from aimonk.backbones.linear_head import LinearHead, append_head
from aimonk.backbones.named_backbone import named_backbone
from aimonk.backbones.onnx_graph import build_onnx
from aimonk.backbones.pooling import readout
from aimonk.config import FeaturesConfig
from aimonk.errors import ModelError
from aimonk.runtime.contributions import GRAY, Explainer
from aimonk.runtime.predictor import Predictor
from aimonk.runtime.record import Attribute, PackageInfo
from aimonk.serving.package import write_package
from tests.backbones.networks import VisionTransformer, convolutions, describe

from ..serving.conftest import HEAD, mean_color

Pooling = Literal["mean", "mean+center", "pyramid"]


def images(side: int, count: int = 3) -> np.ndarray:
    """Smooth random images, on which no map is constant."""
    random = np.random.default_rng(1).integers(0, 256, (count, 5, 5, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((side, side))) for one in random])


def packed(folder: Path, graph: Any, side: int, attributes: int) -> Path:
    names = tuple(Attribute(f"attribute {number}", 0.5) for number in range(attributes))
    write_package(folder, graph, PackageInfo(names, (side, side), "f32", "test", weights="none"))
    return folder


def check_sums(package: Path, batch: np.ndarray, within: float = 1e-3) -> Explainer:
    explainer, logits = Explainer(package), Predictor(package).logits(batch)
    for found, expected in zip(explainer.contributions(batch), logits, strict=True):
        np.testing.assert_allclose(found.logits, expected, atol=1e-5)
        total = found.baseline + found.elsewhere + found.places.sum(axis=(1, 2))
        np.testing.assert_allclose(total, expected, atol=within)
    return explainer


def with_random_head(graph: Any, attributes: int = 4) -> Any:
    width = graph.output(0).get_partial_shape()[1].get_length()
    random = np.random.default_rng(2)
    kernel = random.normal(0, 1, (width, attributes)).astype(np.float32)
    return append_head(graph, LinearHead(kernel, random.normal(0, 1, attributes).astype(np.float32)))


def test_a_mean_is_shared_out_by_place(tmp_path: Path) -> None:
    """Left half red 200, right half gray: of red / 100 - 1, the left half adds (200 - 128) / 100 / 2."""
    package = packed(tmp_path / "package", append_head(mean_color(64), HEAD), 64, 2)
    image = np.full((64, 64, 3), GRAY, np.uint8)
    image[:, :32, 0] = 200
    (found,) = Explainer(package).contributions(image[None])
    assert found.places.shape == (2, 4, 4)
    np.testing.assert_allclose(found.baseline, [0.28, 0.5 - 1.28], atol=1e-6)
    np.testing.assert_allclose(found.places[0, :, :2], 0.36 / 8, atol=1e-6)
    np.testing.assert_allclose(found.places[0, :, 2:], 0, atol=1e-7)
    np.testing.assert_allclose(found.places[1], 0, atol=1e-7)


@pytest.mark.parametrize("pooling", ["mean", "mean+center", "pyramid"])
@pytest.mark.parametrize("colors", [0, 1])
@pytest.mark.parametrize("side", [64, 96])
def test_maps_spreads_and_colors_add_up(tmp_path: Path, pooling: Pooling, colors: int, side: int) -> None:
    convolutions(tmp_path / "model.onnx")
    describe(tmp_path, side)
    graph = onnx_graph(tmp_path / "model.onnx", pooling, colors)
    explainer = check_sums(packed(tmp_path / "package", with_random_head(graph), side, 4), images(side))
    assert all(tapped.output is not None for tapped in explainer.graph.terms)


@pytest.mark.parametrize("prefix", [0, 1, 5])
def test_tokens_add_up_and_the_class_token_has_no_place(tmp_path: Path, prefix: int) -> None:
    VisionTransformer(prefix).save(tmp_path / "model.onnx")
    describe(tmp_path)
    graph = onnx_graph(tmp_path / "model.onnx", "mean+center", 0)
    package = packed(tmp_path / "package", with_random_head(graph), 32, 4)
    explainer = check_sums(package, images(32))
    assert [tapped.output is None for tapped in explainer.graph.terms] == [True] * bool(prefix) + [False] * 2
    (found,) = explainer.contributions(images(32)[:1])
    assert (np.abs(found.elsewhere).max() > 0) == bool(prefix)


def onnx_graph(path: Path, pooling: Pooling, colors: int) -> Any:
    config = FeaturesConfig(str(path), resolution=1.0, pooling=pooling, colors=colors)
    backbone: Any = named_backbone(config)
    return build_onnx(backbone, readout(config, backbone))


@pytest.mark.parametrize("scaled", [False, True])
def test_a_keras_network_with_two_places_for_colors_adds_up(tmp_path: Path, scaled: bool) -> None:
    """As fine-tuning exports it: attention that was learned, and standardized features."""
    from aimonk.backbones.build import build_backbone
    from aimonk.backbones.graph import convert
    from aimonk.training.finetuning.network import model_from_head
    from aimonk.training.linear_probe.scaling import Scaling

    config = FeaturesConfig("mobilenet@0.25", weights="none", resolution=0.25, pooling="pyramid", colors=2)
    backbone: Any = named_backbone(config)
    network, _ = build_backbone(backbone, "none", readout(config, backbone))
    width, random = network.output.shape[1], np.random.default_rng(0)
    scaling = Scaling(random.normal(0, 1, width), random.uniform(0.5, 2, width)) if scaled else None
    kernel = random.normal(0, 0.1, (width, 3)).astype(np.float32)
    model = model_from_head(network, LinearHead(kernel, np.ones(3, np.float32)), scaling, dropout=0.1)
    for name in ("attention_0", "attention_1"):
        layer = model.get_layer(name)
        layer.set_weights([random.normal(0, 1, layer.get_weights()[0].shape)])
    side = network.input.shape[1]
    package = packed(tmp_path / "package", convert(model, "logits"), side, 3)
    explainer = check_sums(package, images(side))
    assert all(tapped.output is not None for tapped in explainer.graph.terms)


def test_what_is_not_linear_is_refused(tmp_path: Path) -> None:
    from openvino import opset13 as ops

    graph = mean_color(64)
    node = ops.tanh(graph.output(0).get_node().input_value(0))
    other = openvino.Model([ops.result(node)], graph.get_parameters(), "curved")
    with pytest.raises(ModelError, match="cannot be explained"):
        Explainer(packed(tmp_path / "package", other, 64, 3))


@pytest.fixture
def jpeg() -> Callable[[np.ndarray], bytes]:
    def encode(pixels: np.ndarray) -> bytes:
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        return content.getvalue()

    return encode


def test_an_encoded_image_is_explained(package: Path, jpeg: Callable[[np.ndarray], bytes]) -> None:
    found = Explainer(package).explain(jpeg(np.full((9, 5, 3), GRAY, np.uint8)))
    np.testing.assert_allclose(found.places, 0, atol=1e-7)
    np.testing.assert_allclose(found.logits, found.baseline, atol=1e-6)


@pytest.mark.slow
def test_two_hundred_photos_add_up(shared: Path, tmp_path: Path) -> None:
    """The default recipe's backbone and readout, on real photos."""
    from aimonk.features.extractor import FeatureExtractor
    from aimonk.runtime.decoder import decode

    weights = str(shared / "weights" / "mobilenet_2_5_224_tf_no_top.h5")
    backbone = FeatureExtractor(FeaturesConfig("mobilenet@0.25", weights=weights), tmp_path / "store")
    graph = with_random_head(openvino.Core().read_model(backbone.graph))
    package = packed(tmp_path / "package", graph, backbone.size[0], 4)
    photos = sorted((shared / "data" / "clothing" / "images").glob("*.jpg"))[:200]
    explainer, predictor = Explainer(package), Predictor(package)
    for start in range(0, 200, 8):
        batch = np.stack([decode(path.read_bytes(), backbone.size) for path in photos[start : start + 8]])
        for found, expected in zip(explainer.contributions(batch), predictor.logits(batch), strict=True):
            total = found.baseline + found.elsewhere + found.places.sum(axis=(1, 2))
            np.testing.assert_allclose(total, expected, atol=1e-3)
