"""Model packages fetched from MLflow, by any URI."""

from __future__ import annotations

from pathlib import Path

from ..errors import ModelError
from ..runtime.record import RECORD


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
    if uri and folder.is_dir():
        return folder
    from .fetch_model import fetch_model  # with MLflow, whose import takes a second

    return fetch_model(uri)
