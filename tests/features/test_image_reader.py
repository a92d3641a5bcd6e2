from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aimonk.errors import ImagesError
from aimonk.features import image_reader as reading
from aimonk.features.image_reader import Job, ReadAhead, read_views

from .conftest import Files, colors


def jobs(files: Files, *views: str) -> list[Job]:
    return [Job(digest, path, views) for digest, path in files]


def test_views_of_a_file(gray_images: Callable[[int], Files]) -> None:
    job = jobs(gray_images(3), "plain", "flip")[2]
    plain, flip = read_views(job, (10, 20))
    assert (plain.sha256, plain.view, flip.view) == (job.sha256, "plain", "flip")
    assert plain.pixels.shape == (10, 20, 3)
    assert (plain.pixels == [2, 4, 253]).all()


def test_a_file_that_changed_is_refused(gray_images: Callable[[int], Files]) -> None:
    (first, second) = gray_images(2)
    with pytest.raises(ImagesError, match=rf"Image {second[1]} has changed since this run began"):
        read_views(Job(first[0], second[1], ("plain",)), (4, 4))


def test_a_file_that_is_gone_or_no_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    with pytest.raises(ImagesError, match=rf"Cannot read image {path} \(No such file"):
        read_views(Job("0" * 64, path, ("plain",)), (4, 4))
    path.write_bytes(b"no image")
    with pytest.raises(ImagesError, match=rf"Cannot use image {path} \(not an image\); replace or remove it"):
        read_views(Job(hashlib.sha256(b"no image").hexdigest(), path, ("plain",)), (4, 4))


def test_files_come_in_order_and_peeking_takes_none(gray_images: Callable[[int], Files]) -> None:
    files = gray_images(40)
    with ReadAhead(jobs(files, "plain", "flip"), (8, 8)) as pixels:
        assert pixels.peek(16).shape == (16, 8, 8, 3)
        np.testing.assert_array_equal(pixels.peek(16)[:, 0, 0], colors(16))
        seen = list(pixels)
    assert [item.sha256 for item in seen[::2]] == [digest for digest, _ in files]
    assert [item.view for item in seen[:4]] == ["plain", "flip", "plain", "flip"]
    np.testing.assert_array_equal([item.pixels[3, 3] for item in seen[::2]], colors(40))


def test_reading_stays_a_bounded_number_of_files_ahead(
    gray_images: Callable[[int], Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_AHEAD", 10 * 8 * 8 * 3)
    monkeypatch.setattr(reading, "usable_processors", lambda: 2)
    started: list[Path] = []
    lock = threading.Lock()

    def counting(job: Job, size: tuple[int, int]) -> list[reading.Pixels]:
        with lock:
            started.append(job.path)
        return read_views(job, size)

    monkeypatch.setattr(reading, "read_views", counting)
    with ReadAhead(jobs(gray_images(50), "plain"), (8, 8)) as pixels:
        for taken, _ in enumerate(pixels, 1):
            assert len(started) <= taken + 10
    assert len(started) == 50


def test_leaving_early_drops_the_rest(gray_images: Callable[[int], Files]) -> None:
    before = set(threading.enumerate())
    with ReadAhead(jobs(gray_images(30), "plain"), (8, 8)) as pixels:
        next(iter(pixels))
    assert list(pixels) == []
    assert set(threading.enumerate()) <= before
