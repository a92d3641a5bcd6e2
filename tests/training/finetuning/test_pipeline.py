from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aimonk.errors import ImagesError
from aimonk.training.finetuning.pipeline import decode_images, scoring_batches, training_batches
from aimonk.training.linear_probe.batches import batches


def numbered(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images and targets that tell their row."""
    images = np.zeros((count, 8, 8, 3), np.uint8)
    images += np.arange(count, dtype=np.uint8)[:, None, None, None]
    targets = (np.arange(count)[:, None] >> np.arange(5) & 1).astype(np.float32)
    return images, targets


def draw(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.new("RGB", (20, 10), (number, 100, 200 - number)).save(path)
    return paths


@pytest.mark.parametrize("memory", [0, 2**20])
def test_decode_images_in_order_within_memory_or_beyond(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    told: list[tuple[int, int]] = []
    images = decode_images(draw(tmp_path, 5), (8, 6), lambda *progress: told.append(progress), memory=memory)
    assert images.shape == (5, 8, 6, 3) and images.dtype == np.uint8
    assert isinstance(images, np.memmap) == (memory == 0)
    np.testing.assert_array_equal(images[:, 3, 3], [[n, 100, 200 - n] for n in range(5)])
    assert told == [(n, 5) for n in range(1, 6)]
    assert list(elsewhere.iterdir()) == []


def test_decode_images_names_the_file_it_cannot_use(tmp_path: Path) -> None:
    paths = draw(tmp_path, 2)
    paths[1].write_bytes(b"no image")
    with pytest.raises(ImagesError, match=r"Cannot use image .*1\.png \(not an image\)"):
        decode_images(paths, (4, 4))
    paths[1].unlink()
    with pytest.raises(ImagesError, match=r"Cannot read image .*1\.png \(No such file"):
        decode_images(paths, (4, 4))


def test_training_batches_follow_the_order_and_fill_up() -> None:
    images, targets = numbered(20)
    rows = np.arange(3, 14)
    expected = [batch for epoch in (1, 2) for batch in batches(rows, 4, seed=9, epoch=epoch)]
    got = list(training_batches(images, targets, rows, 4, (), seed=9, epochs=range(1, 3)))
    assert len(got) == len(expected) == 6
    for (pixels, labels), batch in zip(got, expected, strict=True):
        assert pixels.shape == (4, 8, 8, 3) and labels.shape == (4, 5)
        np.testing.assert_array_equal(pixels.numpy()[: len(batch), 0, 0, 0], batch)
        np.testing.assert_array_equal(labels.numpy()[: len(batch)], targets[batch])
        np.testing.assert_array_equal(labels.numpy()[len(batch) :], -2)


def test_any_epoch_can_be_entered_anew() -> None:
    """The second epoch is the same after the first one and on its own, augmentations included."""
    images = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3)).astype(np.uint8)
    targets = np.zeros((10, 2), np.float32)
    names = ("flip", "crop", "color")

    def epochs(first: int, last: int) -> list[np.ndarray]:
        dataset = training_batches(images, targets, np.arange(10), 4, names, 5, range(first, last + 1))
        return [pixels.numpy() for pixels, _ in dataset]

    both, second = epochs(1, 2), epochs(2, 2)
    np.testing.assert_array_equal(np.stack(both[3:]), np.stack(second))
    assert (both[0] != second[0]).any()


def test_scoring_batches_keep_the_order() -> None:
    images, targets = numbered(9)
    rows = np.array([8, 1, 5, 0, 2])
    got = [(pixels.numpy(), labels.numpy()) for pixels, labels in scoring_batches(images, targets, rows, 3)]
    np.testing.assert_array_equal([pixels[:, 0, 0, 0] for pixels, _ in got], [[8, 1, 5], [0, 2, 0]])
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in got])[:5], targets[rows])
    np.testing.assert_array_equal(got[1][1][2], [-2] * 5)
