from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aimonk.backbones.keras_file import KerasFile
from aimonk.backbones.named_backbone import named_backbone
from aimonk.backbones.onnx_file import OnnxFile, file_label
from aimonk.backbones.zoo import KerasApplication
from aimonk.config import FeaturesConfig
from aimonk.errors import BackboneError, ConfigError


def keras_file(path: Path, shape: list[int | None]) -> Path:
    """As much of a .keras file as is read without Keras."""
    layers = [{"class_name": "InputLayer", "config": {"batch_shape": shape}}]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": layers}}))
    return path


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("mobilenet@0.25", KerasApplication, "mobilenet@0.25"),
        ("dinov2-small", OnnxFile, "dinov2-small.onnx"),
        ("dinov2-small/onnx/model.onnx", OnnxFile, "dinov2-small.onnx"),
        ("kept/net v2.keras", KerasFile, "net_v2.keras"),
        ("both", OnnxFile, "both.onnx"),
        ("kept", KerasFile, "net_v2.keras"),
    ],
)
def test_a_name_a_file_or_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, kind: type[Any], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("dinov2-small/onnx/model.onnx", "kept/net v2.keras", "both/model.onnx", "both/b.keras"):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    found = named_backbone(FeaturesConfig(text))
    assert isinstance(found, kind)
    assert str(found) == name


@pytest.mark.parametrize(
    ("settings", "error", "sentence"),
    [
        ({"backbone": "gone.onnx"}, BackboneError, "There is no backbone gone.onnx"),
        ({"backbone": "./resnet50"}, BackboneError, "There is no backbone resnet50"),
        ({"backbone": "empty"}, BackboneError, "The folder empty holds no .onnx file"),
        ({"backbone": "two"}, BackboneError, r"holds several networks \(a.onnx, b.onnx\)"),
        ({"backbone": "two/c.pt"}, BackboneError, "neither an .onnx nor a .keras file"),
        ({"backbone": "two/a.onnx", "weights": "none"}, ConfigError, "holds its own weights; leave out"),
        ({"backbone": "two/d.keras", "mean": (0.5,) * 3, "std": (0.5,) * 3}, ConfigError, "from 0 to 255"),
        ({"backbone": "resnet50", "image_size": 96}, ConfigError, "are for backbones from a file"),
    ],
)
def test_what_does_not_go_together_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    error: type[Exception],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "two").mkdir()
    for name in ("a.onnx", "b.onnx", "c.pt", "d.keras"):
        (tmp_path / "two" / name).write_bytes(b"")
    with pytest.raises(error, match=sentence):
        named_backbone(FeaturesConfig(**settings))


def test_the_label_is_safe_for_a_folder(tmp_path: Path) -> None:
    assert file_label(Path("a b/ö:1.onnx")) == "__1"
    assert file_label(Path("org/net/onnx/model.onnx")) == "net"
    assert file_label(Path("org/net/model_fp16.onnx")) == "model_fp16"


def test_the_digest_is_of_the_weights_beside_the_file_too(tmp_path: Path) -> None:
    import numpy as np
    import onnx
    from onnx import helper

    from .networks import describe, write

    kernel = np.ones((64, 3, 8, 8), np.float32)
    nodes = [helper.make_node("Conv", ["pixel_values", "kernel"], ["y"], strides=[8, 8])]
    path = write(
        tmp_path / "model.onnx", nodes, {"kernel": kernel}, {"y": ["n", 64, "h", "w"]}, ["n", 3, "a", "b"]
    )
    model = onnx.load(path)
    onnx.save_model(model, path, save_as_external_data=True, location="model.onnx_data", size_threshold=0)
    describe(tmp_path)

    def digest() -> str:
        found = named_backbone(FeaturesConfig(str(path)))
        assert isinstance(found, OnnxFile)
        return found.digest

    first = digest()
    weights = tmp_path / "model.onnx_data"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    assert digest() != first
    weights.unlink()
    with pytest.raises(BackboneError, match=r"Cannot read .*model\.onnx_data .*export it again with all"):
        digest()


@pytest.mark.parametrize(
    ("shape", "resolution", "size"),
    [
        ([None, 64, 96, 3], 2.0, (64, 96)),
        ([None, None, None, 3], 1.0, (80, 80)),
        ([None] * 3 + [3], 2.0, (160, 160)),
    ],
)
def test_the_size_of_a_keras_file_is_known_without_keras(
    tmp_path: Path, shape: list[int | None], resolution: float, size: tuple[int, int]
) -> None:
    path = keras_file(tmp_path / "a.keras", shape)
    assert named_backbone(FeaturesConfig(str(path), image_size=80)).size_at(resolution) == size


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ([None, None, None, 3], r"Nothing says how large .* set features\.image_size"),
        ([None, 64, 64, 1], "does not take a color image"),
        ([None, 64], "does not take a color image"),
    ],
)
def test_a_keras_file_for_something_else_is_refused(
    tmp_path: Path, shape: list[int | None], sentence: str
) -> None:
    path = keras_file(tmp_path / "a.keras", shape)
    with pytest.raises(BackboneError, match=sentence):
        named_backbone(FeaturesConfig(str(path))).size_at(1.0)
    path.write_bytes(b"no archive")
    with pytest.raises(BackboneError, match="is damaged or no Keras file"):
        named_backbone(FeaturesConfig(str(path))).size_at(1.0)
