"""A trained model in use: predict, score, evaluate, promote, load and serve."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.end_to_end.conftest import Desk, Trained

pytestmark = pytest.mark.slow


def held_out(trained: Trained) -> pd.DataFrame:
    """What the training reported of the images it kept away."""
    return pq.read_table(artifact(trained, "predictions.parquet")).to_pandas()


def artifact(trained: Trained, path: str) -> str:
    """A file that the training left with its run."""
    return str(
        mlflow.artifacts.download_artifacts(
            run_id=trained.answer["run_id"],
            artifact_path=path,
            tracking_uri=trained.desk.environment["MLFLOW_TRACKING_URI"],
        )
    )


def reported(trained: Trained, rows: slice) -> tuple[list[Path], np.ndarray]:
    table = held_out(trained).iloc[rows]
    columns = [name for name in table.columns if name.startswith("probability.")]
    return [trained.data / name for name in table["image"]], table[columns].to_numpy()


@contextmanager
def serving(desk: Desk, model: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (desk.folder / "server.txt").open("w") as log:
        server = subprocess.Popen(
            ["mlflow", "models", "serve", "-m", model, "--env-manager", "local", "--port", str(port)],
            cwd=desk.folder,
            env=desk.environment,  # aimonk itself is not on its path
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{url}/ping", timeout=5)
                    break
                except OSError:
                    time.sleep(0.25)
            yield f"{url}/invocations"
        finally:
            server.terminate()
            server.wait(timeout=30)


def ask(url: str, images: list[bytes]) -> list[dict[str, Any]]:
    cells = [[base64.b64encode(image).decode()] for image in images]
    body = json.dumps({"dataframe_split": {"columns": ["image"], "data": cells}}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    return list(json.load(urllib.request.urlopen(request, timeout=60))["predictions"])


def test_the_server_answers_what_the_evaluation_reported(seed_model: Trained) -> None:
    paths, probabilities = reported(seed_model, slice(0, 6))
    photos = [path.read_bytes() for path in paths]
    with serving(seed_model.desk, seed_model.answer["model_uri"]) as url:
        replies = ask(url, [*photos[:3], b"not an image", *photos[3:]])
    broken = replies.pop(3)
    assert broken["error"]
    assert broken["predicted_attributes"] == []
    np.testing.assert_allclose([reply["probabilities"] for reply in replies], probabilities, atol=1e-4)
    for reply, row in zip(replies, probabilities, strict=True):
        expected = [f"attr{column + 1}" for column in np.flatnonzero(row >= 0.5)]
        assert reply["predicted_attributes"] == expected
        assert reply["error"] is None


def test_pyfunc_and_predict_say_the_same(seed_model: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, probabilities = reported(seed_model, slice(6, 9))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", seed_model.desk.environment["MLFLOW_TRACKING_URI"])
    model = mlflow.pyfunc.load_model(seed_model.answer["model_uri"])
    answers = model.predict(pd.DataFrame({"image": [path.read_bytes() for path in paths]}))
    np.testing.assert_allclose(answers["probabilities"].tolist(), probabilities, atol=1e-4)
    done = seed_model.desk.aimonk("predict", "--model", seed_model.answer["model_uri"], *paths)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3 * (3 + 4)  # the file, the two lines of the notebook, a line for each attribute
    for path, row in zip(paths, probabilities, strict=True):
        told = lines[:7]
        lines = lines[7:]
        names = [f"attr{column + 1}" for column in np.flatnonzero(row >= 0.5)]
        assert told[:2] == [str(path), f"Predicted Attributes: {names}"]
        said = json.loads(told[2].removeprefix("Probabilities: "))
        np.testing.assert_allclose(said, row, atol=2e-4)
        for number, line in enumerate(told[3:], start=1):
            assert line.split()[0] == f"attr{number}"
            assert line.endswith("ignore it: no evidence")


def test_predict_names_what_is_no_image_and_answers_the_rest(seed_model: Trained, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("not an image")
    good = seed_model.data / "image_0.jpg"
    done = seed_model.desk.aimonk("predict", "--model", seed_model.answer["model_uri"], bad, good)
    assert done.returncode == 2
    assert done.stdout.count("Predicted Attributes") == 1
    lines = done.stdout.splitlines()
    assert lines[0] == str(bad)
    assert lines[1].startswith("Cannot be read: ")
    assert lines[2] == str(good)


def test_scores_are_those_reported(seed_model: Trained, tmp_path: Path) -> None:
    paths, probabilities = reported(seed_model, slice(None))
    out = tmp_path / "scores.parquet"
    uri = seed_model.answer["model_uri"]
    done = seed_model.desk.aimonk("score", "--model", uri, "--data", seed_model.data, "--out", out)
    assert done.returncode == 0, done.stderr
    table = pq.read_table(out).to_pandas().set_index("image")
    assert len(table) == 972
    scored = table.loc[[path.name for path in paths], "probabilities"].tolist()
    np.testing.assert_allclose(scored, probabilities, atol=1e-4)


def test_embed_needs_no_labels_and_leaves_out_what_is_no_image(seed_model: Trained, tmp_path: Path) -> None:
    names = ("image_0.jpg", "image_1.jpg", "image_111.jpg")
    for name in names:
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / name).write_bytes((seed_model.data / name).read_bytes() + b" ")
    (tmp_path / "photos" / "copy.jpg").write_bytes((tmp_path / "photos" / names[0]).read_bytes())
    (tmp_path / "photos" / "bad.jpg").write_text("no image")
    options = seed_model.arguments[seed_model.arguments.index("--backbone") :]
    for passes in (3, 0):
        done = seed_model.desk.aimonk("embed", "--data", tmp_path / "photos", *options)
        assert done.returncode == 0, done.stderr
        assert f"3 images have features; {passes} forward passes" in done.stdout
        assert "1 of 5 images are left out; the first is bad.jpg (not an image)" in done.stderr


def test_evaluate_reports_images_that_were_not_trained_on(seed_model: Trained) -> None:
    data, uri = seed_model.data, seed_model.answer["model_uri"]
    answer = seed_model.desk.answer(
        "evaluate", "--model", uri, "--data", data, "--labels", data.parent / "labels.txt"
    )
    table = held_out(seed_model)
    digests = pd.read_json(artifact(seed_model, "split.json"), orient="split").set_index("set")["sha256"]
    unseen = table[~table["sha256"].isin(digests.loc["train"])]
    assert answer["sets"]["test"] == len(unseen)
    attributes = {found["name"]: found for found in answer["attributes"]}
    assert attributes["attr4"]["positives"] == int((unseen["label.attr4"] == 1).sum())
    assert {found["verdict"] for found in answer["attributes"]} == {"no evidence"}
    assert answer["run_id"] != seed_model.answer["run_id"]


def test_promote_refuses_what_has_learned_nothing(seed_model: Trained) -> None:
    done = seed_model.desk.aimonk("promote", "aimonk", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["promoted"] is False
    assert "no evidence" in answer["reason"]


def test_a_challenger_is_compared_with_the_champion_on_the_same_images(clothing_model: Trained) -> None:
    worse = clothing_model.desk.answer(*clothing_model.arguments, "--set", "training.epochs=1")
    assert worse["version"] == "2"
    assert worse["promotion"]["promoted"] is False
    assert "worse than the champion" in worse["promotion"]["reason"]
    assert "1518 images" in worse["promotion"]["reason"].replace(",", "")
    done = clothing_model.desk.aimonk("promote", "clothing", "--version", "2")
    assert done.returncode == 1
    assert "necktie" in done.stdout
