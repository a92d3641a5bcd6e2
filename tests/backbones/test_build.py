"""Building real networks: TensorFlow is imported, so these are slow."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aimonk.backbones.build import build_backbone, import_keras
from aimonk.backbones.zoo import parse_backbone
from aimonk.config import FeaturesConfig
from aimonk.errors import BackboneError
from aimonk.features.embedding import embed
from aimonk.features.extractor import FeatureExtractor

from ..features.conftest import Files

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FILE = "mobilenet_2_5_224_tf_no_top.h5"


@pytest.fixture
def weights(shared: Path) -> Path:
    return shared / "weights" / FILE


def pixels(count: int, size: tuple[int, int] = (224, 224)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *size, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["mobilenet@0.25", "resnet50", "densenet121"])
def test_the_graph_is_preprocessing_network_and_mean(name: str) -> None:
    keras = import_keras()
    backbone = parse_backbone(name)
    model, file = build_backbone(backbone, "none")
    assert file is None
    inner = next(layer for layer in model.layers if isinstance(layer, import_keras().Model))
    module = sys.modules[getattr(keras.applications, backbone.function).__module__]
    prepared = module.preprocess_input(pixels(2).astype(np.float32))
    expected = np.asarray(inner(prepared, training=False)).mean(axis=(1, 2))
    found = np.asarray(model(pixels(2)))
    assert np.linalg.norm(found - expected) <= 1e-4 * np.linalg.norm(expected)
    assert np.linalg.norm(expected) > 0


def test_random_weights_are_always_the_same_and_disturb_no_generator() -> None:
    backbone = parse_backbone("mobilenet@0.25")
    random.seed(7)
    np.random.seed(7)
    expected = random.random(), np.random.random()
    random.seed(7)
    np.random.seed(7)
    first, second = (build_backbone(backbone, "none")[0].get_weights() for _ in range(2))
    assert (random.random(), np.random.random()) == expected
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert any(np.ptp(a) > 0 for a in first)


def test_the_model_is_saved_without_code(tmp_path: Path, weights: Path) -> None:
    keras = import_keras()
    model = FeatureExtractor(
        FeaturesConfig(resolution=1.0, backbone="mobilenet@0.25", weights=str(weights)), tmp_path
    ).keras_model
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(np.asarray(loaded(pixels(2))), np.asarray(model(pixels(2))))


def test_imagenet_is_taken_from_keras_cache(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keras" / "models").mkdir(parents=True)
    shutil.copy(weights, tmp_path / "keras" / "models" / FILE)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    import keras.src.utils.file_utils as files

    monkeypatch.setattr(files.config, "keras_home", lambda: str(tmp_path / "keras"))  # read at import
    by_name = FeatureExtractor(FeaturesConfig(resolution=1.0, backbone="mobilenet@0.25"), tmp_path / "store")
    by_path = FeatureExtractor(
        FeaturesConfig(resolution=1.0, backbone="mobilenet@0.25", weights=str(weights)), tmp_path / "store"
    )
    assert by_name.known_key() is None
    assert by_name.folder == by_path.folder  # the same weights are the same features
    np.testing.assert_array_equal(
        np.asarray(by_name.keras_model(pixels(1))), np.asarray(by_path.keras_model(pixels(1)))
    )


def test_imagenet_that_cannot_be_downloaded_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_keras()
    import keras.src.utils.file_utils as files

    def offline(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(files, "urlretrieve", offline)
    monkeypatch.setattr(files.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(BackboneError) as error:
        build_backbone(parse_backbone("mobilenet@0.25"), "imagenet")
    assert f"put {FILE} into {tmp_path}/models by hand, or give --weights PATH" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mobilenet@0.5", "does not fit backbone mobilenet@0.5 or is damaged"),
        ("mobilenetv2", "does not fit backbone mobilenetv2 or is damaged"),
        ("efficientnetb0", "does not fit backbone efficientnetb0 or is damaged"),
    ],
)
def test_weights_of_another_network_are_refused(weights: Path, name: str, message: str) -> None:
    with pytest.raises(BackboneError, match=message):
        build_backbone(parse_backbone(name), str(weights))


def test_weights_cut_short_are_refused(tmp_path: Path, weights: Path) -> None:
    (tmp_path / FILE).write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(BackboneError, match="does not fit backbone mobilenet@0.25 or is damaged"):
        build_backbone(parse_backbone("mobilenet@0.25"), str(tmp_path / FILE))


def test_a_width_that_imagenet_lacks_is_a_sentence() -> None:
    with pytest.raises(BackboneError, match=r"Keras has no ImageNet weights for backbone mobilenet@0\.3"):
        build_backbone(parse_backbone("mobilenet@0.3"), "imagenet")


def test_importing_keras_is_silent() -> None:
    code = "from aimonk.backbones.build import import_keras; import_keras()"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("", "")


def test_an_import_that_fails_shows_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text(
        "import os\nos.write(2, b'what C++ said')\nraise ImportError('no keras')"
    )
    code = "from aimonk.backbones.build import import_keras; import_keras()"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "what C++ said" in result.stderr
    assert "ImportError: no keras" in result.stderr


def test_a_second_run_needs_no_tensorflow(tmp_path: Path, weights: Path, shared: Path) -> None:
    import hashlib

    paths = sorted((shared / "data" / "aimonk").rglob("*.jpg"))[:12]
    files: Files = [(hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in paths]
    config = FeaturesConfig(
        resolution=1.0, backbone="mobilenet@0.25", weights=str(weights), store=str(tmp_path)
    )
    first = embed(files[:6], config)
    assert (first.key.engine, first.key.precision) == ("openvino", "f32")
    code = (
        "import sys\nfrom pathlib import Path\nfrom aimonk.config import FeaturesConfig\n"
        "from aimonk.features.embedding import embed\n"
        f"config = FeaturesConfig('mobilenet@0.25', {str(weights)!r}, 1.0, store={str(tmp_path)!r})\n"
        f"files = {[(digest, str(path)) for digest, path in files]!r}\n"
        "print(embed([(d, Path(p)) for d, p in files], config).forward_passes)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "6\n"
    both = embed(files, dataclasses.replace(config, engine="keras"))
    stored = embed(files, config)
    assert stored.forward_passes == 0
    np.testing.assert_allclose(stored.plain, both.plain, rtol=0, atol=1e-3 * np.abs(both.plain).max())
