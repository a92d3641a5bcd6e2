from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aimonk.errors import ModelError
from aimonk.serving.served_model import loaded_for_serving


def test_a_package_is_called_like_its_folder(package: Path) -> None:
    with loaded_for_serving(str(package)) as served:
        assert served.name == "colors"
        assert served.version == served.predictor.digest[:12]


@pytest.fixture
def downloaded(package: Path, tmp_path: Path) -> Path:
    """A registered version as `mlflow artifacts download` writes it."""
    folder = tmp_path / "model"
    shutil.copytree(package, folder / "artifacts" / "package")
    (folder / "registered_model_meta").write_text("model_name: dresses\nmodel_version: '3'\n")
    return folder


def test_a_downloaded_version_keeps_its_name_and_number(downloaded: Path) -> None:
    with loaded_for_serving(str(downloaded)) as served:
        assert (served.name, served.version) == ("dresses", "3")


@pytest.mark.parametrize("text", ["[", "model_name: dresses", "7"])
def test_a_damaged_name_is_one_sentence(downloaded: Path, text: str) -> None:
    (downloaded / "registered_model_meta").write_text(text)
    with (
        pytest.raises(ModelError, match="registered_model_meta cannot be read"),
        loaded_for_serving(str(downloaded)),
    ):
        pass
