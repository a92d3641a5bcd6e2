"""The text of a labels file, whatever its encoding."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import LabelsError
from .plausible_text import is_plausible

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16."""

_LEGACY = [
    "cp1252", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254", "mac_roman", "cp850",
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
]  # fmt: skip
"""Encodings that spreadsheets and older systems write."""


_ENDS = "\0\x1a"
"""What old programs end a text with."""


def read_text(path: Path, encoding: str = "") -> tuple[str, str]:
    """Return the text of a file and its encoding, which may be given.

    A byte order mark decides. Without one, UTF-16 shows by its zero bytes, and UTF-8 by being valid: text in
    another encoding hardly ever is. Of older encodings those are left out in which signs stand where people
    write none; among the others charset-normalizer chooses. Only the lines that are not ASCII are looked at.

    Raises:
        LabelsError: The bytes are no text, or the encoding that is given does not exist.
    """
    content = path.read_bytes()
    for mark, marked in _MARKS:
        if content.startswith(mark):
            return _decode(path, content, marked), marked.removesuffix("-sig")
    if encoding:
        return _decode(path, content, encoding), encoding
    if content[:4096].count(0) > len(content[:4096]) // 4:
        encoding = "utf-16-le" if content[1:4096:2].count(0) > content[:4096:2].count(0) else "utf-16-be"
        text = _decode(path, content, encoding)
        if not all(sign.isprintable() or sign.isspace() for sign in text[:200]):
            raise LabelsError(f"{path} is not a text file: give a table of labels to --labels.")
        return text, encoding
    try:
        return content.decode().rstrip(_ENDS), "utf-8"
    except UnicodeDecodeError:
        encoding = _legacy(path, content)
        return _decode(path, content, encoding), encoding


def _decode(path: Path, content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise LabelsError(
            f"{path} is neither a table nor valid {encoding} text: give a table of labels to --labels, or "
            "save it as UTF-8."
        ) from None
    except LookupError:
        raise LabelsError(
            f"labels.encoding is {encoding!r}, which is no text encoding: set one such as cp1250."
        ) from None
    return text.rstrip(_ENDS)


def _legacy(path: Path, content: bytes) -> str:
    from charset_normalizer import from_bytes

    if b"\0" in content:
        raise LabelsError(f"{path} is not a text file: give a table of labels to --labels.")
    unusual = b"\n".join(line for line in content.splitlines() if not line.isascii())[:65536]
    fitting = [name for name in _LEGACY if _fits(unusual, name)]
    found = list(from_bytes(unusual, cp_isolation=fitting)) if fitting else []
    best = min(found, key=_oddness, default=None)
    western = next(iter(from_bytes(unusual, cp_isolation=["cp1252"])), None) if "cp1252" in fitting else None
    # Western and Central European letters share most codes. Where Western reads as smoothly, it is it.
    if western is not None and (best is None or _oddness(western) <= _oddness(best)):
        return "cp1252"
    if best is None:
        raise LabelsError(f"{path} is text in an unknown encoding: name it with labels.encoding.")
    return best.encoding


def _fits(content: bytes, encoding: str) -> bool:
    try:
        return is_plausible(content.decode(encoding))
    except UnicodeDecodeError:
        return False


def _oddness(match: CharsetMatch) -> tuple[float, float]:
    """Return how unlikely a text is; of two encodings of Cyrillic, one makes capitals of small letters."""
    letters = [sign for sign in str(match) if sign.isalpha() and not sign.isascii()]
    return match.chaos, sum(map(str.isupper, letters)) / max(len(letters), 1) // 0.9
