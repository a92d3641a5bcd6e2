"""Named deterministic augmentations: the same image and the same name always give the same pixels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageEnhance

from ..errors import ConfigError

PLAIN = "plain"
"""The image as it is; the only view that is scored and served."""

_STEP = re.compile(r"([a-z]+)(\d*)")


def check_views(views: Sequence[str]) -> None:
    """Check names of views: `plain`, or steps joined by `+`, each with an optional number (`flip+crop2`).

    Raises:
        ConfigError: a name is unknown, comes twice, or there is none.

    """
    if not views:
        raise ConfigError(f"features.views is empty; name at least {PLAIN!r}.")
    for view in views:
        if views.count(view) > 1:
            raise ConfigError(
                f"The view {view!r} is named twice in features.views; number them: crop1, crop2."
            )
        for step in view.split("+"):
            match = _STEP.fullmatch(step)
            if match is None or match[1] not in _STEPS:
                choices = ", ".join(_STEPS)
                raise ConfigError(
                    f"There is no view {view!r}; use {choices}, numbered or joined as in flip+crop2."
                )


def apply_view(view: str, image: np.ndarray, sha256: str = "") -> np.ndarray:
    """Draw one view of an image.

    Random choices (where to crop, how far to rotate) are drawn from the view's name and the image's
    digest, so that `crop1` differs between images, yet is the same in every run.

    Args:
        view: a name that `check_views` accepts.
        image: `(H, W, 3) uint8`; not changed.
        sha256: hex digest of the image file.

    Returns:
        `(H, W, 3) uint8`.

    """
    for step in view.split("+"):
        match = _STEP.fullmatch(step)
        if match is None or match[1] not in _STEPS:
            check_views([view])
            raise AssertionError(view)
        seed = hashlib.sha256(f"{step}:{sha256}".encode()).digest()
        image = _STEPS[match[1]](image, np.random.default_rng(list(seed)))
    return np.ascontiguousarray(image)


def _plain(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return image


def _flip(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return image[:, ::-1]


def _crop(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A window of 60% to 95% of the area, anywhere, enlarged to the whole."""
    height, width = image.shape[:2]
    share = np.sqrt(random.uniform(0.60, 0.95))
    top, left = random.uniform(0.0, 1.0 - share, 2)
    box = (left * width, top * height, (left + share) * width, (top + share) * height)
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(resized)


def _rotate(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Turned by 3 to 15 degrees either way; corners take the image's mean color."""
    angle = random.uniform(3.0, 15.0) * random.choice([-1.0, 1.0])
    mean = tuple(int(value) for value in image.mean(axis=(0, 1)).round())
    turned = Image.fromarray(image).rotate(angle, Image.Resampling.BICUBIC, fillcolor=mean)
    return np.asarray(turned)


def _color(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Brightness, contrast and saturation, each by a factor of 0.7 to 1.3."""
    picture = Image.fromarray(image)
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhancer(picture).enhance(float(random.uniform(0.7, 1.3)))
    return np.asarray(picture)


def _erase(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """5% to 20% of the area, in the mean color (random erasing: Zhong et al. 2020, arXiv:1708.04896)."""
    height, width = image.shape[:2]
    area, ratio = random.uniform(0.05, 0.20), np.exp(random.uniform(-np.log(2.0), np.log(2.0)))
    rows = min(height, max(1, round(height * np.sqrt(area * ratio))))
    columns = min(width, max(1, round(width * np.sqrt(area / ratio))))
    top, left = random.integers(0, height - rows + 1), random.integers(0, width - columns + 1)
    erased = image.copy()
    erased[top : top + rows, left : left + columns] = image.mean(axis=(0, 1)).round()
    return erased


_STEPS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    PLAIN: _plain,
    "flip": _flip,
    "crop": _crop,
    "rotate": _rotate,
    "color": _color,
    "erase": _erase,
}
