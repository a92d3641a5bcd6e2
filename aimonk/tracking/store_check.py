"""Whether the tracking store can be reached, asked without creating or changing anything."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient

from ..errors import TrackingError
from .outage import masked, store_errors
from .tracking_store import be_quiet

_SQLITE = "sqlite:///"
_TIMEOUT = 5.0
"""Seconds to wait for a server. MLflow's own client retries for minutes."""


def check_store() -> str:
    """Ask the tracking store that a training would use.

    Returns:
        What was found, in one phrase.

    Raises:
        TrackingError: the store cannot be reached, read or created.
    """
    be_quiet()
    uri = mlflow.get_tracking_uri()
    if uri.startswith(("http://", "https://")):
        _ask_server(uri)
        return f"{masked(uri)} answers"
    if uri.startswith(_SQLITE):
        path = Path(uri.removeprefix(_SQLITE).partition("?")[0])
        if not path.exists():
            return _creatable(path)
    with store_errors():
        MlflowClient().search_experiments(max_results=1)
    return f"{masked(uri)} can be read"


def _ask_server(uri: str) -> None:
    bare = masked(uri).replace("***@", "")  # urllib takes a user name for a part of the host's
    try:
        urllib.request.urlopen(f"{bare.rstrip('/')}/health", timeout=_TIMEOUT).close()
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise TrackingError(
            f"The tracking server {masked(uri)} does not answer ({reason}); "
            "start it or set MLFLOW_TRACKING_URI."
        ) from None


def _creatable(path: Path) -> str:
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not os.access(folder, os.W_OK):
        raise TrackingError(
            f"The tracking store {path} cannot be created, since {folder} is not writable; "
            "run in another folder or set MLFLOW_TRACKING_URI."
        )
    return f"{path} does not exist yet; the first training creates it"
