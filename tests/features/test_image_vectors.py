from __future__ import annotations

import mmap
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.features import image_vectors
from aimonk.features.image_vectors import ImageVectors


def test_views_and_rows_by_hand() -> None:
    vectors = ImageVectors.of(np.arange(12, dtype=np.float32).reshape(2, 3, 2))
    assert (vectors.views, vectors.images, vectors.width) == (2, 3, 2)
    assert vectors.rows.tolist() == [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_array_equal(vectors.take(np.array([2, 0]), view=1), [[10, 11], [6, 7]])
    assert ImageVectors.of(np.zeros((3, 2), np.float32)).rows.tolist() == [[0, 1, 2]]


@given(st.lists(st.integers(0, 29), min_size=0, max_size=40), st.integers(1, 9))
def test_blocks_are_the_rows_in_order(rows: list[int], size: int) -> None:
    matrix = np.arange(60, dtype=np.float32).reshape(30, 2)
    vectors = ImageVectors(matrix, np.arange(30)[None])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_vectors, "BLOCK_BYTES", 4 * 2 * size)
        seen = [(part, block.copy()) for part, block in vectors.blocks(np.array(rows, dtype=np.int64))]
    assert [part.start for part, _ in seen] == list(range(0, len(rows), size))
    found = np.concatenate([block for _, block in seen]) if seen else np.zeros((0, 2))
    np.testing.assert_array_equal(found, matrix[rows])


def test_rows_that_follow_one_another_are_not_copied() -> None:
    matrix = np.zeros((9, 2), np.float32)
    vectors = ImageVectors(matrix, np.arange(9)[None])
    (_, block), *_ = vectors.blocks(np.arange(2, 7))
    assert np.shares_memory(block, matrix)
    (_, block), *_ = vectors.blocks(np.array([2, 4]))
    assert not np.shares_memory(block, matrix)


def test_a_mapped_matrix_that_rests_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "table.f32"
    np.arange(2**20, dtype="<f4").tofile(file)
    with file.open("rb") as opened:
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    vectors = ImageVectors(np.frombuffer(mapped, "<f4").reshape(-1, 4), np.arange(2**18)[None], mapped)
    before = float(vectors.matrix.sum(dtype=np.float64))
    held = resident_files()
    vectors.rest()
    if sys.platform == "linux":
        assert resident_files() < held - 3
    assert float(vectors.matrix.sum(dtype=np.float64)) == before
    ImageVectors.of(np.zeros((3, 2), np.float32)).rest()  # nothing is mapped


def resident_files() -> float:
    """MB of mapped files that are in memory."""
    if sys.platform != "linux":
        return 0.0
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("RssFile")) / 1024
