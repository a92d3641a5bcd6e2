"""Probabilities of image files, without a forward pass where their features are stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import expit

from ..config import FeaturesConfig
from ..features.cache_key import store_folder
from ..features.feature_store import FeatureStore
from ..features.views import PLAIN
from ..runtime.predictor import Predictor
from .package import read_head


def score_files(
    package: Path, predictor: Predictor, files: Sequence[tuple[str, Path]], config: FeaturesConfig
) -> np.ndarray:
    """Calibrated probabilities of readable images, `(n, L) float64`.

    Args:
        package: folder of the model package.
        predictor: an open predictor of that package.
        files: hex SHA-256 and path of each image.
        config: says where features are stored.

    """
    head = read_head(package)
    digests = [digest for digest, _ in files]
    if head is not None and predictor.info.features and files:
        store = FeatureStore(store_folder(config) / predictor.info.features)
        if {(digest, PLAIN) for digest in digests} <= set(store.known()):
            return np.asarray(expit(head.logits(store.get(digests, (PLAIN,))[:, 0]).astype(np.float64)))
    answers = predictor.stream(path for _, path in files)
    return np.array([answer.probabilities for answer in answers]).reshape(len(files), -1)
