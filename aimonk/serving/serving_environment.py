"""What a server of a model needs installed: the few packages it imports, and all that these bring."""

from __future__ import annotations

import platform
import re
from email.message import Message
from email.parser import HeaderParser
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version

from packaging.requirements import Requirement

from .. import __version__

_SERVING = ("mlflow", "openvino", "numpy", "pandas", "pillow", "pillow-heif")
"""What a model imports."""

_OWN_SERVER = ("filelock", "prometheus-client", "python-multipart", "rich", "starlette", "typer", "uvicorn")
"""What `aimonk serve` imports besides; pinned where it is installed."""

_LICENSE_CLASSIFIER = "License :: OSI Approved :: "


def requirements() -> list[str]:
    """What a model imports, pinned to what is installed here; no TensorFlow.

    >>> requirements()[0]
    'mlflow==3.17.2'
    """
    return [f"{name}=={version(name)}" for name in _SERVING]


def pinned_environment() -> list[str]:
    """Every package of the serving environment with its version, as installed here, sorted.

    These are the packages of `requirements`, those of `aimonk serve` where they are installed, and all that
    these require on this platform, directly or not.
    """
    pins: dict[str, str] = {}
    waiting = [(name, frozenset[str]()) for name in _SERVING + _OWN_SERVER]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        try:
            about = _metadata(name)
        except PackageNotFoundError:  # of an extra that is not installed
            continue
        pins[name] = about["Version"]
        for text in about.get_all("Requires-Dist", ()):
            needed = Requirement(text)
            found = (_canonical(needed.name), frozenset(needed.extras))
            if _applies(needed, extras) and found not in seen:
                seen.add(found)
                waiting.append(found)
    return [f"{name}=={pins[name]}" for name in sorted(pins)]


def software_versions() -> dict[str, str]:
    """Versions of what made a package and answers with it."""
    names = ("openvino", "numpy", "pillow", "pillow-heif")
    return {
        "aimonk": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def software_licenses() -> dict[str, str]:
    """Licenses of the software that a server runs, as its authors state them."""
    return {"aimonk": "Apache-2.0", **{name: _license(name) for name in _SERVING}}


@cache
def _metadata(name: str) -> Message:
    """Read an installed package's metadata once, without the long description that takes most of the time."""
    found = distribution(name)
    text = found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
    return HeaderParser().parsestr(text.split("\n\n", 1)[0])


def _canonical(name: str) -> str:
    """PEP 503: one spelling per package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _applies(needed: Requirement, extras: frozenset[str]) -> bool:
    if needed.marker is None:
        return True
    return any(needed.marker.evaluate({"extra": extra}) for extra in extras or {""})


def _license(name: str) -> str:
    about = _metadata(name)
    for key in ("License-Expression", "License"):
        text = about.get(key)
        if text and "\n" not in text:
            return str(text)
    named = [text for text in about.get_all("Classifier", ()) if text.startswith(_LICENSE_CLASSIFIER)]
    return named[0].removeprefix(_LICENSE_CLASSIFIER) if named else "not stated"
