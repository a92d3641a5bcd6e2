"""Paths inside a folder: no name in a labels file leads out of the folder of images."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import LabelsError


def resolve(data: Path, name: str) -> Path:
    """Return where the image `name` lies in the folder `data`; it need not exist.

    Links inside the folder are followed when the file is opened: whoever made the folder made the links.

    Raises:
        LabelsError: The name leads out of the folder, by `..` or as an absolute path, or is no file name.
    """
    return Path(resolve_in(os.path.realpath(data), name))


def resolve_in(root: str, name: str) -> str:
    """Return the same as `resolve` for a folder whose own links are already followed."""
    if "\0" in name:
        raise LabelsError(f"The image {name!r} in the labels is no file name: correct that row.")
    path = os.path.normpath(os.path.join(root, name))
    if os.path.isabs(name) or not path.startswith(root.rstrip(os.sep) + os.sep):
        raise LabelsError(
            f"The image {name!r} in the labels lies outside the folder {root}: "
            "name images by paths inside that folder."
        )
    return path


def exact_file(root: str, name: str) -> str | None:
    """Return the path of the file that a name is, in its plain form; None if there is none.

    Raises:
        LabelsError: The name leads out of the folder by `..`, or is no file name.
    """
    if _leads_outside(name):
        resolve_in(root, name)  # raises
        raise LabelsError(f"The image {name!r} in the labels lies outside the folder {root}.")
    if os.path.isabs(name):
        return None
    for path in dict.fromkeys((name, name.replace("\\", "/"))):
        try:
            os.lstat(resolve_in(root, path))
        except PermissionError:
            pass  # there, but behind a folder that may not be read; the scan says so
        except OSError:
            continue
        return os.path.normpath(path)
    return None


def _leads_outside(name: str) -> bool:
    """Return whether a name climbs above where it starts, with slashes of either kind; or is no name."""
    path = os.path.normpath(name.replace("\\", "/"))
    return "\0" in name or path in (".", "..") or path.startswith("../")
