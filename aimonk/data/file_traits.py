"""What an image file is apart from what it shows: where labels may come from that no model should learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from .fingerprint import BORDER_COLORS
from .image_index import ImageFacts

if TYPE_CHECKING:
    import pandas as pd

BINS = 8
"""Numbers are cut into so many classes of equal size, since a shortcut need not be monotonic."""

MOST_CLASSES = 200
"""Of folders or cameras: the rarer ones are one class together, since few files say little of others."""


@dataclass(frozen=True)
class FileTraits:
    """Traits of N image files, N of each; what a file does not say is nan or empty."""

    folder: pd.Categorical
    format: pd.Categorical
    size: np.ndarray
    """Bytes."""
    width: np.ndarray
    height: np.ndarray
    quantization: np.ndarray
    """Mean of the first quantization table: low for high JPEG quality."""
    camera: pd.Categorical
    border: np.ndarray
    """`(N, BORDER_COLORS) uint8`: mean colors along the border."""

    @classmethod
    def of(cls, facts: Sequence[ImageFacts]) -> FileTraits:
        """Return the traits of images that can be decoded."""
        import pandas as pd

        quantization = [np.nan if fact.quantization is None else fact.quantization for fact in facts]
        border = np.frombuffer(b"".join(fact.border or b"" for fact in facts), np.uint8)
        return cls(
            folder=pd.Categorical([str(PurePosixPath(fact.name).parent) for fact in facts]),
            format=pd.Categorical([str(fact.format) for fact in facts]),
            size=np.array([float(fact.size) for fact in facts]),
            width=np.array([float(fact.width) for fact in facts]),
            height=np.array([float(fact.height) for fact in facts]),
            quantization=np.array(quantization, np.float64),
            camera=pd.Categorical([fact.camera for fact in facts]),
            border=border.reshape(len(facts), BORDER_COLORS),
        )

    def columns(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return columns of which a linear score is made, `(rows, d) float64` of each trait.

        A trait that is the same for all of these files is left out.
        """
        width, height = self.width[rows], self.height[rows]
        numbers = {
            "file size": self.size[rows],
            "aspect ratio": width / height,
            "resolution": width * height,
            "JPEG quality": self.quantization[rows],
        }
        words = {"folder": self.folder, "format": self.format, "camera": self.camera}
        found = {trait: binned(values) for trait, values in numbers.items()}
        found |= {trait: one_hot(frequent(np.asarray(values[rows], str))) for trait, values in words.items()}
        found["border pixels"] = self.border[rows] / 255
        return {trait: values for trait, values in found.items() if np.ptp(values, axis=0).any()}


def binned(values: np.ndarray) -> np.ndarray:
    """`(N,)` numbers, nan allowed, as `(N, d)` indicators of `BINS` quantile classes, nan being one more."""
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], np.arange(1, BINS) / BINS)) if known.any() else np.empty(0)
    return one_hot(np.where(known, np.searchsorted(edges, values, side="right"), -1))


def frequent(values: np.ndarray, most: int = MOST_CLASSES) -> np.ndarray:
    """`(N,)` words, of which all but the `most` most frequent ones become an empty one.

    >>> frequent(np.array(["a", "b", "b"]), most=1).tolist()
    ['', 'b', 'b']
    """
    words, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    kept = np.zeros(words.size, bool)
    kept[np.argsort(-counts, kind="stable")[:most]] = True
    return np.where(kept[place], values, "")


def one_hot(values: np.ndarray) -> np.ndarray:
    """`(N,)` values as `(N, d)` indicators of those that occur.

    >>> one_hot(np.array(["a", "b", "a"])).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    return np.asarray(values[:, None] == np.unique(values), np.float64)
