"""The copy of `aimonk.runtime` that travels with a model."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from .. import runtime

_RUNTIME = Path(runtime.__file__).resolve().parent


def copy_runtime(folder: Path, source: Path = _RUNTIME) -> Path:
    """Copy the runtime below `folder` and return the copy, e.g. `folder/aimonk_runtime_0123456789abcdef`.

    Python keeps one module per name, so a second model whose code has the same name would silently run the
    first one's. The name is therefore made from the code's SHA-256: only equal code shares a name.
    """
    sources = sorted(source.glob("*.py"))
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    copy = folder / f"aimonk_runtime_{digest.hexdigest()[:16]}"
    copy.mkdir(parents=True)
    for path in sources:
        shutil.copyfile(path, copy / path.name)
    return copy
