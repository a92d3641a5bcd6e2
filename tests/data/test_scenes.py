from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aimonk.data.crowds import CROWD, SCENE, find_crowds
from aimonk.data.duplicates import near_pairs
from aimonk.data.image_index import ImageFacts, scan
from aimonk.data.labels import MISSING
from aimonk.data.photo_likeness import hashes_without_border
from aimonk.data.photo_pairs import connect
from aimonk.data.scenes import Scene, separate_scenes

Fact = Callable[..., ImageFacts]


def soft_pattern(seed: int) -> np.ndarray:
    """A soft random pattern, 32 x 32, of mean 0 and standard deviation 1."""
    rough = np.random.default_rng(seed).normal(size=(48, 48))
    kernel = np.hanning(9) / np.hanning(9).sum()
    for axis in (0, 1):
        rough = np.apply_along_axis(np.convolve, axis, rough, kernel, mode="same")
    soft = rough[8:40, 8:40]
    return np.asarray((soft - soft.mean()) / soft.std())


def background() -> np.ndarray:
    return 128 + 40 * soft_pattern(7)


def with_spots(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Photos of one scene, each with its own shadows; every second one has a dark spot, as its label says."""
    draw = np.random.default_rng(1)
    photos = np.stack([background() + 5 * soft_pattern(100 + at) for at in range(count)])
    labels = np.arange(count) % 2
    for photo in photos[labels == 1]:
        row, column = draw.integers(0, 26, 2)
        photo[row : row + 5, column : column + 5] -= 70
    return photos, labels.astype(np.float32)[:, None]


def facts_of(fact: Fact, photos: np.ndarray) -> list[ImageFacts]:
    gray = np.clip(np.rint(photos), 0, 255).astype(np.uint8)
    upright, flipped = hashes_without_border(gray, 0), hashes_without_border(gray[:, :, ::-1], 0)
    return [
        fact(str(at), phash=int(one), phash_flipped=int(other), thumbnail=pixels.tobytes())
        for at, (one, other, pixels) in enumerate(zip(upright, flipped, gray, strict=True))
    ]


def groups_of(facts: list[ImageFacts], targets: np.ndarray) -> tuple[np.ndarray, tuple[Scene, ...]]:
    pairs, scenes = separate_scenes(near_pairs(facts, 12), facts, targets)
    return connect(len(facts), pairs.photographs()), scenes


def test_photos_of_a_fixed_camera_are_not_copies_but_their_copies_are(fact: Fact) -> None:
    photos, labels = with_spots(60)
    noise = np.random.default_rng(2).normal(0, 0.5, (2, 32, 32))
    copies = photos[[3, 4]] + noise
    copies[1] = copies[1][:, ::-1]
    facts = facts_of(fact, np.concatenate([photos, copies]))
    targets = np.concatenate([labels, labels[[3, 4]]])
    groups, (scene,) = groups_of(facts, targets)
    assert groups[60] == groups[3] and groups[61] == groups[4]
    assert scene.images == tuple(range(62))
    # 31 of 62 labels are positive: 2 * 31 * 31 / (62 * 61) of the pairs differ.
    assert scene.differing == scene.usual == pytest.approx(2 * 31 * 31 / (62 * 61))
    assert scene.apart
    assert scene.photographs == len(np.unique(groups)) == 60
    assert scene.explain() == (
        "62 images look alike, as from a fixed camera, and their labels differ in 51% of pairs "
        "(51% among all images): they count as 60 photographs. "
        "With --set data.near_duplicates=-1 only identical files count as copies."
    )


def test_alike_photos_whose_labels_agree_stay_together(fact: Fact) -> None:
    photos, labels = with_spots(40)
    others = np.random.default_rng(3).uniform(0, 255, (40, 32, 32))
    facts = facts_of(fact, np.concatenate([photos, others]))
    # The scene is always labeled 1, everything else 0: whoever knows the scene knows the label.
    targets = np.repeat([1.0, 0.0], 40).astype(np.float32)[:, None]
    groups, scenes = groups_of(facts, targets)
    assert [(scene.apart, scene.photographs, scene.differing) for scene in scenes] == [(False, 1, 0.0)]
    assert "differ in 0% of pairs (51% among all images): they count as one photograph" in scenes[0].explain()
    assert len(np.unique(groups[:40])) == 1
    assert len(np.unique(groups[40:])) == 40
    # One label in 40 differs: 2 * 39 / (40 * 39) = 5% of pairs, against nearly half among all images.
    targets[0] = 0
    (scene,) = groups_of(facts, targets)[1]
    assert not scene.apart and scene.differing == pytest.approx(0.05)
    targets[:40] = labels
    groups, (scene,) = groups_of(facts, targets)
    assert scene.images == tuple(range(40))
    assert scene.apart and len(np.unique(groups)) == 40 + scene.photographs


def test_unknown_labels_or_few_photos_make_no_scene(fact: Fact) -> None:
    photos, labels = with_spots(SCENE)
    facts = facts_of(fact, photos)
    groups, scenes = groups_of(facts, np.full((SCENE, 1), MISSING, np.float32))
    assert len(np.unique(groups)) == 1
    assert not scenes[0].apart
    assert "16 images look alike and no label says" in scenes[0].explain()
    assert groups_of(facts, labels)[1][0].apart
    groups, scenes = groups_of(facts[1:], labels[1:])
    assert scenes == () and len(np.unique(groups)) == 1


def test_a_scene_whose_thumbnails_are_all_one_has_no_copies(fact: Fact) -> None:
    """Scratches too fine for a thumbnail: 40 photos differ in nothing but the labels."""
    noise = np.random.default_rng(4).normal(0, 0.6, (40, 32, 32))
    labels = (np.arange(40) % 2).astype(np.float32)[:, None]
    groups, (scene,) = groups_of(facts_of(fact, background() + noise), labels)
    assert groups.tolist() == list(range(40))
    assert scene.apart and scene.photographs == 40


def test_within_a_scene_photos_with_other_labels_are_not_copies(fact: Fact) -> None:
    photos, labels = with_spots(40)
    photos[2:4] = photos[0]  # one photo three times; photo 3 is labeled otherwise
    photos[[2, 3], 0, 0] += 2
    groups, _ = groups_of(facts_of(fact, photos), labels)
    assert groups[0] == groups[2] != groups[3]


def test_a_crowd_is_paired_with_its_leader_only(fact: Fact) -> None:
    photos, _ = with_spots(CROWD + 200)
    photos[::3] = photos[::3, :, ::-1]
    others = np.random.default_rng(3).uniform(0, 255, (30, 32, 32))
    others[29] = others[28] + np.random.default_rng(5).normal(0, 1, (32, 32))
    everything = np.clip(np.rint(np.concatenate([photos, others])), 0, 255).astype(np.uint8)
    upright = hashes_without_border(everything, 0)
    flipped = hashes_without_border(everything[:, :, ::-1], 0)
    (crowd,) = find_crowds(everything, upright, flipped, 12, 0.8)
    assert len(crowd.members) >= CROWD
    turned = np.arange(len(photos)) % 3 == 0
    assert np.array_equal(crowd.mirrored, turned[crowd.members] != turned[crowd.leader])
    facts = facts_of(fact, everything.astype(float))
    pairs = near_pairs(facts, 12)
    assert len(pairs.first) < 20 * len(facts)
    groups = connect(len(facts), pairs.photographs())
    assert len(np.unique(groups[: len(photos)])) == 1
    assert groups[-1] == groups[-2]
    assert len(np.unique(groups[len(photos) :])) == 29


def test_the_photos_of_one_part_are_nearly_all_told_apart(shared: Path) -> None:
    case = shared / "cases/70-fixed-camera"
    rows = [line.split(",") for line in (case / "labels.csv").read_text().split()[1:]]
    targets = np.array([row[1:] for row in rows], dtype=np.float32)
    facts = scan(case / "photos", [row[0] for row in rows], None)
    groups, (scene,) = groups_of(list(facts), targets)
    assert len(scene.images) == 150
    # Five pairs without a defect have the same offset and brightness, and differ only in noise.
    assert len(np.unique(groups)) == scene.photographs == 145
    assert not targets[[at for at in range(150) if (groups == groups[at]).sum() > 1]].any()
