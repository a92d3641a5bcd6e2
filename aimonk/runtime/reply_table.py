"""The reply as a pandas table, in columns that MLflow turns into JSON and into Spark's types unharmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from .explained_prediction import ExplainedPrediction
from .prediction import Prediction

COLUMNS = ("predicted_attributes", "probabilities", "error", "scores")


class NullableText(pd.arrays.StringArray):  # type: ignore[misc]  # pandas is untyped
    """A column of texts whose nulls stay None.

    MLflow's `spark_udf` casts a text column by `astype(numpy.str_)`, which makes the text 'None' of a null
    in a column of objects, 'nan' in one of strings. Here a cast to text or object keeps None, which Spark
    receives as null and JSON as `null`. Cells are None too, not `pandas.NA`, whose truth value is an error.
    """

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> NullableText:
        """Make one from texts and None."""
        return cls(np.array([pd.NA if text is None else text for text in texts], dtype=object))

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """A cast; to text and object with None where there is no text."""
        if not isinstance(dtype, pd.api.extensions.ExtensionDtype) and np.dtype(dtype).kind in "UO":
            return self.to_numpy(dtype=object, na_value=None)
        return super().astype(dtype, copy)

    def tolist(self) -> list[Any]:
        """Texts and None."""
        return list(self)

    def __iter__(self) -> Any:
        return iter(self.to_numpy(dtype=object, na_value=None))

    def __getitem__(self, item: Any) -> Any:
        found = super().__getitem__(item)
        return None if found is pd.NA else found


def reply_table(predictions: Iterable[Prediction], names: tuple[str, ...]) -> pd.DataFrame:
    """A row per prediction, in order.

    - `predicted_attributes`: list of the names that are present
    - `probabilities`: list of L floats in the order of `names`; empty where there is an error
    - `error`: None, or why this image could not be read
    - `scores`: dictionary of name to probability; empty where there is an error
    """
    attributes, probabilities, errors, scores = [], [], [], []
    for prediction in predictions:
        attributes.append(list(prediction.predicted_attributes))
        probabilities.append(list(prediction.probabilities))
        errors.append(prediction.error)
        scores.append(dict(zip(names, prediction.probabilities, strict=False)))
    columns = (
        pd.Series(attributes, dtype=object),
        pd.Series(probabilities, dtype=object),
        pd.Series(NullableText.of(errors)),
        pd.Series(scores, dtype=object),
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def explained_table(answers: Iterable[ExplainedPrediction], names: tuple[str, ...]) -> pd.DataFrame:
    """The same table with a column `explanations`: a list of dictionaries, see `Explanation`."""
    rows = list(answers)
    table = reply_table((row.prediction for row in rows), names)
    cells = [[asdict(explanation) for explanation in row.explanations] for row in rows]
    return table.assign(explanations=pd.Series(cells, dtype=object))
