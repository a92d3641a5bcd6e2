from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aimonk.data.demo import draw_demo as demo
from aimonk.data.demo.draw_demo import SHARES, draw_demo
from aimonk.data.demo.drawing import draw_dress
from aimonk.data.image_index import scan
from aimonk.data.label_audit import Audit, audit
from aimonk.data.labels import LabelTable, find_labels, read_labels
from aimonk.errors import ConfigError, ImagesError


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LabelTable, Audit]:
    folder = tmp_path_factory.mktemp("demo") / "here"
    labels = draw_demo(folder, images=160, seed=3)
    assert find_labels(folder) == labels == folder / "labels.csv"
    table = read_labels(labels)
    return folder, table, audit(table, scan(folder, table.images, None), near_duplicates=12)


def test_it_has_every_fault_that_real_data_has(drawn: tuple[Path, LabelTable, Audit]) -> None:
    folder, table, found = drawn
    assert (found.rows, len(found.usable), len(found.missing)) == (163, 160, 3)
    assert found.unreadable == ()
    assert found.formats == {"JPEG": 159, "PNG": 1}
    assert len(found.mislabeled_formats) == 1
    assert [len(group) for group in found.identical] == [2, 2]
    assert len(found.near_identical) == 1
    assert found.retouched == ()
    assert {c.attribute for c in found.contradictions} == {"long_sleeves", "random_label"}
    assert {c.images for c in found.contradictions} < set(found.identical)
    modes = []
    for path in folder.glob("*.jpg"):
        with Image.open(path) as image:
            modes.append(image.mode)
    assert (modes.count("L"), modes.count("RGB")) == (1, 159)


def test_attributes_have_their_shares_and_holes(drawn: tuple[Path, LabelTable, Audit]) -> None:
    _, table, found = drawn
    assert table.attributes == tuple(SHARES)
    for counts, share in zip(found.attributes, SHARES.values(), strict=True):
        assert counts.prevalence == pytest.approx(share, abs=0.06)
    assert (table.targets == -1).mean() == pytest.approx(0.08, abs=0.03)


def test_the_same_seed_draws_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        draw_demo(tmp_path / name, images=20, seed=seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_only_an_attribute_that_shows_changes_the_picture() -> None:
    def picture(**attributes: bool) -> np.ndarray:
        return np.asarray(draw_dress(attributes, np.random.default_rng(1)))

    plain = picture()
    assert plain.shape == (320, 240, 3)
    np.testing.assert_array_equal(picture(random_label=True), plain)
    for name in ("long_sleeves", "stripes", "belt", "sun_hat"):
        changed = np.abs(picture(**{name: True}).astype(int) - plain).max(axis=2) > 40
        assert 0.004 < changed.mean() < 0.25, name


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ImagesError, match="not empty"):
        draw_demo(tmp_path, images=20)
    with pytest.raises(ImagesError, match="not empty"):
        draw_demo(tmp_path / "mine.txt", images=20)
    assert contents(tmp_path) == {"mine.txt": b"mine"}
    with pytest.raises(ImagesError, match="cannot be written"):
        draw_demo(tmp_path / "mine.txt" / "deeper", images=20)
    with pytest.raises(ConfigError, match="at least 20"):
        draw_demo(tmp_path / "few", images=19)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    steps: list[tuple[int, int]] = []
    draw_demo(tmp_path / "empty", images=20, progress=lambda done, total: steps.append((done, total)))
    assert len(contents(tmp_path / "empty")) == 21
    assert steps == [(done, 20) for done in range(1, 21)]


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "draw_dress", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_demo(tmp_path / "demo", images=20)
    assert list(tmp_path.iterdir()) == []
