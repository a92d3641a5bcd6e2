"""One cell of a request or of a table, whatever it holds, to the bytes of an image file."""

from __future__ import annotations

import base64
import binascii
import math
import urllib.parse
from typing import Any

from .user_errors import ImagesError

_MISSING = "there is no image"
_NOT_BASE64 = "the text is not base64 of an image; send the file's bytes, since paths and URLs are not opened"
_NULL_TEXTS = frozenset({"", "none", "nan", "null", "<na>"})
"""What MLflow, NumPy and pandas turn a null into when they make a column of texts."""

_STANDARD = bytes.maketrans(b"-_", b"+/")
"""From the URL-safe alphabet to the standard one (RFC 4648, section 5)."""

_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\r\n")


def image_bytes(cell: Any) -> bytes | ImagesError:
    r"""Return the image file's bytes, or the reason why there are none.

    Args:
        cell: the bytes of an image file; base64 text of them (`str` or ASCII `bytes`; standard or URL-safe,
            padded or not, with or without line breaks); a `data:` URI; or a dictionary with one of these
            under `bytes` (Hugging Face) or `b64` (TensorFlow Serving).

    The error is returned, not raised: it belongs to one row of many.

    >>> image_bytes("R0lG")
    b'GIF'
    >>> str(image_bytes(None))
    'there is no image'
    """
    if isinstance(cell, dict):
        cell = cell.get("bytes", cell.get("b64"))
    if isinstance(cell, str):
        return _from_text(cell)
    if isinstance(cell, bytes | bytearray | memoryview):
        return _from_bytes(bytes(cell))
    if _is_missing(cell):
        return ImagesError(_MISSING)
    return ImagesError(f"an image is bytes or base64 text, not {type(cell).__name__}")


def encoded_size(cell: Any) -> int:
    """Bytes that a cell's image takes when it is no longer base64; an estimate, in constant time."""
    if isinstance(cell, dict):
        cell = cell.get("bytes", cell.get("b64"))
    if isinstance(cell, str):
        return len(cell) * 3 // 4
    return len(cell) if isinstance(cell, bytes | bytearray | memoryview) else 0


def _from_text(text: str) -> bytes | ImagesError:
    text = text.strip()
    if text.lower() in _NULL_TEXTS:
        return ImagesError(_MISSING)
    if text[:5].lower() == "data:":
        return _from_data_uri(text)
    if not text.isascii():
        return ImagesError(_NOT_BASE64)
    return _decoded(text.encode()) or ImagesError(_NOT_BASE64)


def _from_bytes(data: bytes) -> bytes | ImagesError:
    """An image file as it is; text in bytes is decoded, since no image format begins with 16 letters."""
    head = data[:16]
    if head[:5].lower() == b"data:":
        return _from_data_uri(data.decode("ascii", "replace"))
    if data and not head.strip():
        return ImagesError(_MISSING)
    if head.lower() in {text.encode() for text in _NULL_TEXTS - {""}}:
        return ImagesError(_MISSING)
    return (_decoded(data) if _LETTERS.issuperset(head) else None) or data


def _from_data_uri(text: str) -> bytes | ImagesError:
    """RFC 2397: `data:image/png;base64,...`, or percent-encoded without `;base64`."""
    header, comma, body = text.partition(",")
    if not comma:
        return ImagesError("the data: URI has no comma, and so no image")
    body = body.strip()
    if not header.lower().endswith(";base64"):
        return urllib.parse.unquote_to_bytes(body) or ImagesError(_MISSING)
    if "%" in body:
        body = urllib.parse.unquote(body)
    found = _decoded(body.encode("ascii", "replace"))
    return found or ImagesError("the data: URI does not hold base64 of an image")


def _decoded(text: bytes) -> bytes | None:
    """Base64 undone, or None where it is not base64."""
    letters = text.translate(_STANDARD, b"\r\n\t ").rstrip(b"=")
    if len(letters) % 4 == 1:  # six bits make no byte
        return None
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except binascii.Error:
        return None


def _is_missing(cell: Any) -> bool:
    return cell is None or type(cell).__name__ == "NAType" or (isinstance(cell, float) and math.isnan(cell))
