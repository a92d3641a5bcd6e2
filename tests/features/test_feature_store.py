from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimonk.errors import FeatureStoreError
from aimonk.features.feature_store import FeatureStore

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def vectors(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_vectors_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.put([A, B, A], ["plain", "plain", "flip"], vectors([1, 2], [3, 4], [5, 6]))
    store.put([B], ["flip"], vectors([7, 8]))
    assert store.known() == {(A, "plain"), (B, "plain"), (A, "flip"), (B, "flip")}
    found = FeatureStore(tmp_path).get([B, A, B], ["flip", "plain"])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[[7, 8], [3, 4]], [[5, 6], [1, 2]], [[7, 8], [3, 4]]])


def test_a_missing_vector_is_an_error(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    with pytest.raises(FeatureStoreError, match="1 of 1 vectors are not in"):
        store.get([A], ["plain"])
    store.put([A], ["plain"], vectors([1]))
    with pytest.raises(FeatureStoreError, match="3 of 4 vectors are not in"):
        store.get([A, B], ["plain", "flip"])


def test_vectors_come_part_by_part_each_image_once(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.put([A, B], ["plain", "plain"], np.array([[1, 2], [3, 4]], np.float32))
    store.put([B, C], ["plain", "flip"], np.array([[9, 9], [8, 8]], np.float32))
    store.put([C], ["plain"], np.array([[5, 6]], np.float32))
    found = list(store.each([C, A], "plain"))
    assert sorted((rows.tolist(), vectors.tolist()) for rows, vectors in found) == [
        ([0], [[5, 6]]),
        ([1], [[1, 2]]),
    ]
    assert sum(len(rows) for rows, _ in store.each([A, B, C], "plain")) == 3
    with pytest.raises(FeatureStoreError, match="1 of 2 vectors are not in"):
        list(store.each([A, C], "flip"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(FeatureStoreError, match="not finite"):
        FeatureStore(tmp_path).put([A], ["plain"], vectors([1, value]))
    assert os.listdir(tmp_path) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_byte_and_no_cut_gives_a_wrong_vector(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    folder = tmp_path_factory.mktemp("store")
    store = FeatureStore(folder)
    damaged = store.put([A, B], ["plain", "plain"], vectors([1, 2], [3, 4]))
    sound = store.put([C], ["plain"], vectors([5, 6]))
    content = bytearray(damaged.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[at] ^= data.draw(st.integers(1, 255))
    else:
        del content[at:]
    damaged.write_bytes(content)
    assert store.known() == {(C, "plain")}
    assert caplog.messages == [
        f"The part {damaged} is damaged; it was set aside and its images are embedded anew."
    ]
    assert sorted(os.listdir(folder)) == sorted([sound.name, damaged.stem + ".damaged"])
    store.put([A, B], ["plain", "plain"], vectors([1, 2], [3, 4]))
    np.testing.assert_array_equal(store.get([A, B, C], ["plain"])[:, 0], [[1, 2], [3, 4], [5, 6]])
    assert len(caplog.messages) == 1


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore(tmp_path / "key")
    store.put([A], ["plain"], vectors([1]))
    before = os.listdir(store.folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        FeatureStoreError, match="The disk is full at .*key; free some space, or name another"
    ):
        store.put([B], ["plain"], vectors([2]))
    assert os.listdir(store.folder) == before
    assert store.known() == {(A, "plain")}


def test_an_unreadable_part_is_an_error_and_not_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore(tmp_path)
    part = store.put([A], ["plain"], vectors([1]))

    def denied(*_: object) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(FeatureStoreError, match=rf"Cannot read .*{part.name} \(Permission denied\)"):
        store.known()
    assert part.exists()


def test_a_part_of_another_backbone_is_refused(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.put([A], ["plain"], vectors([1, 2]))
    store.put([B], ["plain"], vectors([1, 2, 3]))
    with pytest.raises(FeatureStoreError, match=r"has [23] numbers per vector instead of [23]; delete it"):
        store.known()


def test_equal_parts_of_two_writers_are_one(tmp_path: Path) -> None:
    paths = {FeatureStore(tmp_path).put([A], ["plain"], vectors([1])) for _ in range(2)}
    assert [path.name for path in paths] == os.listdir(tmp_path)


def test_processes_write_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from aimonk.features.feature_store import FeatureStore\n"
        "store = FeatureStore(Path(sys.argv[1]))\n"
        "for part in range(20):\n"
        "    rows = range(10 * part, 10 * part + 10)\n"
        "    digests = [f'{row:064x}' for row in rows]\n"
        "    store.put(digests, ['plain'] * 10, np.outer(rows, [1, int(sys.argv[2])]).astype('f4'))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), "1"], cwd=Path(__file__).parents[2])
        for _ in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = FeatureStore(tmp_path).get([f"{row:064x}" for row in range(200)], ["plain"])[:, 0]
    np.testing.assert_array_equal(found, np.outer(np.arange(200), [1, 1]))
    assert len(os.listdir(tmp_path)) == 20


def test_parts_written_by_spark_are_read_alike(tmp_path: Path) -> None:
    import hashlib

    table = pa.table(
        {
            "sha256": [A, B],
            "view": ["plain", "plain"],
            "vector": pa.array([vectors([1, 2]).tobytes(), vectors([3, 4]).tobytes()], pa.binary()),
        }
    )
    pq.write_table(table, tmp_path / "spark", compression="snappy")
    content = (tmp_path / "spark").read_bytes()
    (tmp_path / f"{hashlib.sha256(content).hexdigest()}.parquet").write_bytes(content)
    np.testing.assert_array_equal(FeatureStore(tmp_path).get([B, A], ["plain"])[:, 0], [[3, 4], [1, 2]])


def test_a_thousand_vectors_are_read_in_a_tenth_of_a_second(tmp_path: Path) -> None:
    digests = [f"{row:064x}" for row in range(1000)]
    table = np.random.default_rng(0).normal(size=(1000, 2048)).astype(np.float32)
    store = FeatureStore(tmp_path)
    for start in (0, 500):
        store.put(digests[start : start + 500], ["plain"] * 500, table[start : start + 500])
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        found = store.get(digests, ["plain"])
        times.append(time.perf_counter() - begin)
    np.testing.assert_array_equal(found[:, 0], table)
    assert min(times) < 0.1
