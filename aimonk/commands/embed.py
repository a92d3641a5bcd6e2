"""`aimonk embed`: features of every image of a folder, labeled or not, into the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..backbones.large_backbone import is_large
from ..config_file import chosen_config
from ..data.image_index import look_up
from ..data.list_images import images_in
from ..features.cache_key import check_store, image_index_folder
from ..features.embedding import fill_store
from ..progress import LOGGER, recorded, stage
from ..results.embedding_result import EmbeddingResult


def embed(
    data: str | Path,
    *,
    config: str | Path | None = None,
    settings: Iterable[str] = (),
    backbone: str = "",
    weights: str = "",
    spark: str = "",
) -> EmbeddingResult:
    """Compute and store the features of every image of a folder, once.

    >>> aimonk.embed("photos", backbone="mobilenet@0.25").forward_passes  # doctest: +SKIP
    200

    An image that cannot be read is named and left out. Of each image little more than its name is kept in
    memory, so a folder may hold any number.

    Args:
        data: folder of images.
        config: a recipe or a TOML file.
        settings: `section.key=value` for any setting.
        backbone: name of a Keras application.
        weights: `imagenet`, `none` (random), or the path of a weights file.
        spark: a Spark master such as `local[4]` that computes them.

    Raises:
        AimonkError: one of its kinds; the message is one sentence.
    """
    chosen = chosen_config(config, settings, backbone=backbone, weights=weights, is_large=is_large)
    folder = Path(data)
    check_store(chosen.features)
    with recorded() as record:
        with stage("read", "Reading images") as progress:
            found = images_in(folder)
            files, unusable = [], []
            known = image_index_folder(chosen.features)
            for facts in look_up(folder, found.names, known, progress, chosen.data.limits):
                if facts.sha256 is None or facts.problem is not None:
                    unusable.append(f"{facts.name} ({facts.problem})")
                else:
                    files.append((facts.sha256, facts.path))
        if unusable:
            LOGGER.warning(
                "%d of %d images are left out; the first is %s", len(unusable), len(found.names), unusable[0]
            )
        with stage("embed", "Features") as progress:
            if spark:
                from ..features.spark_embedding import fill_store_spark

                filled = fill_store_spark(files, chosen.features, spark, progress)
            else:
                filled = fill_store(files, chosen.features, progress=progress)
    return EmbeddingResult(
        filled.images,
        filled.forward_passes,
        tuple(unusable),
        record.seconds,
        tuple(record.warnings),
        found.skipped,
    )
