"""Scenes: many photos that look alike but are not copies of each other, as a fixed camera takes them.

Copies of a photo share its labels, so they must not straddle training and test images. Photos of one part
under an inspection camera, or of one clearing at different hours, share a background that says nothing about
their labels. Merged into one photograph they could neither be divided nor learned.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .crowds import SCENE
from .duplicates import thumbnails
from .image_index import ImageFacts
from .photo_likeness import blocks, likeness
from .photo_pairs import Pairs, connect

log = logging.getLogger(__name__)

USUAL_DIFFERENCE = 0.5
"""Share of the usual rate at which labels must differ between the photos of a scene."""

SCENE_RMS = 1.5
"""Greatest root mean square difference of gray between copies within a scene, of 255.

Re-encoding at quality 30, mirrored and at 70% of the size with quality 60, gave 1.14 at most.
"""

SCENE_TONE = 6.0
"""Greatest difference of gray in blocks of 2 x 2 between copies within a scene; measured at most 4.5."""

SCENE_LIKENESS = 0.9
"""Least likeness of copies after the mean of the scene was taken away; measured at least 0.94."""

_COMPONENTS = 8
_NEIGHBORS = 64
_QUERIES = 4096


@dataclass(frozen=True)
class Scene:
    """At least `SCENE` photos that look alike.

    `differing` is the share of pairs of known labels that differ among them, a mean over attributes; `usual`
    is the same among all images; both are None if no attribute is known here. `photographs` counts them
    without copies. Their labels tell whether they are a scene, `apart`, or stay together as one photograph.
    """

    images: tuple[int, ...]
    differing: float | None
    usual: float | None
    photographs: int
    apart: bool

    def to_json(self) -> dict[str, float | int | bool | None]:
        """Return the figures."""
        return {
            "images": len(self.images),
            "labels_differ": self.differing,
            "labels_differ_usually": self.usual,
            "photographs": self.photographs,
            "apart": self.apart,
        }

    def explain(self) -> str:
        """Return in two sentences how these photos are grouped, why, and which setting changes that."""
        start = f"{len(self.images)} images look alike"
        if self.differing is None or self.usual is None:
            why = f"{start} and no label says whether they are copies"
        else:
            rates = (
                f"their labels differ in {self.differing:.0%} of pairs ({self.usual:.0%} among all images)"
            )
            why = f"{start}, as from a fixed camera, and {rates}"
        count = f"{self.photographs} photographs" if self.photographs > 1 else "one photograph"
        return (
            f"{why}: they count as {count}. "
            "With --set data.near_duplicates=-1 only identical files count as copies."
        )


def separate_scenes(
    pairs: Pairs, facts: Sequence[ImageFacts], targets: np.ndarray
) -> tuple[Pairs, tuple[Scene, ...]]:
    """Return the pairs without those of photos that merely share a scene, and all large groups.

    Each large group is also explained in a warning.

    At least `SCENE` photos, connected by pairs, are a scene if their labels differ at least half as often as
    those of any two images. The measure is the probability that two known labels of an attribute differ,
    `2 k (n - k) / (n (n - 1))` for `k` positives among `n`, summed over the attributes. Photos whose labels
    agree far more often than that stay together: the scene itself would tell the label.

    Within a scene, two photos are copies only if the scene does not explain why they are alike: with the mean
    of the scene taken away, their gradients still have a cosine of at least `SCENE_LIKENESS`, and they lie
    over each other within the noise of re-encoding. They are not registered: a camera or a part may have
    moved. If `SCENE` or more photos cannot be told apart even so, their thumbnails are too small to show what
    was labeled, and none of them counts as a copy. Photos whose labels differ are not copies either.

    Args:
        pairs: indices into `facts`.
        facts: usable images.
        targets: `(len(facts), L) float32` of 1, 0 and `MISSING`.
    """
    groups = connect(len(facts), pairs.photographs())
    sizes = np.bincount(groups, minlength=1)
    usual = _differing(targets)
    apart = np.zeros(len(facts), bool)
    scenes, within = [], []
    for group in np.flatnonzero(sizes >= SCENE).tolist():
        members = np.flatnonzero(groups == group)
        here, everywhere = _rates(_differing(targets[members]), usual)
        images = tuple(members.tolist())
        if here is None or everywhere is None or here < USUAL_DIFFERENCE * everywhere:
            scenes.append(Scene(images, here, everywhere, photographs=1, apart=False))
            continue
        apart[members] = True
        copies = _copies(thumbnails(facts, members), targets[members])
        first, second = members[copies.first], members[copies.second]
        within.append(Pairs(first, second, copies.likeness, copies.tone, copies.registered))
        distinct = len(np.unique(connect(len(members), copies.photographs())))
        scenes.append(Scene(images, here, everywhere, distinct, apart=True))
    for scene in scenes:
        log.warning("%s", scene.explain())
    outside = pairs.select(~apart[pairs.first])
    return Pairs.join([outside, *within]), tuple(scenes)


def _rates(here: np.ndarray, usual: np.ndarray) -> tuple[float | None, float | None]:
    """Return the mean shares of differing labels over the attributes that are known here."""
    known = np.isfinite(here) & np.isfinite(usual)
    if not usual[known].sum():  # nothing is known here, or all labels are alike everywhere
        return None, None
    return float(here[known].mean()), float(usual[known].mean())


def _differing(targets: np.ndarray) -> np.ndarray:
    """Return for each attribute the share of pairs of known labels that differ, nan for fewer than two."""
    known, positives = (targets >= 0).sum(axis=0), (targets == 1).sum(axis=0)
    pairs = known * (known - 1.0)
    return np.where(pairs > 0, 2.0 * positives * (known - positives) / np.maximum(pairs, 1), np.nan)


def _copies(gray: np.ndarray, targets: np.ndarray) -> Pairs:
    """Return the pairs of pictures among thumbnails of one scene, as indices into them."""
    turned = _upright(gray.astype(np.float32))
    first, second = _nearest(blocks(turned).reshape(len(gray), -1))
    mean = turned.mean(axis=0)
    found = []
    for start in range(0, len(first), 512):
        one, two = first[start : start + 512], second[start : start + 512]
        difference = np.abs(blocks(turned[one]) - blocks(turned[two])).max(axis=(1, 2))
        residual = likeness(turned[one] - mean, turned[two] - mean)
        rms = np.sqrt(((turned[one] - turned[two]) ** 2).mean(axis=(1, 2)))
        same = (difference <= SCENE_TONE) & (residual >= SCENE_LIKENESS) & (rms <= SCENE_RMS)
        some = np.flatnonzero(same)
        whole = likeness(turned[one[some]], turned[two[some]])
        unmoved = np.zeros(len(some), bool)
        found.append(Pairs(one[some], two[some], whole, difference[some], unmoved))
    pairs = Pairs.join(found)
    groups = connect(len(gray), pairs.photographs())
    few = np.bincount(groups)[groups[pairs.first]] < SCENE
    one, two = targets[pairs.first], targets[pairs.second]
    contrary = ((one >= 0) & (two >= 0) & (one != two)).any(axis=1)
    return pairs.select(few & ~contrary)


def _upright(gray: np.ndarray) -> np.ndarray:
    """Return the thumbnails, mirrored where that makes them more like the first one."""
    first = np.broadcast_to(gray[:1], (512, *gray.shape[1:]))
    turned = gray.copy()
    for start in range(0, len(gray), 512):
        some = gray[start : start + 512]
        mirrored = some[:, :, ::-1]
        flip = likeness(mirrored, first[: len(some)]) > likeness(some, first[: len(some)])
        turned[start : start + 512][flip] = mirrored[flip]
    return turned


def _nearest(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs that may be within a root mean square difference of `SCENE_RMS`.

    Blocks of 2 x 2 differ no more than their pixels, and projections on principal components no more than
    blocks, so a tree over the components misses none. A photo near more than 64 others is left out, since
    so many photos cannot be told apart; this keeps time and memory linear.
    """
    # Only needed for scenes: the import takes as long as comparing 1,000 images.
    from scipy.spatial import cKDTree

    centered = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(centered.T @ centered)
    projected = centered @ axes[:, -_COMPONENTS:]
    tree = cKDTree(projected)
    radius = SCENE_RMS * np.sqrt(points.shape[1])
    crowded = np.zeros(len(points), bool)
    firsts, seconds = [], []
    for start in range(0, len(points), _QUERIES):
        queries = projected[start : start + _QUERIES]
        away, near = tree.query(queries, k=_NEIGHBORS + 2, distance_upper_bound=radius)
        full = np.isfinite(away[:, -1])
        crowded[start : start + _QUERIES] = full
        row, column = np.nonzero(np.isfinite(away) & ~full[:, None])
        firsts.append(row + start)
        seconds.append(near[row, column])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    kept = (first < second) & ~crowded[first] & ~crowded[second]
    return first[kept], second[kept]
