"""How many processors this process may use: a container often has fewer than the machine."""

from __future__ import annotations

import os


def usable_processors() -> int:
    """At least 1. Linux tells what the process is confined to; elsewhere it is all of the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
