"""Draw one person in a dress, with the attributes asked for and everything else left to chance."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 240, 320
_ZOOM = 2
"""Drawn larger and then reduced, which smooths the edges that Pillow draws in steps."""

Color = tuple[int, int, int]
Point = tuple[float, float]

_SKINS: tuple[Color, ...] = ((244, 208, 177), (224, 172, 125), (176, 120, 80), (112, 72, 48))
_HAIRS: tuple[Color, ...] = ((32, 24, 20), (92, 58, 30), (190, 150, 80), (140, 60, 30))


@dataclass(frozen=True)
class _Pose:
    """Where the figure stands: its coordinates have the feet at (0, 0), the top of the head at (0, -100)."""

    x: float
    y: float
    scale: float
    lean: float

    def __call__(self, points: Sequence[Point]) -> list[Point]:
        """Map figure coordinates to pixels of the zoomed canvas."""
        cos, sin = math.cos(self.lean) * self.scale, math.sin(self.lean) * self.scale
        return [(self.x + cos * x - sin * y, self.y + sin * x + cos * y) for x, y in points]


def draw_dress(attributes: Mapping[str, bool], generator: np.random.Generator) -> Image.Image:
    """Return a `WIDTH` x `HEIGHT` RGB drawing; attributes: see `demo.SHARES`, unknown ones leave no trace."""
    canvas = _background(generator)
    scale = float(generator.uniform(2.4, 2.75)) * _ZOOM
    pose = _Pose(
        x=float(generator.uniform(0.4, 0.6)) * canvas.width,
        y=canvas.height * 0.5 + 50 * scale + float(generator.uniform(-0.05, 0.05)) * canvas.height,
        scale=scale,
        lean=float(generator.uniform(-0.12, 0.12)),
    )
    _figure(canvas, pose, attributes, generator)
    return _photographed(canvas.reduce(_ZOOM), generator)


def _figure(
    canvas: Image.Image, pose: _Pose, attributes: Mapping[str, bool], generator: np.random.Generator
) -> None:
    draw = ImageDraw.Draw(canvas)
    skin = _SKINS[generator.integers(len(_SKINS))]
    hair = _HAIRS[generator.integers(len(_HAIRS))]
    cloth = _red(generator) if attributes.get("red") else _not_red(generator)
    hem = -float(generator.uniform(4, 10) if attributes.get("long_skirt") else generator.uniform(32, 40))
    arms = [_arm(side, generator) for side in (-1, 1)]
    if generator.random() < 0.5:  # long hair falls behind the shoulders
        draw.polygon(pose([(-7, -94), (7, -94), (10, -70), (-10, -70)]), fill=hair)
    for foot in (-5, 5):
        draw.line(pose([(foot, -45), (foot, -1)]), fill=skin, width=round(5 * pose.scale))
        draw.ellipse(_around(pose, (foot, -1), 4, 2), fill=hair)
    for arm in arms:
        draw.line(pose(arm), fill=skin, width=round(4 * pose.scale), joint="curve")
    draw.rectangle(_around(pose, (0, -80), 2.5, 5), fill=skin)
    _dress(canvas, pose, arms, hem, cloth, attributes, generator)
    if attributes.get("belt"):
        draw.polygon(pose([(-10, -61), (10, -61), (11.5, -49), (-11.5, -49)]), fill=(250, 205, 40))
        draw.rectangle(_around(pose, (0, -55), 3, 3), fill=(60, 40, 20))
    draw.ellipse(_around(pose, (0, -91), 6.5, 8.5), fill=hair)
    draw.ellipse(_around(pose, (0, -89), 5.5, 7), fill=skin)
    if attributes.get("sun_hat"):
        straw = (235, 205, 120)
        draw.ellipse(_around(pose, (0, -96), 26, 6), fill=straw)
        draw.ellipse(_around(pose, (0, -101), 11, 9), fill=straw)
        draw.line(pose([(-9, -97), (9, -97)]), fill=(90, 50, 30), width=round(2 * pose.scale))


def _dress(
    canvas: Image.Image,
    pose: _Pose,
    arms: Sequence[Sequence[Point]],
    hem: float,
    cloth: Color,
    attributes: Mapping[str, bool],
    generator: np.random.Generator,
) -> None:
    """Cut the dress out of a sheet of cloth, so that stripes end where it ends."""
    flare = float(generator.uniform(13, 24))
    cut = Image.new("L", canvas.size)
    shape = ImageDraw.Draw(cut)
    neckline = [(-11, -78), (-4, -79), (0, -74), (4, -79), (11, -78)]
    shape.polygon(pose([*neckline, (8, -55), (flare, hem), (-flare, hem), (-8, -55)]), fill=255)
    for shoulder, elbow, wrist in arms:
        below = [elbow, wrist] if attributes.get("long_sleeves") else [_between(shoulder, elbow)]
        sleeve = [shoulder, *below]
        shape.line(pose(sleeve), fill=255, width=round(8.5 * pose.scale), joint="curve")
    sheet = Image.new("RGB", canvas.size, cloth)
    if attributes.get("stripes"):
        draw = ImageDraw.Draw(sheet)
        step = float(generator.uniform(5, 8))
        for at in np.arange(-110, 30, step):
            band = pose([(-70, at), (70, at), (70, at + step / 2), (-70, at + step / 2)])
            draw.polygon(band, fill=_contrast(cloth))
    canvas.paste(sheet, mask=cut)


def _arm(side: int, generator: np.random.Generator) -> list[Point]:
    upper, lower = generator.uniform(0.3, 0.9), generator.uniform(-0.3, 0.7)
    shoulder = (side * 10.0, -75.0)
    elbow = (shoulder[0] + side * 16 * math.sin(upper), shoulder[1] + 16 * math.cos(upper))
    wrist = (elbow[0] + side * 15 * math.sin(lower), elbow[1] + 15 * math.cos(lower))
    return [shoulder, elbow, wrist]


def _between(one: Point, other: Point) -> Point:
    return (0.6 * one[0] + 0.4 * other[0], 0.6 * one[1] + 0.4 * other[1])


def _around(pose: _Pose, middle: Point, across: float, up: float) -> list[Point]:
    ((x, y),) = pose([middle])
    across, up = across * pose.scale, up * pose.scale
    return [(x - across, y - up), (x + across, y + up)]


def _background(generator: np.random.Generator) -> Image.Image:
    """Return a pale room: the dress is what should stand out, even to a network nobody has trained."""
    width, height = WIDTH * _ZOOM, HEIGHT * _ZOOM
    canvas = Image.new("RGB", (width, height), _pale(generator))
    draw = ImageDraw.Draw(canvas)
    for _ in range(generator.integers(1, 5)):  # windows, posters, doors
        x, y = generator.uniform(-0.2, 0.9) * width, generator.uniform(-0.2, 0.8) * height
        across, down = generator.uniform(0.1, 0.5, 2)
        draw.rectangle([x, y, x + across * width, y + down * height], fill=_pale(generator))
    draw.rectangle([0, generator.uniform(0.8, 0.95) * height, width, height], fill=_pale(generator))
    return canvas


def _photographed(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Return the drawing under other light and with a sensor's noise."""
    noise = generator.normal(0.0, generator.uniform(1, 5), (HEIGHT, WIDTH, 1))
    lit = np.asarray(image, dtype=np.float32) * generator.uniform(0.9, 1.05) + noise
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def _pale(generator: np.random.Generator) -> Color:
    return _hsv(generator.random(), generator.uniform(0, 0.12), generator.uniform(0.82, 1))


def _red(generator: np.random.Generator) -> Color:
    return _hsv(generator.uniform(-0.02, 0.02), generator.uniform(0.8, 1), generator.uniform(0.65, 0.95))


def _not_red(generator: np.random.Generator) -> Color:
    if generator.random() < 0.25:  # black, gray, white
        return _hsv(0, 0, generator.choice([0.12, 0.45, 0.9]))
    return _hsv(generator.uniform(0.15, 0.8), generator.uniform(0.4, 0.9), generator.uniform(0.35, 0.9))


def _contrast(color: Color) -> Color:
    dark = sum(color) < 3 * 128
    return (245, 245, 235) if dark else (25, 25, 40)


def _hsv(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(float(hue) % 1.0, float(saturation), float(value))
    return round(255 * red), round(255 * green), round(255 * blue)
