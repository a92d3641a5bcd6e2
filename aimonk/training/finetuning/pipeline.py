"""From files to batches: images are decoded once, and augmented in parallel with training."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ...errors import ImagesError
from ...runtime.decode_limits import LOOKED_AT
from ...runtime.decoder import decode
from ...runtime.processors import usable_processors
from ..backend import tf
from ..linear_probe.batches import batches, padded
from ..losses import PADDING, Tensor
from .augment import augment

MEMORY = 4 * 2**30
"""Decoded images larger than this (bytes) are kept in a file that is mapped into memory."""
AHEAD = 2
"""Batches prepared ahead of training."""


def decode_images(
    paths: Sequence[Path],
    size: tuple[int, int],
    progress: Callable[[int, int], None] | None = None,
    *,
    memory: int = MEMORY,
) -> np.ndarray:
    """Decode files to `(N, height, width, 3) uint8`, resized to `size = (height, width)`, in threads.

    Beyond `memory` bytes the array lies in a temporary file, which vanishes with the array. Raises
    ImagesError naming a file that cannot be read or is no image.
    """
    shape = (len(paths), *size, 3)
    images = np.empty(shape, np.uint8) if np.prod(shape) <= memory else _mapped(shape)

    def fill(index: int) -> None:
        images[index] = _decoded(paths[index], size)

    with ThreadPoolExecutor(usable_processors()) as pool:
        try:
            for done, _ in enumerate(pool.map(fill, range(len(paths))), start=1):
                if progress is not None:
                    progress(done, len(paths))
        except BaseException:  # Ctrl-C too: do not decode the rest first
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return images


def training_batches(
    images: np.ndarray,
    targets: np.ndarray,
    rows: np.ndarray,
    batch_size: int,
    augmentations: Sequence[str],
    seed: int,
    epochs: range,
) -> tf.data.Dataset:
    """The batches of `epochs` (1-based) one after the other, `(B, H, W, 3) uint8` and `(B, L) float32`.

    All have B = batch_size rows: the last one of an epoch is filled up with rows whose targets are PADDING.
    Order and augmentations are functions of the seed and the epoch, so that any epoch can be entered anew.
    """

    def load() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for epoch in epochs:
            for number, batch in enumerate(batches(rows, batch_size, seed, epoch)):
                draw = np.array([seed, epoch * 2**20 + number], dtype=np.int32)
                yield *_filled(images, targets, batch, batch_size), draw

    signature = (
        tf.TensorSpec((batch_size, *images.shape[1:]), tf.uint8),
        tf.TensorSpec((batch_size, targets.shape[1]), tf.float32),
        tf.TensorSpec((2,), tf.int32),
    )
    dataset = tf.data.Dataset.from_generator(load, output_signature=signature)
    names = tuple(augmentations)

    def change(pixels: Tensor, labels: Tensor, draw: Tensor) -> tuple[Tensor, Tensor]:
        return augment(pixels, names, draw), labels

    return dataset.map(change, num_parallel_calls=1).prefetch(AHEAD)


def scoring_batches(
    images: np.ndarray, targets: np.ndarray, rows: np.ndarray, batch_size: int
) -> tf.data.Dataset:
    """The given rows in order, unchanged, in batches filled up like those of `training_batches`."""

    def load() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for batch in padded(rows, batch_size):
            yield _filled(images, targets, batch[batch >= 0], batch_size)

    signature = (
        tf.TensorSpec((batch_size, *images.shape[1:]), tf.uint8),
        tf.TensorSpec((batch_size, targets.shape[1]), tf.float32),
    )
    return tf.data.Dataset.from_generator(load, output_signature=signature).prefetch(AHEAD)


def _decoded(path: Path, size: tuple[int, int]) -> np.ndarray:
    try:
        return decode(path.read_bytes(), size, LOOKED_AT)
    except OSError as error:
        raise ImagesError(f"Cannot read image {path} ({error.strerror}); check the file.") from error
    except ImagesError as error:
        raise ImagesError(f"Cannot use image {path} ({error}); replace or remove it.") from error


def _filled(
    images: np.ndarray, targets: np.ndarray, rows: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images and targets of `rows`, filled up to `size` with copies of the first row marked as PADDING."""
    index = np.full(size, rows[0])
    index[: len(rows)] = rows
    labels = targets[index].astype(np.float32)
    labels[len(rows) :] = PADDING
    return images[index], labels


def _mapped(shape: tuple[int, ...]) -> np.ndarray:
    with tempfile.TemporaryFile(prefix="aimonk-images-") as file:
        return np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
