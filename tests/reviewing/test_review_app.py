from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from aimonk.data.dataset import Dataset
from aimonk.reviewing import evidence_view
from aimonk.reviewing.access_guard import AccessGuard
from aimonk.reviewing.answer_journal import AnswerJournal
from aimonk.reviewing.review_app import create_app
from aimonk.reviewing.review_queues import build_queues
from aimonk.reviewing.review_session import ReviewSession

PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"
SAME = {"Origin": HOME}


@pytest.fixture
def guard() -> AccessGuard:
    return AccessGuard(PORT)


@pytest.fixture
def stranger(dataset: Dataset, probabilities: np.ndarray, tmp_path: Path, guard: AccessGuard) -> TestClient:
    """A client that has not opened the address."""
    cells = build_queues(dataset, probabilities, control_share=0)
    journal = AnswerJournal(tmp_path / "labels.csv.review.jsonl")
    session = ReviewSession(dataset, cells, journal, reviewer="ann", run="r")
    return TestClient(create_app(session, guard), base_url=HOME, follow_redirects=False)


@pytest.fixture
def client(stranger: TestClient, guard: AccessGuard) -> TestClient:
    """The page of the user, who has opened the address."""
    assert stranger.get(guard.url).status_code == 303
    return stranger


def an_answer(client: TestClient, **changes: str) -> dict[str, str]:
    key = client.get("/cells", params={"queue": "suspects", "attribute": "belt"}).json()[0]["key"]
    return {"entry": "e1", "key": key, "answer": "present", "replaces": "", **changes}


def test_the_token_becomes_a_cookie_and_leaves_the_address(stranger: TestClient, guard: AccessGuard) -> None:
    reply = stranger.get(guard.url)
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith(f"{guard.cookie}={guard.token};")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    page = stranger.get("/")
    assert page.status_code == 200 and guard.token not in page.text
    assert "http" not in page.text.replace("http-equiv", "")  # it names no other host
    assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ("/", "/?token=", "/?token=wrong", "/queues", "/photos/0", "/files/review.js")
)
def test_without_the_token_nothing_is_served(stranger: TestClient, path: str) -> None:
    assert stranger.get(path).status_code == 403


def test_the_token_opens_the_page_only(stranger: TestClient, guard: AccessGuard) -> None:
    assert stranger.get(f"/queues?token={guard.token}").status_code == 403
    assert stranger.post(f"/?token={guard.token}", headers=SAME).status_code == 403
    stranger.cookies.set(guard.cookie, guard.token[:-1] + "x")
    assert stranger.get("/queues").status_code == 403


@pytest.mark.parametrize(
    "host", ("evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "[::1]:8765", "")
)
def test_another_host_name_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/queues").status_code == 200
    assert client.get("/queues", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "https://127.0.0.1:8765"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ),
)
def test_requests_from_other_origins_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/photos/0", headers=headers).status_code == 403
    assert client.post("/answers", json=an_answer(client), headers={**SAME, **headers}).status_code == 403


def test_a_form_of_another_page_cannot_answer(client: TestClient, tmp_path: Path) -> None:
    body = an_answer(client)
    assert client.post("/answers", json=body).status_code == 403  # says not where it comes from
    plain = {**SAME, "Content-Type": "text/plain"}
    assert client.post("/answers", content=str(body), headers=plain).status_code == 403
    assert client.post("/answers", data=body, headers=SAME).status_code == 403
    assert not (tmp_path / "labels.csv.review.jsonl").exists()


@pytest.mark.parametrize(
    "path",
    (
        "/photos/../labels.csv",
        "/photos/%2e%2e%2flabels.csv",
        "/photos/..%5Clabels.csv",
        "/photos/a.png",
        "/photos/-1",
        "/photos/8",
        "/photos/99999999999999999999",
        "/photos/0/../../labels.csv",
        "/files/../review_app.py",
        "/files/%2e%2e%2freview_app.py",
        "/files/review.html.jinja",
        "/files//etc/passwd",
        "//etc/passwd",
        "/docs",
        "/openapi.json",
    ),
)
def test_no_path_leads_to_another_file(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


def test_photos_are_jpegs_made_here(client: TestClient, dataset: Dataset) -> None:
    small, large = client.get("/photos/0"), client.get("/photos/0?large=true")
    assert small.headers["content-type"] == large.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(small.content)).size == (240, 180)
    assert Image.open(io.BytesIO(large.content)).size == (400, 300)
    dataset.paths[1].write_bytes(b"<script>alert(1)</script>")
    assert client.get("/photos/1").status_code == 410


def test_answers_undo_and_conflicts(client: TestClient) -> None:
    body = an_answer(client)
    reply = client.post("/answers", json=body, headers=SAME)
    assert (reply.status_code, reply.json()["answer"], reply.json()["label"]) == (200, "present", 1)
    conflict = client.post("/answers", json=body | {"entry": "e2"}, headers=SAME)
    assert (conflict.status_code, conflict.json()["entry"]) == (409, "e1")
    undo = client.post("/undo", json={"entry": "e3", "key": body["key"], "undoes": "e1"}, headers=SAME)
    assert (undo.status_code, undo.json()["answer"]) == (200, None)


@pytest.mark.parametrize(
    ("changes", "status"),
    (({"key": "nosuchcell"}, 404), ({"answer": "maybe"}, 422), ({"entry": "a b"}, 422), ({"entry": ""}, 422)),
)
def test_answers_that_make_no_sense_are_refused(
    client: TestClient, changes: dict[str, str], status: int
) -> None:
    assert client.post("/answers", json=an_answer(client, **changes), headers=SAME).status_code == status


def test_an_answer_that_cannot_be_kept_is_not_confirmed(client: TestClient, tmp_path: Path) -> None:
    body = an_answer(client)
    (tmp_path / "labels.csv.review.jsonl").mkdir()
    reply = client.post("/answers", json=body, headers=SAME)
    assert reply.status_code == 503 and "review.jsonl" in reply.json()["detail"]


def test_scripts_and_style_are_served_with_their_types(client: TestClient) -> None:
    for name, kind in (
        ("review.js", "text/javascript"),
        ("review.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ):
        reply = client.get(f"/files/{name}")
        assert reply.status_code == 200 and reply.headers["content-type"].startswith(kind)
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_evidence_is_shown_after_the_answer(
    client: TestClient, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetched(uri: str) -> Path:
        asked.append(uri)
        return package

    monkeypatch.setattr(evidence_view, "model_package", fetched)
    request = an_answer(client)
    address = f"/evidence/{request['key']}"
    assert client.get(address).status_code == 404 and asked == []  # blind: not before the answer
    assert client.get("/evidence/nothing").status_code == 404
    assert client.post("/answers", json=request, headers=SAME).status_code == 200
    refused = client.get(address)  # the model knows `red` and `dark`
    assert (refused.status_code, asked) == (410, ["runs:/r/model"])
    assert refused.json()["detail"] == "The model of run r has no attribute 'belt'."


def test_evidence_is_a_picture_of_the_photo(
    dataset: Dataset, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_view, "model_package", lambda uri: package)
    view = evidence_view.EvidenceView(dataset.paths, "r")
    with Image.open(io.BytesIO(view.png(0, "red"))) as picture:
        assert (picture.format, picture.size) == ("PNG", (400, 300))
    assert view.png(0, "red") != view.png(0, "dark")
