from __future__ import annotations

import time

import pytest

from aimonk.errors import StoreAwayError, TrackingError
from aimonk.progress import recorded
from aimonk.tracking import patience as module
from aimonk.tracking.patience import Outage, be_patient, patience, patient, patiently


class Store:
    """Is away for the first calls."""

    def __init__(self, away: int, error: type[TrackingError] = StoreAwayError) -> None:
        self.away, self.error, self.calls = away, error, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.away:
            raise self.error("It is away: no answer; check it.")
        return "done"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "_SAID_AFTER", -1.0)
    monkeypatch.setattr(module, "outage", Outage())


def test_a_call_is_repeated_until_the_store_is_back() -> None:
    store = Store(away=3)
    with recorded() as record:
        assert patiently(store) == "done"
    assert store.calls == 4
    first, second = record.warnings
    assert first.startswith("It is away: no answer (since ")
    assert first.endswith("waiting for it for up to 10 s")
    assert second.startswith("The tracking store is back after")


def test_patience_ends() -> None:
    store, began = Store(away=10**6), time.monotonic()
    with patience(0.2), pytest.raises(StoreAwayError):
        patiently(store)
    assert 0.2 <= time.monotonic() - began < 2
    assert store.calls > 2


def test_a_refusal_is_not_repeated() -> None:
    store = Store(away=1, error=TrackingError)
    with pytest.raises(TrackingError):
        patiently(store)
    assert store.calls == 1


def test_patience_inside_patience_does_not_add_up() -> None:
    store, began = Store(away=10**6), time.monotonic()

    @patient
    def inner() -> str:
        return patiently(store)

    with patience(0.2), pytest.raises(StoreAwayError):
        inner()
    assert time.monotonic() - began < 1


def test_patience_granted_inside_is_taken_back() -> None:
    with patience(5):
        be_patient(600)
        assert module._seconds.get() == 600
    assert module._seconds.get() == module.BRIEF
