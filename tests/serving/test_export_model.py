from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import pytest

from aimonk.backbones.linear_head import LinearHead, append_head
from aimonk.config import FeaturesConfig
from aimonk.errors import AimonkError, ModelError
from aimonk.features.extractor import FeatureExtractor
from aimonk.runtime.record import read_info
from aimonk.serving.export_model import export_model
from aimonk.serving.package import write_package

from .conftest import HEAD, color_info, mean_color


def test_openvino_is_the_graph_that_is_served(package: Path, tmp_path: Path) -> None:
    folder = export_model(package, "openvino", tmp_path / "dresses")
    assert sorted(path.name for path in folder.iterdir()) == ["model.bin", "model.xml"]
    images = np.full((1, 4, 4, 3), 100, np.uint8)
    compiled = openvino.Core().compile_model(folder / "model.xml", "CPU")
    np.testing.assert_allclose(compiled(images)[0], HEAD.logits(np.full((1, 3), 100.0)), atol=1e-5)


def test_what_cannot_be_had_is_one_sentence(package: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for asked, words in (
        ((package, "keras", tmp_path / "m.h5"), r"ends in \.keras"),
        ((package, "keras", tmp_path / "m.keras"), "give it as runs:/ID/model"),
        ((package, "openvino", tmp_path / "there"), "exists already"),
        ((package, "openvino", tmp_path / "absent" / "m"), "cannot be written"),
    ):
        with pytest.raises(AimonkError, match=words) as raised:
            export_model(*asked)
        assert "\n" not in str(raised.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


FROZEN = "can be exported as openvino or keras"
TUNED = "can be exported as openvino only"
NO_ONNX = "Nothing is exported as onnx; the model models:/a/1"


@pytest.mark.parametrize(
    ("kind", "format", "said"),
    [
        ("frozen", "onnx", f"{NO_ONNX} {FROZEN}; tf2onnx makes ONNX of a Keras model."),
        ("tuned", "onnx", f"{NO_ONNX} {TUNED}, of which nothing makes ONNX."),
        ("of onnx", "onnx", f"{NO_ONNX} {TUNED}, of which nothing makes ONNX."),
        ("frozen", "tflite", f"Nothing is exported as tflite; the model models:/a/1 {FROZEN}."),
        ("tuned", "tflite", f"Nothing is exported as tflite; the model models:/a/1 {TUNED}."),
        ("tuned", "keras", "The model models:/a/1 is fine-tuned, so its Keras weights are nowhere but in"),
        (
            "of onnx",
            "keras",
            "The backbone of the model models:/a/1 is an ONNX network, of which there is no",
        ),
    ],
)
def test_a_format_that_a_model_has_not_is_refused_with_those_that_it_has(
    tmp_path: Path, kind: str, format: str, said: str
) -> None:
    info = dataclasses.replace(color_info(), backbone="vit.onnx" if kind == "of onnx" else "resnet50")
    folder, head = tmp_path / "package", None if kind == "tuned" else HEAD
    write_package(folder, append_head(mean_color(), HEAD), info, head)
    with pytest.raises(ModelError) as raised:
        export_model(folder, format, tmp_path / "m.keras", FeaturesConfig(), "models:/a/1")
    assert str(raised.value).startswith(said)
    export_model(folder, "openvino", tmp_path / "graph")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph", "package"]


def test_a_damaged_package_is_not_exported(make_package: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_package()
    (folder / "model.bin").write_bytes(b"")
    with pytest.raises(ModelError, match="changed or damaged"):
        export_model(folder, "openvino", tmp_path / "out")


@pytest.mark.slow
def test_keras_computes_what_is_served(tmp_path: Path) -> None:
    features = FeaturesConfig(
        backbone="mobilenet@0.25", weights="none", resolution=0.5, store=str(tmp_path / "store")
    )
    backbone = FeatureExtractor(features)
    width = backbone.keras_model.output.shape[-1]
    kernel = np.random.default_rng(0).normal(size=(width, 2)).astype(np.float32) / 100
    head = LinearHead(kernel, np.zeros(2, np.float32))
    info = dataclasses.replace(
        color_info(), input_size=backbone.size, backbone="mobilenet@0.25", weights=backbone.digest
    )
    package = tmp_path / "package"
    write_package(package, append_head(backbone.graph, head), info, head)
    assert read_info(package).weights == backbone.digest
    file = export_model(package, "keras", tmp_path / "model.keras", features)
    from aimonk.backbones.build import import_keras

    model = import_keras().saving.load_model(file)
    images = np.random.default_rng(1).integers(0, 256, (3, *backbone.size, 3), dtype=np.uint8)
    served = openvino.Core().compile_model(package / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_allclose(model.predict(images, verbose=0), served(images)[0], atol=1e-3)
    other = dataclasses.replace(features, pooling="mean")
    with pytest.raises((ModelError, ValueError)):
        export_model(package, "keras", tmp_path / "other.keras", other)
