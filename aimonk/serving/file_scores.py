"""Probabilities of image files, without a forward pass where their features are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.special import expit

from ..config import FeaturesConfig
from ..errors import ImagesError
from ..features.cache_key import store_folder
from ..features.feature_store import FeatureStore
from ..features.views import PLAIN
from ..runtime.predictor import Predictor
from .package import read_head


def score_files(
    package: Path,
    predictor: Predictor,
    files: Sequence[tuple[str, Path]],
    config: FeaturesConfig,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Calibrated probabilities of readable images, `(n, L) float64`, in memory that grows by these alone.

    Args:
        package: folder of the model package.
        predictor: an open predictor of that package.
        files: hex SHA-256 and path of each image.
        config: says where features are stored.
        progress: called with (images done, images).

    Raises:
        ImagesError: an image has become unreadable.

    """
    head = read_head(package)
    probabilities = np.empty((len(files), len(predictor.info.names)))
    if head is not None and predictor.info.features and files:
        store = FeatureStore(store_folder(config) / predictor.info.features)
        places: dict[str, list[int]] = {}
        for place, (digest, _) in enumerate(files):
            places.setdefault(digest, []).append(place)
        if {(digest, PLAIN) for digest in places} <= store.known():
            digests, done = list(places), 0
            for rows, vectors in store.each(digests, PLAIN):
                answers = expit(head.logits(vectors).astype(np.float64))
                for row, answer in zip(rows.tolist(), answers, strict=True):
                    probabilities[places[digests[row]]] = answer
                done += len(rows)
                if progress:
                    progress(done, len(digests))
            return probabilities
    for place, prediction in enumerate(predictor.stream(path for _, path in files)):
        if prediction.error:
            raise ImagesError(f"The image {files[place][1]} cannot be scored: {prediction.error}.")
        probabilities[place] = prediction.probabilities
        if progress:
            progress(place + 1, len(files))
    return probabilities
