from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aimonk.backbones.weights import remember_imagenet, weights_digest
from aimonk.backbones.zoo import KerasApplication
from aimonk.errors import BackboneError

MOBILENET = KerasApplication("mobilenet", 0.25)


def test_random_weights_have_no_digest(tmp_path: Path) -> None:
    assert weights_digest(MOBILENET, "none", tmp_path) == "random"


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "a.weights.h5"
    file.write_bytes(b"one")
    assert weights_digest(MOBILENET, str(file), tmp_path) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"two")  # as long, and within the clock's resolution
    assert weights_digest(MOBILENET, str(file), tmp_path) == hashlib.sha256(b"two").hexdigest()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"no weights file .*gone\.h5; give the path"):
        weights_digest(MOBILENET, str(tmp_path / "gone.h5"), tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(BackboneError, match=r"model\.onnx is not an \.h5 file"):
        weights_digest(MOBILENET, str(tmp_path / "model.onnx"), tmp_path)


def test_imagenet_is_unknown_until_keras_has_loaded_it(tmp_path: Path) -> None:
    assert weights_digest(MOBILENET, "imagenet", tmp_path) is None


def test_imagenet_is_the_file_in_keras_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    file = tmp_path / "keras" / "models" / "mobilenet.h5"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"published")
    published = hashlib.sha256(b"published").hexdigest()
    assert remember_imagenet(MOBILENET, file, tmp_path) == published
    assert weights_digest(MOBILENET, "imagenet", tmp_path) == published
    assert weights_digest(KerasApplication("mobilenet", 0.5), "imagenet", tmp_path) is None
    file.write_bytes(b"replaced by hand")
    assert weights_digest(MOBILENET, "imagenet", tmp_path) == hashlib.sha256(b"replaced by hand").hexdigest()
    file.unlink()
    assert weights_digest(MOBILENET, "imagenet", tmp_path) == published
