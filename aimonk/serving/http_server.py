"""An HTTP server for one model, for where MLflow's own is too little.

It answers `/invocations` as MLflow's server does, and takes images as they are. It also refuses work beyond
the package's limits before reading it, puts the model's name and version into every reply, and offers
`/metrics` for Prometheus. On SIGTERM it answers the requests in progress and refuses new ones. It has no
authentication: put a reverse proxy before it, such as `deploy/nginx.conf`.

MLServer 1.7.1 with mlserver-mlflow was tried first, beside MLflow 3.17.2. It loads the logged model and
answers MLflow's JSON forms on `/invocations`. Its v2 protocol cannot encode columns of lists, so it answers
500 with a stack trace. It has no limits of its own: two million empty rows kept it busy for more than a
minute. `AIMONK_SERVING=true` makes the model itself refuse such requests; that was not tried under
MLServer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..errors import ModelError
from ..runtime.explained_prediction import IMAGES, ExplainedPrediction
from ..runtime.image_cell import encoded_size, image_bytes
from ..runtime.request_limits import (
    STOPPING,
    Admission,
    BusyError,
    Limits,
    TooLargeError,
    check_explained,
)
from .invocation_request import WatchedRequest, invocation
from .named_replies import NamedReplies
from .request_body import Invocation, RequestError
from .served_model import ServedModel
from .server_metrics import ServerMetrics

_log = logging.getLogger("aimonk.server")
_CODES = {
    500: "INTERNAL_ERROR",
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    503: "TEMPORARILY_UNAVAILABLE",
}
_DISCARD_SECONDS = 5
_THREADS = 4
"""Requests that are parsed or answered at once; the others wait."""


class Application:
    """The endpoints, for any ASGI server.

    Args:
        model: whoever loaded it closes its predictor.

    Attributes:
        app: What an ASGI server runs.
    """

    def __init__(self, model: ServedModel) -> None:
        limits = model.predictor.info.limits
        self._model, self._limits = model, limits
        self._work = Admission(limits)
        # Bodies are counted while they are read: base64 takes four bytes for three.
        self._body_limit = limits.bytes_per_request * 4 // 3 + 2**20
        most = limits.bytes_in_progress * 4 // 3 + 2**20
        self._bodies = Admission(Limits(1, self._body_limit, 10**9, most))
        self._threads = asyncio.Semaphore(_THREADS)
        self._metrics = ServerMetrics(model.name, model.version)
        self._draining = self._given_up = False
        self.app = self._routed()

    def drain(self) -> None:
        """Refuse new requests; those in progress are answered."""
        self._draining = True
        self._bodies.close()

    def is_busy(self) -> bool:
        """Whether requests are in progress."""
        return self._bodies.in_progress > 0

    def give_up(self) -> None:
        """Refuse the requests in progress, too."""
        self._given_up = True

    def _routed(self) -> Starlette:
        routes = [
            Route("/ping", self.ping),
            Route("/health", self.ping),
            Route("/ready", self.ready),
            Route("/metrics", self.metrics),
            Route("/model", self.model),
            Route("/invocations", self.invocations, methods=["POST"]),
        ]
        naming = Middleware(NamedReplies, self._model.name, self._model.version, self.answered)
        return Starlette(
            routes=routes, middleware=[naming], exception_handlers={HTTPException: _no_such_page}
        )

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a reply."""
        if path == "/invocations":
            self._metrics.answered(status, seconds)

    async def ping(self, _: Request) -> Response:
        """The process is alive."""
        return Response("\n", media_type="application/json")

    async def ready(self, _: Request) -> Response:
        """Whether new requests are taken."""
        return Response("\n", 503 if self._draining else 200, media_type="application/json")

    async def metrics(self, _: Request) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def model(self, _: Request) -> Response:
        """What the model knows, each attribute with its verdict and threshold."""
        info = self._model.predictor.info
        return JSONResponse(
            {
                "model": self._model.name,
                "version": self._model.version,
                "digest": self._model.predictor.digest,
                "headline": info.headline,
                "attributes": [asdict(attribute) for attribute in info.attributes],
                "limits": asdict(info.limits),
            }
        )

    async def invocations(self, request: Request) -> Response:
        """Answer a request's images, a row each."""
        request = WatchedRequest(request)
        try:
            with self._bodies.admit(1, self._length(request)):
                async with invocation(request, self._limits.images_per_request, self._threads) as asked:
                    count, size = len(asked.cells), sum(map(encoded_size, asked.cells))
                    if asked.explain:
                        check_explained(count, IMAGES)
                    with self._work.admit(count, size), self._metrics.in_progress.track_inprogress():
                        async with self._threads:
                            rows = await asyncio.to_thread(self._answer, asked)
        except RequestError as error:
            return await _refused(request, error.status, str(error))
        except ModelError as error:  # it cannot be explained
            return await _refused(request, 400, str(error))
        except TooLargeError as error:
            return await _refused(request, 429, str(error))
        except BusyError as error:
            return await _refused(request, 503, str(error))
        except asyncio.CancelledError:  # the server ends, and this client still sends
            return _error(503, STOPPING)
        except Exception as error:
            _log.exception("A request failed")
            return await _refused(request, 500, f"The model failed: {type(error).__name__}.")
        return JSONResponse({"predictions": rows, "model": self._model.name, "version": self._model.version})

    def _length(self, request: Request) -> int:
        """Bytes of the body, as its header promises; the HTTP layer holds the client to it."""
        text = request.headers.get("content-length", "")
        if not text.isdigit():
            raise RequestError("The request needs the header Content-Length.", 411)
        if int(text) > self._body_limit:
            raise RequestError(
                f"The body has {int(text) / 2**20:,.0f} MiB, more than the "
                f"{self._body_limit / 2**20:,.0f} MiB that one request may have; send several.",
                413,
            )
        return int(text)

    def _answer(self, asked: Invocation) -> list[dict[str, Any]]:
        names = self._model.predictor.info.names
        rows = []
        for number, answer in enumerate(self._answers(asked)):
            if self._given_up:
                raise BusyError(STOPPING)
            row: dict[str, Any] = {"image": asked.files[number]} if asked.files else {}
            row |= asdict(answer.prediction)
            row["scores"] = dict(zip(names, answer.prediction.probabilities, strict=False))
            if asked.explain:
                row["explanations"] = [asdict(explanation) for explanation in answer.explanations]
            rows.append(row)
        self._metrics.counted(rows)
        return rows

    def _answers(self, asked: Invocation) -> Iterator[ExplainedPrediction]:
        predictor, sources = self._model.predictor, map(image_bytes, asked.cells)
        if asked.explain:
            return predictor.explain(sources)
        found = predictor.predict(list(sources)) if len(asked.cells) == 1 else predictor.stream(sources)
        return map(ExplainedPrediction, found)


async def _no_such_page(request: Request, error: Exception) -> Response:
    """A page that is not there, or another method than it takes."""
    assert isinstance(error, HTTPException)
    reply = await _refused(request, error.status_code, f"{error.detail}.")
    reply.headers.update(error.headers or {})
    return reply


async def _refused(request: Request, status: int, message: str) -> JSONResponse:
    """A reply with an error. What the client is still sending is thrown away, or it would not read it."""
    with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: read already
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for _ in request.stream():
                pass
    return _error(status, message)


def _error(status: int, message: str) -> JSONResponse:
    headers = {"Retry-After": "2"} if status == 503 else None
    return JSONResponse(
        {"error_code": _CODES.get(status, "BAD_REQUEST"), "message": message}, status, headers
    )
