from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from aimonk.data import image_index as catalog
from aimonk.data.fingerprint import look_at
from aimonk.data.image_index import look_up, scan
from aimonk.errors import ImagesError, LabelsError
from aimonk.runtime.decode_limits import DecodeLimits

HOUR = 3600


@pytest.fixture
def folder(tmp_path: Path, photo: Callable[[int], Image.Image], encode: Callable[..., bytes]) -> Path:
    """Three pictures, of which c.jpg is a PNG, and a file that is no picture, all an hour old."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.jpg").write_bytes(encode(photo(1)))
    (data / "b.jpg").write_bytes(encode(photo(2).rotate(90, expand=True)))
    (data / "c.jpg").write_bytes(encode(photo(3), "PNG"))
    (data / "text.jpg").write_text("no picture")
    return data


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock ahead; the files keep their times, and so become old."""
    real = time.time_ns

    def move(seconds: float) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: real() + int(seconds * 1e9))

    return move


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count what a scan does: files hashed, pictures decoded."""
    done = {"hashed": 0, "decoded": 0}
    sha256 = hashlib.sha256

    def counted_look(content: bytes, limits: DecodeLimits) -> object:
        done["decoded"] += 1
        return look_at(content, limits)

    def counted_hash(content: bytes) -> object:
        done["hashed"] += 1
        return sha256(content)

    monkeypatch.setattr(catalog, "look_at", counted_look)
    monkeypatch.setattr(hashlib, "sha256", counted_hash)
    return done


NAMES = ("c.jpg", "a.jpg", "gone.jpg", "b.jpg", "text.jpg", "a.jpg")


def test_facts_come_in_the_order_of_the_names(folder: Path) -> None:
    steps: list[tuple[int, int]] = []
    facts = scan(folder, NAMES, None, lambda done, total: steps.append((done, total)))
    assert [fact.name for fact in facts] == list(NAMES)
    assert [fact.path for fact in facts] == [folder / name for name in NAMES]
    png, jpeg, gone, upright, text, again = facts
    assert (png.format, png.width, png.height, png.problem) == ("PNG", 120, 90, None)
    assert (upright.format, upright.width, upright.height) == ("JPEG", 90, 120)
    assert jpeg.sha256 == hashlib.sha256((folder / "a.jpg").read_bytes()).hexdigest()
    assert jpeg.size == (folder / "a.jpg").stat().st_size
    assert len(jpeg.thumbnail or b"") == 32 * 32
    assert again == jpeg
    assert (gone.problem, gone.sha256, gone.size, gone.phash) == ("missing", None, 0, None)
    assert (text.problem, text.format, text.size) == ("not an image", None, 10)
    assert text.sha256 == hashlib.sha256(b"no picture").hexdigest()
    assert steps == [(done, 5) for done in range(6)]


def test_looking_up_yields_each_file_once_and_the_remembered_ones_first(
    folder: Path, tmp_path: Path, later: Callable[[float], None]
) -> None:
    later(HOUR)
    scan(folder, ["b.jpg", "text.jpg"], tmp_path / "cache")
    facts = list(look_up(folder, NAMES, tmp_path / "cache"))
    assert [fact.name for fact in facts] == ["b.jpg", "text.jpg", "c.jpg", "a.jpg", "gone.jpg"]
    assert {fact.name: fact for fact in facts} == {fact.name: fact for fact in scan(folder, NAMES, None)}


def test_what_is_no_regular_file_is_left_alone(folder: Path) -> None:
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.jpg").mkdir()
    assert [fact.problem for fact in scan(folder, ["pipe.jpg", "folder.jpg"], None)] == [
        "not a regular file",
        "a folder, not an image",
    ]


def test_a_name_that_is_not_utf_8_is_a_name(folder: Path, encode: Callable[..., bytes]) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (folder / name).write_bytes(encode(Image.new("RGB", (3, 2)), "PNG"))
    for _ in range(2):  # the second time from the cache
        (facts,) = scan(folder, [name], folder.parent / "cache")
        assert (facts.name, facts.problem, facts.width) == (name, None, 3)


def test_one_poisoned_file_is_that_files_problem(
    folder: Path, encode: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(self: object) -> None:
        raise MemoryError

    (folder / "huge.png").write_bytes(encode(Image.new("RGB", (3, 2)), "PNG"))
    (folder / "good.bmp").write_bytes(encode(Image.new("RGB", (3, 2)), "BMP"))
    monkeypatch.setattr(PngImageFile, "load_prepare", no_memory)
    problems = [facts.problem for facts in scan(folder, ["huge.png", "good.bmp"], None)]
    assert problems == ["unpacking the PNG image takes more memory than there is", None]


def test_another_limit_asks_again(folder: Path, encode: Callable[..., bytes]) -> None:
    (folder / "photo.png").write_bytes(encode(Image.new("RGB", (30, 20)), "PNG"))
    few, enough = DecodeLimits(max_pixels=599), DecodeLimits(max_pixels=600)
    said = [
        scan(folder, ["photo.png"], folder.parent / "cache", limits=some)[0] for some in (few, enough, few)
    ]
    assert [facts.problem is None for facts in said] == [False, True, False]


def test_a_picture_of_one_color_is_flat(
    folder: Path, encode: Callable[..., bytes], photo: Callable[[int], Image.Image]
) -> None:
    (folder / "black.png").write_bytes(encode(Image.new("RGB", (30, 20)), "PNG"))
    (folder / "photo.png").write_bytes(encode(photo(1), "PNG"))
    (folder / "text.png").write_bytes(b"text")
    facts = scan(folder, ["black.png", "photo.png", "text.png", "absent.png"], None)
    assert [fact.flat for fact in facts] == [True, False, False, False]


def test_the_folder_and_the_names_are_checked(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="no folder"):
        scan(tmp_path / "nowhere", ["a.jpg"], None)
    with pytest.raises(LabelsError, match="outside"):
        scan(folder, ["a.jpg", "../a.jpg"], None)


def test_an_old_file_is_read_once(
    folder: Path, tmp_path: Path, work: dict[str, int], later: Callable[[float], None]
) -> None:
    later(HOUR)
    first = scan(folder, NAMES, tmp_path / "cache")
    assert work == {"hashed": 4, "decoded": 4}
    assert scan(folder, NAMES, tmp_path / "cache") == first
    assert work == {"hashed": 4, "decoded": 4}


def test_a_file_written_just_now_is_hashed_again_but_not_decoded(
    folder: Path, tmp_path: Path, work: dict[str, int], later: Callable[[float], None]
) -> None:
    first = scan(folder, ["a.jpg"], tmp_path / "cache")
    assert scan(folder, ["a.jpg"], tmp_path / "cache") == first
    assert work == {"hashed": 2, "decoded": 1}
    later(HOUR)
    for _ in range(3):
        assert scan(folder, ["a.jpg"], tmp_path / "cache") == first
    assert work == {"hashed": 3, "decoded": 1}


def test_a_change_of_the_same_size_and_modification_time_is_seen(
    folder: Path,
    tmp_path: Path,
    photo: Callable[[int], Image.Image],
    encode: Callable[..., bytes],
    later: Callable[[float], None],
) -> None:
    path = folder / "d.bmp"
    path.write_bytes(encode(photo(5), "BMP"))
    status = path.stat()
    later(HOUR)
    before = scan(folder, ["d.bmp"], tmp_path / "cache")
    path.write_bytes(encode(photo(6), "BMP"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    after = scan(folder, ["d.bmp"], tmp_path / "cache")
    assert after[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest() != before[0].sha256


def test_known_bytes_are_not_decoded_under_another_name_or_in_another_folder(
    folder: Path, tmp_path: Path, work: dict[str, int], later: Callable[[float], None]
) -> None:
    later(HOUR)
    first = scan(folder, ["a.jpg"], tmp_path / "cache")[0]
    shutil.copy(folder / "a.jpg", folder / "copy.jpg")
    shutil.copytree(folder, tmp_path / "other")
    for data, name in ((folder, "copy.jpg"), (tmp_path / "other", "a.jpg")):
        other = scan(data, [name], tmp_path / "cache")[0]
        assert (other.sha256, other.phash, other.width) == (first.sha256, first.phash, first.width)
        assert other.path == data / name
    assert work == {"hashed": 3, "decoded": 1}


def test_a_file_that_went_away_or_came_back(
    folder: Path, tmp_path: Path, later: Callable[[float], None]
) -> None:
    later(HOUR)
    assert scan(folder, ["a.jpg"], tmp_path / "cache")[0].problem is None
    (folder / "a.jpg").rename(folder / "away.jpg")
    assert scan(folder, ["a.jpg"], tmp_path / "cache")[0].problem == "missing"
    (folder / "away.jpg").rename(folder / "a.jpg")
    assert scan(folder, ["a.jpg"], tmp_path / "cache")[0].problem is None


def test_two_processes_may_scan_at_once(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from aimonk.data.image_index import scan\n"
        "facts = scan(pathlib.Path(sys.argv[1]), ['a.jpg', 'b.jpg', 'c.jpg'], pathlib.Path(sys.argv[2]))\n"
        "print([fact.phash for fact in facts])\n"
    )
    command = [sys.executable, "-c", code, str(folder), str(tmp_path / "cache")]
    root = Path(__file__).resolve().parents[2]
    running = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    expected = str([fact.phash for fact in scan(folder, ["a.jpg", "b.jpg", "c.jpg"], None)])
    for process in running:
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out.strip(), errors) == (0, expected, "")


def test_the_seed_data(shared: Path, tmp_path: Path) -> None:
    data = shared / "data/aimonk/images"
    names = sorted(os.listdir(data))
    cold = scan(data, names, tmp_path)
    assert sum(fact.problem is None for fact in cold) == 972
    assert [fact.name for fact in cold if fact.format == "PNG"] == ["image_111.jpg", "image_43.jpg"]
    start = time.perf_counter()
    assert scan(data, names, tmp_path) == cold
    assert time.perf_counter() - start < 1.0
