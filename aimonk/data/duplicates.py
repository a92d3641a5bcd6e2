"""Which images are one photograph: byte for byte, re-encoded, resized, mirrored, cut or retouched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .crowds import SCENE, Crowd, find_crowds
from .hash_index import close_pairs
from .image_index import ImageFacts
from .perceptual_hash import SIDE
from .photo_likeness import hashes_without_border, likeness, smooth, tone, without_border
from .photo_pairs import REGISTERED_PHOTO, SAME_PHOTO, Pairs, connect
from .registration import register

_WORTH_REGISTERING = 0.5
_CUT_DISTANCE = 8
"""Bits between the hashes of a copy and of its original without border: at most 6 in 95% of the copies."""

_CUT_ZOOM = 0.96

_BLOCK_PAIRS = 2**9
"""Pairs of thumbnails compared at once."""


@dataclass(frozen=True)
class _Photos:
    """What is compared: one image of each digest, but none of one color; `indices` are theirs."""

    indices: np.ndarray
    gray: np.ndarray
    upright: np.ndarray
    flipped: np.ndarray


@dataclass(frozen=True)
class _Candidates:
    """Pairs to compare; the second image of each is to be mirrored if `mirrored`."""

    first: np.ndarray
    second: np.ndarray
    mirrored: bool

    def select(self, kept: np.ndarray) -> _Candidates:
        return _Candidates(self.first[kept], self.second[kept], self.mirrored)

    def thumbnails(self, gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        one, other = gray[self.first].astype(np.float32), gray[self.second].astype(np.float32)
        return one, other[:, :, ::-1] if self.mirrored else other

    def pairs(self, alike: np.ndarray, apart: np.ndarray, registered: bool) -> Pairs:
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        flags = np.full(len(low), registered)
        return Pairs(low, high, alike.astype(np.float32), apart.astype(np.float32), flags)


class _Together:
    """Groups of at least `SCENE` images that pairs connect already: pairs within them are not registered.

    They are either kept together anyway, or photos of a fixed camera, which differ in no border.
    """

    def __init__(self, pairs: Pairs, count: int) -> None:
        self._groups = connect(count, pairs.photographs())
        self._many = np.bincount(self._groups)[self._groups] >= SCENE if count else np.zeros(0, bool)

    def without(self, candidates: _Candidates) -> _Candidates:
        first, second = candidates.first, candidates.second
        return candidates.select(~((self._groups[first] == self._groups[second]) & self._many[first]))


def identical_pairs(facts: Sequence[ImageFacts]) -> list[tuple[int, int]]:
    """Return each image with the first one that has the same bytes, as indices into `facts`."""
    first: dict[str, int] = {}
    pairs = []
    for index, fact in enumerate(facts):
        if fact.sha256 is not None:
            start = first.setdefault(fact.sha256, index)
            if start != index:
                pairs.append((start, index))
    return pairs


def near_pairs(facts: Sequence[ImageFacts], distance: int) -> Pairs:
    """Return the pairs of usable images of different bytes that show one photograph.

    Perceptual hashes at most `distance` bits apart (of 64; -1 finds none) only make two images candidates: on
    white backgrounds unlike dresses collide. The hash of one image is compared with that of the other, of its
    mirror image, and, at most 8 bits apart, of either without a border of 3%. A candidate is kept if its
    thumbnails have a likeness of at least `SAME_PHOTO`, see `photo_likeness.likeness`; or of at least
    `REGISTERED_PHOTO` after one was laid over the other, see `register`.

    Of 512 and more images that are alike with one of them (see `crowds`), each is paired with that one
    only, so that time and memory stay linear. All other pairs are those that comparing all would find.
    """
    photos = _photos(facts)
    crowds = find_crowds(photos.gray, photos.upright, photos.flipped, distance, SAME_PHOTO)
    member = np.zeros(len(photos.gray), bool)
    found = [Pairs.join([])]
    for crowd in crowds:
        member[crowd.members] = True
        found.extend(_with_leader(photos.gray, crowd))
    moved = []
    for candidates in _candidates(photos, member, distance):
        alike, unlike = _verified(photos.gray, candidates)
        found.append(alike)
        moved.append((unlike, 1.0))
    for candidates in _cut_candidates(photos, member, distance):
        moved.append((_worth_registering(photos.gray, candidates), _CUT_ZOOM))
    together = _Together(Pairs.join(found), len(photos.gray))
    found.extend(_registered(photos.gray, together.without(some), zoom) for some, zoom in moved)
    pairs = Pairs.join(found).each_once()
    first, second = photos.indices[pairs.first], photos.indices[pairs.second]
    return Pairs(first, second, pairs.likeness, pairs.tone, pairs.registered)


def thumbnails(facts: Sequence[ImageFacts], indices: np.ndarray) -> np.ndarray:
    """Return the thumbnails of these images, `(n, SIDE, SIDE) uint8`."""
    joined = b"".join(facts[index].thumbnail or b"" for index in indices.tolist())
    return np.frombuffer(joined, np.uint8).reshape(-1, SIDE, SIDE)


def _photos(facts: Sequence[ImageFacts]) -> _Photos:
    first = {
        fact.sha256: index
        for index, fact in reversed(list(enumerate(facts)))
        if fact.problem is None and fact.thumbnail is not None and len(set(fact.thumbnail)) > 1
    }
    indices = np.array(sorted(first.values()), dtype=np.int64)
    upright = np.array([facts[index].phash for index in indices.tolist()], dtype=np.uint64)
    flipped = np.array([facts[index].phash_flipped for index in indices.tolist()], dtype=np.uint64)
    return _Photos(indices, thumbnails(facts, indices), upright, flipped)


def _candidates(photos: _Photos, member: np.ndarray, distance: int) -> Iterator[_Candidates]:
    """Yield each pair of close hashes once, but for pairs within crowds."""
    rest = np.flatnonzero(~member)
    for others, mirrored in ((photos.upright, False), (photos.flipped, True)):
        for one, second in close_pairs(photos.upright[rest], others, distance):
            first = rest[one]
            once = (first < second) | (member[second] & (first != second))
            yield from _blocks_of(first[once], second[once], mirrored)


def _cut_candidates(photos: _Photos, member: np.ndarray, distance: int) -> Iterator[_Candidates]:
    """Yield pairs of a photo and what may be its inner part."""
    rest = np.flatnonzero(~member)
    inner = hashes_without_border(photos.gray[rest])
    for others, mirrored in ((photos.upright, False), (photos.flipped, True)):
        for one, second in close_pairs(inner, others[rest], min(distance, _CUT_DISTANCE)):
            apart = one != second
            yield from _blocks_of(rest[one[apart]], rest[second[apart]], mirrored)


def _blocks_of(first: np.ndarray, second: np.ndarray, mirrored: bool) -> Iterator[_Candidates]:
    for start in range(0, len(first), _BLOCK_PAIRS):
        block = slice(start, start + _BLOCK_PAIRS)
        yield _Candidates(first[block], second[block], mirrored)


def _with_leader(gray: np.ndarray, crowd: Crowd) -> Iterator[Pairs]:
    for mirrored in (False, True):
        members = crowd.members[crowd.mirrored == mirrored]
        for candidates in _blocks_of(np.full(len(members), crowd.leader), members, mirrored):
            yield _compared(gray, candidates)


def _compared(gray: np.ndarray, candidates: _Candidates) -> Pairs:
    one, other = candidates.thumbnails(gray)
    return candidates.pairs(likeness(one, other), tone(one, other), registered=False)


def _verified(gray: np.ndarray, candidates: _Candidates) -> tuple[Pairs, _Candidates]:
    """Return the pairs that are alike as they are, and those that may be after registration."""
    pairs = _compared(gray, candidates)
    worth = (pairs.likeness >= _WORTH_REGISTERING) & ~pairs.is_picture()
    return pairs.select(pairs.likeness >= SAME_PHOTO), candidates.select(worth)


def _worth_registering(gray: np.ndarray, candidates: _Candidates) -> _Candidates:
    one, other = candidates.thumbnails(gray)
    return candidates.select(likeness(without_border(one), other) >= _WORTH_REGISTERING)


def _registered(gray: np.ndarray, candidates: _Candidates, zoom: float) -> Pairs:
    if not len(candidates.first):
        return Pairs.join([])
    one, other = candidates.thumbnails(gray)
    one, other = smooth(register(one, other, zoom)), smooth(other)
    pairs = candidates.pairs(likeness(one, other), tone(one, other), registered=True)
    return pairs.select(pairs.likeness >= REGISTERED_PHOTO)
