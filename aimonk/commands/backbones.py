"""`aimonk backbones`: what can be named, how large it is, and whether its weights are at hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..backbones import catalog
from ..results.backbones_result import BackbonesResult


def list_backbones(files: Iterable[str | Path] = (), *, speed: bool = False) -> BackbonesResult:
    """List network files of one's own, then every network that Keras has ImageNet weights for.

    >>> aimonk.list_backbones().table[["name", "dimension"]]  # doctest: +SKIP

    Args:
        files: ONNX files or folders, or `.keras` files.
        speed: measure images per second on this machine, which takes some seconds for each: of the files,
            or, where none is given, of the networks whose weights are at hand.

    Raises:
        BackboneError: a file is no image backbone.
    """
    named = [str(file) for file in files]
    found = catalog.list_backbones(named)
    if speed:
        from dataclasses import replace

        from ..features.throughput import images_per_second

        chosen = named or [info.name for info in found if info.weights_at_hand]
        found = tuple(
            replace(info, images_per_second=images_per_second(info.name)) if info.name in chosen else info
            for info in found
        )
    return BackbonesResult(found)
