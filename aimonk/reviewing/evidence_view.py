"""Where the model of the reviewed run sees an attribute in a photo, for the large view of the page."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path

from ..errors import ModelError
from ..reporting.overlays import overlay
from ..runtime.contributions import Explainer
from ..runtime.image_file import read_image_file
from ..tracking.logged_model import model_package

SIDE = 1024
"""Longer side of a picture, in pixels."""


class EvidenceView:
    """Explains photos one at a time. The model is loaded when it is first asked.

    The model is the one that the run published. It was trained on these photos too; the score that made a
    label doubtful is of a model that was not.
    """

    def __init__(self, paths: tuple[Path, ...], run: str) -> None:
        self._paths, self._run = paths, run
        self._lock = threading.Lock()

    def png(self, row: int, attribute: str) -> bytes:
        """Return photo `row` with the evidence for an attribute over it.

        Raises:
            ImagesError: the photo cannot be read any more.
            ModelError: the run keeps no model that can be explained, or the model has no such attribute.
            TrackingError: the store cannot be reached.
        """
        content, _ = read_image_file(self._paths[row])
        with self._lock:  # an explainer has one inference request
            names = self._explainer.info.names
            if attribute not in names:
                raise ModelError(f"The model of run {self._run} has no attribute {attribute!r}.")
            found = self._explainer.explain(content)
        return overlay(content, found.places[names.index(attribute)], (SIDE, SIDE))

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(model_package(f"runs:/{self._run}/model"))
