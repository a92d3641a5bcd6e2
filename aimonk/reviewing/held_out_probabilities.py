"""A run's out-of-fold probabilities, in the order of a data set that may have changed since."""

from __future__ import annotations

import logging

import numpy as np

from ..data.dataset import Dataset
from ..errors import ModelError
from ..evaluation.held_out import HeldOutScores

_log = logging.getLogger("aimonk.reviewing")


def held_out_probabilities(dataset: Dataset, scores: HeldOutScores, run: str) -> np.ndarray:
    """Return `(N, L) float64` probabilities; nan where the run has none.

    Images are matched by their bytes. Of identical files each has the score of its own name, if it has one.

    Raises:
        ModelError: the run scored no image of this folder, or no attribute of these labels.
    """
    by_name = {pair: row for row, pair in enumerate(zip(scores.images, scores.digests, strict=True))}
    by_digest = {digest: row for row, digest in reversed(list(enumerate(scores.digests)))}
    source = np.array(
        [
            by_name.get((name, digest), by_digest.get(digest, -1))
            for name, digest in zip(dataset.names, dataset.digests, strict=True)
        ],
        dtype=np.int64,
    )
    columns = {name: column for column, name in enumerate(scores.attributes)}
    shared = [name for name in dataset.attributes if name in columns]
    if not (source >= 0).any() or not shared:
        what = f"image in {dataset.folder}" if shared else f"attribute in {dataset.labels}"
        raise ModelError(f"The run {run} scored no {what}; name the run that was trained on these data.")
    scored = source >= 0
    if not scored.all():
        _log.warning(
            "%d of %d images have no score in the run, so nothing is known to be doubtful about them",
            len(scored) - int(scored.sum()),
            len(scored),
        )
    found = np.full((len(dataset), len(dataset.attributes)), np.nan)
    for column, name in enumerate(dataset.attributes):
        if name in columns:
            found[scored, column] = scores.probabilities[source[scored], columns[name]]
    return found
