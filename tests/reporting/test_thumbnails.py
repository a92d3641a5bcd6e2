from __future__ import annotations

import base64
import dataclasses
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aimonk.data.label_audit import Contradiction
from aimonk.data.labels import MISSING
from aimonk.errors import ImagesError
from aimonk.reporting.report_data import Predictions
from aimonk.reporting.thumbnails import CopyGroup, best_and_worst, copy_groups, thumbnail, thumbnails


def opened(address: str) -> Image.Image:
    head, _, content = address.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def saved(path: Path, size: tuple[int, int], **options: Any) -> Path:
    Image.new("RGB", size, (200, 30, 30)).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((300, 380), (150, 190)),
        ((600, 300), (150, 75)),
        ((100, 1000), (19, 190)),
        ((40, 30), (40, 30)),
        ((3000, 1), (150, 1)),
    ],
)
def test_small_pictures_keep_their_proportions_and_never_grow(
    tmp_path: Path, size: tuple[int, int], fitted: tuple[int, int]
) -> None:
    assert opened(thumbnail(saved(tmp_path / "a.png", size))).size == fitted


def test_a_picture_lying_on_its_side_is_turned_before_it_is_fitted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(thumbnail(saved(tmp_path / "a.jpg", (600, 300), exif=exif))).size == (95, 190)


def test_colors_survive(tmp_path: Path) -> None:
    pixel = opened(thumbnail(saved(tmp_path / "a.png", (300, 300)))).getpixel((75, 75))
    assert np.abs(np.array(pixel) - (200, 30, 30)).max() <= 4


def test_what_is_not_an_image_is_an_error_alone_and_a_gap_among_others(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    with pytest.raises(ImagesError):
        thumbnail(broken)
    paths = {
        "good": saved(tmp_path / "a.png", (30, 30)),
        "broken": broken,
        "gone": tmp_path / "gone.jpg",
        "folder": tmp_path,
    }
    shown = thumbnails(["good", "broken", "gone", "folder", "unknown", "good"], paths.get)
    assert list(shown) == ["good"]


ATTRIBUTES = ("a", "b", "c", "d")
HALF = np.full(4, 0.5)


def predictions(targets: Any, probabilities: Any) -> Predictions:
    images = tuple(f"{i}.jpg" for i in range(len(targets)))
    return Predictions(images, np.array(targets, dtype=np.float32), np.array(probabilities))


def test_best_and_worst_by_hand() -> None:
    answers = predictions(
        [[1, 0, 0, 0], [1, 1, 0, MISSING], [0, 0, 0, 0], [1, 0, MISSING, MISSING]],
        [[0.9, 0.1, 0.1, 0.1], [0.2, 0.6, 0.8, 0.9], [0.1, 0.1, 0.1, 0.1], [0.8, 0.2, 0.9, 0.1]],
    )
    best, worst = best_and_worst(answers, ATTRIBUTES, HALF, 2)
    # "2.jpg" is said as well as "0.jpg", but there is nothing to find in it.
    assert [answer.image for answer in best] == ["0.jpg", "3.jpg"]
    assert [answer.image for answer in worst] == ["1.jpg", "2.jpg"]
    assert best[0].loss == pytest.approx(-math.log(0.9))
    assert (best[1].right, best[1].wrong, best[1].missed) == (("a",), (), ())  # c is said, but not known
    assert (worst[0].right, worst[0].wrong, worst[0].missed) == (("b",), ("c",), ("a",))
    assert worst[0].loss == pytest.approx(-(math.log(0.2) + math.log(0.6) + math.log(0.2)) / 3)


def test_thresholds_decide_what_is_said() -> None:
    answers = predictions([[1, 0, 0, 0], [1, 0, 0, 0]], [[0.4, 0.3, 0.1, 0.1], [0.3, 0.3, 0.1, 0.1]])
    (best,), _ = best_and_worst(answers, ATTRIBUTES, np.array([0.35, 0.25, 0.5, 0.5]), 1)
    assert (best.right, best.wrong) == (("a",), ("b",))


def test_images_that_are_mostly_not_labeled_are_not_judged() -> None:
    sparse = [1, MISSING, MISSING, MISSING]
    answers = predictions([sparse, [1, 0, MISSING, MISSING], [1, 1, 1, 1]], np.full((3, 4), 0.6))
    best, worst = best_and_worst(answers, ATTRIBUTES, HALF, 5)
    assert {a.image for a in (*best, *worst)} == {"1.jpg", "2.jpg"}


def test_certainty_that_is_wrong_has_a_finite_loss() -> None:
    answers = predictions([[0, 0, 0, 0], [1, 1, 1, 1]], [[1, 1, 1, 1], [1, 1, 1, 1]])
    _, (worst,) = best_and_worst(answers, ATTRIBUTES, HALF, 1)
    assert worst.loss == pytest.approx(-math.log(1e-6))


def test_no_predictions_no_pictures() -> None:
    assert best_and_worst(predictions(np.empty((0, 4)), np.empty((0, 4))), ATTRIBUTES, HALF, 5) == ((), ())


def test_copies_that_contradict_each_other_are_shown_once_and_first(small: Any) -> None:
    torn = Contradiction("scarf", ("a", "b"), (1, 0))
    again = Contradiction("hat", ("a", "b"), (0, 1))
    strange = Contradiction("hat", ("x", "y"), (0, 1))
    audit = dataclasses.replace(
        small.audit,
        identical=(("a", "b"), ("c", "d")),
        near_identical=(("e", "f"),),
        retouched=(),
        contradictions=(torn, again, strange),
    )
    assert [(heading, groups) for heading, _, groups in copy_groups(audit)] == [
        ("Contradictory labels", (CopyGroup(("a", "b"), (torn, again)), CopyGroup(("x", "y"), (strange,)))),
        ("Identical files", (CopyGroup(("c", "d"), ()),)),
        ("The same photo in another file", (CopyGroup(("e", "f"), ()),)),
    ]


def test_headings_without_copies_are_left_out(small: Any) -> None:
    audit = dataclasses.replace(small.audit, identical=(), near_identical=(), retouched=(), contradictions=())
    assert copy_groups(audit) == []
    audit = dataclasses.replace(audit, retouched=(("a", "b"),))
    assert [heading for heading, _, _ in copy_groups(audit)] == ["Retouched"]
