from __future__ import annotations

import numpy as np

from aimonk.backbones.probe_images import drawn_samples


def test_samples_are_always_the_same_smooth_images() -> None:
    images = drawn_samples((64, 96), 4)
    assert images.shape == (4, 64, 96, 3)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, drawn_samples((64, 96), 4))
    steps = np.abs(np.diff(images.astype(int), axis=2)).mean()
    spread = images.std(axis=(1, 2)).mean()
    assert steps < 15 < spread  # neighbors are alike, the image as a whole is not
