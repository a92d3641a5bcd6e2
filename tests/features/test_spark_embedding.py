from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aimonk.config import FeaturesConfig
from aimonk.errors import ClusterError, ImagesError
from aimonk.features import spark_embedding as embed_spark
from aimonk.features.embedding import embed
from aimonk.features.spark_embedding import fill_store_spark

from .conftest import Files, colors

Draw = Callable[[int], Files]


@pytest.mark.slow
def test_spark_fills_the_store_that_everybody_reads(
    config: FeaturesConfig, gray_images: Draw, master: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_spark, "IMAGES_PER_TASK", 16)
    config = dataclasses.replace(config, views=("plain", "flip"))
    files = gray_images(50)
    embed(files[:5], config)
    filled = fill_store_spark(files + files[:3], config, master)
    assert (filled.images, filled.decoded, filled.forward_passes) == (50, 45, 90)
    assert len(list(filled.folder.glob("*.parquet"))) == 1 + 4
    read = embed(files, config)
    assert read.forward_passes == 0
    np.testing.assert_allclose(read.plain, colors(50), rtol=1e-6)
    np.testing.assert_allclose(read.view("flip"), colors(50), rtol=1e-6)


@pytest.mark.slow
def test_a_task_that_fails_says_why(
    config: FeaturesConfig, gray_images: Draw, master: str, tmp_path: Path
) -> None:
    files = gray_images(8)
    files[3][1].write_bytes(files[4][1].read_bytes())
    with pytest.raises(ClusterError, match=r"^The job failed on Spark: Image .*3\.png has changed since"):
        fill_store_spark(files, config, master)


def test_a_full_store_needs_no_spark(
    config: FeaturesConfig, gray_images: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_spark, "spark_session", lambda *_: pytest.fail("Spark started"))
    files = gray_images(4)
    embed(files, config)
    assert fill_store_spark(files, config, "local").forward_passes == 0
    with pytest.raises(ImagesError, match="no image to embed"):
        fill_store_spark([], config, "local")
