from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from mlflow.entities import Metric

from aimonk.tracking.journal import Journal

POINTS = [Metric("training_loss", 0.1 + 0.2, 1_700_000_000_123, 1), Metric("training_loss", 1e-300, 5, 2)]


def written(path: Path) -> list[Metric]:
    journal = Journal(path)
    journal.close()
    return journal.points


def test_points_come_back_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    journal = Journal(path)
    journal.add(POINTS[:1])
    journal.add(POINTS[1:])
    assert written(path) == POINTS  # before it is closed, as after a kill
    journal.close()


@given(st.integers(min_value=0, max_value=200))
def test_a_line_that_was_cut_off_is_dropped(tmp_path_factory: object, cut: int) -> None:
    path = Path(tmp_path_factory.mktemp("journal")) / "metrics.jsonl"  # type: ignore[attr-defined]
    journal = Journal(path)
    journal.add(POINTS)
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    journal = Journal(path)
    assert journal.points == POINTS[: whole[:cut].count(b"\n")]
    journal.add(POINTS[:1])
    journal.close()
    assert written(path) == [*POINTS[: whole[:cut].count(b"\n")], POINTS[0]]
