from __future__ import annotations

import numpy as np

from aimonk.training.backend import tf
from aimonk.training.finetuning.augment import NAMES, _sampled, augment


def changed(images: np.ndarray, *names: str, seed: tuple[int, int] = (1, 2)) -> np.ndarray:
    return np.asarray(augment(tf.constant(images), names, tf.constant(seed)))


def noise(count: int = 64, size: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3)).astype(np.uint8)


def ramp(count: int = 64, size: int = 101) -> np.ndarray:
    """Every pixel tells its place: red is x, green is y, blue is 50."""
    y, x = np.mgrid[:size, :size]
    return np.tile(np.stack([x, y, 0 * x + 50], -1).astype(np.uint8), (count, 1, 1, 1))


def test_nothing_named_nothing_changed() -> None:
    np.testing.assert_array_equal(changed(noise()), noise())


def test_flip_mirrors_about_half_of_the_images() -> None:
    images = noise()
    got = changed(images, "flip")
    mirrored = (got == images[:, :, ::-1]).all(axis=(1, 2, 3))
    untouched = (got == images).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(mirrored, ~untouched)
    assert 20 <= mirrored.sum() <= 44  # 32 +- 3 standard deviations


def test_crop_zooms_in_by_the_same_factor_both_ways_and_stays_inside() -> None:
    got = changed(ramp(), "crop").astype(float)
    side = (got[:, 50, -1, 0] - got[:, 50, 0, 0]) / 100
    height = (got[:, -1, 50, 1] - got[:, 0, 50, 1]) / 100
    np.testing.assert_allclose(side, height, atol=0.011)
    assert side.min() >= 0.79 and side.max() <= 1.0 and np.ptp(side) > 0.15
    np.testing.assert_allclose(got[:, :, 50, 0], got[:, :1, 50, 0].repeat(101, 1))  # upright
    margin = (1 - side) * 50
    offset = got[:, 50, 50, 0] - 50
    assert (np.abs(offset) <= margin + 1).all() and np.ptp(offset) > 8
    np.testing.assert_array_equal(got[..., 2], 50)


def test_rotate_turns_about_the_centre_by_at_most_ten_degrees() -> None:
    got = changed(ramp(), "rotate").astype(float)
    np.testing.assert_allclose(got[:, 50, 50, :2], 50, atol=1)
    along = (got[:, 50, 70, :2] - got[:, 50, 30, :2]) / 40  # cos r, sin r
    np.testing.assert_allclose((along**2).sum(-1), 1, atol=0.06)
    degrees = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    assert np.abs(degrees).max() <= 11 and degrees.min() < -5 and degrees.max() > 5


def test_flip_crop_and_rotate_are_one_map() -> None:
    """The determinant of the map is side ** 2, negative where the image is mirrored."""
    got = changed(ramp(), "flip", "crop", "rotate").astype(float)[..., :2]
    x, y = (got[:, 50, 60] - got[:, 50, 40]) / 20, (got[:, 60, 50] - got[:, 40, 50]) / 20
    determinant = x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]
    assert (np.abs(determinant) > 0.55).all() and (np.abs(determinant) < 1.1).all()
    assert 20 <= (determinant < 0).sum() <= 44


def test_sampling_by_hand() -> None:
    """Between 0 and 100 at a quarter: 25; in the middle of 0, 100, 40, 60: 50; beyond the edge: mirrored."""
    image = tf.constant(np.array([[0, 100], [40, 60]], np.uint8).repeat(3).reshape(1, 2, 2, 3))
    y = tf.constant([[[0.0, 0.5], [1.0, -0.25]]])
    x = tf.constant([[[0.25, 0.5], [1.0, 1.25]]])
    # (-0.25, 1.25) is (0.25, 0.75): row 0 has 75, row 1 has 55, and a quarter of the way is 70.
    np.testing.assert_array_equal(_sampled(image, y, x)[0, :, :, 0], [[25, 50], [60, 70]])


def test_color_scales_grey_images_as_a_whole() -> None:
    """Of one gray value, saturation and contrast leave it alone, and brightness is within 20%."""
    got = changed(np.full((64, 8, 8, 3), 100, np.uint8), "color").astype(float)
    np.testing.assert_array_equal(got, got[:, :1, :1, :1] + np.zeros_like(got))
    values = got[:, 0, 0, 0]
    assert values.min() >= 79 and values.max() <= 121 and np.ptp(values) > 25


def test_color_stays_in_range_and_in_order() -> None:
    images = np.zeros((64, 1, 3, 3), np.uint8)
    images[:, :, 1], images[:, :, 2] = 128, 255
    got = changed(images, "color").astype(int)[..., 0][:, 0]
    assert (np.diff(got, axis=1) > 0).all()
    assert got[:, 2].max() == 255  # brightened beyond white, clipped, not wrapped


def test_erase_paints_one_rectangle_over_a_quarter_of_the_images() -> None:
    images = np.tile(noise(1, 100), (200, 1, 1, 1))
    got = changed(images, "erase")
    mean = np.round(images[0, ::4, ::4].astype(np.float32).mean(axis=(0, 1)))
    erased = [(one != images[0]).any(-1) for one in got]
    touched = [mask for mask in erased if mask.any()]
    assert 25 <= len(touched) <= 75
    for mask, one in zip(erased, got, strict=True):
        if mask.any():
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            box = one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            np.testing.assert_array_equal(box, np.broadcast_to(mean, box.shape))
            assert 0.015 <= box.shape[0] * box.shape[1] / 10_000 <= 0.21
            assert 0.45 <= box.shape[0] / box.shape[1] <= 2.2


def test_seeds_repeat_and_no_purpose_shifts_another() -> None:
    images = noise()
    np.testing.assert_array_equal(changed(images, *NAMES), changed(images, *NAMES))
    assert (changed(images, *NAMES, seed=(1, 3)) != changed(images, *NAMES)).any()
    np.testing.assert_array_equal(changed(images, "flip", "erase"), changed(changed(images, "flip"), "erase"))
