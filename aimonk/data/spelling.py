"""In what a name in the labels and the path of its file differ."""

from __future__ import annotations

import os
import re
import unicodedata

from .labels.image_names import looks_like_image

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
"""Scheme of a URL; one letter before a colon is a drive of Windows."""


def spelling_difference(name: str, file: str) -> str:
    """Return in what a name differs from its file, in words."""
    found = []
    plain = name.replace("\\", "/")
    if URL.match(plain) or "?" in plain:
        return "a URL"
    if "\\" in name:
        found.append("slashes")
    if unicodedata.normalize("NFC", plain) != plain or unicodedata.normalize("NFC", file) != file:
        found.append("Unicode form")
    plain, file = (unicodedata.normalize("NFC", text) for text in (os.path.normpath(plain), file))
    one, other = plain.rpartition("/"), file.rpartition("/")
    if one[2] != other[2]:
        if one[2].casefold() == other[2].casefold():
            found.append("case")
        elif stem_of(one[2]) == stem_of(other[2]):
            found.append("suffix")
        else:
            stems = stem_of(one[2].casefold()), stem_of(other[2].casefold())
            numbered = number_of(stems[0]) is not None and number_of(stems[0]) == number_of(stems[1])
            equal = stems[0] == stems[1]
            found.append("suffix and case" if equal else "leading zeros" if numbered else "a prefix")
    if one[0].casefold() != other[0].casefold():
        found.append("leading folders")
    elif one[0] != other[0]:
        found.append("case of folders")
    return " and ".join(found) or "a needless ./"


def number_of(stem: str) -> int | None:
    """Return the number that a name is, as spreadsheets and data frames leave it behind; None for others.

    >>> number_of("000012"), number_of("12"), number_of("12.0"), number_of("img12")
    (12, 12, 12, None)
    """
    digits = stem.removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def stem_of(last: str) -> str:
    """Return the last part of a path without the suffix of an image.

    >>> stem_of("a.jpg"), stem_of("v1.5")
    ('a', 'v1.5')
    """
    return os.path.splitext(last)[0] if looks_like_image(last) else last
