from __future__ import annotations

import base64
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from aimonk.serving.mlflow_model import AimonkModel

from .conftest import plain_image

RED = plain_image(200, 0, 250)  # logits 1 and -2
DARK = plain_image(0, 0, 0)  # logits -1 and 0.5
PROBABILITIES = {RED: [0.7310586, 0.1192029], DARK: [0.2689414, 0.6224593]}


def load(package: Path) -> AimonkModel:
    model = AimonkModel()
    model.load_context(SimpleNamespace(artifacts={"package": str(package)}))
    return model


@pytest.fixture(scope="module")
def model(package: Path) -> AimonkModel:
    return load(package)


def ask(model: AimonkModel, model_input: Any) -> list[dict[str, Any]]:
    reply = model.predict(None, model_input)
    assert list(reply.columns) == ["predicted_attributes", "probabilities", "error"]
    return reply.to_dict(orient="records")


def test_the_reply_has_a_row_per_row_in_order(model: AimonkModel) -> None:
    rows = ask(model, pd.DataFrame({"image": [RED, DARK, RED]}))
    assert [row["predicted_attributes"] for row in rows] == [["red"], ["dark"], ["red"]]
    assert [row["error"] for row in rows] == [None, None, None]
    expected = [PROBABILITIES[image] for image in (RED, DARK, RED)]
    np.testing.assert_allclose([row["probabilities"] for row in rows], expected, atol=1e-6)


def test_a_row_without_an_image_has_an_error_and_the_others_answers(model: AimonkModel) -> None:
    cells = [b"no image", RED, None, float("nan"), 7, "not base64", "", b"", DARK]
    rows = ask(model, pd.DataFrame({"image": pd.Series(cells, dtype=object)}))
    assert [row["error"] for row in rows] == [
        "not an image",
        None,
        "there is no image",
        "there is no image",
        "an image is bytes, not int",
        "the text is not base64 of an image",
        "the text is not base64 of an image",
        "the file is empty",
        None,
    ]
    assert [len(row["probabilities"]) for row in rows] == [0, 2, 0, 0, 0, 0, 0, 0, 2]


TEXT = base64.b64encode(RED).decode()


@pytest.mark.parametrize(
    "model_input",
    [
        pd.DataFrame({"image": [RED]}),
        pd.DataFrame({"image": [bytearray(RED)]}),
        pd.DataFrame({"image": [TEXT]}),
        pd.DataFrame({"image": [base64.encodebytes(RED).decode()]}),
        pd.DataFrame({"image": [np.bytes_(TEXT)]}),
        {"image": [TEXT]},
        {"image": np.array([TEXT.encode()])},
        [RED],
        np.array([TEXT]),
    ],
)
def test_bytes_and_base64_text_are_the_same_image(model: AimonkModel, model_input: Any) -> None:
    (row,) = ask(model, model_input)
    assert (row["predicted_attributes"], row["error"]) == (["red"], None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_no_format_is_mistaken_for_base64(model: AimonkModel, kind: str) -> None:
    (row,) = ask(model, pd.DataFrame({"image": [plain_image(200, 0, 250, kind)]}))
    assert (row["predicted_attributes"], row["error"]) == (["red"], None)


def test_no_rows_no_answers(model: AimonkModel) -> None:
    assert ask(model, pd.DataFrame({"image": []})) == []


@pytest.mark.parametrize(
    ("model_input", "words"),
    [(pd.DataFrame({"photo": [RED]}), "column 'image', but has: photo"), (5, "not int"), ({}, "has: none")],
)
def test_a_wrong_input_is_the_callers_fault(model: AimonkModel, model_input: Any, words: str) -> None:
    with pytest.raises(MlflowException, match=words) as raised:
        model.predict(None, model_input)
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_failure_inside_shows_no_trace(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(package)

    def fail(_images: list[bytes]) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(model._predictor, "predict", fail)
    with pytest.raises(MlflowException, match="RuntimeError") as raised:
        model.predict(None, pd.DataFrame({"image": [RED]}))
    assert raised.value.error_code == "INTERNAL_ERROR"
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_each_model_runs_the_code_in_its_package(package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(package, other)
    code = other / "code" / "aimonk" / "serving" / "predictor.py"
    code.write_text(code.read_text().replace("probabilities >= self._thresholds", "probabilities >= 0.0"))
    first, second = load(package), load(other)
    for model, attributes in ((first, ["red"]), (second, ["red", "dark"]), (first, ["red"])):
        assert ask(model, pd.DataFrame({"image": [RED]}))[0]["predicted_attributes"] == attributes
    assert type(first._predictor).__module__.startswith("aimonk_")
    assert type(first._predictor).__module__ != type(second._predictor).__module__


def test_models_of_equal_code_share_it(package: Path, make_package: Callable[..., Path]) -> None:
    before = {name for name in sys.modules if name.startswith("aimonk_")}
    assert type(load(package)._predictor) is type(load(make_package())._predictor)
    roots = {name.partition(".")[0] for name in sys.modules if name.startswith("aimonk_")}
    assert len(roots - {name.partition(".")[0] for name in before}) <= 1


def test_the_artifacts_stay_as_logged(package: Path) -> None:
    load(package)
    assert not list(package.rglob("__pycache__"))
