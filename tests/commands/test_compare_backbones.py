"""`aimonk backbones --compare` on drawings and small networks."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aimonk.cli import app
from aimonk.commands.compare_backbones import compare_backbones
from aimonk.data.demo.draw_demo import draw_demo
from aimonk.errors import BackboneError, ConfigError

from ..backbones.networks import convolutions, describe


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawings")
    draw_demo(folder, 60)
    return folder


@pytest.fixture
def networks(tmp_path: Path) -> list[str]:
    paths = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        paths.append(str(convolutions(folder / "model.onnx")))
        describe(folder)
    return paths


def test_equal_networks_score_the_same_on_the_same_folds(photos: Path, networks: list[str]) -> None:
    found = compare_backbones(networks, photos, settings=["evaluation.folds=3", "training.epochs=3"])
    first, second = found.backbones
    assert [first.name, second.name] == networks  # two files model.onnx, told apart by what was written
    assert found.best is first
    assert first.evidence.mean_ap == second.evidence.mean_ap
    assert second.difference is not None
    assert second.difference.value == 0
    assert (second.difference.low, second.difference.high) == pytest.approx((0, 0), abs=1e-9)
    assert math.isfinite(first.evidence.mean_ap.value)
    assert all(one.seconds_per_thousand > 0 for one in found.backbones)


def test_two_different_backbones_are_needed(photos: Path, networks: list[str]) -> None:
    folder = str(Path(networks[0]).parent)
    for named in ([], networks[:1], [networks[0], networks[0]], [networks[0], folder]):
        with pytest.raises(ConfigError, match="two or more different backbones"):
            compare_backbones(named, photos)


@pytest.mark.parametrize("name", ["", " ", "=weights.h5"])
def test_a_backbone_without_a_name_is_not_the_default_one(
    photos: Path, networks: list[str], name: str
) -> None:
    with pytest.raises(ConfigError, match=f"The backbone '{name}' has no name"):
        compare_backbones([networks[0], name], photos)


@pytest.mark.parametrize("compare", ["mobilenet@0.25,", ",mobilenet@0.25, ,", ","])
def test_commas_name_nothing(photos: Path, compare: str) -> None:
    done = CliRunner().invoke(app, ["backbones", "--compare", compare, "--data", str(photos)])
    assert str(done.exception).startswith("Name two or more different backbones to compare")


def test_a_weights_file_goes_with_its_name(photos: Path, networks: list[str]) -> None:
    with pytest.raises(BackboneError, match=r"missing\.h5"):
        compare_backbones(["mobilenet@0.25=missing.h5", networks[0]], photos)


def test_files_do_not_go_with_a_comparison(photos: Path) -> None:
    for arguments in (["--compare", "a,b"], ["--data", str(photos)], ["a.onnx", "--compare", "a,b"]):
        assert CliRunner().invoke(app, ["backbones", *arguments]).exit_code == 2
