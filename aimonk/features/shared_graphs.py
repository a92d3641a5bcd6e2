"""Graphs of known weights that all feature stores of a user share, so that only the first one converts them.

    <user's cache folder, or AIMONK_GRAPHS>/<backbone>-<weights>-<size>-p<preprocessing>/ir/...

By default that is where the user's own store is. Other stores copy from it what it has, and give it what they
have converted. It is a help only: where it cannot be read or written, a store does without.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import platformdirs

from ..atomic_files import replaced_folder
from ..backbones.graph import is_sound

_LOG = logging.getLogger(__name__)


def shared_store() -> Path:
    """Return the folder of graphs that all stores share."""
    named = os.environ.get("AIMONK_GRAPHS")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("aimonk", appauthor=False)


def copy_graph(source: Path, folder: Path) -> bool:
    """Copy a graph, if there is a sound one, to a folder that has none; return whether it is there now.

    Args:
        source: folder of a graph.
        folder: where it is copied to.

    """
    if source.resolve() == folder.resolve() or not is_sound(source):
        return False
    try:
        with replaced_folder(folder) as fresh:
            shutil.copytree(source, fresh, dirs_exist_ok=True)
            if not is_sound(fresh):  # it was changed meanwhile, or the disk wrote something else
                raise OSError("the copy is not what was copied")
    except OSError as error:
        _LOG.debug("The graph %s is not copied to %s: %s", source, folder, error)
        return False
    return True
