"""Delivery of metrics in a thread of its own: a training never waits for the tracking store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from mlflow.entities import Metric

from ..errors import StoreAwayError, TrackingError
from ..progress import LOGGER
from .patience import outage, patiently

FLUSH_SECONDS = 2.0
"""Points reach the store about this often."""

FLUSH_SHARE = 0.01
"""Sending takes at most this share of the time: a slow store is written to less often."""

_LONGEST_PAUSE = 60.0
_RETRY_PAUSE = 5.0
_BATCH = 1000  # MLflow's limit per request
_JOIN_SECONDS = 3.0


class Delivery:
    """A queue of points and the thread that sends them.

    A point leaves the queue when the store has confirmed it. If a call fails halfway, the same points are
    sent again with the same time stamps, which MLflow stores once.
    """

    def __init__(self, send: Callable[[list[Metric]], object]) -> None:
        self._send = send
        self._queue: list[Metric] = []
        self._guard = threading.Lock()
        self._sending = threading.Lock()
        self._closing = threading.Event()
        self._refusal: TrackingError | None = None
        self.pause = FLUSH_SECONDS
        """Seconds until the thread sends again."""
        # A request to a frozen server must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name="aimonk-delivery", daemon=True)
        self._thread.start()

    def add(self, points: Sequence[Metric]) -> None:
        """Queue points; returns at once."""
        with self._guard:
            self._queue.extend(points)

    def flush(self) -> None:
        """Send everything now, waiting for a store that is away as long as patience allows.

        Raises:
            TrackingError: the store refuses the points, or is still away.
        """
        if self._refusal:
            raise self._refusal
        patiently(self._deliver)

    def close(self) -> None:
        """End the thread. What is still queued is dropped."""
        self._closing.set()
        self._thread.join(_JOIN_SECONDS)

    def _deliver(self) -> int:
        """Send the queue in order and return how many points that were."""
        sent = 0
        with self._sending:
            while True:
                with self._guard:
                    batch = self._queue[:_BATCH]
                if not batch:
                    return sent
                self._send(batch)
                sent += len(batch)
                with self._guard:
                    del self._queue[: len(batch)]

    def _work(self) -> None:
        while not self._closing.wait(self.pause):
            started = time.monotonic()
            try:
                sent = self._deliver()
            except StoreAwayError as error:
                self.pause = _RETRY_PAUSE
                outage.begin(error, "the work goes on, and metrics are delivered later")
            except TrackingError as error:
                self._refusal = error
                LOGGER.warning("%s No more metrics are logged", error)
                return
            else:
                taken = time.monotonic() - started
                self.pause = min(max(FLUSH_SECONDS, taken / FLUSH_SHARE), _LONGEST_PAUSE)
                if sent:
                    outage.end()
