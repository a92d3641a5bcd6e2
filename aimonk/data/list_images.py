"""Which files of a folder are images, where no labels file names them."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ImagesError
from ..runtime.image_formats import image_suffixes


def image_names(folder: Path) -> list[str]:
    """Names relative to the folder of all image files below it, sorted.

    A file counts if its suffix is that of a format that can be read, or if it has none; hidden files do not.
    Raises ImagesError if there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise ImagesError(f"There is neither a folder nor a file {folder}; give one of them to --data.")
    suffixes = image_suffixes().keys() | {""}
    found = [
        os.path.relpath(os.path.join(parent, name), folder)
        for parent, _, names in os.walk(folder)
        for name in names
        if os.path.splitext(name)[1].lower() in suffixes and not name.startswith(".")
    ]
    if not found:
        raise ImagesError(f"There is no image file below {folder}; give the folder of images to --data.")
    return sorted(found)
