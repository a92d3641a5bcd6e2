from __future__ import annotations

import json
import pickle

import numpy as np
import pyarrow as pa
from mlflow.pyfunc import _convert_struct_values, _infer_spark_udf_return_type

from aimonk.runtime.prediction import Prediction
from aimonk.runtime.reply_table import reply_table
from aimonk.serving.log_package import signature

ROWS = (Prediction(("a",), (0.75, 0.25)), Prediction((), (), "not an image"))
TABLE = reply_table(ROWS, ("a", "b"))


def test_a_reply_is_natural_json() -> None:
    assert json.loads(json.dumps(TABLE.to_dict(orient="records"), allow_nan=False)) == [
        {
            "predicted_attributes": ["a"],
            "probabilities": [0.75, 0.25],
            "error": None,
            "scores": {"a": 0.75, "b": 0.25},
        },
        {"predicted_attributes": [], "probabilities": [], "error": "not an image", "scores": {}},
    ]


def test_no_error_is_none_in_every_way_to_ask() -> None:
    errors = TABLE["error"]
    assert errors.tolist() == list(errors) == [None, "not an image"]
    assert errors[0] is None and TABLE.iloc[0]["error"] is None
    assert [row.error for row in TABLE.itertuples()] == [None, "not an image"]
    assert errors.isna().tolist() == [True, False]
    assert errors.astype(object).tolist() == [None, "not an image"]
    assert pa.Table.from_pandas(TABLE)["error"].to_pylist() == [None, "not an image"]
    assert pickle.loads(pickle.dumps(TABLE))["error"].tolist() == [None, "not an image"]


def test_a_null_survives_the_casts_of_spark_udf() -> None:
    kind = _infer_spark_udf_return_type(signature().outputs)
    cast = _convert_struct_values(TABLE, kind)
    assert pa.Array.from_pandas(cast["error"]).to_pylist() == [None, "not an image"]
    assert cast["scores"].tolist() == [{"a": 0.75, "b": 0.25}, {}]
    np.testing.assert_array_equal(cast["probabilities"][0], [0.75, 0.25])


def test_no_rows_make_an_empty_table() -> None:
    assert reply_table([], ("a",)).to_dict(orient="records") == []
