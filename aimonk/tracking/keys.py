"""Names of attributes as MLflow takes them: valid, unique, and always the same for the same attribute."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 120
"""Characters; MLflow takes 250 for a metric's or a parameter's key, prefix included."""


def attribute_key(name: str) -> str:
    """Return the part of a metric's or a parameter's key that stands for an attribute.

    MLflow takes letters, digits, blanks and `_ - . :`, reads `/` as a folder, and refuses what is no plain
    path. A name that fits stays as it is. In any other, each character that does not fit becomes `_`, and the
    start of the name's SHA-256 is appended, so that two names never share a key.

    >>> attribute_key("long sleeves")
    'long sleeves'
    >>> attribute_key("sleeves (long)")
    'sleeves _long_-8cb5be1e'
    """
    plain = re.sub(r"[^\w\-. :]", "_", name)[:_LONGEST].strip()
    if plain == name and plain.strip("."):
        return plain
    return (
        f"{plain.strip('. ') or '_'}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    )
