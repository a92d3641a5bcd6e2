"""Augmentations of a batch of decoded images, as graph operations. What is drawn depends on the seed alone.

Names: `flip` mirrors left and right; `crop` zooms into 64% to 100% of the area, anywhere; `rotate` turns by
at most 10 degrees; `color` changes brightness, contrast and saturation by at most 20%, 20% and 30%; `erase`
paints a rectangle of 2% to 20% of the area over every fourth image (Zhong, Zheng, Kang, Li, Yang, "Random
Erasing Data Augmentation", AAAI 2020) in the image's mean color.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..backend import tf
from ..losses import Tensor

NAMES = ("flip", "crop", "rotate", "color", "erase")
SMALLEST_SIDE = 0.8
LARGEST_ANGLE = math.radians(10)
BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.2, 0.3
ERASED_IMAGES, ERASED_AREA, ERASED_ASPECT = 0.25, (0.02, 0.2), (0.5, 2.0)
LUMA = (0.299, 0.587, 0.114)
"""Rec. 601 weights of red, green and blue."""


def augment(images: Tensor, names: Sequence[str], seed: Tensor) -> Tensor:
    """`(B, H, W, 3) uint8` images, changed as `names` says and `seed (2,) int32` draws, as uint8 again.

    Each stage is compiled by XLA on its own, which takes a tenth of the time of TensorFlow's operations;
    compiled together they would be slow, since XLA then warps each pixel once per use of the result.
    """
    geometric = tuple(name for name in ("flip", "crop", "rotate") if name in names)
    if geometric == ("flip",):
        images = _flipped(images, seed)
    elif geometric:
        images = _warped(images, geometric, seed)
    if "color" in names:
        images = _recolored(images, seed)
    if "erase" in names:
        images = _erased(images, seed)
    return images


class _Draw:
    """Uniform numbers, `(B,)` each; every purpose has a stream of its own, so that none shifts another."""

    def __init__(self, seed: Tensor, images: Tensor) -> None:
        self.seed, self.count = seed, tf.shape(images)[0]

    def __call__(self, stream: int, low: float, high: float) -> Tensor:
        seed = tf.random.fold_in(self.seed, stream)
        return tf.random.stateless_uniform([self.count], seed=seed, minval=low, maxval=high)


def _mirrored(draw: _Draw) -> Tensor:
    return draw(0, 0.0, 1.0) < 0.5


@tf.function(jit_compile=True)
def _flipped(images: Tensor, seed: Tensor) -> Tensor:
    mirrored = _mirrored(_Draw(seed, images))
    return tf.where(mirrored[:, None, None, None], tf.reverse(images, [2]), images)


@tf.function(jit_compile=True)
def _warped(images: Tensor, names: tuple[str, ...], seed: Tensor) -> Tensor:
    """Flip, crop and rotation in one resampling, mirrored at the edges.

    With coordinates from the image's center, an output pixel v shows the input at s R(r) F v + d: F mirrors
    x, R turns by the angle r, s is the side of the crop and d its offset from the center.
    """
    draw = _Draw(seed, images)
    height, width = images.shape[1:3]
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    ones = tf.ones([draw.count])
    side = draw(1, SMALLEST_SIDE, 1.0) if "crop" in names else ones
    angle = draw(4, -LARGEST_ANGLE, LARGEST_ANGLE) if "rotate" in names else 0 * ones
    mirror = tf.where(_mirrored(draw), -1.0, 1.0) if "flip" in names else ones
    cosine, sine = side * tf.cos(angle), side * tf.sin(angle)
    a, b, c, d = (entry[:, None, None] for entry in (cosine * mirror, -sine, sine * mirror, cosine))
    dx = (draw(2, -1.0, 1.0) * (1 - side) * middle_x)[:, None, None]
    dy = (draw(3, -1.0, 1.0) * (1 - side) * middle_y)[:, None, None]
    y = tf.range(height, dtype=tf.float32)[:, None] - middle_y
    x = tf.range(width, dtype=tf.float32)[None, :] - middle_x
    return _sampled(images, c * x + d * y + middle_y + dy, a * x + b * y + middle_x + dx)


def _sampled(images: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The pixels at `y`, `x (B, H, W)`, interpolated linearly between the four around each.

    TensorFlow's own op takes seven times as long on a processor as this does once compiled by XLA.
    """
    height, width = images.shape[1:3]
    y, x = _reflected(y, height), _reflected(x, width)
    top, left = tf.minimum(tf.floor(y), height - 2.0), tf.minimum(tf.floor(x), width - 2.0)
    down, right = (y - top)[..., None], (x - left)[..., None]
    corner = tf.cast(top, tf.int32) * width + tf.cast(left, tf.int32)
    pixels = tf.reshape(tf.cast(images, tf.float32), [-1, height * width, 3])

    def at(offset: int) -> Tensor:
        return tf.gather(pixels, corner + offset, batch_dims=1)

    upper = at(0) * (1 - right) + at(1) * right
    lower = at(width) * (1 - right) + at(width + 1) * right
    return tf.saturate_cast(tf.round(upper * (1 - down) + lower * down), tf.uint8)


def _reflected(place: Tensor, length: int) -> Tensor:
    """Coordinates outside 0 ... length - 1 (by less than that) mirrored at the edge pixels' centers."""
    place = tf.abs(place)
    return tf.minimum(place, 2.0 * (length - 1) - place)


@tf.function(jit_compile=True)
def _recolored(images: Tensor, seed: Tensor) -> Tensor:
    """With brightness b, contrast c, saturation s, gray value g of a pixel and m of the image.

    b (c (s x + (1 - s) g) + (1 - c) m) = b c s x + b c (1 - s) g + b (1 - c) m.
    """
    draw = _Draw(seed, images)
    brightness, contrast, saturation = (
        draw(stream, 1 - most, 1 + most)[:, None, None, None]
        for stream, most in ((5, BRIGHTNESS), (6, CONTRAST), (7, SATURATION))
    )
    pixels = tf.cast(images, tf.float32)
    gray = tf.tensordot(pixels, tf.constant(LUMA), 1)[..., None]
    mean = tf.reduce_mean(gray, axis=(1, 2), keepdims=True)
    common = brightness * contrast * (1 - saturation) * gray + brightness * (1 - contrast) * mean
    return tf.saturate_cast(tf.round(brightness * contrast * saturation * pixels + common), tf.uint8)


@tf.function(jit_compile=True)
def _erased(images: Tensor, seed: Tensor) -> Tensor:
    draw = _Draw(seed, images)
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    area = draw(8, *ERASED_AREA)
    aspect = tf.exp(draw(9, math.log(ERASED_ASPECT[0]), math.log(ERASED_ASPECT[1])))
    chosen = draw(10, 0.0, 1.0) < ERASED_IMAGES
    rows = _span(tf.sqrt(area * aspect), draw(11, 0.0, 1.0), height)
    columns = _span(tf.sqrt(area / aspect), draw(12, 0.0, 1.0), width)
    mask = chosen[:, None, None] & rows[:, :, None] & columns[:, None, :]
    mean = tf.reduce_mean(tf.cast(images[:, ::4, ::4], tf.float32), axis=(1, 2), keepdims=True)
    return tf.where(mask[..., None], tf.cast(tf.round(mean), tf.uint8), images)


def _span(share: Tensor, position: Tensor, length: Tensor) -> Tensor:
    """`(B, length) bool`: true over `share` of the length, from `position` (0 to 1) of what is left."""
    first = position * (1 - share)
    place = (tf.range(length, dtype=tf.float32) + 0.5) / tf.cast(length, tf.float32)
    return (place >= first[:, None]) & (place < (first + share)[:, None])
