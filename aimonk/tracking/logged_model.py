"""Model packages in and out of MLflow: logged as a pyfunc with a run, fetched again by any URI."""

from __future__ import annotations

import io
import tempfile
from importlib.metadata import version
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from ..errors import ModelError
from ..runtime.record import RECORD
from ..serving.shipped_code import copy_runtime
from .tracking_store import be_quiet, store_errors

NAME = "model"
"""`runs:/ID/model` is a run's model."""

_CODE = Path(__file__).resolve().parents[1] / "serving" / "mlflow_model.py"
_SERVING = ("mlflow", "openvino", "numpy", "pandas", "pillow")


def log_package(package: Path) -> ModelInfo:
    """Log a model package as the active run's pyfunc model; `ModelInfo.model_uri` names it.

    Log it before the many metrics of an evaluation: MLflow reads back every metric of the run for the model.

    Raises:
        TrackingError: the store cannot be written.
    """
    import pandas as pd

    with tempfile.TemporaryDirectory(prefix="aimonk-") as folder, store_errors():
        code = copy_runtime(Path(folder))
        return mlflow.pyfunc.log_model(
            name=NAME,
            python_model=str(_CODE),
            code_paths=[str(code)],
            model_config={"runtime": code.name},
            artifacts={"package": str(package)},
            pip_requirements=requirements(),
            signature=signature(),
            input_example=pd.DataFrame({"image": [_example()]}),
        )


def requirements() -> list[str]:
    """What a server needs, pinned to what is installed here; no TensorFlow."""
    return [f"{name}=={version(name)}" for name in _SERVING]


def signature() -> ModelSignature:
    """Encoded images in a column `image`; the reply's three columns."""
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.binary, "image")]),
        outputs=Schema(
            [
                ColSpec(Array(DataType.string), "predicted_attributes"),
                ColSpec(Array(DataType.double), "probabilities"),
                ColSpec(DataType.string, "error", required=False),
            ]
        ),
    )


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


def _fetch(uri: str) -> Path:
    if ":/" not in uri:
        raise ModelError(
            f"There is no model {uri}; give models:/NAME@champion, models:/NAME/VERSION or a folder."
        )
    be_quiet()
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except MlflowException as error:
        with store_errors():  # is it the model that is missing, or the store?
            mlflow.MlflowClient().search_experiments(max_results=1)
        reason = (str(error).strip().splitlines() or ["unknown"])[0].rstrip(".")
        raise ModelError(f"The model {uri} cannot be fetched: {reason}.") from None
    except OSError as error:
        raise ModelError(f"The model {uri} cannot be fetched: {error.strerror or error}.") from None


def _example() -> bytes:
    """A small real JPEG, so that the served model's page shows a request that works."""
    from PIL import Image

    data = io.BytesIO()
    Image.linear_gradient("L").resize((16, 16)).save(data, "JPEG", quality=50)
    return data.getvalue()
