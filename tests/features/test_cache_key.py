from __future__ import annotations

from pathlib import Path

import pytest

from aimonk.config import FeaturesConfig
from aimonk.errors import FeatureStoreError
from aimonk.features.cache_key import check_store, store_folder


def test_a_store_that_cannot_be_written_is_found_before_any_image_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AIMONK_STORE", str(tmp_path / "file" / "store"))
    with pytest.raises(
        FeatureStoreError, match=r"Cannot write .*store \(Not a directory\); make it .*AIMONK"
    ):
        check_store(FeaturesConfig())
    named = FeaturesConfig(store=str(tmp_path / "new" / "store"))
    check_store(named)
    assert list(store_folder(named).iterdir()) == []
