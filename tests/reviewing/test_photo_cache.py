from __future__ import annotations

import io

import pytest
from PIL import Image

from aimonk.data.dataset import Dataset
from aimonk.errors import ImagesError
from aimonk.reviewing.photo_cache import PhotoCache


def test_photos_are_shrunk_and_keep_their_proportions(dataset: Dataset) -> None:
    photo = Image.open(io.BytesIO(PhotoCache(dataset.paths).jpeg(0, 200)))
    assert (photo.format, photo.size) == ("JPEG", (200, 150))
    assert Image.open(io.BytesIO(PhotoCache(dataset.paths).jpeg(0, 5000))).size == (400, 300)


def test_memory_is_bounded_and_the_last_shown_stay(dataset: Dataset) -> None:
    one = len(PhotoCache(dataset.paths).jpeg(0, 200))
    cache = PhotoCache(dataset.paths, memory=3 * one)
    for row in (0, 1, 0, 2, 3, 4, 0):
        cache.jpeg(row, 200)
        assert cache.size <= 3 * one
    dataset.paths[0].unlink()
    cache.jpeg(0, 200)  # is remembered
    with pytest.raises(ImagesError):
        cache.jpeg(0, 100)


def test_rows_outside_the_data_set_are_refused(dataset: Dataset) -> None:
    for row in (-1, 8):
        with pytest.raises(IndexError):
            PhotoCache(dataset.paths).jpeg(row, 200)
