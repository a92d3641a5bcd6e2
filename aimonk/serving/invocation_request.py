"""What an HTTP request to `/invocations` asks for: its body in any form, and its query."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from .request_body import JSON, Invocation, RequestError, is_image, read_body

_MULTIPART = "multipart/form-data"
_PARSED_AT_ONCE = 256 * 2**10
"""Bytes of JSON that are parsed without a thread, which would take longer to wake."""
_TRUTH = {"true": True, "false": False}
_TAIL = 256
"""Bytes at the end of a form that show whether it is whole; RFC 2046 bounds a boundary to 70."""


@contextlib.asynccontextmanager
async def invocation(
    request: WatchedRequest, most: int, threads: asyncio.Semaphore
) -> AsyncIterator[Invocation]:
    """Read what a request asks for.

    Args:
        request: its body, and `?explain=true`.
        most: files that a form may have.
        threads: entered by large bodies, which are parsed in a thread.

    Raises:
        RequestError: it cannot be understood. Nothing of it is ignored.
    """
    explain = _explain_in_query(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        async with _form(request, most) as asked:
            yield replace(asked, explain=asked.explain or explain)
        return
    body = await _body(request)
    if is_image(kind) or (kind == JSON and len(body) <= _PARSED_AT_ONCE):
        asked = read_body(kind, body)
    else:
        async with threads:  # not while a slow client is still sending
            asked = await asyncio.to_thread(read_body, kind, body)
    del body
    yield replace(asked, explain=asked.explain or explain)


def _explain_in_query(request: Request) -> bool:
    asked = request.query_params.multi_items()
    if not asked:
        return False
    if [name for name, _ in asked] != ["explain"]:
        raise RequestError("The address may have the parameter `explain` once, and no other.")
    return _truth(asked[0][1])


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise RequestError("The parameter `explain` is true or false.")
    return _TRUTH[text.lower()]


@contextlib.asynccontextmanager
async def _form(request: WatchedRequest, most: int) -> AsyncIterator[Invocation]:
    try:
        async with request.form(max_files=most, max_fields=most) as form:
            request.check_whole()
            yield await _files(form)
    except HTTPException as error:
        raise RequestError(f"The form cannot be read: {error.detail}") from None


async def _files(form: FormData) -> Invocation:
    explain, files = False, []
    for name, part in form.multi_items():
        if isinstance(part, UploadFile):
            files.append(part)
        elif name == "explain":
            explain = _truth(part)
        else:
            raise RequestError(f"The form's field {name[:60]!r} is no file; send images as files.")
    if not files:
        raise RequestError("The form has no file; send images as files.")
    names = tuple(file.filename or "" for file in files)
    return Invocation([await file.read() for file in files], explain, names)


class WatchedRequest(Request):
    """A request that remembers the end of its body, as the parser takes a form that was cut off for whole."""

    def __init__(self, request: Request) -> None:
        self._tail = b""

        async def receive() -> Message:
            message = await request.receive()
            self._tail = (self._tail + message.get("body", b"")[-_TAIL:])[-_TAIL:]
            return message

        super().__init__(request.scope, receive)

    def check_whole(self) -> None:
        """Raise RequestError if the form that was read has no end."""
        boundary = parse_options_header(self.headers["content-type"])[1].get(b"boundary", b"")
        if b"--" + boundary + b"--" not in self._tail:
            raise RequestError("The form is cut short: its closing boundary is missing.")


async def _body(request: Request) -> bytearray:
    """The body. Starlette's own `body()` would keep it, beside the images in it, until the reply is sent."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
    return body
