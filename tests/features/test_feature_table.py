from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimonk.errors import FeatureStoreError
from aimonk.features import feature_table
from aimonk.features.feature_store import FeatureStore
from aimonk.features.feature_table import build_table, open_table, read_index
from tests.conftest import ROOT

A, B, C = (letter * 64 for letter in "abc")


def vectors(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def tables(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("table-*"))


def filled(folder: Path) -> FeatureStore:
    store = FeatureStore(folder)
    store.put([A, B], ["plain", "plain"], vectors([1, 2], [3, 4]))
    store.put([A], ["flip"], vectors([5, 6]))
    return store


def test_rows_are_found_by_image_and_view(tmp_path: Path) -> None:
    table = filled(tmp_path).table()
    assert table.matrix.shape == (3, 2)
    assert not table.matrix.flags.writeable
    assert table.index.pairs == {(A, "plain"), (B, "plain"), (A, "flip")}
    rows = table.rows([B, A, B, C], ["plain", "flip"])
    np.testing.assert_array_equal(table.matrix[rows[0, :3]], [[3, 4], [1, 2], [3, 4]])
    np.testing.assert_array_equal(table.matrix[rows[1, 1]], [5, 6])
    assert (rows < 0).tolist() == [[False, False, False, True], [True, False, True, True]]


def test_the_first_of_two_vectors_of_an_image_is_taken(tmp_path: Path) -> None:
    parts = [([A, B], ["plain"] * 2, vectors([1], [2])), ([B, C], ["plain"] * 2, vectors([9], [3]))]
    table = build_table(tmp_path, ["one", "two"], parts)
    assert table is not None
    assert table.index.digests == (A, B, C)
    np.testing.assert_array_equal(table.matrix, [[1], [2], [3]])


def test_a_table_is_built_once_and_again_when_parts_are_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path)
    store.table()
    before = tables(tmp_path)
    assert len(before) == 2
    with monkeypatch.context() as patch:

        def never(*_: object) -> None:
            raise AssertionError("a part was read")

        patch.setattr(FeatureStore, "_parts", never)
        FeatureStore(tmp_path).table()
        assert FeatureStore(tmp_path).known() == {(A, "plain"), (B, "plain"), (A, "flip")}
    assert tables(tmp_path) == before
    store.put([C], ["plain"], vectors([7, 8]))
    assert store.known() == {(A, "plain"), (B, "plain"), (A, "flip"), (C, "plain")}
    assert len(store.table().matrix) == 4
    assert len(tables(tmp_path)) == 2
    assert not set(tables(tmp_path)) & set(before)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_flipped_byte_and_no_cut_gives_a_wrong_vector(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = filled(folder)
    store.table()
    victim = folder / data.draw(st.sampled_from(tables(folder)))
    content = bytearray(victim.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[at] ^= data.draw(st.integers(1, 255))
    else:
        del content[at:]
    victim.write_bytes(content)
    table = FeatureStore(folder).table()
    np.testing.assert_array_equal(table.matrix[table.rows([A, B], ["plain"])[0]], [[1, 2], [3, 4]])


def test_a_damaged_table_is_named_and_built_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filled(tmp_path).table()
    victim = next(tmp_path.glob("*.f32"))
    victim.write_bytes(bytes(victim.stat().st_size))
    table = FeatureStore(tmp_path).table()
    assert caplog.messages == [f"The feature table in {tmp_path} is damaged; it is built again."]
    assert (table.matrix > 0).all()


def test_a_damaged_part_is_not_in_the_table(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = filled(tmp_path)
    damaged = store.put([C], ["plain"], vectors([7, 8]))
    damaged.write_bytes(b"")
    table = FeatureStore(tmp_path).table()
    assert len(caplog.messages) == 1
    assert table.index.pairs == {(A, "plain"), (B, "plain"), (A, "flip")}
    assert FeatureStore(tmp_path).table().matrix.shape == (3, 2)


def test_blocks_are_checked_whatever_the_parts_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_table, "_BLOCK", 3)
    parts = [
        (
            [f"{row:064x}" for row in range(start, stop)],
            ["plain"] * (stop - start),
            np.full((stop - start, 2), start),
        )
        for start, stop in ((0, 2), (2, 9), (9, 10))
    ]
    table = build_table(tmp_path, ["a", "b", "c"], [(d, v, x.astype(np.float32)) for d, v, x in parts])
    assert table is not None
    assert len(table.index.blocks) == 4
    assert table.matrix[:, 0].tolist() == [0] * 2 + [2] * 7 + [9]


def test_tables_of_other_parts_are_not_taken(tmp_path: Path) -> None:
    build_table(tmp_path, ["one"], [([A], ["plain"], vectors([1]))])
    assert read_index(tmp_path, ["one"]) is not None
    assert read_index(tmp_path, ["one", "two"]) is None
    assert open_table(tmp_path, ["two"]) is None


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path)
    before = sorted(os.listdir(tmp_path))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FeatureStoreError, match="The disk is full at "):
        store.table()
    assert sorted(os.listdir(tmp_path)) == before


def test_an_empty_store_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FeatureStoreError, match="There is no vector in .*; run the command again"):
        FeatureStore(tmp_path).table()


def test_processes_build_at_once_while_parts_are_added(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from aimonk.features.feature_store import FeatureStore\n"
        "store, me = FeatureStore(Path(sys.argv[1])), int(sys.argv[2])\n"
        "for part in range(8):\n"
        "    rows = np.arange(10) + 10 * (8 * me + part)\n"
        "    digests = [f'{row:064x}' for row in rows]\n"
        "    store.put(digests, ['plain'] * 10, np.outer(rows, [1, 1]).astype('f4'))\n"
        "    table = store.table()\n"
        "    at = table.rows(digests, ['plain'])[0]\n"
        "    assert (table.matrix[at, 0] == rows).all()\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(me)], cwd=ROOT) for me in range(3)
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    table = FeatureStore(tmp_path).table()
    rows = table.rows([f"{row:064x}" for row in range(240)], ["plain"])[0]
    np.testing.assert_array_equal(table.matrix[rows, 1], np.arange(240))
