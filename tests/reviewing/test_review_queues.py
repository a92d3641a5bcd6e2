from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from aimonk.data.dataset import Dataset
from aimonk.data.file_traits import FileTraits
from aimonk.data.label_audit import Contradiction
from aimonk.data.labels import MISSING
from aimonk.reviewing.review_queues import build_queues


def places(dataset: Dataset, probabilities: np.ndarray, **options: Any) -> list[tuple[str, str, str]]:
    given: dict[str, Any] = {"control_share": 0, **options}
    cells = build_queues(dataset, probabilities, **given)
    return [(cell.queue, cell.image, cell.attribute) for cell in cells]


def test_each_queue_holds_what_it_says(dataset: Dataset, probabilities: np.ndarray) -> None:
    assert places(dataset, probabilities) == [
        ("suspects", "a.png", "belt"),
        ("suspects", "d.png", "belt"),
        ("suspects", "h.png", "collar"),
        ("fill", "c.png", "collar"),
        ("suggestions", "f.png", "collar"),
    ]


def test_a_cell_of_several_queues_is_asked_in_the_first(dataset: Dataset, probabilities: np.ndarray) -> None:
    audit = dataclasses.replace(
        dataset.audit, contradictions=(Contradiction("belt", ("a.png", "b.png"), (1, 0)),)
    )
    found = places(dataclasses.replace(dataset, audit=audit), probabilities)
    assert found[:2] == [("contradictions", "a.png", "belt"), ("contradictions", "b.png", "belt")]
    assert ("suspects", "a.png", "belt") not in found


def test_suggestions_come_from_the_caller_if_he_has_some(dataset: Dataset, probabilities: np.ndarray) -> None:
    found = places(dataset, probabilities, suggested=[("c.png", "collar"), ("x.png", "belt")])
    assert found[-1] == ("fill", "c.png", "collar")
    assert "suggestions" not in {queue for queue, *_ in found}


def test_cells_without_a_score_are_not_doubted(dataset: Dataset, probabilities: np.ndarray) -> None:
    assert places(dataset, np.full_like(probabilities, np.nan)) == []


def test_the_limit_counts_each_queue(dataset: Dataset, probabilities: np.ndarray) -> None:
    assert [queue for queue, *_ in places(dataset, probabilities, limit=1)] == [
        "suspects",
        "fill",
        "suggestions",
    ]


def wide(rows: int) -> tuple[Dataset, np.ndarray]:
    """One attribute, absent everywhere, of which the model doubts the first tenth."""
    draw = np.random.default_rng(1)
    names = tuple(f"{row:05d}.jpg" for row in range(rows))
    targets = np.where(draw.random((rows, 1)) < 0.1, MISSING, 0).astype(np.float32)
    probabilities = np.where(np.arange(rows) < rows / 10, 0.8, 0.2)[:, None]
    empty = type("Audit", (), {"contradictions": ()})()
    dataset = Dataset(
        folder=Path("photos"), labels=Path("labels.csv"), attributes=("belt",), names=names, paths=(),
        digests=names, targets=targets, groups=np.arange(rows), split=None,
        traits=FileTraits.of(()), audit=empty,
    )  # fmt: skip
    return dataset, probabilities


def test_controls_are_a_random_sample_of_all_known_cells() -> None:
    dataset, probabilities = wide(2_000)
    drawn = np.zeros(2_000)
    for seed in range(200):
        cells = build_queues(dataset, probabilities, limit=100, control_share=0.5, seed=seed)
        controls = [cell for cell in cells if cell.control]
        assert len({cell.key for cell in cells}) == len(cells)
        drawn[[cell.row for cell in controls]] += 1
    known = dataset.targets[:, 0] != MISSING
    assert drawn[~known].sum() == 0
    # 300 controls (three queues of 100, each with as many) of the known cells, doubted or not.
    expected = drawn.sum() / known.sum()
    doubted = drawn[:200][known[:200]].mean()
    assert abs(doubted - expected) < 4 * np.sqrt(expected / known[:200].sum())
    assert {cell.known for cell in controls} == {int(known.sum())}


def test_controls_are_mixed_in_and_the_others_keep_their_order() -> None:
    dataset, probabilities = wide(2_000)
    plain = build_queues(dataset, probabilities, limit=100, control_share=0)
    mixed = build_queues(dataset, probabilities, limit=100, control_share=0.2)
    asked = {cell.key for cell in plain}
    assert [cell.key for cell in mixed if cell.key in asked] == [cell.key for cell in plain]
    places = [at for at, cell in enumerate(mixed) if cell.key not in asked]
    assert 15 <= len([at for at in places if at < 125]) <= 25
    assert min(places) < 25 < max(places)
    assert mixed == build_queues(dataset, probabilities, limit=100, control_share=0.2)
