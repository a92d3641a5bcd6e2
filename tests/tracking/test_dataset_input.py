from __future__ import annotations

import json
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient

from aimonk.data.label_audit import AttributeCounts
from aimonk.tracking.dataset_input import describe
from aimonk.tracking.tracked_run import tracked_run


def test_a_run_names_its_data(store: MlflowClient, tmp_path: Path) -> None:
    folder = tmp_path / "dresses"
    folder.mkdir()
    digest = "0123456789abcdef" * 4
    counts = [AttributeCounts("attr1", 789, 106, 80), AttributeCounts("attr2", 713, 171, 91)]
    with tracked_run("dresses") as run:
        run.dataset(describe(folder, digest, 972, counts, {"missing_files": 3}), "training")
    inputs = store.get_run(run.id).inputs
    assert inputs is not None
    (read,) = inputs.dataset_inputs
    assert [(tag.key, tag.value) for tag in read.tags] == [("mlflow.data.context", "training")]
    assert (read.dataset.name, read.dataset.digest) == ("dresses", digest[:36])
    assert json.loads(read.dataset.profile or "") == {
        "images": 972,
        "sha256": digest,
        "attributes": {
            "attr1": {"positives": 789, "negatives": 106, "missing": 80},
            "attr2": {"positives": 713, "negatives": 171, "missing": 91},
        },
        "missing_files": 3,
    }
    columns = json.loads(read.dataset.schema or "")["mlflow_colspec"]
    assert [column["name"] for column in columns] == ["image", "attr1", "attr2"]
    assert Path(mlflow.data.get_source(read).load()) == folder
