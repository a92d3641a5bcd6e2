"""Model packages fetched from MLflow, by any URI."""

from __future__ import annotations

from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException

from ..errors import ModelError
from ..runtime.record import RECORD
from .outage import is_away, store_errors
from .patience import patient
from .tracking_store import be_quiet


def model_package(uri: str) -> Path:
    """The local folder of a model package, fetched where it is not local.

    Args:
        uri: `models:/NAME/VERSION`, `models:/NAME@ALIAS`, `runs:/ID/model`, any other URI of an MLflow model
            of ours, or the folder of a package or of such a model.

    Raises:
        ModelError: there is no such model, or it is not an aimonk model.
        TrackingError: the store cannot be reached.
    """
    folder = _local(uri)
    for package in (folder, folder / "artifacts" / "package", *sorted((folder / "artifacts").glob("*"))):
        if (package / RECORD).is_file():
            return package
    raise ModelError(f"{uri} is not an aimonk model: it holds no {RECORD}.")


def model_folder(uri: str) -> Path:
    """The local folder of a whole MLflow model, as `mlflow.pyfunc` takes it.

    Args:
        uri: as `model_package` takes it, but for the folder of a package alone.

    Raises:
        ModelError: there is no such model, or it is not one of MLflow's.
        TrackingError: the store cannot be reached.
    """
    folder = _local(uri)
    if not (folder / "MLmodel").is_file():
        raise ModelError(f"{uri} is no MLflow model: it holds no MLmodel; give models:/NAME/VERSION.")
    return folder


def _local(uri: str) -> Path:
    folder = Path(uri)
    return folder if folder.is_dir() else _fetch(uri)


@patient
def _fetch(uri: str) -> Path:
    if ":/" not in uri:
        raise ModelError(
            f"There is no model {uri}; give models:/NAME@champion, models:/NAME/VERSION or a folder."
        )
    be_quiet()
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as error:
        with store_errors():  # is it the model that is missing, or the store?
            if is_away(error):
                raise
            if isinstance(error, MlflowException):
                mlflow.MlflowClient().search_experiments(max_results=1)
        said = getattr(error, "strerror", None) or (str(error).strip().splitlines() or ["unknown"])[0]
        raise ModelError(f"The model {uri} cannot be fetched: {said.rstrip('.')}.") from None
