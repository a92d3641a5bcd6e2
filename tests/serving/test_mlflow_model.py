from __future__ import annotations

import base64
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from aimonk import runtime
from aimonk.runtime.explained_prediction import IMAGES
from aimonk.runtime.predictor import Predictor
from aimonk.runtime.request_limits import Limits
from aimonk.serving.mlflow_model import AimonkModel
from aimonk.serving.shipped_code import copy_runtime

from .conftest import color_info, plain_image

RED = plain_image(200, 0, 250)  # logits 1 and -2
DARK = plain_image(0, 0, 0)  # logits -1 and 0.5
PROBABILITIES = {RED: [0.7310586, 0.1192029], DARK: [0.2689414, 0.6224593]}


def load(package: Path, runtime: str = "aimonk.runtime") -> AimonkModel:
    """The model as MLflow loads it, with the runtime of this name on the path."""
    model = AimonkModel()
    context = SimpleNamespace(artifacts={"package": str(package)}, model_config={"runtime": runtime})
    model.load_context(context)
    return model


@pytest.fixture(scope="module")
def model(package: Path) -> AimonkModel:
    return load(package)


def ask(model: AimonkModel, model_input: Any) -> list[dict[str, Any]]:
    reply = model.predict(None, model_input)
    assert list(reply.columns) == ["predicted_attributes", "probabilities", "error", "scores"]
    return list(reply.to_dict(orient="records"))


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
        "an image is bytes or base64 text, not int",
        "the text is not base64 of an image; send the file's bytes, since paths and URLs are not opened",
        "there is no image",
        "the file is empty",
        None,
    ]
    assert [len(row["probabilities"]) for row in rows] == [0, 2, 0, 0, 0, 0, 0, 0, 2]
    assert [list(row["scores"]) for row in rows[:2]] == [[], ["red", "dark"]]
    assert list(rows[1]["scores"].values()) == rows[1]["probabilities"]


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
        pd.DataFrame({"image": [[TEXT]]}),
        {"image": TEXT},
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


def test_explanations_come_if_they_are_asked_for(model: AimonkModel) -> None:
    images = pd.DataFrame({"image": [RED, b"no image", DARK]})
    plain = ask(model, images)
    rows = model.predict(None, images, {"explain": True}).to_dict(orient="records")
    for row, expected in zip(rows, plain, strict=True):
        explained = row.pop("explanations")
        np.testing.assert_allclose(row.pop("probabilities"), expected["probabilities"], atol=1e-6)
        assert list(row.pop("scores")) == list(expected["scores"])
        assert row == {name: expected[name] for name in row}
        assert [entry["attribute"] for entry in explained] == expected["predicted_attributes"]
        for entry in explained:
            total = entry["baseline"] + entry["elsewhere"] + np.sum(entry["contributions"])
            assert total == pytest.approx(entry["logit"], abs=1e-3)
    assert model.predict(None, images, {"explain": False}).equals(model.predict(None, images))


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


@pytest.fixture(params=["_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "AIMONK_SERVING"])
def served(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """As in MLflow's scoring server, and in another one."""
    monkeypatch.setenv(request.param, "true")


@pytest.fixture
def small(make_package: Callable[..., Path]) -> AimonkModel:
    """A model that takes two images a request."""
    limits = Limits(images_per_request=2, bytes_per_request=1000, images_in_progress=3)
    return load(make_package(info=dataclasses.replace(color_info(), limits=limits)))


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("cells", "words"), [([RED] * 3, "3 rows, more than the 2"), ([b"x" * 2000], "0 MiB")]
)
def test_a_server_refuses_a_request_that_is_too_large(
    small: AimonkModel, cells: list[bytes], words: str
) -> None:
    with pytest.raises(MlflowException, match=words) as raised:
        small.predict(None, pd.DataFrame({"image": cells}))
    assert raised.value.get_http_status_code() == 429
    assert len(ask(small, pd.DataFrame({"image": [RED, RED]}))) == 2


@pytest.mark.usefixtures("served")
def test_a_full_server_says_so_and_a_closed_one_too(small: AimonkModel) -> None:
    one = pd.DataFrame({"image": [RED]})
    with small._admission.admit(images=2, size=0):
        assert len(ask(small, one)) == 1
        with pytest.raises(MlflowException, match="busy") as raised:
            small.predict(None, pd.DataFrame({"image": [RED, RED]}))
    assert raised.value.get_http_status_code() == 503
    small._admission.close()
    with pytest.raises(MlflowException, match="shutting down") as raised:
        small.predict(None, one)
    assert raised.value.get_http_status_code() == 503


@pytest.mark.usefixtures("served")
def test_a_server_explains_a_few_images_at_a_time(model: AimonkModel) -> None:
    images = pd.DataFrame({"image": [RED] * (IMAGES + 1)})
    with pytest.raises(MlflowException, match="explanations of 17 images, more than the 16") as caught:
        model.predict(None, images, {"explain": True})
    assert caught.value.get_http_status_code() == 429
    assert len(model.predict(None, images[:IMAGES], {"explain": True})) == IMAGES


@pytest.mark.usefixtures("served")
def test_two_million_empty_rows_are_refused_before_any_is_looked_at(
    model: AimonkModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    monkeypatch.setattr(Predictor, "stream", lambda self, images: looked.append(images))
    rows = pd.DataFrame({"image": [""] * 2_000_000})
    with pytest.raises(MlflowException, match="2,000,000 rows, more than the 1,024"):
        model.predict(None, rows)
    assert not looked


def test_in_process_a_table_may_have_any_number_of_rows(small: AimonkModel) -> None:
    assert [row["error"] for row in ask(small, pd.DataFrame({"image": [RED] * 70}))] == [None] * 70


def test_two_models_in_one_process_run_their_own_code(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(runtime.__file__).parent
    changed = tmp_path / "changed"
    shutil.copytree(source, changed)
    code = changed / "predictor.py"
    code.write_text(code.read_text().replace("probabilities >= self._thresholds", "probabilities >= 0.0"))
    first, equal, second = (
        copy_runtime(tmp_path / name, folder)
        for name, folder in (("a", source), ("b", source), ("c", changed))
    )
    assert first.name == equal.name != second.name
    for copy in (first, second):
        monkeypatch.syspath_prepend(copy.parent)
    models = [load(package, copy.name) for copy in (first, second, equal)]
    found = [ask(model, pd.DataFrame({"image": [RED]}))[0]["predicted_attributes"] for model in models]
    assert found == [["red"], ["red", "dark"], ["red"]]
    assert type(models[0]._predictor) is type(models[2]._predictor)
    assert type(models[0]._predictor) is not type(models[1]._predictor)
