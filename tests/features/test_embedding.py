from __future__ import annotations

import dataclasses
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aimonk.config import FeaturesConfig
from aimonk.errors import ConfigError, FeatureStoreError, ImagesError
from aimonk.features import embedding as embed_module
from aimonk.features import image_reader as reading
from aimonk.features.embedding import embed, fill_store
from aimonk.features.engines import OpenVINOEngine

from .conftest import Files, colors

Draw = Callable[[int], Files]
ROOT = Path(__file__).parents[2]

WORKER = """
import sys, time
from pathlib import Path
from aimonk.config import FeaturesConfig
from aimonk.features import embedding as embed_module
embed_module._PART_ROWS = 8
store, count, pause, *files = sys.argv[1:]
settings = {"resolution": 1.0, "engine": "openvino", "precision": "f32", "store": store}
config = FeaturesConfig("mobilenet@0.25", "none", **settings)
pairs = [(files[i], Path(files[i + 1])) for i in range(0, len(files), 2)]
def progress(done, total):
    time.sleep(float(pause))
filled = embed_module.fill_store(pairs, config, progress=progress)
assert not {"tensorflow", "keras"} & set(sys.modules)
print(filled.forward_passes)
"""


def worker(config: FeaturesConfig, files: Files, pause: float = 0.0) -> subprocess.Popen[str]:
    names = [text for digest, path in files for text in (digest, str(path))]
    command = [sys.executable, "-c", WORKER, config.store, str(len(files)), str(pause), *names]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def parts(config: FeaturesConfig) -> list[Path]:
    return sorted(Path(config.store).glob("*/openvino-f32/*.parquet"))


def test_each_image_is_embedded_once_ever(
    config: FeaturesConfig, gray_images: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = gray_images(20)
    steps: list[tuple[int, int]] = []
    first = embed(files, config, progress=lambda *step: steps.append(step))
    np.testing.assert_allclose(first.plain, colors(20), rtol=1e-6)
    assert (first.forward_passes, first.filled.decoded, first.filled.images) == (20, 20, 20)
    assert steps[-1] == (20, 20)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)

    def never(*_: object) -> None:
        raise AssertionError("a file was read, or an engine opened")

    monkeypatch.setattr(reading, "read_views", never)
    monkeypatch.setattr(OpenVINOEngine, "__init__", never)
    again = embed(files, config)
    np.testing.assert_array_equal(again.plain, first.plain)
    assert (again.forward_passes, again.filled.decoded) == (0, 0)


def test_only_what_is_new_is_computed(config: FeaturesConfig, gray_images: Draw) -> None:
    files = gray_images(12)
    fill_store(files[:5], config)
    both = embed(files, config, views=("plain", "flip"))
    assert both.forward_passes == 7 * 2 + 5
    np.testing.assert_allclose(both.plain, colors(12), rtol=1e-6)
    np.testing.assert_allclose(both.view("flip"), colors(12), rtol=1e-6)  # a mirror keeps the mean
    assert both.vectors.rows.shape == (2, 12)
    assert embed(files, config, views=("flip",)).forward_passes == 0


def test_copies_of_an_image_are_embedded_once(config: FeaturesConfig, gray_images: Draw) -> None:
    files = gray_images(3)
    features = embed([files[2], files[0], files[2]], config)
    assert features.forward_passes == 2
    np.testing.assert_allclose(features.plain, colors(3)[[2, 0, 2]], rtol=1e-6)


def test_views_differ(config: FeaturesConfig, tmp_path: Path) -> None:
    import hashlib

    half = Image.new("RGB", (64, 64))
    half.paste((255, 255, 255), (0, 0, 32, 64))
    half.save(tmp_path / "half.png")
    digest = hashlib.sha256((tmp_path / "half.png").read_bytes()).hexdigest()
    features = embed([(digest, tmp_path / "half.png")], config, views=("plain", "crop1", "crop2"))
    assert features.plain[0, 0] == pytest.approx(127.5, abs=0.5)
    assert len({round(float(value), 2) for value in features.vectors.matrix[:, 0]}) == 3


def test_a_part_that_was_damaged_behind_a_sound_table_is_computed_again(
    config: FeaturesConfig, gray_images: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    """The table serves until it has to be built again, which finds the damage."""
    files = gray_images(12)
    embed(files[:5], config)
    victim = parts(config)[0]
    victim.write_bytes(b"")
    assert embed(files[:5], config).forward_passes == 0
    both = embed(files, config)
    np.testing.assert_allclose(both.plain, colors(12), rtol=1e-6)
    assert both.forward_passes == 7 + 5
    assert len(caplog.messages) == 1
    assert victim.name in caplog.messages[0]


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_part_is_named_and_computed_again(
    config: FeaturesConfig,
    gray_images: Draw,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(embed_module, "_PART_ROWS", 8)
    files = gray_images(24)
    embed(files, config)
    assert len(parts(config)) == 3
    victim = parts(config)[1]
    content = bytearray(victim.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[200] ^= 64
    victim.write_bytes(content)
    for table in victim.parent.glob("table-*"):
        table.unlink()
    mended = embed(files, config)
    np.testing.assert_allclose(mended.plain, colors(24), rtol=1e-6)
    assert mended.forward_passes == 8
    assert len(caplog.messages) == 1
    assert victim.name in caplog.messages[0]


def test_two_processes_at_once_agree(config: FeaturesConfig, gray_images: Draw) -> None:
    files = gray_images(60)
    workers = [worker(config, files, 0.01) for _ in range(2)]
    counts = [int(process.communicate(timeout=60)[0]) for process in workers]
    assert [process.returncode for process in workers] == [0, 0]
    assert max(counts) <= 60 <= sum(counts)
    features = embed(files, config)
    assert features.forward_passes == 0
    np.testing.assert_allclose(features.plain, colors(60), rtol=1e-6)


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_is_taken_up_where_it_stopped(
    config: FeaturesConfig, gray_images: Draw, kind: signal.Signals
) -> None:
    files = gray_images(80)
    process = worker(config, files, 0.05)
    deadline = time.monotonic() + 30
    while len(parts(config)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(kind)
    process.communicate(timeout=30)
    assert process.returncode != 0
    kept = len(parts(config))
    assert 3 <= kept < 10
    features = embed(files, config)
    np.testing.assert_allclose(features.plain, colors(80), rtol=1e-6)
    # parts have 8 rows; after Ctrl-C what is not yet a part is written as well
    assert features.forward_passes <= 80 - 8 * (kept - (kind == signal.SIGINT))
    assert features.forward_passes > 0


def test_a_full_disk_keeps_what_was_written(
    config: FeaturesConfig, gray_images: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_module, "_PART_ROWS", 8)
    files = gray_images(24)
    replace = os.replace
    done: list[Any] = []

    def fills_up(source: Any, target: Any) -> None:
        if len(done) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", fills_up)
    with pytest.raises(FeatureStoreError, match="The disk is full at .*openvino-f32; free some space"):
        embed(files, config)
    monkeypatch.setattr(os, "replace", replace)
    assert len(parts(config)) == 2
    assert not list(Path(config.store).rglob("*.tmp"))
    features = embed(files, config)
    assert features.forward_passes == 8
    np.testing.assert_allclose(features.plain, colors(24), rtol=1e-6)


def test_a_changed_file_stops_the_run_and_keeps_what_was_done(
    config: FeaturesConfig, gray_images: Draw
) -> None:
    files = gray_images(30)
    files[20][1].write_bytes(files[3][1].read_bytes())
    with pytest.raises(ImagesError, match=r"20\.png has changed since this run began"):
        embed(files, config)
    assert embed(files[:8], config).forward_passes == 0


def test_parts_are_written_after_a_while(
    config: FeaturesConfig, gray_images: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_module, "_PART_SECONDS", 0.0)
    embed(gray_images(8), config)
    assert len(parts(config)) == 2  # batches of 4


def test_vectors_that_are_not_finite_are_never_stored(
    config: FeaturesConfig, gray_images: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stream(self: OpenVINOEngine, batches: Iterator[Any]) -> Iterator[Any]:
        for tag, images in batches:
            yield tag, np.full((len(images), 3), np.nan, dtype=np.float32)

    monkeypatch.setattr(OpenVINOEngine, "stream", stream)
    with pytest.raises(FeatureStoreError, match="not finite"):
        embed(gray_images(3), config)
    assert parts(config) == []


def test_decisions_are_made_on_the_first_images_and_cost_no_second_reading(
    config: FeaturesConfig, gray_images: Draw
) -> None:
    auto = dataclasses.replace(config, engine="auto", precision="auto")
    features = embed(gray_images(20), auto)
    assert features.filled.decoded == 20
    assert features.key.engine == "openvino"
    np.testing.assert_allclose(features.plain, colors(20), rtol=1e-6)
    assert embed(gray_images(20), auto).forward_passes == 0


def test_what_is_known_under_a_newly_made_decision_is_not_computed_again(
    config: FeaturesConfig, gray_images: Draw
) -> None:
    files = gray_images(10)
    embed(files, config)
    auto = embed(files, dataclasses.replace(config, engine="auto"))
    assert (auto.forward_passes, auto.filled.decoded) == (0, 0)
    np.testing.assert_allclose(auto.plain, colors(10), rtol=1e-6)


def test_nothing_to_embed_and_unknown_views_are_errors(config: FeaturesConfig, gray_images: Draw) -> None:
    with pytest.raises(ImagesError, match="There is no image to embed"):
        embed([], config)
    with pytest.raises(ConfigError, match="There is no view 'swirl'"):
        embed(gray_images(1), config, views=("swirl",))
