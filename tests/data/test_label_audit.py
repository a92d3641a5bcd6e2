from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aimonk.data.image_index import ImageFacts, scan
from aimonk.data.label_audit import AttributeCounts, Contradiction, audit, count
from aimonk.data.labels import MISSING, LabelTable, find_labels, read_labels

Fact = Callable[..., ImageFacts]
NA = MISSING


def table(images: list[str], targets: list[list[float]], attributes: tuple[str, ...]) -> LabelTable:
    return LabelTable(Path("labels.txt"), tuple(images), attributes, np.array(targets, dtype=np.float32))


def test_counts_prevalence_and_weight() -> None:
    targets = np.array([[1, 0, NA], [0, 0, NA], [0, NA, NA], [0, 1, NA]], dtype=np.float32)
    red, belt, hat = count(("red", "belt", "hat"), targets)
    assert red == AttributeCounts("red", positives=1, negatives=3, missing=0)
    assert (red.prevalence, red.pos_weight) == (0.25, 3.0)
    assert belt == AttributeCounts("belt", positives=1, negatives=2, missing=1)
    assert belt.prevalence == pytest.approx(1 / 3)
    assert hat == AttributeCounts("hat", positives=0, negatives=0, missing=4)
    assert math.isnan(hat.prevalence) and hat.pos_weight == math.inf


@pytest.fixture
def small(fact: Fact) -> tuple[LabelTable, list[ImageFacts]]:
    """Nine rows: a and c are the same bytes, b mirrors e, d is b with another print, the rest is broken."""
    gray = np.zeros((32, 32), dtype=np.uint8)
    gray[:, 8:] = 100
    printed = gray.copy()
    printed[:, 16:] = 150  # of likeness 0.89, see test_duplicates
    mirrored = gray[:, ::-1]
    facts = [
        fact("a.jpg", sha256="x", width=10, height=100),
        fact("b.jpg", width=20, height=90, phash=7, phash_flipped=2**60, thumbnail=gray.tobytes()),
        fact("c.jpg", sha256="x", width=10, height=100),
        fact("d.jpeg", format="MPO", phash=7, phash_flipped=2**60, thumbnail=printed.tobytes()),
        fact("e.JPG", format="PNG", phash=2**60, phash_flipped=7, thumbnail=mirrored.tobytes()),
        fact("gone.jpg", sha256=None, problem="missing", format=None),
        fact("text.png", problem="not an image", format=None),
        fact("f.dat", format="GIF", phash=2**50 - 1, phash_flipped=2**64 - 2**50, thumbnail=gray.tobytes()),
        fact("g.tif", format="TIFF"),
    ]
    targets: list[list[float]] = [[1, 0], [1, 1], [0, 0], [0, 1], [0, NA], [1, 1], [1, 0], [NA, NA], [1, 1]]
    return table([fact.name for fact in facts], targets, ("red", "belt")), facts


def test_everything_that_is_wrong_is_named(small: tuple[LabelTable, list[ImageFacts]]) -> None:
    found = audit(*small, near_duplicates=2)
    assert found.rows == 9
    assert found.missing == ("gone.jpg",)
    assert found.unreadable == (("text.png", "not an image"),)
    assert found.mislabeled_formats == (("e.JPG", "PNG"),)
    assert found.formats == {"JPEG": 3, "MPO": 1, "PNG": 1, "GIF": 1, "TIFF": 1}
    assert found.widths == (10, 30, 30)  # 10 20 10 30 30 30 30
    assert found.heights == (40, 40, 100)  # 100 90 100 40 40 40 40
    assert found.attributes == (AttributeCounts("red", 5, 3, 1), AttributeCounts("belt", 4, 3, 2))
    assert found.usable_attributes == (AttributeCounts("red", 3, 3, 1), AttributeCounts("belt", 3, 2, 2))
    assert found.na_patterns == ((("belt",), 1), (("red", "belt"), 1))
    assert found.cooccurrence.tolist() == [[3, 2], [2, 3]]
    assert found.usable.tolist() == [0, 1, 2, 3, 4, 7, 8]


def test_flat_pictures_are_named(small: tuple[LabelTable, list[ImageFacts]]) -> None:
    table, facts = small
    tops = {0: 3, 1: 4}  # gray levels 0 to 3 are flat, 0 to 4 are not
    for row, top in tops.items():
        facts[row] = replace(facts[row], thumbnail=bytes([0, top] * 512), phash=row, phash_flipped=row)
    found = audit(table, facts, near_duplicates=-1)
    assert found.flat == (facts[0].name,)
    assert found.to_json()["flat"] == [facts[0].name]


def test_copies_and_what_their_labels_contradict(small: tuple[LabelTable, list[ImageFacts]]) -> None:
    found = audit(*small, near_duplicates=2)
    assert found.identical == (("a.jpg", "c.jpg"),)
    assert found.near_identical == (("b.jpg", "e.JPG"),)
    assert found.retouched == (("b.jpg", "d.jpeg", "e.JPG"),)
    # d is red of b's photograph, but another picture; belt is not known for e.
    assert found.contradictions == (
        Contradiction("red", ("a.jpg", "c.jpg"), (1, 0)),
        Contradiction("red", ("b.jpg", "e.JPG"), (1, 0)),
    )
    assert found.groups.tolist() == [0, 1, 0, 1, 1, 2, 3]


def test_without_perceptual_hashes_only_bytes_count(small: tuple[LabelTable, list[ImageFacts]]) -> None:
    found = audit(*small, near_duplicates=-1)
    assert (found.near_identical, found.retouched) == ((), ())
    assert found.identical == (("a.jpg", "c.jpg"),)
    assert found.groups.tolist() == [0, 1, 0, 2, 3, 4, 5]


def test_no_usable_image_is_an_audit_too(fact: Fact) -> None:
    found = audit(table(["a.jpg"], [[1.0]], ("red",)), [fact("a.jpg", problem="missing")], 12)
    assert (found.missing, found.formats, found.widths, found.groups.tolist()) == (
        ("a.jpg",),
        {},
        (0, 0, 0),
        [],
    )
    assert found.cooccurrence.tolist() == [[0]]


def test_json_is_plain_and_complete(small: tuple[LabelTable, list[ImageFacts]]) -> None:
    known, facts = small
    labels = LabelTable(known.source, known.images, ("red", "none"), known.targets * [1, 0])
    spoken = json.loads(json.dumps(audit(labels, facts, 2).to_json(), allow_nan=False))
    assert spoken["rows"] == 9 and spoken["usable_rows"] == 7
    assert spoken["missing"] == ["gone.jpg"]
    assert spoken["unreadable"] == [{"image": "text.png", "problem": "not an image"}]
    assert spoken["mislabeled_formats"] == [{"image": "e.JPG", "format": "PNG"}]
    assert spoken["widths"] == {"min": 10, "median": 30, "max": 30}
    assert spoken["pos_weights"] == {"red": 0.6, "none": None}
    assert spoken["attributes"][0] == {
        "name": "red", "positives": 5, "negatives": 3, "missing": 1, "prevalence": 0.625, "pos_weight": 0.6,
    }  # fmt: skip
    assert spoken["identical"] == [["a.jpg", "c.jpg"]]
    assert spoken["contradictions"][0] == {"attribute": "red", "images": ["a.jpg", "c.jpg"], "labels": [1, 0]}
    assert spoken["cooccurrence"] == [[3, 0], [0, 0]]
    assert spoken["usable"] == [0, 1, 2, 3, 4, 7, 8]
    assert spoken["groups"] == [0, 1, 0, 1, 1, 2, 3]


def test_the_seed_data(shared: Path, tmp_path: Path) -> None:
    data = shared / "data/aimonk/images"
    labels = read_labels(find_labels(data))
    found = audit(labels, scan(data, labels.images, tmp_path), near_duplicates=12)
    assert found.rows == 975
    assert found.missing == ("image_489.jpg", "image_624.jpg", "image_875.jpg")
    assert found.unreadable == ()
    assert sorted(found.mislabeled_formats) == [("image_111.jpg", "PNG"), ("image_43.jpg", "PNG")]
    assert [(c.positives, c.negatives, c.missing) for c in found.attributes] == [
        (789, 106, 80), (713, 171, 91), (466, 416, 93), (68, 813, 94),
    ]  # fmt: skip
    assert [round(c.pos_weight, 3) for c in found.attributes] == [0.134, 0.240, 0.893, 11.956]
    assert len(found.usable) == 972
    pairs = {(145, 737), (189, 257), (297, 452), (373, 809), (380, 594), (483, 559), (598, 887)}
    assert set(found.identical) == {(f"image_{one}.jpg", f"image_{other}.jpg") for one, other in pairs}
    twins = {image for group in found.identical for image in group}
    assert len({c.images for c in found.contradictions if set(c.images) <= twins}) >= 2
    assert np.bincount(found.groups).max() == 8  # one photograph of a model, with eight shirts and crops
