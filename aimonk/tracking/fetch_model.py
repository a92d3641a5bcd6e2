"""Fetching a model by its MLflow URI."""

from __future__ import annotations

from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException

from ..errors import ModelError
from .outage import is_away, store_errors
from .patience import patient
from .tracking_store import be_quiet

_GIVE = "give models:/NAME@champion, models:/NAME/VERSION or a folder"


@patient
def fetch_model(uri: str) -> Path:
    """Download a model from MLflow, or find it where the store keeps it on this machine.

    Args:
        uri: `models:/NAME/VERSION`, `models:/NAME@ALIAS`, `runs:/ID/model` or any other URI of a model.

    Raises:
        ModelError: there is no such model.
        TrackingError: the store cannot be reached.
    """
    if ":/" not in uri:
        raise ModelError(f"There is no model {uri or '(empty)'}; {_GIVE}.")
    scheme, _, name = uri.partition(":/")
    if scheme == "models" and not {"/", "@"} & set(name) and not name.startswith("m-"):
        raise ModelError(f"{uri} names no version; {_GIVE}.")
    be_quiet()
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except ImportError as error:
        needed = (error.name or str(error)).partition(".")[0]
        raise ModelError(
            f"The model {uri} cannot be fetched: {scheme}:// needs {needed}, which is not installed."
        ) from None
    except (MlflowException, OSError, ValueError) as error:
        with store_errors():  # is it the model that is missing, or the store?
            if is_away(error):
                raise
            if isinstance(error, MlflowException):
                mlflow.MlflowClient().search_experiments(max_results=1)
        said = getattr(error, "strerror", None) or (str(error).strip().splitlines() or ["unknown"])[0]
        raise ModelError(f"The model {uri} cannot be fetched: {said.rstrip('.')}.") from None
