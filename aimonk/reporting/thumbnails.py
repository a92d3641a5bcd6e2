"""Small pictures inside the page, and which ones are worth showing."""

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
from ..runtime.decoder import decode, describe
from .report_data import Predictions, Resolver

BOX = (150, 190)
"""Largest width and height of a small picture, in pixels."""
QUALITY = 74


@dataclass(frozen=True)
class Answer:
    """What the model said of one image, and what its labels say; names of attributes."""

    image: str
    loss: float
    """Mean binary cross-entropy over the known labels, in nats."""
    right: tuple[str, ...]
    """Present, and said to be."""
    wrong: tuple[str, ...]
    """Absent, but said to be present."""
    missed: tuple[str, ...]
    """Present, but said to be absent."""


@dataclass(frozen=True)
class CopyGroup:
    """Images that are one photo, and what their labels contradict each other in."""

    images: tuple[str, ...]
    contradictions: tuple[Contradiction, ...]


def data_uri(content: bytes, media_type: str) -> str:
    """Bytes as a `data:` address, so that a page needs no file beside it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def thumbnail(path: Path, box: tuple[int, int] = BOX) -> str:
    """Fit a picture into `box` (width, height), proportions kept, as a JPEG `data:` address.

    Raises:
        ImagesError: the file is not an image that can be read.
        OSError: the file cannot be read.

    """
    content = path.read_bytes()
    pixels = decode(content, _fitting(content, box))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return data_uri(buffer.getvalue(), "image/jpeg")


def _fitting(content: bytes, box: tuple[int, int]) -> tuple[int, int]:
    """`(height, width)` of the upright picture within the box, never larger than the picture."""
    upright = describe(content)
    scale = min(1.0, box[0] / upright.width, box[1] / upright.height)
    return max(1, round(upright.height * scale)), max(1, round(upright.width * scale))


def thumbnails(names: Iterable[str], picture: Resolver) -> dict[str, str]:
    """`{name: data address}` of the pictures that can be shown; the others are left out."""

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
    """Find the images whose labels the model says best and worst, by mean cross-entropy of known labels.

    Only images with at least half of their labels known count. The best are chosen among those where
    something present was found, since "nothing there" is an easy answer where attributes are rare.
    No image is in both lists.
    """
    known = predictions.targets != MISSING
    probability = np.clip(np.asarray(predictions.probabilities, dtype=float), 1e-6, 1 - 1e-6)
    positive = predictions.targets == 1
    losses = np.where(known, -np.log(np.where(positive, probability, 1 - probability)), 0.0)
    mean_loss = losses.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    said = predictions.probabilities >= thresholds
    ranked = [i for i in np.argsort(mean_loss, kind="stable") if 2 * known[i].sum() >= max(1, known.shape[1])]
    found = (said & positive).any(axis=1)
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
            right=names(positive[i] & said[i]),
            wrong=names(known[i] & ~positive[i] & said[i]),
            missed=names(positive[i] & ~said[i]),
        )

    return tuple(answer(i) for i in best), tuple(answer(i) for i in worst)


def copy_groups(audit: Audit) -> list[tuple[str, str, tuple[CopyGroup, ...]]]:
    """Sort copies under up to four headings, each `(heading, explanation, groups)`.

    Copies with contradicting labels come first. A contradiction goes to the first group that holds all
    its images, so that no pair is shown twice.
    """
    groups = list(dict.fromkeys((*audit.identical, *audit.near_identical)))
    found: dict[tuple[str, ...], list[Contradiction]] = {}
    for contradiction in audit.contradictions:
        home = next((g for g in groups if set(contradiction.images) <= set(g)), contradiction.images)
        found.setdefault(home, []).append(contradiction)
    headings = (
        ("Contradicting labels", "One photo, labelled both present and absent.", tuple(found)),
        ("Identical byte for byte", "", tuple(g for g in audit.identical if g not in found)),
        (
            "The same photo, another file",
            "Re-encoded, resized or mirrored.",
            tuple(g for g in audit.near_identical if g not in found),
        ),
        (
            "Retouched",
            "One photograph with another print, colour, watermark or crop. These may rightly have "
            "different labels, and are kept together all the same.",
            audit.retouched,
        ),
    )
    return [
        (heading, words, tuple(CopyGroup(images, tuple(found.get(images, ()))) for images in members))
        for heading, words, members in headings
        if members
    ]
