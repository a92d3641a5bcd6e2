"""Crowds: hundreds of photos that are all alike, as a fixed camera takes them.

All pairs of a crowd are alike, so a search for pairs would take quadratic time. A crowd is found by comparing
everything with a few photos drawn at random, and is then represented by its leader.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .photo_likeness import likeness

SCENE = 16
"""Alike photos from which on they may be a scene. Copies and retouched versions come in smaller numbers."""

CROWD = 512
"""Photos alike with one leader from which on they are a crowd."""

_LEADERS = 128
"""Photos drawn. A crowd of 4% of all photos is missed with a probability of 0.96^128, 0.5%; a smaller one in
200,000 photos is searched pair by pair, which is then still feasible."""


@dataclass(frozen=True)
class Crowd:
    """Photos that are alike with `leader`, without it; `mirrored[k]` says if `members[k]` is so mirrored."""

    leader: int
    members: np.ndarray
    mirrored: np.ndarray


def find_crowds(
    gray: np.ndarray, upright: np.ndarray, flipped: np.ndarray, distance: int, least: float
) -> list[Crowd]:
    """Return the crowds among thumbnails; no photo is in two of them.

    Args:
        gray: `(n, side, side) uint8`.
        upright: `(n,) uint64`, perceptual hashes.
        flipped: the hashes of the mirror images.
        distance: greatest number of bits by which hashes of alike photos differ.
        least: least likeness of alike photos.
    """
    crowds: list[Crowd] = []
    free = np.ones(len(gray), bool)
    if len(gray) <= CROWD or distance < 0:
        return crowds
    for leader in np.random.default_rng(0).permutation(len(gray))[:_LEADERS].tolist():
        if not free[leader]:
            continue
        members, mirrored = _alike(leader, np.flatnonzero(free), gray, (upright, flipped), distance, least)
        if len(members) >= CROWD:
            crowds.append(Crowd(leader, members, mirrored))
            free[members] = False
            free[leader] = False
    return crowds


def _alike(
    leader: int,
    among: np.ndarray,
    gray: np.ndarray,
    hashes: tuple[np.ndarray, np.ndarray],
    distance: int,
    least: float,
) -> tuple[np.ndarray, np.ndarray]:
    found = np.full(len(among), -1)
    for mirrored, values in enumerate(hashes):
        near = np.flatnonzero((np.bitwise_count(hashes[0][leader] ^ values[among]) <= distance) & (found < 0))
        for start in range(0, len(near), 512):
            some = near[start : start + 512]
            others = gray[among[some]].astype(np.float32)
            others = others[:, :, ::-1] if mirrored else others
            one = np.broadcast_to(gray[leader].astype(np.float32), others.shape)
            found[some[likeness(one, others) >= least]] = mirrored
    kept = (found >= 0) & (among != leader)
    return among[kept], found[kept] == 1
