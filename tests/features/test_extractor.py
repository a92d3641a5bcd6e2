from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimonk.atomic_files import remember
from aimonk.backbones.graph import is_sound
from aimonk.config import FeaturesConfig
from aimonk.errors import BackboneError, ConfigError
from aimonk.features import extractor as frozen
from aimonk.features.cache_key import FeatureKey, store_folder
from aimonk.features.extractor import FeatureExtractor

from .conftest import mean_color_graph


def test_the_key_names_its_folder() -> None:
    key = FeatureKey("mobilenet@0.25", "0123456789abcdef" * 4, 224, 192, "1.1", "openvino", "bf16")
    assert key.folder == "mobilenet@0.25-0123456789abcdef-224x192-mean-p1.1/openvino-bf16"
    assert key.to_json()["width"] == 192


def test_the_store_is_named_by_settings_then_environment_then_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AIMONK_STORE", "~/from environment")
    assert store_folder(FeaturesConfig(store="~/named")) == tmp_path / "named"
    assert store_folder(FeaturesConfig()) == tmp_path / "from environment"
    monkeypatch.delenv("AIMONK_STORE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert store_folder(FeaturesConfig()) == tmp_path / ".cache" / "aimonk"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/xdg")
    assert store_folder(FeaturesConfig()) == Path("/var/xdg/aimonk")


def test_a_known_backbone_needs_no_decision(config: FeaturesConfig) -> None:
    key = FeatureExtractor(config).known_key()
    assert key is not None
    assert key.folder == "mobilenet@0.25-random-224x224-pyramid-colors1-p1.1/openvino-f32"
    assert FeatureExtractor(dataclasses.replace(config, engine="auto")).known_key() is None


def test_a_decision_is_remembered(config: FeaturesConfig) -> None:
    auto = dataclasses.replace(config, engine="auto")
    decided = FeatureExtractor(auto).key()
    assert (decided.engine, decided.precision) == ("openvino", "f32")
    assert FeatureExtractor(auto).known_key() == decided


def with_bf16_error(
    config: FeaturesConfig, error: float, monkeypatch: pytest.MonkeyPatch
) -> FeatureExtractor:
    monkeypatch.setattr(frozen, "has_bf16", lambda: True)
    backbone = FeatureExtractor(config)
    remember(backbone.folder / "precision.json", {"bf16_error": error})
    return backbone


@pytest.mark.parametrize(
    ("error", "precision"), [(0.003, "bf16"), (0.01, "bf16"), (0.0101, "f32"), (0.11, "f32")]
)
def test_bf16_is_used_within_one_percent(
    config: FeaturesConfig, monkeypatch: pytest.MonkeyPatch, error: float, precision: str
) -> None:
    backbone = with_bf16_error(dataclasses.replace(config, precision="auto"), error, monkeypatch)
    assert backbone.key().precision == precision


def test_bf16_that_is_too_coarse_is_refused_with_the_number(
    config: FeaturesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = with_bf16_error(dataclasses.replace(config, precision="bf16"), 0.112, monkeypatch)
    with pytest.raises(
        BackboneError, match=r"bf16 cannot be used: it changes this backbone's features by 11\.2%"
    ):
        backbone.key()


def test_without_bf16_arithmetic_f32_is_used(config: FeaturesConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = with_bf16_error(dataclasses.replace(config, precision="auto"), 0.001, monkeypatch)
    monkeypatch.setattr(frozen, "has_bf16", lambda: False)
    assert backbone.key().precision == "f32"
    asked = FeatureExtractor(dataclasses.replace(config, precision="bf16"))
    with pytest.raises(BackboneError, match="this processor has no bf16 arithmetic"):
        asked.key()


def test_the_measured_error_decides(config: FeaturesConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, graph: Path, precision: str) -> None:
            self.factor = {"f32": 1.0, "bf16": 0.97}[precision]

        def embed(self, images: np.ndarray) -> np.ndarray:
            return np.asarray(self.factor * images.mean(axis=(1, 2)))

    monkeypatch.setattr(frozen, "has_bf16", lambda: True)
    monkeypatch.setattr(frozen, "OpenVINOEngine", Fake)
    backbone = FeatureExtractor(dataclasses.replace(config, precision="auto"))
    assert backbone.bf16_error() is None
    assert backbone.key().precision == "f32"
    assert backbone.bf16_error() == pytest.approx(0.03)


def test_keras_in_bf16_is_a_contradiction(config: FeaturesConfig) -> None:
    with pytest.raises(ConfigError, match="Keras engine computes in f32"):
        FeatureExtractor(dataclasses.replace(config, engine="keras", precision="bf16"))


@pytest.mark.parametrize(
    ("gpu", "images", "keras_rate", "engine"),
    [
        (False, 100, 999.0, "openvino"),  # too few images for a race to pay
        (False, 5_000, 104.0, "openvino"),  # not clearly faster
        (False, 5_000, 106.0, "keras"),
        (True, 100, 1.0, "keras"),
    ],
)
def test_auto_takes_what_is_faster(
    config: FeaturesConfig,
    monkeypatch: pytest.MonkeyPatch,
    gpu: bool,
    images: int,
    keras_rate: float,
    engine: str,
) -> None:
    monkeypatch.setattr(frozen, "has_gpu", lambda: gpu)
    rates = {"keras": keras_rate, "openvino": 100.0}
    monkeypatch.setattr(FeatureExtractor, "_race", lambda self, samples: rates)
    backbone = FeatureExtractor(dataclasses.replace(config, engine="auto"))
    assert backbone.key(images=images).engine == engine
    assert backbone.key(images=1).engine == engine


def test_a_damaged_graph_is_converted_again(
    config: FeaturesConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backbone = FeatureExtractor(config)
    folder = backbone.folder / "ir"
    (folder / "backbone.bin").write_bytes(b"\0")
    backbone.__dict__["keras_model"] = "a model"

    def convert(model: Any, output: str) -> Any:
        assert (model, output) == ("a model", "features")
        return mean_color_graph()

    monkeypatch.setattr(frozen, "convert", convert)
    assert backbone.graph == folder / "backbone.xml"
    assert is_sound(folder)
    assert caplog.messages == [f"The graph {folder / 'backbone.xml'} is damaged; it is converted again."]


def test_weights_that_change_under_a_run_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "w.h5"
    file.write_bytes(b"one")
    backbone = FeatureExtractor(
        FeaturesConfig(resolution=1.0, backbone="mobilenet", weights=str(file)), tmp_path
    )
    assert backbone.digest == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"two")
    monkeypatch.setattr("aimonk.backbones.build.build_backbone", lambda *_: ("model", file))
    with pytest.raises(BackboneError, match=r"w\.h5 has changed since this run began"):
        _ = backbone.keras_model


def test_graphs_of_other_weights_have_other_folders(tmp_path: Path) -> None:
    file = tmp_path / "w.h5"
    folders = set()
    for content in (b"one", b"two"):
        file.write_bytes(content)
        folders.add(
            FeatureExtractor(
                FeaturesConfig(resolution=1.0, backbone="mobilenet", weights=str(file)), tmp_path
            ).folder
        )
    folders.add(
        FeatureExtractor(
            FeaturesConfig(resolution=1.0, backbone="mobilenet", weights="none"), tmp_path
        ).folder
    )
    folders.add(
        FeatureExtractor(
            FeaturesConfig(resolution=1.0, backbone="mobilenet@0.5", weights="none"), tmp_path
        ).folder
    )
    assert len(folders) == 4
