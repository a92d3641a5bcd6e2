"""The body of a request to `/invocations` as cells of images: MLflow's JSON forms, CSV, or an image."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import dataclass
from typing import Any

from ..errors import AimonkError

JSON, CSV = "application/json", "text/csv"
FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")
_COLUMN = "image"

csv.field_size_limit(sys.maxsize)  # an image is longer than the 128 KiB that are the default


class RequestError(AimonkError):
    """A request that cannot be understood.

    Args:
        message: one sentence for the client.
        status: HTTP status code.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Invocation:
    """What a request asks for: the cells of its column `image`, as `runtime.image_cell` takes them."""

    cells: list[Any]
    explain: bool = False
    files: tuple[str, ...] = ()
    """Names of the files, where the request is a form."""


def read_body(kind: str, body: bytes | bytearray) -> Invocation:
    """Understand a body.

    Args:
        kind: media type without parameters, in lower case.
        body: all of it.

    Raises:
        RequestError: the type is unknown, the body is malformed, or there is no column `image`.

    >>> read_body("application/json", b'{"inputs": {"image": ["R0lG", null]}, "params": {"explain": true}}')
    Invocation(cells=['R0lG', None], explain=True, files=())
    """
    if kind == JSON:
        return _json_invocation(body)
    if kind == CSV:
        return Invocation(_csv_cells(body))
    if is_image(kind):
        return Invocation([bytes(body)])
    raise RequestError(
        f"The content type {kind[:60] or '(none)'!r} is not known; send {JSON}, {CSV}, a form, or "
        "an image as image/jpeg or the like.",
        415,
    )


def is_image(kind: str) -> bool:
    """Whether a body of this media type is an image as it is.

    >>> is_image("image/jpeg")
    True
    """
    return kind.startswith("image/") or kind == "application/octet-stream"


def _json_invocation(body: bytes | bytearray) -> Invocation:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError("The body is not valid JSON.") from None
    return Invocation(_json_cells(request), _explain(request.get("params")))


def _explain(params: Any) -> bool:
    """The one parameter that there is."""
    if params is None:
        return False
    if not isinstance(params, dict) or params.keys() - {"explain"}:
        raise RequestError("`params` is an object that may hold `explain`, and nothing else.")
    explain = params.get("explain", False)
    if not isinstance(explain, bool):
        raise RequestError("The parameter `explain` is true or false.")
    return explain


def _json_cells(request: Any) -> list[Any]:
    forms = [form for form in FORMS if isinstance(request, dict) and form in request]
    if len(forms) != 1:
        raise RequestError(f"The JSON body needs exactly one of the keys {', '.join(FORMS)}.")
    content = request[forms[0]]
    if forms[0] == "dataframe_split":
        return _split_cells(content)
    if isinstance(content, dict):
        if _COLUMN not in content:
            raise _no_column()
        column = content[_COLUMN]
        return column if isinstance(column, list) else [column]
    if not isinstance(content, list):
        raise RequestError(f"{forms[0]} needs a list, or a table with a column `{_COLUMN}`.")
    if forms[0] == "dataframe_records" or any(isinstance(row, dict) and _COLUMN in row for row in content):
        return _record_cells(content)
    return content


def _split_cells(content: Any) -> list[Any]:
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise RequestError("dataframe_split needs `columns` and a list `data`.")
    columns = content.get("columns")
    if not isinstance(columns, list) or _COLUMN not in columns:
        raise _no_column()
    index = columns.index(_COLUMN)
    return [row[index] if isinstance(row, list) and len(row) > index else None for row in content["data"]]


def _record_cells(content: list[Any]) -> list[Any]:
    if content and not any(isinstance(row, dict) and _COLUMN in row for row in content):
        raise _no_column()
    return [row.get(_COLUMN) if isinstance(row, dict) else row for row in content]


def _csv_cells(body: bytes | bytearray) -> list[Any]:
    try:
        text = body.decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if _COLUMN not in (rows.fieldnames or ()):
            raise _no_column()
        return [row[_COLUMN] for row in rows]
    except (UnicodeDecodeError, csv.Error):
        raise RequestError("The body is not a CSV table in UTF-8.") from None


def _no_column() -> RequestError:
    return RequestError(f"The input needs a column `{_COLUMN}`.")
