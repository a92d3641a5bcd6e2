from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Message

from aimonk.serving.named_replies import NamedReplies


def test_a_reply_is_named_and_counted_once() -> None:
    counted: list[tuple[str, int, float]] = []
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    app = NamedReplies(Response("hello", 418), "Röcke", "7", lambda *what: counted.append(what))
    asyncio.run(app({"type": "http", "path": "/a", "method": "GET"}, receive, send))
    start, body = sent
    headers = dict(start["headers"])
    assert (headers[b"x-model-name"], headers[b"x-model-version"]) == (b"R?cke", b"7")
    assert headers[b"content-length"] == b"5"
    assert body["body"] == b"hello"
    ((path, status, seconds),) = counted
    assert (path, status) == ("/a", 418)
    assert 0 <= seconds < 5
