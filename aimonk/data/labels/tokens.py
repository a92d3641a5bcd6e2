"""The spellings of a label, and what each can mean."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")

PRESENT: dict[str, str] = {
    "1": "number",
    **dict.fromkeys(
        ("yes", "y", "ja", "oui", "si", "sí", "sì", "sim", "да", "так", "tak", "ano", "áno", "evet", "igen",
         "kyllä", "はい", "是", "有", "예", "네"),
        "yes",
    ),
    **dict.fromkeys(("true", "t", "wahr", "vrai", "verdadero", "vero", "verdadeiro", "真"), "true"),
    **dict.fromkeys(("present", "positive", "pos", "+", "on"), "present"),
    **dict.fromkeys(("x", "*", "•"), "mark"),
    **dict.fromkeys(("✓", "✔", "✔️", "✅", "☑", "☑️", "☒", "○", "◯", "〇"), "mark"),
}  # fmt: skip
"""Tokens that mean present, with the family they belong to."""

ABSENT: dict[str, str] = {
    "0": "number",
    **dict.fromkeys(
        ("no", "n", "nein", "non", "não", "нет", "ні", "nie", "ne", "nej", "nee", "hayır", "nem", "ei",
         "いいえ", "否", "无", "無", "아니오", "아니요"),
        "yes",
    ),
    **dict.fromkeys(("false", "f", "falsch", "faux", "falso", "假"), "true"),
    **dict.fromkeys(("absent", "negative", "neg", "off"), "present"),
    **dict.fromkeys(("✗", "✘", "✖", "✖️", "❌", "×", "☐", "□"), "mark"),
}  # fmt: skip
"""Tokens that mean absent. A cross means it only beside a check mark; what is not marked is open."""

UNKNOWN = frozenset(
    (
        "na", "n/a", "n.a.", "nan", "null", "none", "nil", "<na>", "#n/a", "#na", "#n/a n/a", "nat", "?",
        "??", "unknown", "unk", "unclear", "uncertain", "undefined", "unlabeled", "unlabelled", "missing",
        "not available", "not known", "not sure", "unsure", "unsicher", "unbekannt", "inconnu", "k.a.", "\\n",
        "not applicable", "indeterminate", "n.d.", "tbd", "#value!", "#ref!", "#div/0!", "#name?", "#num!",
    )
)  # fmt: skip
"""Tokens that can only mean that a label is not known."""

WEAK = frozenset(("", "-", "--", "—", "–", "."))
"""Tokens that stand for nothing: not known where other cells say absent, else open."""

_SINGLE = {"t": "f", "f": "t"}
"""`F` is a label only beside a `T`: alone, or beside an `M`, it is something else."""

_CHECKS = frozenset(("✓", "✔", "✔️", "✅", "☑", "☑️", "☒", "○", "◯", "〇"))
_CROSSES = frozenset(("✗", "✘", "✖", "✖️", "❌", "×"))


def normalized(token: str) -> str:
    """Return a token without regard to case and to how a number is written.

    >>> [normalized(token) for token in ("YES", "1.000", "-1.0", "0,67", "1e0", " <NA> ", "90 %")]
    ['yes', '1', '-1', '0.67', '1', '<na>', '0.9']
    """
    token = token.strip().casefold()
    if token.endswith("%") and _NUMBER.fullmatch(token[:-1].strip()):
        return f"{float(token[:-1].replace(',', '.')) / 100 + 0.0:g}"
    if _NUMBER.fullmatch(token):
        return f"{float(token.replace(',', '.')) + 0.0:g}"
    return token


def percentage(token: str) -> float | None:
    """Return the number before a percent sign, or None if there is none.

    >>> percentage("29 %"), percentage("0,5%"), percentage("29")
    (29.0, 0.5, None)
    """
    before = token.strip().removesuffix("%").strip()
    if not token.strip().endswith("%") or not _NUMBER.fullmatch(before):
        return None
    return float(before.replace(",", "."))


def is_label(token: str) -> bool:
    """Return whether a token is one of those that mean present, absent or unknown without any setting."""
    token = normalized(token)
    return token == "-1" or token in PRESENT or token in ABSENT or token in UNKNOWN or token in WEAK


def number(token: str) -> float | None:
    """Return the number that a normalized token is, if it is one."""
    return float(token) if _NUMBER.fullmatch(token) else None


def stray(tokens: set[str]) -> str | None:
    """Return a token that means something only beside another one, which is not there.

    >>> stray({"f", "m"}), stray({"✗", ""}), stray({"✗", "✓"}), stray({"x", "✓"})
    ('f', '✗', None, 'x')
    """
    letters = (one for one, other in _SINGLE.items() if one in tokens and other not in tokens)
    checked = bool(tokens & _CHECKS)
    crosses = iter(sorted(tokens & _CROSSES if not checked else tokens & {"x"}))
    return next(letters, None) or next(crosses, None)
