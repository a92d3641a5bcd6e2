"""The page over HTTP: one document, its script and style, photos by number, and answers as JSON."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from importlib import resources
from typing import Annotated, Any, Literal

import jinja2
import uvicorn
from fastapi import FastAPI, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from ..errors import ConfigError, ImagesError, LabelsError, ModelError, TrackingError
from .access_guard import AccessGuard
from .evidence_view import EvidenceView
from .photo_cache import PhotoCache
from .review_session import Reply, ReviewSession

THUMBNAIL, LARGE = 240, 1600
"""Longer side of a photo in the grid and in the large view, in pixels."""

_log = logging.getLogger("aimonk.reviewing")
_PAGE = resources.files(__package__) / "page"
_FILES = {
    "review.css": "text/css",
    "review.js": "text/javascript",
    "outbox.js": "text/javascript",
    "grid.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
_NameOrNone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9-]*$")]


class AnswerRequest(BaseModel):
    """An answer as the page sends it."""

    entry: _Name
    key: _Name
    answer: Literal["present", "absent", "unclear", "skipped"]
    replaces: _NameOrNone = ""


class UndoRequest(BaseModel):
    """A withdrawal as the page sends it."""

    entry: _Name
    key: _Name
    undoes: _Name


def create_app(session: ReviewSession, guard: AccessGuard) -> FastAPI:
    """Return the application; `guard` sees every request first.

    Photos are named by their row in the data set, so no path comes from the browser.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    photos = PhotoCache(session.dataset.paths)
    evidence = EvidenceView(session.dataset.paths, session.run)
    app.middleware("http")(guard)
    page = _render(session)

    @app.get("/")
    def document() -> HTMLResponse:
        return HTMLResponse(page)

    @app.get("/files/{name}")
    def file(name: str) -> Response:
        if name not in _FILES:
            raise HTTPException(404)
        return Response((_PAGE / name).read_bytes(), media_type=_FILES[name])

    @app.get("/photos/{row}")
    async def photo(row: int, large: bool = False) -> Response:
        try:
            jpeg = await run_in_threadpool(photos.jpeg, row, LARGE if large else THUMBNAIL)
        except IndexError:
            raise HTTPException(404) from None
        except ImagesError as error:
            raise HTTPException(410, str(error)) from None
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    @app.get("/evidence/{key}")
    async def where(key: str) -> Response:
        cell = session.shown(key)
        if cell is None:
            raise HTTPException(404, "There is no such cell, or it has no answer yet.")
        try:
            png = await run_in_threadpool(evidence.png, cell.row, cell.attribute)
        except (ImagesError, ModelError, TrackingError) as error:
            raise HTTPException(410, str(error)) from None
        return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    @app.get("/queues")
    def queues() -> list[dict[str, Any]]:
        return session.queues()

    @app.get("/cells")
    def cells(queue: Annotated[str, Query()], attribute: Annotated[str, Query()]) -> list[dict[str, Any]]:
        return session.grid(queue, attribute)

    @app.post("/answers")
    def answer(request: AnswerRequest) -> JSONResponse:
        with _problems():
            return _reply(session.answer(request.key, request.answer, request.entry, request.replaces))

    @app.post("/undo")
    def undo(request: UndoRequest) -> JSONResponse:
        with _problems():
            return _reply(session.undo(request.key, request.entry, request.undoes))

    return app


def serve_page(session: ReviewSession, port: int = 0) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C or SIGTERM, and say where it is.

    Args:
        session: what is asked.
        port: 0 chooses a free one.

    Raises:
        ConfigError: another program listens at the port.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(128)  # from here on a browser waits, also while the server starts
        except OSError as error:
            raise ConfigError(
                f"Port {port} cannot be used ({error.strerror or error}); give another --port."
            ) from None
        guard = AccessGuard(listener.getsockname()[1])
        config = uvicorn.Config(
            create_app(session, guard), log_level="warning", access_log=False, timeout_graceful_shutdown=2
        )
        print(f"Open {guard.url}\nPress Ctrl-C to end the review.", file=sys.stderr, flush=True)
        with _ended_by_signals():
            uvicorn.Server(config).run(sockets=[listener])


def _render(session: ReviewSession) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((_PAGE / "review.html.jinja").read_text(encoding="utf-8"))
    return template.render(
        data=session.dataset.folder.resolve().name,
        reviewer=session.reviewer,
        journal=str(session.journal.path.resolve()),
        blind=session.blind,
    )


def _reply(reply: Reply) -> JSONResponse:
    return JSONResponse(reply.state, 200 if reply.taken else 409)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end the page as Ctrl-C does, so that what follows the page still happens.

    Uvicorn raises the signal again once it has shut down; Python would then end the process.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _problems() -> Iterator[None]:
    """Turn what an answer can meet into a status: 404 for an unknown cell, 503 where it cannot be kept."""
    try:
        yield
    except KeyError:
        raise HTTPException(404, "There is no such cell.") from None
    except LabelsError as error:
        _log.warning("%s", error)
        raise HTTPException(503, str(error)) from None
