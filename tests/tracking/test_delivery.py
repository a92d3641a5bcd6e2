from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from mlflow.entities import Metric

from aimonk.errors import StoreAwayError, TrackingError
from aimonk.tracking import delivery as module
from aimonk.tracking.delivery import Delivery
from aimonk.tracking.patience import patience


def points(first: int, last: int) -> list[Metric]:
    return [Metric("training_loss", 0.5, 0, step) for step in range(first, last + 1)]


class Store:
    """Keeps the steps it is sent; does whatever `trouble` does first."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.calls = 0
        self.trouble: Callable[[], None] = lambda: None

    def __call__(self, batch: list[Metric]) -> None:
        self.calls += 1
        self.trouble()
        self.steps += [point.step for point in batch]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def delivery(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Delivery]:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.05)
    monkeypatch.setattr(module, "_RETRY_PAUSE", 0.05)
    made = Delivery(store)
    yield made
    made.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_points_are_sent_meanwhile_in_order(delivery: Delivery, store: Store) -> None:
    delivery.add(points(1, 3))
    delivery.add(points(4, 2500))
    wait_until(lambda: len(store.steps) == 2500)
    assert store.steps == list(range(1, 2501))
    assert store.calls >= 3  # at most 1000 each


def test_a_frozen_store_holds_nobody_up(delivery: Delivery, store: Store) -> None:
    thaw = threading.Event()

    def frozen() -> None:
        thaw.wait(10)

    store.trouble = frozen
    delivery.add(points(1, 1))
    wait_until(lambda: store.calls == 1)
    began = time.monotonic()
    for step in range(2, 1000):
        delivery.add(points(step, step))
    assert time.monotonic() - began < 0.5
    thaw.set()
    delivery.flush()
    assert store.steps == list(range(1, 1000))


def test_points_outlive_an_outage(delivery: Delivery, store: Store) -> None:
    def away() -> None:
        raise StoreAwayError("It is away.")

    store.trouble = away
    delivery.add(points(1, 5))
    wait_until(lambda: store.calls > 2)
    assert store.steps == []
    with patience(0.1), pytest.raises(StoreAwayError):
        delivery.flush()
    store.trouble = lambda: None
    delivery.flush()
    assert store.steps == [1, 2, 3, 4, 5]


def test_a_refusal_is_reported_when_everything_must_be_there(delivery: Delivery, store: Store) -> None:
    def refuse() -> None:
        raise TrackingError("The run was deleted.")

    store.trouble = refuse
    delivery.add(points(1, 1))
    wait_until(lambda: store.calls == 1)
    with pytest.raises(TrackingError, match="deleted"):
        delivery.flush()


def test_a_slow_store_is_written_to_less_often(
    store: Store, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.trouble = lambda: time.sleep(0.1)
    delivery.add(points(1, 1))
    wait_until(lambda: bool(store.steps))
    wait_until(lambda: delivery.pause > 1)
    assert 10 <= delivery.pause <= 30  # 0.1 s is 1% of 10 s
