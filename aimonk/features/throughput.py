"""How many images per second a backbone turns into features on this machine."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..backbones.probe_images import drawn_samples
from ..backbones.zoo import KerasApplication
from ..config import FeaturesConfig
from .embedding import batches
from .extractor import FeatureExtractor
from .image_reader import Job, ReadAhead
from .views import PLAIN

ENOUGH = 2.0
"""Seconds of forward passes after which the rate is known well enough."""
SAMPLE = 128
"""Images of the user's that are read and embedded to time both."""


def images_per_second(backbone: str, config: FeaturesConfig | None = None) -> float:
    """Measure the forward passes alone, without reading images, by the engine and precision `auto` chooses.

    Networks of `keras.applications` are measured with random weights, which need no download and are as fast.
    Nothing is left in the feature store.

    >>> images_per_second("mobilenet@0.25") > 1
    True

    Args:
        backbone: what `--backbone` takes.
        config: the other settings, by default the default ones.

    Raises:
        BackboneError: there is no such backbone, or it cannot be built.

    """
    config = dataclasses.replace(config or FeaturesConfig(), backbone=backbone, weights="imagenet")
    with tempfile.TemporaryDirectory(prefix="aimonk-") as folder:
        frozen = FeatureExtractor(config, Path(folder))
        if isinstance(frozen.backbone, KerasApplication):
            frozen = FeatureExtractor(dataclasses.replace(config, weights="none"), Path(folder))
        engine = frozen.engine(frozen.key())
        images = np.resize(drawn_samples(frozen.size), (32, *frozen.size, 3))
        engine.embed(images)  # the first call compiles
        done, begin = 0, time.perf_counter()
        while (seconds := time.perf_counter() - begin) < ENOUGH:
            engine.embed(images)
            done += len(images)
    return done / seconds


def seconds_per_thousand(backbone: FeatureExtractor, files: Sequence[tuple[str, Path]]) -> float:
    """Measure what 1,000 images of the user's cost: reading them and the forward passes, side by side.

    Up to `SAMPLE` of them are embedded anew, and nothing is stored.

    >>> seconds_per_thousand(FeatureExtractor(FeaturesConfig("resnet50")), files)  # doctest: +SKIP

    Args:
        backbone: its engine and precision are decided already.
        files: hex SHA-256 and path of each image.

    Raises:
        ImagesError: an image cannot be read, or has changed since its digest was taken.

    """
    engine = backbone.engine(backbone.key())
    engine.embed(np.resize(drawn_samples(backbone.size), (engine.batch, *backbone.size, 3)))  # compiles
    jobs = [Job(digest, path, (PLAIN,)) for digest, path in files[:SAMPLE]]
    begin = time.perf_counter()
    with ReadAhead(jobs, backbone.size) as pixels:
        done = sum(len(rows) for rows, _ in engine.stream(batches(iter(pixels), engine.batch)))
    return 1000 * (time.perf_counter() - begin) / done
