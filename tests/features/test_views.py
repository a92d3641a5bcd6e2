from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimonk.errors import ConfigError
from aimonk.features.views import apply_view, check_views

DIGEST, OTHER = "ab" * 32, "cd" * 32


def drawing() -> np.ndarray:
    """A gradient to the right in red, downwards in green, blue 100; 40 high and 60 wide."""
    image = np.full((40, 60, 3), 100, dtype=np.uint8)
    image[..., 0] = np.arange(60) * 4
    image[..., 1] = np.arange(40)[:, None] * 6
    return image


def test_plain_is_the_image() -> None:
    np.testing.assert_array_equal(apply_view("plain", drawing()), drawing())


def test_flip_mirrors_left_and_right() -> None:
    flipped = apply_view("flip", drawing())
    assert flipped[0, 0, 0] == 59 * 4
    np.testing.assert_array_equal(flipped[:, ::-1], drawing())


def test_crop_is_a_window_of_the_image_enlarged() -> None:
    cropped = apply_view("crop1", drawing(), DIGEST).astype(float)
    # 60% to 95% of the area: each side keeps sqrt(0.60) = 0.775 to sqrt(0.95) = 0.975 of the gradient
    for axis, channel, length in ((1, 0, 59 * 4), (0, 1, 39 * 6)):
        line = cropped[20, :, 0] if axis else cropped[:, 30, 1]
        assert 0.74 * length < line[-1] - line[0] < 0.99 * length, channel
    assert (cropped[..., 2] == 100).all()


def test_rotation_keeps_the_centre_and_fills_corners_with_the_mean() -> None:
    image = drawing()
    rotated = apply_view("rotate", image, DIGEST)
    np.testing.assert_allclose(rotated[20, 30].astype(int), image[20, 30], atol=5)
    corners = rotated[[0, 0, -1, -1], [0, -1, 0, -1]]
    mean = image.mean(axis=(0, 1)).round()
    assert (np.abs(corners - mean).max(axis=1) <= 1).sum() >= 2
    assert not np.array_equal(rotated, image)


def test_color_changes_colors_but_not_their_place() -> None:
    gray = np.full((8, 8, 3), 128, dtype=np.uint8)
    changed = apply_view("color", gray, DIGEST)
    assert (changed == changed[0, 0]).all()
    # brightness scales 128 by 0.7 to 1.3; contrast and saturation leave an all-gray image as it is
    assert 89 <= changed[0, 0, 0] <= 167
    assert changed[0, 0, 0] != 128


def test_erase_covers_a_rectangle_with_the_mean() -> None:
    image = drawing()
    erased = apply_view("erase", image, DIGEST)
    changed = (erased != image).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    inside = erased[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert (inside == image.mean(axis=(0, 1)).round().astype(np.uint8)).all()
    assert 0.04 * changed.size < inside.shape[0] * inside.shape[1] < 0.22 * changed.size


def test_steps_are_applied_from_left_to_right() -> None:
    one_by_one = apply_view("crop2", apply_view("flip", drawing(), DIGEST), DIGEST)
    np.testing.assert_array_equal(apply_view("flip+crop2", drawing(), DIGEST), one_by_one)


def test_numbers_and_images_draw_differently() -> None:
    crops = {
        apply_view(*arguments).tobytes()
        for arguments in [
            ("crop1", drawing(), DIGEST),
            ("crop2", drawing(), DIGEST),
            ("crop1", drawing(), OTHER),
        ]
    }
    assert len(crops) == 3


@settings(max_examples=30, deadline=None)
@given(
    view=st.sampled_from(["plain", "flip", "crop", "rotate3", "color", "erase12", "flip+rotate+erase"]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_views_repeat_and_keep_shape_and_input(view: str, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    before = image.copy()
    first, second = apply_view(view, image, DIGEST), apply_view(view, image, DIGEST)
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("views", [["plian"], ["flip+"], ["crop 1"], ["1crop"], ["flip+swirl"], [""]])
def test_unknown_views_are_refused(views: list[str]) -> None:
    with pytest.raises(ConfigError, match="There is no view .*; use plain, flip, crop, rotate, color, erase"):
        check_views(views)
    with pytest.raises(ConfigError):
        apply_view(views[0], drawing())


def test_views_must_differ_and_exist() -> None:
    with pytest.raises(ConfigError, match="'crop' is named twice"):
        check_views(["plain", "crop", "crop"])
    with pytest.raises(ConfigError, match="features.views is empty"):
        check_views([])
    check_views(["plain", "flip", "crop1", "crop2", "flip+crop1"])
