from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from aimonk.data.file_traits import FileTraits, binned, frequent
from aimonk.data.image_index import scan


def write(
    path: Path, size: tuple[int, int] = (64, 64), quality: int = 90, camera: str = "", **shown: bool
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    if shown.get("corner"):
        pixels[: size[1] // 8, : size[0] // 8] = 255
    exif = Image.Exif()
    if camera:
        exif[0x010F] = camera
    Image.fromarray(pixels).save(path, "JPEG", quality=quality, exif=exif)
    return path


def traits_of(folder: Path, paths: list[Path]) -> dict[str, np.ndarray]:
    facts = scan(folder, [str(path.relative_to(folder)) for path in paths], None)
    return FileTraits.of(facts).columns(np.arange(len(paths)))


def test_a_trait_that_all_share_is_left_out(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.jpg"), write(tmp_path / "b.jpg")]
    assert traits_of(tmp_path, paths) == {}


def test_folder_camera_quality_and_shape_are_told_apart(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "one" / "a.jpg", camera="Canon"),
        write(tmp_path / "two" / "b.jpg", quality=40),
        write(tmp_path / "two" / "c.jpg", size=(64, 128)),
    ]
    found = traits_of(tmp_path, paths)
    assert found["folder"].tolist() == [[1, 0], [0, 1], [0, 1]]
    assert found["camera"].tolist() == [[0, 1], [1, 0], [1, 0]]
    for trait, odd in (("JPEG quality", 1), ("aspect ratio", 2), ("resolution", 2)):
        same = [row for row in range(3) if row != odd]
        assert (found[trait][same[0]] == found[trait][same[1]]).all(), trait
        assert (found[trait][odd] != found[trait][same[0]]).any(), trait
    assert "format" not in found


def test_a_white_corner_shows_in_the_border(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.jpg"), write(tmp_path / "b.jpg", corner=True)]
    border = traits_of(tmp_path, paths)["border pixels"]
    brighter = (border[1] - border[0]).reshape(-1, 3).mean(axis=1)
    corner = [0, 1, 16]  # of the ring's cells, row by row: an eighth of the side is two cells
    np.testing.assert_allclose(brighter[corner], (255 - 90) / 255, atol=0.05)
    np.testing.assert_allclose(np.delete(brighter, corner), 0, atol=0.05)


def test_numbers_fall_into_classes_of_equal_size_and_unknown_ones_into_their_own() -> None:
    values = np.append(np.arange(80.0), np.nan)
    found = binned(values)
    assert found.shape == (81, 9)
    assert found[:, 1:].sum(axis=0).tolist() == [10] * 8
    assert found[80].tolist() == [1] + [0] * 8


def test_columns_are_those_of_the_rows_asked_for(tmp_path: Path) -> None:
    paths = [write(tmp_path / name / "a.jpg", camera=name) for name in ("x", "y", "z")]
    facts = scan(tmp_path, [str(path.relative_to(tmp_path)) for path in paths], None)
    found = FileTraits.of(facts).columns(np.array([2, 0]))
    assert found.keys() == {"folder", "camera"}
    assert found["folder"].tolist() == found["camera"].tolist() == [[0, 1], [1, 0]]


def test_without_images_there_are_no_traits() -> None:
    assert FileTraits.of(()).border.shape == (0, 180)


def test_the_rarest_words_are_one_class() -> None:
    words = np.array(["often"] * 3 + ["twice"] * 2 + ["once", "once more"])
    assert frequent(words, most=2).tolist() == ["often"] * 3 + ["twice"] * 2 + ["", ""]
    assert frequent(words).tolist() == words.tolist()
