"""ONNX networks against the features that their definition gives."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from aimonk.backbones.color_histogram import SMALLEST_SHARE, palette
from aimonk.backbones.input_spec import read_input_spec
from aimonk.backbones.linear_head import LinearHead, append_head
from aimonk.backbones.named_backbone import named_backbone
from aimonk.backbones.onnx_file import OnnxFile
from aimonk.backbones.onnx_graph import build_onnx
from aimonk.backbones.pooling import Readout, readout
from aimonk.config import FeaturesConfig
from aimonk.errors import BackboneError
from aimonk.features.engines import OpenVINOEngine, has_bf16, relative_error
from aimonk.features.extractor import FeatureExtractor

from .networks import WIDTH, VisionTransformer, convolutions, describe, write

ROOT = Path(__file__).parents[2]


def pixels(side: int, count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def normalized(images: np.ndarray) -> np.ndarray:
    return (images.astype(np.float32) / 127.5 - 1).transpose(0, 3, 1, 2)


def features(path: Path, images: np.ndarray | None = None, **settings: Any) -> np.ndarray:
    """Of images of the network's size, through the stored graph's engine."""
    config = FeaturesConfig(
        str(path), **{"resolution": 1.0, "pooling": "mean+center", "colors": 0, **settings}
    )
    backbone: Any = named_backbone(config)
    how = readout(config, backbone)
    images = pixels(how.height) if images is None else images
    return OpenVINOEngine(build_onnx(backbone, how), "f32").embed(images)


@pytest.mark.parametrize("prefix", [0, 1, 5], ids=["patches alone", "class token", "class and registers"])
def test_tokens_are_pooled_without_registers(tmp_path: Path, prefix: int) -> None:
    network = VisionTransformer(prefix)
    describe(tmp_path)
    tokens = network.tokens(normalized(pixels(32)))
    patches = tokens[:, prefix:].reshape(3, 4, 4, WIDTH)
    expected = [patches.mean(axis=(1, 2)), patches[:, 1:3, 1:3].mean(axis=(1, 2))]
    if prefix:
        expected.insert(0, tokens[:, 0])
    found = features(network.save(tmp_path / "model.onnx"))
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=1e-5)


@pytest.mark.parametrize(
    ("prefix", "outputs", "added"),
    [
        (0, ("last_hidden_state", "pooler_output"), 4),  # attention pooling, as SigLIP has it
        (1, ("last_hidden_state", "pooler_output"), 0),  # says what the class token says
        (1, ("last_hidden_state", "image_embeds"), 4),
        (1, ("image_embeds", "pooler_output"), None),
    ],
)
def test_trained_embeddings_are_taken_beside_tokens_or_alone(
    tmp_path: Path, prefix: int, outputs: tuple[str, ...], added: int | None
) -> None:
    network = VisionTransformer(prefix)
    describe(tmp_path)
    found = features(network.save(tmp_path / "model.onnx", outputs))
    embedded = network.tokens(normalized(pixels(32)))[:, 0] @ network.pooler
    if added is None:
        np.testing.assert_allclose(found, embedded, atol=1e-5)
        return
    plain = features(network.save(tmp_path / "plain.onnx"))
    np.testing.assert_allclose(found, np.hstack([plain, embedded] if added else [plain]), atol=1e-5)


def test_a_transformer_with_learned_positions_keeps_its_size_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    describe(tmp_path)
    path = VisionTransformer(1).save(tmp_path / "model.onnx")
    with caplog.at_level(logging.WARNING, "aimonk.backbones"):
        assert FeatureExtractor(FeaturesConfig(str(path), resolution=12 / 7), tmp_path).size == (32, 32)
    assert "runs at 32 x 32 pixels only; features.resolution has no effect" in caplog.text


def test_a_transformer_of_any_size_is_enlarged_by_whole_patches(tmp_path: Path) -> None:
    describe(tmp_path)
    network = VisionTransformer(1, positions=False)
    path = network.save(tmp_path / "model.onnx")
    config = FeaturesConfig(str(path), resolution=1.3, pooling="mean", colors=0)  # 41.6 pixels
    assert FeatureExtractor(config, tmp_path).size == (40, 40)
    tokens = network.tokens(normalized(pixels(40)))
    expected = np.hstack([tokens[:, 0], tokens[:, 1:].mean(axis=1)])
    np.testing.assert_allclose(features(path, resolution=1.3, pooling="mean"), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [("batch", 3, "h", "w"), (1, 3, 64, 64)], ids=["dynamic", "fixed"])
def test_convolutions_give_a_pyramid_at_any_size(tmp_path: Path, shape: tuple[Any, ...]) -> None:
    describe(tmp_path, side=64)
    path = convolutions(tmp_path / "model.onnx", shape)
    found = features(path, resolution=1.5, pooling="pyramid")
    assert found.shape == (3, 2 * 6 + 3 * 4 + 3 * 5)
    last = features(path, resolution=1.5, pooling="mean+center")
    np.testing.assert_allclose(found[:, :12], last, atol=1e-5)


def test_a_pooled_vector_is_taken_as_it_is_and_the_map_before_it_beside_it(tmp_path: Path) -> None:
    describe(tmp_path, side=64)
    vector = convolutions(tmp_path / "vector.onnx", vector=True)
    maps = convolutions(tmp_path / "maps.onnx")
    mean = features(maps, pooling="mean")
    np.testing.assert_allclose(features(vector, pooling="mean"), mean, atol=1e-5)
    expected = np.hstack([features(maps, pooling="pyramid"), mean])
    np.testing.assert_allclose(features(vector, pooling="pyramid"), expected, atol=1e-5)


def test_colors_follow_the_features_exactly_where_the_network_computes_in_bf16(tmp_path: Path) -> None:
    describe(tmp_path)
    path = VisionTransformer(1).save(tmp_path / "model.onnx")
    plain, both = features(path), features(path, colors=1)
    np.testing.assert_allclose(both[:, : plain.shape[1]], plain, atol=1e-6)
    colors = both[:, plain.shape[1] :]
    assert colors.shape == (3, len(palette()))
    np.testing.assert_allclose((colors**2 - SMALLEST_SHARE).sum(axis=1), 1, atol=1e-4)
    graph = build_onnx(named_backbone(FeaturesConfig(str(path))), Readout(32, 32, "mean+center", 1))  # type: ignore[arg-type]
    coarse = OpenVINOEngine(graph, "bf16" if has_bf16() else "f32").embed(pixels(32))
    np.testing.assert_allclose(coarse[:, plain.shape[1] :], colors, atol=1e-5)


def test_settings_stand_in_for_files_that_are_not_there(tmp_path: Path) -> None:
    network = VisionTransformer(1)
    path = network.save(tmp_path / "network.onnx")
    with pytest.raises(BackboneError, match=r"Nothing says how large .*set features\.image_size"):
        features(path)
    with pytest.raises(BackboneError, match=r"Nothing beside .*set features\.mean and features\.std"):
        features(path, image_size=32)
    given = features(path, image_size=32, mean=(0.5,) * 3, std=(0.5,) * 3)
    describe(tmp_path)
    np.testing.assert_array_equal(given, features(path))


def test_a_network_in_half_precision_gives_float32(tmp_path: Path) -> None:
    describe(tmp_path, side=64)
    kernel = np.random.default_rng(2).normal(0, 0.3, (5, 3, 2, 2)).astype(np.float16)
    nodes = [helper.make_node("Conv", ["pixel_values", "kernel"], ["y"], strides=[2, 2])]
    shapes: tuple[list[Any], list[Any]] = ["n", 3, "a", "b"], ["n", 5, "h", "w"]
    args = {"kernel": kernel}, {"y": shapes[1]}, shapes[0]
    half = write(tmp_path / "half.onnx", nodes, *args, kind=TensorProto.FLOAT16)
    full = write(tmp_path / "full.onnx", nodes, {"kernel": kernel.astype(np.float32)}, *args[1:])
    found = features(half, colors=1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, features(full, colors=1), atol=2e-3)


def test_channels_in_the_order_of_the_network(tmp_path: Path) -> None:
    path = convolutions(tmp_path / "model.onnx")
    describe(tmp_path, side=64)
    as_is = features(path)
    describe(tmp_path, side=64, do_flip_channel_order=True)
    np.testing.assert_allclose(features(path, pixels(64)[..., ::-1]), as_is, atol=1e-5)


def test_what_is_no_image_backbone_gets_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    describe(tmp_path)
    (tmp_path / "text.onnx").write_text("not a network")
    VisionTransformer(1).save(tmp_path / "scores.onnx", ("logits",))
    one = {"one": np.array([1, -1])}
    joined = [helper.make_node("Reshape", ["pixel_values", "one"], ["y"])]
    write(tmp_path / "single.onnx", joined, one, {"y": [1, 3072]}, [1, 3, 32, 32])
    VisionTransformer(20).save(tmp_path / "prompted.onnx")
    identity = [helper.make_node("Relu", ["pixel_values"], ["y"])]
    write(tmp_path / "sound.onnx", identity, {}, {"y": ["n", 80, 3000]}, ["n", 80, 3000])
    write(tmp_path / "boxes.onnx", identity, {}, {"y": ["n", 3, 32, 32]}, ["n", 3, 32, 32])
    answers = {
        "softmax": [helper.make_node("Softmax", ["v"], ["y"])],
        "sigmoid": [helper.make_node("Sigmoid", ["v"], ["y"])],
        "class": [
            helper.make_node("ArgMax", ["v"], ["i"], axis=1),
            helper.make_node("Cast", ["i"], ["y"], to=1),
        ],
    }
    pooled = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["p"]),
        helper.make_node("Flatten", ["p"], ["v"]),
    ]
    for name, nodes in answers.items():
        write(tmp_path / f"{name}.onnx", pooled + nodes, {}, {"y": ["n", "k"]}, ["n", 3, 32, 32])
    for name, sentence in {
        **dict.fromkeys(answers, "ends in class scores; export it without its classifier"),
        "text": "cannot be read as an ONNX network",
        "scores": "ends in class scores; export it without its classifier",
        "single": "gives no result for each image of a batch",
        "prompted": "36 tokens are not those of the patches of 32 x 32 pixels",
        "sound": r"none of its inputs takes color images .*\(it takes pixel_values f32\[\?,80,3000\]\)",
        "boxes": "is no map of the image",
        "missing": "There is no backbone",
    }.items():
        with pytest.raises(BackboneError, match=sentence) as error:
            features(tmp_path / f"{name}.onnx")
        assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_of_several_maps_the_coarsest_is_read_whatever_its_place(tmp_path: Path) -> None:
    describe(tmp_path)
    rng = np.random.default_rng(0)
    kernels = {
        "first": rng.normal(0, 0.1, (4, 3, 2, 2)).astype(np.float32),
        "second": rng.normal(0, 0.1, (6, 4, 2, 2)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["pixel_values", "first"], ["early"], strides=[2, 2]),
        helper.make_node("Conv", ["early", "second"], ["late"], strides=[2, 2]),
    ]
    path = write(
        tmp_path / "several.onnx",
        nodes,
        kernels,
        {"late": ["n", 6, 8, 8], "early": ["n", 4, 16, 16]},
        ["n", 3, 32, 32],
    )
    assert OnnxFile(path, read_input_spec(path, FeaturesConfig())).network((32, 32)).outputs.positions == (
        8,
        8,
    )


def test_attentions_beside_tokens_are_no_maps(tmp_path: Path) -> None:
    describe(tmp_path)
    path = VisionTransformer(1).save(tmp_path / "attentive.onnx")
    model = onnx.load(path)
    tokens = model.graph.output[0].name
    model.graph.node.append(helper.make_node("MatMul", [tokens, "swapped"], ["scores"]))
    model.graph.node.insert(
        len(model.graph.node) - 1, helper.make_node("Transpose", [tokens], ["swapped"], perm=[0, 2, 1])
    )
    model.graph.node.append(helper.make_node("Unsqueeze", ["scores", "ends"], ["attentions"]))
    model.graph.output.append(
        helper.make_tensor_value_info("attentions", TensorProto.FLOAT, ["n", 1, 17, 17])
    )
    onnx.save(model, path)
    found = OnnxFile(path, read_input_spec(path, FeaturesConfig())).network((32, 32)).outputs
    assert found.maps is None and found.tokens is not None and found.positions == (4, 4)


def test_a_second_place_for_colors_needs_a_network_that_learns(tmp_path: Path) -> None:
    describe(tmp_path)
    path = VisionTransformer(1).save(tmp_path / "model.onnx")
    with pytest.raises(BackboneError, match="cannot be fine-tuned: set training.mode to frozen"):
        features(path, colors=2)
    with pytest.raises(BackboneError, match="there is no Keras model to fine-tune or to save"):
        _ = FeatureExtractor(FeaturesConfig(str(path), resolution=1.0), tmp_path).keras_model


@pytest.mark.slow
def test_onnx_keras_and_the_stored_graph_agree(shared: Path, tmp_path: Path) -> None:
    folder = shared / "weights" / "efficientnet-lite0"
    images = pixels(288, 4)
    found = {}
    for name in ("model.onnx", "backbone.keras"):
        config = FeaturesConfig(str(folder / name), resolution=1.3, precision="f32", store=str(tmp_path))
        backbone = FeatureExtractor(config)
        assert backbone.size == (288, 288)
        found[name] = backbone.engine(backbone.key()).embed(images)
    keras = np.asarray(backbone.keras_model(images))
    assert found["model.onnx"].shape == (4, 6177)
    assert np.abs(found["model.onnx"] - keras).max() <= 1e-4
    assert np.abs(found["model.onnx"] - found["backbone.keras"]).max() <= 1e-4
    assert relative_error(found["model.onnx"], keras) <= 1e-5
    random = np.random.default_rng(0)
    head = LinearHead(random.normal(0, 0.01, (6177, 3)).astype(np.float32), np.zeros(3, np.float32))
    served = OpenVINOEngine(append_head(FeatureExtractor(config).graph, head), "f32").embed(images)
    assert np.abs(served - head.logits(keras)).max() <= 1e-4


def test_no_tensorflow_is_imported(tmp_path: Path) -> None:
    describe(tmp_path)
    path = VisionTransformer(1).save(tmp_path / "model.onnx")
    code = (
        "import sys\nimport numpy as np\nfrom aimonk.config import FeaturesConfig\n"
        "from aimonk.features.extractor import FeatureExtractor\n"
        f"config = FeaturesConfig({str(path)!r}, resolution=1.0, store={str(tmp_path)!r})\n"
        "backbone = FeatureExtractor(config)\n"
        "key = backbone.key(images=10_000)\n"
        "print(backbone.engine(key).embed(np.zeros((2, 32, 32, 3), np.uint8)).shape)\n"
        "print({'tensorflow', 'keras', 'onnx', 'onnxruntime', 'torch'} & set(sys.modules))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.splitlines() == ["(2, 179)", "set()"], result.stderr
