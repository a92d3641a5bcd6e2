"""The text of a labels file, whatever its encoding."""

from __future__ import annotations

import codecs
from pathlib import Path

from ...errors import LabelsError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16."""

_LEGACY = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
]  # fmt: skip
"""Encodings that spreadsheets and older systems write."""


def read_text(path: Path) -> tuple[str, str]:
    """Return the text of a file and its encoding.

    A byte order mark decides. Without one, UTF-16 shows by its zero bytes, and UTF-8 by being valid: text in
    another encoding hardly ever is. Among older encodings charset-normalizer chooses by what the text looks
    like; it is shown the lines that are not ASCII, because only those differ.

    Raises:
        LabelsError: The bytes are no text.
    """
    content = path.read_bytes()
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(path, content, encoding), encoding.removesuffix("-sig")
    if content[:4096].count(0) > len(content[:4096]) // 4:
        encoding = "utf-16-le" if content[1:4096:2].count(0) > content[:4096:2].count(0) else "utf-16-be"
        text = _decode(path, content, encoding)
        if not all(sign.isprintable() or sign.isspace() for sign in text[:200]):
            raise LabelsError(f"{path} is not a text file: give a table of labels to --labels.")
        return text, encoding
    try:
        return content.decode(), "utf-8"
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
    return text


def _legacy(path: Path, content: bytes) -> str:
    from charset_normalizer import from_bytes

    if b"\0" in content:
        raise LabelsError(f"{path} is not a text file: give a table of labels to --labels.")
    unusual = b"\n".join(line for line in content.splitlines() if not line.isascii())[:65536]
    found = {match.encoding: match for match in from_bytes(unusual, cp_isolation=_LEGACY)}
    best = next(iter(found.values()), None)
    western = next(iter(from_bytes(unusual, cp_isolation=["cp1252"])), None)
    # Western and Central European letters share most codes. Where Western reads as smoothly, it is it.
    if western is not None and (best is None or western.chaos <= best.chaos):
        return "cp1252"
    if best is None:
        raise LabelsError(f"{path} is text in an unknown encoding: save it as UTF-8.")
    return best.encoding
