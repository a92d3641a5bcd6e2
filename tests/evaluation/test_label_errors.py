import numpy as np

from aimonk.data.labels import MISSING
from aimonk.evaluation.label_errors import Suspect, find_fillable, find_suspects

IMAGES, ATTRIBUTES = ("a.jpg", "b.jpg", "c.jpg"), ("collar", "scarf")
TARGETS = np.array([[1, 0], [0, MISSING], [MISSING, 1]], np.float32)
PROBABILITIES = np.array([[0.25, 0.125], [0.875, 0.03125], [0.9375, 0.5]])


def test_suspects_by_hand() -> None:
    found = find_suspects(TARGETS, PROBABILITIES, IMAGES, ATTRIBUTES, 3)
    assert found == (
        Suspect("b.jpg", "collar", 0, 0.875, 0.875),
        Suspect("a.jpg", "collar", 1, 0.25, 0.75),
        Suspect("c.jpg", "scarf", 1, 0.5, 0.5),
    )


def test_fillable_by_hand() -> None:
    found = find_fillable(TARGETS, PROBABILITIES, IMAGES, ATTRIBUTES, 9)
    assert found == (
        Suspect("b.jpg", "scarf", None, 0.03125, 0.96875),
        Suspect("c.jpg", "collar", None, 0.9375, 0.9375),
    )
    assert find_fillable(TARGETS, PROBABILITIES, IMAGES, ATTRIBUTES, 9, confidence=0.95) == found[:1]


def test_the_limit_holds() -> None:
    assert len(find_suspects(TARGETS, PROBABILITIES, IMAGES, ATTRIBUTES, 1)) == 1
    assert find_suspects(TARGETS, PROBABILITIES, IMAGES, ATTRIBUTES, 0) == ()


def test_cells_without_a_probability_are_left_out() -> None:
    holes = np.where(PROBABILITIES > 0.9, np.nan, PROBABILITIES)
    holes[1, 0] = np.nan
    assert [s.image for s in find_suspects(TARGETS, holes, IMAGES, ATTRIBUTES, 9)] == [
        "a.jpg",
        "c.jpg",
        "a.jpg",
    ]
    assert [s.image for s in find_fillable(TARGETS, holes, IMAGES, ATTRIBUTES, 9)] == ["b.jpg"]


def test_flipped_labels_rank_first() -> None:
    """Labels drawn from known probabilities, 5% flipped: precision at k far above the 5% of chance."""
    generator = np.random.default_rng(0)
    probabilities = generator.beta(0.3, 0.6, (1000, 4))
    targets = (generator.random(probabilities.shape) < probabilities).astype(np.float32)
    flipped = generator.random(targets.shape) < 0.05
    targets = np.where(flipped, 1 - targets, targets)
    images = tuple(map(str, range(1000)))
    found = find_suspects(targets, probabilities, images, tuple("abcd"), int(flipped.sum()))
    right = [flipped[int(s.image), "abcd".index(s.attribute)] for s in found]
    assert np.mean(right) > 0.4
    assert np.mean(right[:40]) > 0.9


def test_images_of_a_group_with_one_label_are_one_suspect() -> None:
    targets = np.array([[1, 0], [1, 1], [0, MISSING], [0, MISSING]], np.float32)
    probabilities = np.array([[0.1, 0.2], [0.5, 0.3], [0.6, 0.97], [0.3, 0.99]])
    images, groups = ("a1", "a2", "b", "c"), np.array([4, 4, 5, 6])
    found = find_suspects(targets, probabilities, images, ("collar", "scarf"), 9, groups)
    assert [(s.image, s.attribute, s.label, s.images) for s in found] == [
        ("a1", "collar", 1, 2),
        ("a2", "scarf", 1, 1),
        ("b", "collar", 0, 1),
        ("c", "collar", 0, 1),
        ("a1", "scarf", 0, 1),
    ]
    # The mean of 0.1 and 0.5 says present.
    assert (found[0].probability, found[0].score) == (0.3, 0.7)
    assert len(find_suspects(targets, probabilities, images, ("collar", "scarf"), 2, groups)) == 2


def test_missing_labels_of_a_group_are_filled_together() -> None:
    targets = np.full((3, 1), MISSING, np.float32)
    probabilities = np.array([[0.99], [0.5], [0.95]])
    found = find_fillable(targets, probabilities, ("a1", "a2", "b"), ("collar",), 9, 0.9, np.array([4, 4, 5]))
    # The views of group 4 do not agree: on average 0.745.
    assert found == (Suspect("b", "collar", None, 0.95, 0.95),)


def test_without_groups_every_image_is_its_own() -> None:
    found = find_suspects(TARGETS, PROBABILITIES, IMAGES, ATTRIBUTES, 9, np.arange(3))
    assert found == find_suspects(TARGETS, PROBABILITIES, IMAGES, ATTRIBUTES, 9)
