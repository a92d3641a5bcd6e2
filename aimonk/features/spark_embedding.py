"""Features computed by the workers of a Spark cluster, into the same store.

The workers need aimonk, and must see the images and the store under the same paths, in a folder that all
share. Each task adds its own parts, as any process may. What a failed task had not written is computed again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..config import FeaturesConfig
from ..spark import slices, spark_session, watched
from .cache_key import store_folder
from .embedding import Filled, Progress, compute, distinct, lacking
from .extractor import FeatureExtractor
from .feature_store import FeatureStore
from .image_reader import Job
from .views import check_views

IMAGES_PER_TASK = 1024
"""Opening an engine takes a task 0.2 s."""


def fill_store_spark(
    files: Sequence[tuple[str, Path]],
    config: FeaturesConfig,
    master: str,
    progress: Progress | None = None,
) -> Filled:
    """Compute and store the features that the store lacks, as `fill_store` does.

    Engine and precision are chosen here. A worker that does not offer them fails.

    Args:
        files: hex SHA-256 and path of each image; the same digest may come several times.
        config: backbone, weights, views, engine and precision.
        master: where Spark is, e.g. `local[4]`.
        progress: called with (done, total) tasks.

    Raises:
        ClusterError: Spark cannot be started, or a task fails; its message says what `fill_store` would.
        BackboneError, ConfigError, FeatureStoreError, ImagesError: see `embed`.

    """
    begin = time.monotonic()
    check_views(config.views)
    paths = distinct([(digest, path.resolve()) for digest, path in files])
    store = store_folder(config).resolve()
    backbone = FeatureExtractor(config, store)
    key = backbone.key(images=len(paths))
    folder = store / key.folder
    jobs = lacking(paths, config.views, FeatureStore(folder).known())
    passes = 0
    if jobs:
        _ = backbone.graph  # converted once, before many want it

        def work(part: Iterable[Job]) -> Iterable[int]:
            yield compute(list(part), FeatureExtractor(config, store), key)

        with spark_session(master, "aimonk embed") as spark:
            tasks = spark.sparkContext.parallelize(jobs, slices(spark, len(jobs), IMAGES_PER_TASK))
            passes = sum(watched(spark, lambda: tasks.mapPartitions(work).collect(), progress))
    return Filled(key, folder, len(paths), len(jobs), passes, time.monotonic() - begin)
