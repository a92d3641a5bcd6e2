"""What a run was asked for, read back from its artifacts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
from mlflow.tracking import MlflowClient

from ..errors import TrackingError
from .outage import store_errors
from .patience import patient
from .tracking_store import be_quiet

REQUEST = "request.json"
"""Artifact with what a training was asked for, so that it can be resumed."""

SETTINGS = "settings.json"
"""Artifact with the settings of the model that was published; those of a sweep are its winner's."""


@patient
def read_request(run_id: str) -> dict[str, Any]:
    """Read what an unfinished run was asked for, as it was recorded under `REQUEST`.

    Raises:
        TrackingError: there is no such run, it keeps no request, or it has finished.
    """
    be_quiet()
    with store_errors():
        status = MlflowClient().get_run(run_id).info.status
    if status == "FINISHED":
        raise TrackingError(f"The run {run_id} has finished; there is nothing to resume.")
    kept = _read_json(run_id, REQUEST)
    if kept is None:
        raise TrackingError(f"The run {run_id} keeps no {REQUEST}; train it again.")
    return {"recipe": "default", **kept}


@patient
def recorded_config(run_id: str) -> dict[str, Any]:
    """Read the settings of a run, by section; empty where the run keeps none.

    Raises:
        TrackingError: there is no such run, or the store cannot be reached.
    """
    be_quiet()
    return _read_json(run_id, SETTINGS) or (_read_json(run_id, REQUEST) or {}).get("config", {})


def _read_json(run_id: str, name: str) -> dict[str, Any] | None:
    with store_errors():
        if name not in {artifact.path for artifact in MlflowClient().list_artifacts(run_id)}:
            return None
        path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=name)
    return dict(json.loads(Path(path).read_text(encoding="utf-8")))
