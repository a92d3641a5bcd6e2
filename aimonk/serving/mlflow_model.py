"""The MLflow model, as models-from-code: MLflow copies this file and runs it wherever the model is loaded.

The code that answers is a copy of `aimonk.runtime` that lies beside the model, under a name made from its
own digest (see `shipped_code`). Two models in one process each run their own copy, and no installed aimonk
is needed or touched.
"""

from __future__ import annotations

import base64
import binascii
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel


class AimonkModel(PythonModel):
    """Column `image` of encoded images in; attributes, probabilities and errors out, a row per row."""

    def load_context(self, context: Any) -> None:
        """Load the package's own predictor."""
        predictor = importlib.import_module(f"{context.model_config['runtime']}.predictor")
        self._predictor = predictor.Predictor(Path(context.artifacts["package"]).resolve())

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Answer every row in order; a row that holds no readable image has an `error`, the others answers.

        Images are bytes, or base64 text where the caller could not send bytes (CSV, `inputs`, `instances`).
        """
        cells = _image_column(model_input)
        try:
            return self._answer(cells)
        except Exception as error:
            raise MlflowException(f"The model failed: {type(error).__name__}.", INTERNAL_ERROR) from None

    def _answer(self, cells: list[Any]) -> pd.DataFrame:
        images = [_encoded(cell) for cell in cells]
        answers = iter(self._predictor.predict([image for image in images if isinstance(image, bytes)]))
        attributes, probabilities, errors = [], [], []
        for image in images:
            answer = next(answers) if isinstance(image, bytes) else None
            attributes.append(list(answer.predicted_attributes) if answer else [])
            probabilities.append(list(answer.probabilities) if answer else [])
            errors.append(answer.error if answer else str(image))
        return pd.DataFrame(
            {
                "predicted_attributes": pd.Series(attributes, dtype=object),
                "probabilities": pd.Series(probabilities, dtype=object),
                "error": pd.Series(errors, dtype=object),  # as str, pandas would turn None into NaN
            }
        )


def _image_column(model_input: Any) -> list[Any]:
    """The cells of the column `image`, whichever way MLflow handed them over."""
    if isinstance(model_input, pd.DataFrame | dict):
        if "image" in model_input:
            return list(np.ravel(np.asarray(model_input["image"], dtype=object)))
        found = ", ".join(map(str, model_input)) or "none"
        raise MlflowException(f"The input needs a column 'image', but has: {found}.", INVALID_PARAMETER_VALUE)
    if isinstance(model_input, list | np.ndarray | pd.Series):
        return list(np.ravel(np.asarray(model_input, dtype=object)))
    kind = type(model_input).__name__
    raise MlflowException(
        f"The input must be a table with a column 'image', not {kind}.", INVALID_PARAMETER_VALUE
    )


class _Unreadable(str):
    """Why a cell holds no image."""


def _encoded(cell: Any) -> bytes | _Unreadable:
    """The image file's bytes, undone from base64 where they are: no image format begins with 16 letters."""
    if isinstance(cell, str):
        return _from_base64(cell.encode()) or _Unreadable("the text is not base64 of an image")
    if isinstance(cell, bytes | bytearray | memoryview):
        data = bytes(cell)
        return _from_base64(data) or data
    return _Unreadable(
        "there is no image" if _is_missing(cell) else f"an image is bytes, not {type(cell).__name__}"
    )


def _from_base64(text: bytes) -> bytes | None:
    if not text[:16].translate(None, b"+/=\r\n").isalnum():
        return None
    try:
        return base64.b64decode(text.translate(None, b"\r\n"), validate=True)
    except binascii.Error:
        return None


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))


set_model(AimonkModel())
