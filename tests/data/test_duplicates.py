from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from aimonk.data.duplicates import identical_pairs, near_pairs
from aimonk.data.fingerprint import look_at
from aimonk.data.image_index import ImageFacts, scan
from aimonk.data.photo_likeness import hashes_without_border, likeness
from aimonk.data.photo_pairs import SAME_PHOTO, SAME_TONE, connect

Fact = Callable[..., ImageFacts]


def facts_of(fact: Fact, contents: Sequence[bytes]) -> list[ImageFacts]:
    pictures = [look_at(content) for content in contents]
    return [
        fact(str(number), sha256=str(hash(content)), phash=picture.phash, phash_flipped=picture.phash_flipped,
             thumbnail=picture.thumbnail)
        for number, (content, picture) in enumerate(zip(contents, pictures, strict=True))
    ]  # fmt: skip


def test_identical_bytes_are_paired_with_the_first_of_them(fact: Fact) -> None:
    digests = ["x", "y", "x", None, "x", "y", None]
    facts = [fact(str(number), sha256=digest) for number, digest in enumerate(digests)]
    assert identical_pairs(facts) == [(0, 2), (0, 4), (1, 5)]


def test_copies_of_a_picture_are_found_and_others_are_not(
    fact: Fact, photo: Callable[[int], Image.Image], encode: Callable[..., bytes]
) -> None:
    original = photo(1).resize((480, 360), Image.Resampling.BICUBIC)
    small = original.resize((336, 252), Image.Resampling.LANCZOS)
    others = [encode(photo(number)) for number in range(2, 12)]
    copies = [encode(original, quality=60), encode(small), encode(ImageOps.mirror(small), quality=60)]
    facts = facts_of(fact, [encode(original, "PNG"), *copies, *others])
    pairs = near_pairs(facts, 12)
    assert connect(len(facts), pairs.pictures()).tolist() == [0, 0, 0, 0, *range(1, 11)]
    assert pairs.photographs() == pairs.pictures()
    assert near_pairs(facts, -1).photographs() == []


def test_a_retouched_photograph_is_the_same_photograph_but_another_picture(
    fact: Fact, photo: Callable[[int], Image.Image], encode: Callable[..., bytes]
) -> None:
    printed, place = photo(1), (55, 40, 67, 50)
    printed.paste(printed.crop(place).point(lambda level: min(255, level + 60)), place)
    pairs = near_pairs(facts_of(fact, [encode(photo(1)), encode(printed)]), 12)
    assert pairs.photographs() == [(0, 1)]
    assert pairs.pictures() == []
    assert pairs.tone[0] > SAME_TONE


def test_likeness_is_the_cosine_of_the_gradients(fact: Fact) -> None:
    # One has an edge of height 100 at the right of column 7, the other the same and one of 50 right of
    # column 15: cosine = 100 * 100 / (100 * sqrt(100**2 + 50**2)) = 0.894; the blocks differ by 50.
    one, other = np.zeros((2, 32, 32), dtype=np.uint8)
    one[:, 8:] = 100
    other[:, 8:] = 100
    other[:, 16:] = 150
    facts = [
        fact(name, phash=0b1011, phash_flipped=2**64 - 1, thumbnail=gray.tobytes())
        for name, gray in (
            ("a", one),
            ("b", other),
            ("flat", np.full_like(one, 9)),
            ("flat too", np.zeros_like(one)),
        )
    ]
    pairs = near_pairs(facts, 0)
    assert pairs.photographs() == [(0, 1)]
    assert pairs.likeness == pytest.approx([2 / np.sqrt(5)], abs=1e-6)
    assert pairs.tone.tolist() == [50.0]


def test_only_hashes_close_enough_are_compared(fact: Fact) -> None:
    gray = np.arange(32 * 32, dtype=np.uint32).reshape(32, 32) % 251
    thumbnail = gray.astype(np.uint8).tobytes()
    mirrored = gray[:, ::-1].astype(np.uint8).tobytes()
    facts = [
        fact("a", phash=0, phash_flipped=2**63, thumbnail=thumbnail),
        fact("4 bits away", phash=0b1111, phash_flipped=2**40 - 1, thumbnail=thumbnail),
        fact("mirrored, 2 bits away", phash=2**64 - 1, phash_flipped=0b11, thumbnail=mirrored),
        fact("unusable", phash=0, phash_flipped=0, thumbnail=thumbnail, problem="not an image"),
    ]
    assert near_pairs(facts, 1).photographs() == []
    # The second and third are 2 bits apart as well: 0b1111 against 0b11.
    assert sorted(near_pairs(facts, 2).photographs()) == [(0, 2), (1, 2)]
    assert sorted(near_pairs(facts, 4).photographs()) == [(0, 1), (0, 2), (1, 2)]


def test_of_identical_files_one_is_compared(fact: Fact) -> None:
    thumbnail = bytes(range(256)) * 4
    same = {"phash": 5, "phash_flipped": 2**64 - 6, "thumbnail": thumbnail}
    facts = [fact("a", sha256="x", **same), fact("b", sha256="x", **same), fact("c", sha256="y", **same)]
    assert near_pairs(facts, 0).photographs() == [(0, 2)]
    assert near_pairs([], 12).photographs() == []


@given(st.integers(0, 2**32 - 1), st.integers(0, 16))
@settings(max_examples=25, deadline=None)
def test_the_pairs_are_those_of_comparing_all(seed: int, distance: int) -> None:
    draw = np.random.default_rng(seed)
    coarse = draw.uniform(0, 255, (12, 4, 4)).repeat(8, axis=1).repeat(8, axis=2)
    gray = coarse[draw.integers(0, 12, 40)] + draw.normal(0, draw.uniform(0, 30), (40, 32, 32))
    gray[::5] = gray[::5, :, ::-1]
    pixels = np.clip(np.rint(gray), 0, 255).astype(np.uint8)
    upright, flipped = hashes_without_border(pixels, 0), hashes_without_border(pixels[:, :, ::-1], 0)
    facts = [
        ImageFacts(
            str(at), Path(str(at)), str(at), 1, "PNG", 32, 32, int(one), int(other), None, some.tobytes()
        )
        for at, (one, other, some) in enumerate(zip(upright, flipped, pixels, strict=True))
    ]
    found = set(near_pairs(facts, distance).photographs())
    for first in range(40):
        for second in range(first + 1, 40):
            for hashes, turned in ((upright, pixels[second]), (flipped, pixels[second, :, ::-1])):
                bits = int(upright[first] ^ hashes[second]).bit_count()
                alike = likeness(pixels[first, None].astype(np.float32), turned[None].astype(np.float32))[0]
                if bits <= distance and alike >= SAME_PHOTO:
                    assert (first, second) in found


@pytest.mark.parametrize("box", [(12, 9, 588, 441), (0, 0, 600, 430), (20, 0, 600, 450), (30, 22, 570, 428)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_copy_without_its_border_is_the_same_picture(
    fact: Fact,
    photo: Callable[[int], Image.Image],
    encode: Callable[..., bytes],
    box: tuple[int, int, int, int],
    mirrored: bool,
) -> None:
    original = photo(1).resize((600, 450), Image.Resampling.BICUBIC)
    copy = original.crop(box)
    copy = ImageOps.mirror(copy) if mirrored else copy
    others = [encode(photo(number)) for number in range(2, 12)]
    facts = facts_of(fact, [encode(copy, quality=85), *others, encode(original)])
    pairs = near_pairs(facts, 12)
    assert pairs.pictures() == pairs.photographs() == [(0, 11)]


def test_groups_are_connected_through_others() -> None:
    assert connect(6, [(4, 5), (1, 4)], [(0, 3)]).tolist() == [0, 1, 2, 0, 1, 1]
    assert connect(3).tolist() == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30))
def test_groups_are_the_connected_components(pairs: list[tuple[int, int]]) -> None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(20, 20))
    expected = connected_components(graph, directed=False)[1]
    groups = connect(20, pairs)
    np.testing.assert_array_equal(groups[:, None] == groups, expected[:, None] == expected)
    _, starts = np.unique(groups, return_index=True)
    assert starts.tolist() == sorted(starts.tolist())


def test_real_dresses_on_white_are_told_apart(shared: Path) -> None:
    """Looked at one by one; 381 and 637 have hashes 4 bits apart, and are two dresses."""
    numbers = (381, 637, 389, 880, 527, 751, 22, 37, 274, 970, 207, 836, 178, 361, 551, 862)
    facts = scan(shared / "data/aimonk/images", [f"image_{number}.jpg" for number in numbers], None)
    pairs = near_pairs(facts, 12)
    found = {(numbers[first], numbers[second]) for first, second in pairs.photographs()}
    assert found == {(389, 880), (527, 751), (22, 37), (274, 970)}
    # 274 and 970 are one photo, one of them with a narrower border.
    assert [(numbers[first], numbers[second]) for first, second in pairs.pictures()] == [(22, 37), (274, 970)]
    assert near_pairs(facts, 64).photographs() == pairs.photographs()
