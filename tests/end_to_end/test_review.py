"""The review page in a real browser: nothing is lost or kept twice, whatever is reloaded or killed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from aimonk.evaluation.held_out import HeldOutScores
from aimonk.tracking.predictions_table import log_predictions
from aimonk.tracking.tracked_run import tracked_run
from tests.conftest import ROOT
from tests.end_to_end.test_ui import QUIET, Witness

pytestmark = pytest.mark.slow
PHOTOS, MANY = 250, 1_500


@dataclass
class Desk:
    """A folder of photos, labels that are all doubted, and a run that doubts them."""

    folder: Path
    run_id: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.folder / "labels.csv.review.jsonl"

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def start(self, port: int, reviewer: str = "ann", *options: str) -> str:
        """Start the page; the address with its token."""
        log = self.folder / f"{reviewer}-{time.monotonic_ns()}.txt"
        command = [sys.executable, "-m", "aimonk", "review", "--data", str(self.folder / "photos")]
        command += ["--labels", str(self.folder / "labels.csv"), "--run", self.run_id, "--port", str(port)]
        command += ["--reviewer", reviewer, "--limit", str(MANY), "--control-share", "0", *options]
        with log.open("wb") as err:
            process = subprocess.Popen(
                command, stderr=err, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True
            )
        self.processes.append(process)
        deadline = time.monotonic() + 120
        while not (found := re.search(r"http://\S+", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        return found[0]

    def kill(self) -> None:
        process = self.processes.pop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield from _desk(tmp_path, PHOTOS)


@pytest.fixture
def large_desk(tmp_path: Path) -> Iterator[Desk]:
    yield from _desk(tmp_path, MANY)


def _desk(tmp_path: Path, photos: int) -> Iterator[Desk]:
    folder = tmp_path / "photos"
    folder.mkdir()
    generator = np.random.default_rng(0)
    names = tuple(f"{number:04d}.jpg" for number in range(photos))
    for name in names:
        blocks = generator.integers(0, 256, (8, 6, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((180, 240), Image.Resampling.NEAREST).save(folder / name)
    rows = [f"{name},{number % 2}\n" for number, name in enumerate(names)]
    (tmp_path / "labels.csv").write_text("image,belt\n" + "".join(rows))
    targets = (np.arange(photos) % 2).astype(np.float32)[:, None]
    doubt = np.linspace(0.99, 0.6, photos)[:, None]
    probabilities = np.where(targets == 1, 1 - doubt, doubt)
    scores = HeldOutScores(
        attributes=("belt",),
        images=names,
        digests=tuple(hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names),
        groups=np.arange(photos),
        folds=np.arange(photos) % 5,
        targets=targets,
        logits=np.log(probabilities / (1 - probabilities)),
        probabilities=probabilities,
        thresholds=np.full((photos, 1), 0.5),
    )
    with tracked_run("aimonk", "doubts") as run:
        log_predictions(run, scores)
    desk = Desk(tmp_path, run.id)
    yield desk
    while desk.processes:
        desk.kill()


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
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    witness.watch(context)
    yield context
    context.close()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#grid li[aria-selected=true]")
    return page


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def until(page: Page, script: str) -> None:
    """Wait for a condition. Playwright's own `wait_for_function` needs `eval`, which the page forbids."""
    deadline = time.monotonic() + 60
    while not page.evaluate(script):
        assert time.monotonic() < deadline, script
        time.sleep(0.02)


def saved(page: Page) -> None:
    """Wait until nothing is on its way to the server."""
    until(page, "Object.keys(localStorage).length === 0")


def answered(page: Page) -> int:
    return page.locator("#grid li[data-answer]:not([data-answer=''])").count()


def test_answers_by_keyboard_outlive_reload_kill_and_a_second_tab(
    desk: Desk, context: BrowserContext, witness: Witness, port: int
) -> None:
    first = opened(context, desk.start(port))
    press(first, "pacpa" * 10)
    first.reload()  # while some answers are still on their way
    first.wait_for_selector("#grid li[aria-selected=true]")
    saved(first)
    assert answered(first) == 50
    press(first, "pa" * 10)
    desk.kill()
    press(first, "ap" * 15)  # nobody listens
    first.wait_for_selector("#trouble:not([hidden])")
    assert answered(first) == 100
    url = desk.start(port)
    second = opened(context, url)  # the new token; the first tab shares the cookie, and its answers are sent
    saved(second)
    saved(first)
    second.reload()
    second.wait_for_selector("#grid li[aria-selected=true]")
    assert answered(second) == 100
    for _ in range(25):  # both tabs by turns; each learns from the other which cells are done
        press(first, "pa")
        press(second, "ap")
    saved(first)
    saved(second)
    while len(desk.lines()) < 200:  # a key whose cell the other tab has just answered counts for nothing
        press(first, "p")
        saved(first)
    saved(second)
    lines = desk.lines()
    assert max(Counter(line["image"] for line in lines).values()) == 1
    assert len({line["entry"] for line in lines}) == len(lines) >= 200
    first.reload()
    first.wait_for_selector("#grid li[aria-selected=true]")
    shown = first.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#grid li')].filter(t => t.dataset.answer)"
        ".map(t => [t.querySelector('.name').textContent, t.dataset.answer]))"
    )
    assert shown == {line["image"]: line["answer"] for line in lines}
    assert witness.crashes == []
    assert witness.hosts() <= {"127.0.0.1", None}


def test_two_reviewers_share_a_journal(desk: Desk, browser: Browser, port: int) -> None:
    contexts = [browser.new_context() for _ in range(2)]
    pages = [
        opened(context, desk.start(0, reviewer))
        for context, reviewer in zip(contexts, ("ann", "bob"), strict=True)
    ]
    for _ in range(20):
        press(pages[0], "p")
        press(pages[1], "a")
    for page in pages:
        saved(page)
    assert Counter(line["reviewer"] for line in desk.lines()) == {"ann": 20, "bob": 20}
    for context in contexts:
        context.close()


def test_undo_and_the_opinion_after_the_answer(desk: Desk, context: BrowserContext, port: int) -> None:
    page = opened(context, desk.start(port))
    tile = page.locator("#grid li").first
    assert "label" not in tile.inner_text()
    press(page, "p")
    saved(page)
    until(page, "document.querySelector('#grid li .opinion').textContent !== ''")
    assert "label: absent\nmodel: 99% present" in tile.inner_text()
    press(page, "u")
    saved(page)
    assert "label" not in tile.inner_text()
    assert tile.get_attribute("data-answer") == ""
    page.keyboard.press("Enter")
    assert page.locator("dialog").is_visible()
    press(page, "a")
    assert "0001.jpg" in page.locator("#caption").inner_text()
    saved(page)
    assert [line.get("answer", "undo") for line in desk.lines()] == ["present", "undo", "absent"]


def test_sigterm_writes_the_corrected_labels(desk: Desk, context: BrowserContext, port: int) -> None:
    out = desk.folder / "corrected.csv"
    page = opened(context, desk.start(port, "ann", "--out", str(out)))
    press(page, "p")
    saved(page)
    process = desk.processes.pop()
    process.terminate()
    assert process.wait(timeout=120) == 0  # it also records the review
    assert out.read_text().splitlines()[:3] == ["image,belt", "0000.jpg,1", "0001.jpg,1"]


def test_many_photos_open_fast(large_desk: Desk, context: BrowserContext, port: int) -> None:
    url = large_desk.start(port)
    page = context.new_page()
    started = time.monotonic()
    page.goto(url)
    page.wait_for_selector("#grid li[aria-selected=true]")
    until(page, "document.querySelector('#grid img').naturalWidth > 0")
    assert time.monotonic() - started < 2
    assert page.locator("#grid li").count() == MANY


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_axe_finds_nothing(desk: Desk, browser: Browser, port: int, scheme: str) -> None:
    context = browser.new_context(color_scheme="light" if scheme == "light" else "dark", bypass_csp=True)
    page = opened(context, desk.start(port))
    press(page, "pacs")
    saved(page)
    found = Axe().run(page)
    assert found.response["violations"] == []
    page.keyboard.press("Enter")
    assert Axe().run(page).response["violations"] == []
    context.close()


def test_without_the_token_nothing_is_served(desk: Desk, port: int) -> None:
    desk.start(port)
    for path in ("/", "/cells?queue=suspects&attribute=belt", "/photos/0", "/files/review.js", "/?token=x"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10)
        assert refused.value.code == 403
