"""Graphs of known weights: converted for the first store, copied by the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aimonk.backbones.graph import is_sound, write_graph
from aimonk.config import FeaturesConfig
from aimonk.features import extractor
from aimonk.features.extractor import FeatureExtractor
from aimonk.features.shared_graphs import copy_graph, shared_store

from .conftest import mean_color_graph


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The outputs of the graphs that were converted."""
    made: list[str] = []

    def convert(_model: Any, output: str) -> Any:
        made.append(output)
        return mean_color_graph()

    monkeypatch.setattr(extractor, "convert", convert)
    monkeypatch.setattr(FeatureExtractor, "keras_model", "a model")
    return made


def opened(tmp_path: Path, store: str, weights: str = "") -> FeatureExtractor:
    file = tmp_path / "w.h5"
    file.write_bytes(b"weights")
    config = FeaturesConfig(backbone="mobilenet@0.25", weights=weights or str(file))
    return FeatureExtractor(config, tmp_path / store)


def test_the_second_store_copies_what_the_first_converted(tmp_path: Path, conversions: list[str]) -> None:
    first, second = (opened(tmp_path, store).graph for store in ("one", "two"))
    assert conversions == ["features"]
    assert first != second and is_sound(second.parent)
    assert second.with_suffix(".bin").read_bytes() == first.with_suffix(".bin").read_bytes()


def test_the_shared_store_converts_for_itself(tmp_path: Path, conversions: list[str]) -> None:
    own = opened(tmp_path, "graphs")
    assert own.store == shared_store()
    assert is_sound(own.graph.parent)
    assert is_sound(opened(tmp_path, "other").graph.parent)
    assert conversions == ["features"]


def test_a_damaged_shared_graph_is_replaced(tmp_path: Path, conversions: list[str]) -> None:
    one = opened(tmp_path, "one")
    shared = shared_store() / one.folder.name / "ir"
    assert one.graph.is_file() and is_sound(shared)
    (shared / "backbone.bin").write_bytes(b"damage")
    assert is_sound(opened(tmp_path, "two").graph.parent)
    assert conversions == ["features"] * 2
    assert is_sound(shared)


def test_random_weights_are_not_shared(tmp_path: Path, conversions: list[str]) -> None:
    for store in ("one", "two"):
        assert is_sound(opened(tmp_path, store, weights="none").graph.parent)
    assert conversions == ["features"] * 2
    assert not shared_store().exists()


def test_a_store_does_without_a_shared_folder_that_cannot_be_written(
    tmp_path: Path, conversions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("AIMONK_GRAPHS", str(tmp_path / "file" / "below"))
    assert is_sound(opened(tmp_path, "one").graph.parent)
    assert conversions == ["features"]


def test_a_graph_is_not_copied_onto_itself(tmp_path: Path) -> None:
    write_graph(mean_color_graph(), tmp_path / "ir")
    assert not copy_graph(tmp_path / "ir", tmp_path / "ir")
    assert not copy_graph(tmp_path / "nothing", tmp_path / "new")
    assert is_sound(tmp_path / "ir")


def test_imagenet_weights_are_known_to_every_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    config = FeaturesConfig(backbone="mobilenet@0.25", weights="imagenet")
    assert FeatureExtractor(config, tmp_path / "one")._digest is None
    file = tmp_path / "downloaded.h5"
    file.write_bytes(b"weights")
    monkeypatch.setattr("aimonk.backbones.build.build_backbone", lambda *_: ("a model", file))
    assert FeatureExtractor(config, tmp_path / "one").keras_model == "a model"
    assert (
        FeatureExtractor(config, tmp_path / "two").digest == FeatureExtractor(config, tmp_path / "one").digest
    )
