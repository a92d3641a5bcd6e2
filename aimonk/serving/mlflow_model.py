"""The MLflow model, as models-from-code: MLflow copies this file and runs it wherever the model is loaded.

The code that answers is a copy of `aimonk.runtime` that lies beside the model, under a name made from its
own digest (see `shipped_code`). Two models in one process each run their own copy, and no installed aimonk
is needed or touched.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import (
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    RESOURCE_EXHAUSTED,
    TEMPORARILY_UNAVAILABLE,
)
from mlflow.pyfunc.model import PythonModel

_SERVED = ("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "AIMONK_SERVING")
"""Where one of these environment variables is `true`, the package's limits hold.

MLflow sets the first in its scoring server; set the second for other servers, such as MLServer."""
_SERVER_PROCESS = "__pyfunc_model_path__"
"""And this one for the process of `mlflow models serve`."""


class AimonkModel(PythonModel):
    """Column `image` of encoded images in; attributes, probabilities, errors and scores out, a row per row.

    With the parameter `explain` the table has a column `explanations`, see `runtime.explained_prediction`.

    In a server (see `_SERVED`), requests beyond the package's limits are refused with 429, and those that
    come while the server is full with 503. In process and on Spark a table may have any number of rows.
    """

    def load_context(self, context: Any) -> None:
        """Load the package with the copy of the runtime that was shipped with it."""
        runtime = context.model_config["runtime"]

        def shipped(module: str) -> Any:
            return importlib.import_module(f"{runtime}.{module}")

        self._cell, self._limits, self._reply = map(shipped, ("image_cell", "request_limits", "reply_table"))
        self._model_error = shipped("user_errors").ModelError
        self._explained_images = shipped("explained_prediction").IMAGES
        served = _SERVER_PROCESS in os.environ or _is_served()
        package = Path(context.artifacts["package"]).resolve()
        self._predictor = shipped("predictor").Predictor(package, served=served)
        self._admission = self._limits.Admission(self._predictor.info.limits)
        if _SERVER_PROCESS in os.environ and threading.current_thread() is threading.main_thread():
            self._close_on_sigterm()

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Answer every row in order; a row that holds no readable image has an `error`, the others answers.

        Args:
            context: not used.
            model_input: a table with a column `image`; see `runtime.image_cell` for what a cell may be.
            params: `explain`, which is false by default.

        Raises:
            MlflowException: there is no column `image`, or the model cannot be explained (HTTP 400); the
                request is too large (429); the server is full or ends (503); or the model fails (500).
        """
        explain = bool((params or {}).get("explain", False))
        try:
            if _is_served() and isinstance(model_input, pd.DataFrame):
                self._admission.check_images(len(model_input))  # a column of millions takes seconds to read
            cells = _image_column(model_input)
            if not _is_served():
                return self._answer(cells, explain)
            if explain:
                self._limits.check_explained(len(cells), self._explained_images)
            with self._admission.admit(len(cells), sum(map(self._cell.encoded_size, cells))):
                return self._answer(cells, explain)
        except self._limits.TooLargeError as error:
            raise MlflowException(str(error), RESOURCE_EXHAUSTED) from None
        except self._limits.BusyError as error:
            raise MlflowException(str(error), TEMPORARILY_UNAVAILABLE) from None
        except self._model_error as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from None
        except MlflowException:
            raise
        except Exception as error:  # anything else would show its trace to the client
            raise MlflowException(f"The model failed: {type(error).__name__}.", INTERNAL_ERROR) from None

    def _answer(self, cells: list[Any], explain: bool) -> pd.DataFrame:
        decode = self._cell.image_bytes
        names = self._predictor.info.names
        if explain:
            return self._reply.explained_table(self._predictor.explain(map(decode, cells)), names)
        if len(cells) == 1:
            return self._reply.reply_table(self._predictor.predict([decode(cells[0])]), names)
        return self._reply.reply_table(self._predictor.stream(map(decode, cells)), names)

    def _close_on_sigterm(self) -> None:
        """Give up requests in progress when the server is ended.

        Uvicorn waits for them without a limit; a request of a thousand images would keep it for minutes.
        """
        before = signal.getsignal(signal.SIGTERM)

        def close(number: int, frame: Any) -> None:
            self._admission.close()
            self._predictor.close()
            if callable(before):
                before(number, frame)

        if callable(before):
            signal.signal(signal.SIGTERM, close)


def _is_served() -> bool:
    return any(os.environ.get(name, "").lower() == "true" for name in _SERVED)


def _image_column(model_input: Any) -> list[Any]:
    """The cells of the column `image`, whichever way MLflow handed them over."""
    if isinstance(model_input, pd.DataFrame | dict):
        if "image" in model_input:
            return _flat(model_input["image"])
        found = ", ".join(map(str, model_input)) or "none"
        raise MlflowException(f"The input needs a column 'image', but has: {found}.", INVALID_PARAMETER_VALUE)
    if isinstance(model_input, list | np.ndarray | pd.Series):
        return _flat(model_input)
    kind = type(model_input).__name__
    raise MlflowException(
        f"The input must be a table with a column 'image', not {kind}.", INVALID_PARAMETER_VALUE
    )


def _flat(column: Any) -> list[Any]:
    """A list of cells. MLflow puts a dictionary's list of texts into one cell of one row."""
    if isinstance(column, str | bytes):
        return [column]
    cells = [cell.item() if isinstance(cell, np.ndarray) and cell.ndim == 0 else cell for cell in column]
    if len(cells) == 1 and isinstance(cells[0], list | np.ndarray):
        return list(cells[0])
    return cells


set_model(AimonkModel())
