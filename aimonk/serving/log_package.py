"""Model packages into MLflow: logged with a run as a pyfunc model."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path

import mlflow
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array, Map

from ..runtime.record import ENVIRONMENT
from ..tracking.tracking_store import store_errors
from .serving_environment import requirements
from .shipped_code import copy_runtime

NAME = "model"
"""`runs:/ID/model` is a run's model."""

_CODE = Path(__file__).resolve().parent / "mlflow_model.py"


def log_package(package: Path) -> ModelInfo:
    """Log a model package as the active run's pyfunc model; `ModelInfo.model_uri` names it.

    Log it before the many metrics of an evaluation: MLflow reads back every metric of the run for the model.

    Args:
        package: folder of a package, as `write_package` makes it.

    Raises:
        TrackingError: the store cannot be written.
    """
    import pandas as pd

    with tempfile.TemporaryDirectory(prefix="aimonk-") as folder, store_errors():
        code = copy_runtime(Path(folder))
        logged: ModelInfo = mlflow.pyfunc.log_model(
            name=NAME,
            python_model=str(_CODE),
            code_paths=[str(code)],
            model_config={"runtime": code.name},
            artifacts={"package": str(package)},
            pip_requirements=[*requirements(), f"-c {package / ENVIRONMENT}"],
            signature=signature(),
            input_example=pd.DataFrame({"image": [base64.b64encode(_example()).decode()]}),
        )
    return logged


def signature() -> ModelSignature:
    """Images in a column `image`; the reply's four columns; the parameter `explain`, which adds a fifth.

    The column's type is text, although bytes do as well: MLflow decodes the base64 of a binary column
    itself, and refuses the whole request for one null or damaged cell. It passes a text column on as it is.
    Types whose casts in `spark_udf` keep nulls and names are used for the reply.
    """
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.string, "image")]),
        outputs=Schema(
            [
                ColSpec(Array(DataType.string), "predicted_attributes"),
                ColSpec(Array(DataType.double), "probabilities"),
                ColSpec(DataType.string, "error", required=False),
                ColSpec(Map(DataType.double), "scores"),
            ]
        ),
        params=ParamSchema([ParamSpec("explain", DataType.boolean, default=False)]),
    )


def _example() -> bytes:
    """A small real JPEG, so that the served model's page shows a request that works."""
    from PIL import Image

    data = io.BytesIO()
    Image.linear_gradient("L").resize((16, 16)).save(data, "JPEG", quality=50)
    return data.getvalue()
