"""What a server tells Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class ServerMetrics:
    """Counters of one server, in a registry of their own."""

    def __init__(self, model: str, version: str) -> None:
        self.registry = CollectorRegistry()
        Info("aimonk_model", "The model that is served.", registry=self.registry).info(
            {"name": model, "version": version}
        )
        self.in_progress = Gauge(
            "aimonk_requests_in_progress", "Requests being answered.", registry=self.registry
        )
        self._requests = Counter(
            "aimonk_requests", "Requests to /invocations, by status.", ["status"], registry=self.registry
        )
        self._images = Counter(
            "aimonk_images", "Images, answered or unreadable.", ["outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "aimonk_request_seconds", "Seconds until the reply.", buckets=_SECONDS, registry=self.registry
        )

    def answered(self, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(str(status)).inc()
        self._seconds.observe(seconds)

    def counted(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Count the images of a reply."""
        for row in rows:
            self._images.labels("unreadable" if row["error"] else "answered").inc()
