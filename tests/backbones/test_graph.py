from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from aimonk.backbones import graph as graph_file
from aimonk.backbones.graph import GRAPH, is_sound, write_graph
from aimonk.errors import FeatureStoreError

from ..features.conftest import mean_color_graph


def test_a_written_graph_is_sound_and_computes(tmp_path: Path) -> None:
    write_graph(mean_color_graph(4), tmp_path / "ir")
    assert is_sound(tmp_path / "ir")
    assert os.listdir(tmp_path) == ["ir"]
    image = np.full((1, 4, 4, 3), [10, 20, 30], dtype=np.uint8)
    result = ov.Core().compile_model(str(tmp_path / "ir" / GRAPH), "CPU")(image)[0]
    np.testing.assert_array_equal(result, [[10, 20, 30]])


def test_nothing_is_not_sound(tmp_path: Path) -> None:
    assert not is_sound(tmp_path / "ir")


@pytest.mark.parametrize("name", ["backbone.xml", "backbone.bin", "ir.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
def test_damage_is_noticed(tmp_path: Path, name: str, damage: str) -> None:
    write_graph(mean_color_graph(4), tmp_path / "ir")
    file = tmp_path / "ir" / name
    content = file.read_bytes()
    if damage == "delete":
        file.unlink()
    else:
        content = content[:-1] if damage == "cut" else bytes([content[0] ^ 1]) + content[1:]
        file.write_bytes(content)
    assert not is_sound(tmp_path / "ir")


def test_the_graph_of_another_process_stays(tmp_path: Path) -> None:
    write_graph(mean_color_graph(4), tmp_path / "ir")
    before = (tmp_path / "ir" / "backbone.xml").stat().st_ino
    write_graph(mean_color_graph(4), tmp_path / "ir")
    assert (tmp_path / "ir" / "backbone.xml").stat().st_ino == before
    assert os.listdir(tmp_path) == ["ir"]


def test_a_short_write_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_file, "_same", lambda graph, written: False)
    with pytest.raises(
        FeatureStoreError, match="Cannot write .*the graph read back is not the graph written"
    ):
        write_graph(mean_color_graph(4), tmp_path / "ir")
    assert os.listdir(tmp_path) == []


def test_a_disk_that_takes_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("Check failed:\nCan't write 4 bytes")

    monkeypatch.setattr(ov, "save_model", full)
    with pytest.raises(FeatureStoreError, match=r"Cannot write .* \(Can't write 4 bytes\); make it writable"):
        write_graph(mean_color_graph(4), tmp_path / "ir")
    assert os.listdir(tmp_path) == []
