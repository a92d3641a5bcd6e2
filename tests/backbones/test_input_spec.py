from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimonk.backbones.input_spec import normalization, read_input_spec
from aimonk.config import FeaturesConfig
from aimonk.errors import BackboneError

CLIP = {
    "size": {"shortest_edge": 256},
    "crop_size": {"height": 224, "width": 192},
    "do_center_crop": True,
    "resample": 3,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.25, 0.5],
}
TIMM = {
    "architecture": "vit",
    "pretrained_cfg": {
        "input_size": [3, 518, 518],
        "interpolation": "bicubic",
        "crop_pct": 0.9,
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.25, 0.5],
    },
}


def write(folder: Path, name: str, said: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(said if isinstance(said, str) else json.dumps(said))


def test_normalization_is_of_pixels_from_0_to_255() -> None:
    form = normalization((0.5, 0.4, 0.3), (0.2, 0.25, 0.5))
    np.testing.assert_allclose(form(np.array([[0, 255, 51]])), [[-2.5, 2.4, -0.2]], atol=1e-12)


def test_hugging_face(tmp_path: Path) -> None:
    write(tmp_path, "preprocessor_config.json", CLIP)
    spec = read_input_spec(tmp_path / "onnx" / "model.onnx", FeaturesConfig())
    assert (spec.size, spec.crop, spec.resampling) == ((224, 192), 0.875, "bicubic")
    assert spec.preprocessing == normalization((0.5, 0.4, 0.3), (0.2, 0.25, 0.5))


@pytest.mark.parametrize(
    ("changes", "size", "values"),
    [
        ({"crop_size": 128}, (128, 128), (2.5, 2.4)),
        ({"do_center_crop": False}, (256, 256), (2.5, 2.4)),
        ({"size": 300, "crop_size": None}, (300, 300), (2.5, 2.4)),
        ({"do_normalize": False}, (224, 192), (1, 1)),
        ({"do_normalize": False, "do_rescale": False}, (224, 192), (255, 255)),
        ({"rescale_factor": 2 / 255, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}, (224, 192), (2, 2)),
    ],
)
def test_hugging_faces_forms(
    tmp_path: Path, changes: dict[str, Any], size: tuple[int, int], values: tuple[float, float]
) -> None:
    write(tmp_path, "preprocessor_config.json", CLIP | changes)
    spec = read_input_spec(tmp_path / "model.onnx", FeaturesConfig())
    assert spec.size == size and spec.preprocessing is not None
    np.testing.assert_allclose(spec.preprocessing(np.full(3, 255))[:2], values)


def test_timm(tmp_path: Path) -> None:
    write(tmp_path, "config.json", TIMM)
    spec = read_input_spec(tmp_path / "model.onnx", FeaturesConfig())
    assert (spec.size, spec.crop, spec.resampling) == ((518, 518), 0.9, "bicubic")
    assert spec.preprocessing == normalization((0.5, 0.4, 0.3), (0.2, 0.25, 0.5))


def test_a_model_configuration_knows_the_size_alone(tmp_path: Path) -> None:
    write(tmp_path, "config.json", {"image_size": 96, "hidden_size": 8})
    spec = read_input_spec(tmp_path / "model.onnx", FeaturesConfig())
    assert (spec.size, spec.preprocessing) == ((96, 96), None)


def test_settings_override_files(tmp_path: Path) -> None:
    write(tmp_path, "preprocessor_config.json", CLIP)
    config = FeaturesConfig(image_size=64, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    spec = read_input_spec(tmp_path / "model.onnx", config)
    assert spec.size == (64, 64)
    assert spec.preprocessing == normalization((0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize("said", ["{", "[]", {"image_mean": [0.5], "image_std": [0.5]}, {"size": "large"}])
def test_a_file_that_says_something_else_is_named(tmp_path: Path, said: Any) -> None:
    write(tmp_path, "preprocessor_config.json", said)
    with pytest.raises(BackboneError, match=r"preprocessor_config\.json does not describe .* set features\."):
        read_input_spec(tmp_path / "model.onnx", FeaturesConfig())


@pytest.mark.parametrize("config", [FeaturesConfig(mean=(0.0,) * 3), FeaturesConfig(mean=(0.0,), std=(1.0,))])
def test_mean_and_std_go_together(tmp_path: Path, config: FeaturesConfig) -> None:
    with pytest.raises(BackboneError, match="need three numbers each"):
        read_input_spec(tmp_path / "model.onnx", config)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"image_std": [0.5] * 3}, "it has no 'image_mean'"),
        ({"image_mean": [0.5] * 3, "image_std": [0.0] * 3}, "its standard deviation above 0"),
        ({"image_mean": [math.nan] * 3, "image_std": [0.5] * 3}, "its mean must be finite"),
        ({"image_mean": None, "image_std": [0.5] * 3}, "is written in no form that is known"),
    ],
)
def test_why_a_file_is_not_understood(tmp_path: Path, said: Any, reason: str) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    with pytest.raises(BackboneError, match=f"does not describe an image preprocessing .*{reason}"):
        read_input_spec(tmp_path / "model.onnx", FeaturesConfig())


def test_a_short_size_of_timm_is_refused_in_a_sentence(tmp_path: Path) -> None:
    said = {"mean": [0.5] * 3, "std": [0.5] * 3, "input_size": [64]}
    (tmp_path / "config.json").write_text(json.dumps(said))
    with pytest.raises(BackboneError, match="a size, mean or standard deviation in it is written in no form"):
        read_input_spec(tmp_path / "model.onnx", FeaturesConfig())


@pytest.mark.parametrize("side", [-5, 1, 7, 4097, 100_000])
def test_a_size_that_no_network_has_is_refused(tmp_path: Path, side: int) -> None:
    said = {"size": {"height": side, "width": 64}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    with pytest.raises(BackboneError, match=f"say that its images have {side} x 64 pixels; give 8 to 4096"):
        read_input_spec(tmp_path / "model.onnx", FeaturesConfig())
    assert read_input_spec(tmp_path / "model.onnx", FeaturesConfig(image_size=8)).size == (8, 8)
    if side > 0:
        with pytest.raises(BackboneError, match=f"features.image_size says .* {side} x {side} pixels"):
            read_input_spec(tmp_path / "model.onnx", FeaturesConfig(image_size=side))


def test_means_of_pixels_instead_of_shares_are_refused(tmp_path: Path) -> None:
    config = FeaturesConfig(mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4))
    with pytest.raises(BackboneError, match="from 0 to 1: divide numbers of pixels by 255"):
        read_input_spec(tmp_path / "model.onnx", config)
