"""The report's table in a real browser: search, order, and a click on a heading."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from aimonk.reporting.html import render_report
from aimonk.reporting.report_data import ReportData

pytestmark = pytest.mark.slow

NAMES = (
    "[...document.querySelectorAll('#attribute-table tbody tr:not([hidden])')].map(r => r.cells[0].innerText)"
)


@pytest.fixture
def page(small: ReportData, tmp_path: Path) -> Iterator[Page]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no Chromium on the path"
        if os.environ.get("AIMONK_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)
    file = tmp_path / "report.html"
    file.write_text(render_report(small), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page()
        refused: list[str] = []
        opened.on("console", lambda said: refused.append(said.text))
        opened.goto(file.as_uri())
        yield opened
        assert refused == []  # the content security policy lets the script run
        browser.close()


def test_search_and_order(page: Page) -> None:
    # AP above prevalence: collar 0.35, hat 0.017, scarf 0.0167
    assert page.evaluate(NAMES) == ["collar", "<b>hat</b>", "scarf"]
    page.select_option("#attribute-controls select", label="weakest first")
    assert page.evaluate(NAMES) == ["scarf", "<b>hat</b>", "collar"]
    page.fill("#attribute-controls input", "AR")
    assert page.evaluate(NAMES) == ["scarf", "collar"]
    assert page.inner_text("#attribute-controls output") == "2 of 3 attributes"
    page.fill("#attribute-controls input", "")
    assert page.inner_text("#attribute-controls output") == "3 attributes"


def test_a_click_on_a_heading_sorts_and_a_second_one_reverses(page: Page) -> None:
    # p: collar 0.0003, scarf 0.412, hat not defined, which is last in either order
    page.click("#attribute-table th:nth-child(7) button")
    assert page.evaluate(NAMES) == ["scarf", "collar", "<b>hat</b>"]
    page.click("#attribute-table th:nth-child(7) button")
    assert page.evaluate(NAMES) == ["collar", "scarf", "<b>hat</b>"]
    page.click("#attribute-table th:nth-child(1) button")
    assert page.evaluate(NAMES) == ["<b>hat</b>", "collar", "scarf"]
