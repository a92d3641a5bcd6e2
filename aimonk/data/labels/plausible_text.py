"""Whether a text looks as people write it, or as its bytes look in a wrong encoding."""

from __future__ import annotations

import unicodedata

_SYMBOLS = frozenset(("Sc", "So", "Sm", "Sk", "No"))


def is_plausible(text: str) -> bool:
    """Return whether every sign that is not ASCII stands where such a sign can stand.

    No sign but a letter stands inside a word, no symbol right before one, no capital after a small letter,
    and no Greek or Cyrillic letter beside a Latin one.

    >>> [is_plausible(text) for text in ("Ärmel", "€rmel", "grš§e", "café", "¾lutý", "5 €")]
    [True, False, False, True, False, True]
    """
    padded = f" {text} "
    return all(
        sign.isascii() or _fits(before, sign, after)
        for before, sign, after in zip(padded, padded[1:], padded[2:], strict=False)
    )


def _fits(before: str, sign: str, after: str) -> bool:
    kind = unicodedata.category(sign)
    if kind in ("Cc", "Cn", "Co") or unicodedata.east_asian_width(sign) == "H":
        return False
    if sign.isalpha() or kind.startswith("M"):
        if unicodedata.name(sign, "").startswith(("GREEK", "CYRILLIC")):
            return not any(near.isascii() and near.isalpha() for near in (before, after))
        return not (sign.isupper() and before.islower())
    return not after.isalpha() or not (before.isalpha() or kind in _SYMBOLS)
