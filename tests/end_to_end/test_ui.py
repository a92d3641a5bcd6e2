"""The report as people open it: in MLflow's artifact view, and as a file, in a real browser."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from mlflow.tracking import MlflowClient
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Frame, sync_playwright

from tests.end_to_end.conftest import Trained

pytestmark = pytest.mark.slow

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PICTURES = "[...document.images].map(image => [image.alt, image.complete ? image.naturalWidth : 0])"


@dataclass
class Witness:
    """Everything that a browser asked for or complained of."""

    urls: list[str] = field(default_factory=list)
    complaints: list[ConsoleMessage] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self.urls.append(request.url))
        context.on("weberror", lambda error: self.crashes.append(str(error.error)))
        context.on("console", self._note)

    def _note(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said)

    def complaints_outside(self, server: str) -> list[str]:
        """MLflow's page complains of its own server (of a missing `users/current`, say); the rest is ours."""
        places = [(said, said.location["url"]) for said in self.complaints]
        return [f"{url}: {said.text}" for said, url in places if not url.startswith(server)]

    def hosts(self) -> set[str | None]:
        """None is for addresses without a host: data, blob, file."""
        return {urlsplit(url).hostname for url in self.urls}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no Chromium on the path; install it, on Debian by `apt-get install chromium`"
        if os.environ.get("AIMONK_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def context(browser: Browser, witness: Witness) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    context.set_default_timeout(120_000)
    witness.watch(context)
    yield context
    context.close()


@pytest.fixture(scope="module")
def server(seed_model: Trained) -> Iterator[str]:
    """The address of `mlflow ui`, started as the README says."""
    desk = seed_model.desk
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (desk.folder / "ui.txt").open("w") as log:
        process = subprocess.Popen(
            ["mlflow", "ui", "--workers", "1", "--port", str(port)],
            cwd=desk.folder,
            env=desk.environment | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}/"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.25)


def client_of(trained: Trained) -> MlflowClient:
    uri = trained.desk.environment["MLFLOW_TRACKING_URI"]
    return MlflowClient(uri, uri)


def check_report(frame: Frame, trained: Trained) -> None:
    """The verdict leads, and every picture is there: five figures at least, and photos with them."""
    heading = frame.get_by_role("heading", level=1)
    assert heading.inner_text() == trained.answer["verdict"]
    assert heading.is_visible()
    pictures = frame.evaluate(PICTURES)
    assert [alt for alt, width in pictures if width == 0] == []
    photos = {alt for alt, _ in pictures if (trained.data / alt).is_file()}
    figures = {alt for alt, _ in pictures} - photos
    assert "Training loss at every iteration" in {alt[:32] for alt in figures}
    assert len(figures) >= 5
    assert len(photos) >= 20
    assert {"image_297.jpg", "image_452.jpg"} <= photos  # one photo in two files


def test_the_artifact_view_shows_verdict_and_pictures(
    seed_model: Trained, server: str, context: BrowserContext, witness: Witness
) -> None:
    run = client_of(seed_model).get_run(seed_model.answer["run_id"]).info
    page = context.new_page()
    page.goto(f"{server}#/experiments/{run.experiment_id}/runs/{run.run_id}/artifacts/report.html")
    view = page.locator("iframe")
    view.wait_for()
    assert view.count() == 1
    handle = view.element_handle()
    frame = handle.content_frame() if handle else None
    assert frame is not None
    frame.wait_for_load_state()
    check_report(frame, seed_model)
    box, heading = view.bounding_box(), frame.get_by_role("heading", level=1).bounding_box()
    assert box and heading
    assert box["y"] <= heading["y"] <= box["y"] + box["height"] - heading["height"] <= 1000
    frame.get_by_role("img", name="image_297.jpg").first.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # for what comes late; MLflow's page itself never stops asking
    assert witness.hosts() <= {"127.0.0.1", None}
    assert any(url.startswith(f"blob:{server}") for url in witness.urls)  # where MLflow puts the report
    assert witness.complaints_outside(server) == []
    assert witness.crashes == []


def test_the_file_alone_asks_for_nothing(
    seed_model: Trained, context: BrowserContext, witness: Witness, tmp_path: Path
) -> None:
    client = client_of(seed_model)
    report = Path(client.download_artifacts(seed_model.answer["run_id"], "report.html", str(tmp_path)))
    page = context.new_page()
    page.goto(report.as_uri(), wait_until="networkidle")
    check_report(page.main_frame, seed_model)
    assert {urlsplit(url).scheme for url in witness.urls} <= {"file", "data"}
    assert [said.text for said in witness.complaints] == []
    assert witness.crashes == []
