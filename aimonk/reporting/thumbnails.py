"""Thumbnails inside the page, and the choice of images to show."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..data.label_audit import Audit, Contradiction
from ..data.labels import MISSING
from ..errors import ImagesError
from ..runtime.decode_limits import LOOKED_AT
from ..runtime.decoder import decode, describe
from .report_data import Predictions, Resolver

BOX = (150, 190)
"""Largest width and height of a thumbnail, in pixels."""
QUALITY = 74
"""Of the JPEG, from 0 to 100."""


@dataclass(frozen=True)
class Answer:
    """The model's answer for one image beside its labels, as names of attributes."""

    image: str
    loss: float
    """Mean binary cross-entropy over the known labels, in nats."""
    right: tuple[str, ...]
    """Labeled present and predicted present."""
    wrong: tuple[str, ...]
    """Labeled absent, but predicted present."""
    missed: tuple[str, ...]
    """Labeled present, but predicted absent."""

    @property
    def explained(self) -> str:
        """The attribute whose evidence is shown: seen wrongly, else missed, else right; empty without any."""
        return next(iter((*self.wrong, *self.missed, *self.right)), "")


@dataclass(frozen=True)
class CopyGroup:
    """Images of one photo, and the contradictions between their labels."""

    images: tuple[str, ...]
    contradictions: tuple[Contradiction, ...]


def data_uri(content: bytes, media_type: str) -> str:
    """Encode bytes as a `data:` URI, so that the page needs no other file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def thumbnail(path: Path, box: tuple[int, int] = BOX) -> str:
    """Shrink an image file to fit into a box; see `shrunken`.

    Raises:
        ImagesError: the file is not a readable image.
        OSError: the file cannot be read.
    """
    return shrunken(path.read_bytes(), box)


def shrunken(content: bytes, box: tuple[int, int] = BOX) -> str:
    """Shrink an encoded image to fit into a box, keeping its proportions.

    Args:
        content: of an image file.
        box: largest width and height in pixels.

    Returns:
        A JPEG as a `data:` URI.

    Raises:
        ImagesError: it is not a readable image.
    """
    pixels = decode(content, _fitting(content, box), LOOKED_AT)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return data_uri(buffer.getvalue(), "image/jpeg")


def _fitting(content: bytes, box: tuple[int, int]) -> tuple[int, int]:
    """`(height, width)` of the upright image within the box, never larger than the image."""
    upright = describe(content, LOOKED_AT)
    scale = min(1.0, box[0] / upright.width, box[1] / upright.height)
    return max(1, round(upright.height * scale)), max(1, round(upright.width * scale))


def thumbnails(names: Iterable[str], picture: Resolver) -> dict[str, str]:
    """`{name: data URI}` of the images that can be shown; the others are left out."""

    def attempt(name: str) -> str | None:
        try:
            path = picture(name)
            return thumbnail(path) if path else None
        except (OSError, ImagesError):
            return None

    distinct = list(dict.fromkeys(names))
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(attempt, distinct)
        return {name: address for name, address in zip(distinct, made, strict=True) if address}


def best_and_worst(
    predictions: Predictions, attributes: tuple[str, ...], thresholds: np.ndarray, limit: int
) -> tuple[tuple[Answer, ...], tuple[Answer, ...]]:
    """Find the images that the model predicts best and worst, by mean cross-entropy over known labels.

    Only images with at least half of their labels known count. The best are chosen among images with at
    least one true positive, since "nothing present" is an easy answer when attributes are rare.

    Args:
        predictions: for held-out images.
        attributes: L names.
        thresholds: `(L,)`.
        limit: the largest number of images in each list.

    Returns:
        The best and the worst, disjoint, the most extreme first.
    """
    known = predictions.targets != MISSING
    probability = np.clip(np.asarray(predictions.probabilities, dtype=float), 1e-6, 1 - 1e-6)
    positive = predictions.targets == 1
    losses = np.where(known, -np.log(np.where(positive, probability, 1 - probability)), 0.0)
    labeled = known.sum(axis=1)
    mean_loss = losses.sum(axis=1) / np.maximum(labeled, 1)
    predicted = predictions.probabilities >= thresholds
    order = np.argsort(mean_loss, kind="stable")
    ranked = order[2 * labeled[order] >= max(1, known.shape[1])].tolist()
    found = (predicted & positive).any(axis=1)
    limit = min(limit, len(ranked) // 2)
    best = [i for i in ranked if found[i]][:limit]
    taken = set(best)
    worst = [i for i in reversed(ranked) if i not in taken][:limit]

    def names(mask: np.ndarray) -> tuple[str, ...]:
        return tuple(attributes[column] for column in np.flatnonzero(mask))

    def answer(i: int) -> Answer:
        return Answer(
            image=predictions.images[i],
            loss=float(mean_loss[i]),
            right=names(positive[i] & predicted[i]),
            wrong=names(known[i] & ~positive[i] & predicted[i]),
            missed=names(positive[i] & ~predicted[i]),
        )

    return tuple(answer(i) for i in best), tuple(answer(i) for i in worst)


def copy_groups(audit: Audit) -> list[tuple[str, str, tuple[CopyGroup, ...]]]:
    """Sort copies under up to four headings, each `(heading, explanation, groups)`.

    Copies with contradictory labels come first. A contradiction belongs to the first group that holds all
    its images, so that no pair is shown twice.
    """
    groups = list(dict.fromkeys((*audit.identical, *audit.near_identical)))
    found: dict[tuple[str, ...], list[Contradiction]] = {}
    for contradiction in audit.contradictions:
        home = next((g for g in groups if set(contradiction.images) <= set(g)), contradiction.images)
        found.setdefault(home, []).append(contradiction)
    headings = (
        ("Contradictory labels", "One photo, labeled both present and absent.", tuple(found)),
        ("Identical files", "", tuple(g for g in audit.identical if g not in found)),
        (
            "The same photo in another file",
            "Re-encoded, resized or mirrored.",
            tuple(g for g in audit.near_identical if g not in found),
        ),
        (
            "Retouched",
            "One photo with a different print, color, watermark or crop. Such images may have different "
            "labels for good reason. They still count as one group.",
            audit.retouched,
        ),
    )
    return [
        (heading, words, tuple(CopyGroup(images, tuple(found.get(images, ()))) for images in members))
        for heading, words, members in headings
        if members
    ]
