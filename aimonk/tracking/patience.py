"""Waiting for a tracking store that is away, for as long as the settings allow."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from ..errors import StoreAwayError
from ..progress import LOGGER

BRIEF = 10.0
"""Seconds that are waited where no training's result is at stake."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_SAID_AFTER = 2.0
"""Seconds. A shorter hiccup is not worth a line."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_seconds: ContextVar[float] = ContextVar("aimonk_patience", default=BRIEF)


class Outage:
    """When the store was last heard of, so that an outage is reported once, by whichever thread meets it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.since: datetime.datetime | None = None

    def begin(self, error: StoreAwayError, consequence: str) -> None:
        """Report an outage, unless that was done already."""
        with self._lock:
            new, self.since = self.since is None, self.since or datetime.datetime.now()
            since = self.since
        if new:
            reason = str(error).partition(";")[0]
            LOGGER.warning("%s (since %s); %s", reason, f"{since:%H:%M:%S}", consequence)

    def end(self) -> None:
        """Report that the store is back, if it was away."""
        with self._lock:
            since, self.since = self.since, None
        if since:
            gone = (datetime.datetime.now() - since).total_seconds()
            LOGGER.warning("The tracking store is back after %.0f s", gone)


outage = Outage()
"""Of this process's store."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Wait this long, at most, for a store that is away, in every call inside."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def be_patient(seconds: float) -> None:
    """Wait this long from now on, until the surrounding `patience` ends."""
    _seconds.set(seconds)


def patiently(work: Callable[[], _T]) -> _T:
    """Call `work` until the store answers. It must not matter whether a failed call has taken effect.

    Raises:
        StoreAwayError: the store is still away when patience has run out.
    """
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            done = work()
        except StoreAwayError as error:
            waited = time.monotonic() - began
            left = _seconds.get() - waited
            if left <= 0:
                raise
            if waited > _SAID_AFTER:
                outage.begin(error, f"waiting for it for up to {_seconds.get():.0f} s")
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            outage.end()
            return done


def patient(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Make every call of a function patient, see `patiently`."""

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return patiently(lambda: function(*args, **kwargs))

    return call
