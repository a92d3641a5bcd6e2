from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import re
import time
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aimonk.data.labels import MISSING
from aimonk.evaluation.label_errors import Suspect
from aimonk.reporting import html as report
from aimonk.reporting.html import (
    FILLABLE_PICTURES,
    SUSPECT_PICTURES,
    SUSPECTS_EXPLAINED,
    explained_cells,
    figures,
    render_report,
)
from aimonk.reporting.report_data import Predictions, ReportData

GOLDEN = Path(__file__).parent / "golden" / "report.html"
VOID = {"meta", "link", "img", "line", "circle", "br", "hr", "input"}


class Page(HTMLParser):
    """Checks that tags are balanced; keeps words, ids, and every address that could be fetched."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}:
                self.addresses.append(value)
            if name.startswith("on"):
                self.handlers.append(name)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text)).strip()


def body(html: str) -> str:
    """The page without what figures and style hold, for people to compare."""
    html = re.sub(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+", "data:…", html)
    return re.sub(r"<(style|script)>.*?</\1>", r"<\1>…</\1>", html, flags=re.DOTALL)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not rendered, for tests that look at words."""
    monkeypatch.setattr(report, "_as_svg", lambda drawn: dict.fromkeys(drawn, "data:,"))


def test_the_page_is_the_one_that_was_looked_at(small: Any) -> None:
    page = body(render_report(small))
    if os.environ.get("AIMONK_WRITE_GOLDEN"):
        GOLDEN.write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8"), (
        "look at it, then AIMONK_WRITE_GOLDEN=1 pytest this test"
    )


def test_the_verdict_leads(small: Any, undrawn: None) -> None:
    words = Page(render_report(small)).words
    headline = words.index("LEARNED 1 of 3 attributes")
    assert (
        headline < words.index("Answering “present” for every image") < words.index("Attribute by attribute")
    )


def test_no_evidence_is_as_loud(simulate: Callable[..., Any], undrawn: None) -> None:
    words = Page(render_report(simulate(120, 2, 0.0))).words
    assert "NO EVIDENCE that anything was learned (0 of 2 attributes)" in words
    assert "A falling training loss says nothing about new images." in words
    assert "so do not trust this list" in words


def test_the_page_asks_nothing_of_any_host(small: Any) -> None:
    html = render_report(small)
    page = Page(html)
    assert page.addresses
    for address in page.addresses:
        assert address.startswith(("data:", "#")), address
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert html.count("<script") == len(scripts) == 1
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = re.findall(r"script-src ([^\"]*)\"", html)
    assert allowed == [f"'sha256-{digest}'" for digest in digests]  # this script runs, and no other
    assert "iframe" not in page.tags
    assert page.handlers == []
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in html


def test_every_link_of_the_navigation_leads_somewhere_and_ids_are_unique(small: Any, undrawn: None) -> None:
    page = Page(render_report(small))
    assert len(page.ids) == len(set(page.ids))
    targets = [address[1:] for address in page.addresses if address.startswith("#")]
    assert targets == [
        "attributes",
        "training",
        "curves",
        "thresholds",
        "calibration",
        "predictions",
        "suspects",
        "fillable",
        "data",
        "method",
        "run",
    ]
    assert set(targets) <= set(page.ids)


def test_names_from_outside_are_escaped(small: Any, undrawn: None) -> None:
    html = render_report(small)
    assert "<b>hat</b>" not in html
    assert "&lt;b&gt;hat&lt;/b&gt;" in html
    assert html.count("<script") == 1
    assert "alert(1)</script>" not in html
    assert "<i>scarf</i>" not in html
    assert "Dresses &amp; &#34;more&#34;" in html


def test_the_table_holds_the_numbers(small: Any, undrawn: None) -> None:
    html = render_report(small)
    rows = [
        unescape(re.sub(r"<[^>]+>|\s+", " ", row)).split()
        for row in re.findall(r"<tr>(?:(?!</tr>).)*class=\"bar\".*?</tr>", html, re.DOTALL)
    ]
    assert [" ".join(row) for row in rows] == [
        "collar ● learned 0.75 [0.65, 0.85] 0.40 0.80 [0.71, 0.89] < 0.001 0.40 0.75 0.70 0.57",
        "<b>hat</b> – too few 0.06 0.04 0.50 – 0.60 0.00 0.00 0.08",
        "scarf ○ no evidence 0.35 [0.25, 0.45] 0.33 0.52 [0.41, 0.63] 0.412 0.20 0.50 0.10 0.50",
    ]


def test_the_bar_puts_ap_interval_and_prevalence_on_one_scale(small: Any, undrawn: None) -> None:
    html = render_report(small)
    first = html[html.index('<svg class="bar"') :].split("</svg>")[0]
    assert 'cx="112.5"' in first  # 0.75 of 150
    assert 'x1="97.5" x2="127.5"' in first  # 0.65 to 0.85
    assert 'x1="60.0" x2="60.0"' in first  # prevalence 0.40


def test_calibration_errors_follow_their_attribute_not_the_order_of_the_table(
    small: Any, undrawn: None
) -> None:
    words = Page(render_report(small)).words
    assert "went from 0.200 to 0.030" in words  # means of 0.2 0.1 0.3 and 0.02 0.03 0.04
    assert "<b>hat</b> 0.300 0.040 scarf 0.100 0.030" in words


@pytest.mark.parametrize(
    ("emptied", "gone"),
    [
        ({"history": None}, "training"),
        ({"predictions": None}, "curves calibration predictions"),
        ({"operating_points": ()}, "thresholds"),
        ({"suspects": ()}, "suspects"),
        ({"fillable": ()}, "fillable"),
        ({"audit": None}, "data files copies"),
        ({"facts": {}, "seconds": {}}, "run"),
        (
            {"evidence": None},
            "attributes attribute-controls attribute-table intervals curves calibration method",
        ),
        ({"ece_before": None, "ece_after": None}, ""),
        (
            {"predictions": Predictions((), np.empty((0, 3)), np.empty((0, 3)))},
            "curves calibration predictions",
        ),
    ],
)
def test_a_section_without_data_is_left_out_and_the_rest_stays(
    small: Any, undrawn: None, emptied: dict[str, Any], gone: str
) -> None:
    whole, less = Page(render_report(small)), Page(render_report(dataclasses.replace(small, **emptied)))
    assert set(whole.ids) - set(less.ids) == set(gone.split())
    links = {address[1:] for address in less.addresses if address.startswith("#")}
    assert links <= set(less.ids)


def test_a_report_of_nothing_is_a_page_that_says_so() -> None:
    page = Page(render_report(ReportData(title="empty", created="")))
    assert page.words.startswith("empty empty Not evaluated")  # the title, and the line above the headline
    assert page.ids == []


def test_images_without_any_known_label_do_not_break_the_page(small: Any, undrawn: None) -> None:
    unknown = dataclasses.replace(small.predictions, targets=np.full((3, 3), MISSING, dtype=np.float32))
    page = Page(render_report(dataclasses.replace(small, predictions=unknown)))
    assert "predictions" not in page.ids


def test_more_suspects_than_pictures_are_listed_in_words(small: Any, undrawn: None) -> None:
    many = tuple(Suspect(f"s{i}.jpg", "collar", 0, 0.9, 1.0) for i in range(SUSPECT_PICTURES + 3))
    holes = tuple(Suspect(f"h{i}.jpg", "collar", None, 0.9, 1.0) for i in range(FILLABLE_PICTURES + 1))
    words = Page(render_report(dataclasses.replace(small, suspects=many, fillable=holes))).words
    assert "3 more possible errors" in words
    assert f"s{SUSPECT_PICTURES + 2}.jpg collar absent 90%" in words
    assert "1 more missing label image" in words
    assert f"h{FILLABLE_PICTURES}.jpg collar unknown 90%" in words


def test_pictures_are_inside_the_page(small: Any, undrawn: None, tmp_path: Path) -> None:
    Image.new("RGB", (30, 40), "navy").save(tmp_path / "s.jpg")
    html = render_report(dataclasses.replace(small, picture=lambda name: tmp_path / name))
    assert len(re.findall(r'<img src="data:image/jpeg;base64,[^"]+" alt="s.jpg">', html)) == 1
    assert 'alt="t.jpg"' not in html
    assert "no image" in html


def test_galleries_show_the_evidence_of_what_was_learned(
    simulate: Callable[..., Any], undrawn: None, tmp_path: Path
) -> None:
    data = simulate(120, 3, 3.0)
    cells = explained_cells(data)
    learned = set(data.evidence.learned)
    assert cells and {attribute for _, attribute in cells} <= learned
    suspects = [(one.image, one.attribute) for one in data.suspects[:SUSPECTS_EXPLAINED]]
    assert set(suspects) & set(cells) == {cell for cell in suspects if cell[1] in learned}
    Image.new("RGB", (30, 40), (214, 39, 40)).save(tmp_path / "overlay.png")
    picture = (tmp_path / "overlay.png").read_bytes()
    page = Page(render_report(dataclasses.replace(data, overlays={cells[0]: picture}, refitted=True)))
    assert f"Evidence for {cells[0][1]}" in page.words
    assert "red speaks for it, blue against it" in page.words
    assert "the one that was scored was not" in page.words
    assert "Evidence for" not in Page(render_report(data)).words
    assert explained_cells(simulate(120, 2, 0.0)) == []


def test_a_review_tells_which_figure_to_believe(small: Any, undrawn: None) -> None:
    page = Page(render_report(dataclasses.replace(small, review=("Under the old labels: +0.01.",))))
    assert "#review" in page.addresses and "review" in page.ids
    assert "Under the old labels: +0.01." in page.words
    assert "The controls of the review were drawn at random" in page.words


def test_figures_are_named_once_for_page_and_files(small: Any) -> None:
    drawn = figures(small)
    assert list(drawn) == [
        "loss_curve",
        "average_precision",
        "precision_recall",
        "calibration",
        "operating_points",
        "label_counts",
        "not_known_together",
        "present_together",
    ]
    html = render_report(small, drawn)
    assert html.count("data:image/svg+xml;base64,") == len(drawn)
    assert html == render_report(small)


def test_the_audit_has_its_sections(small: Any, undrawn: None) -> None:
    small = dataclasses.replace(small, audit=dataclasses.replace(small.audit, flat=("cap.jpg",)))
    page = Page(render_report(small))
    assert {"data", "files", "copies"} <= set(page.ids)
    for words in (
        "1: gone.jpg",
        "One color only 1: cap.jpg",
        "broken.jpg (cut short)",
        "photo.jpg is PNG",
        "JPEG 97, PNG 1",
        "100–480 wide, 120–481 high; median 300 × 400",
        "scarf : present in a.jpg, absent in b.jpg",
        "c.jpg and d.jpg",
        "e.jpg, f.jpg and g.jpg",
    ):
        assert words in page.words


@pytest.mark.slow
def test_a_full_report_is_small_and_soon_done(simulate: Callable[..., Any], shared: Path) -> None:
    folder = shared / "data" / "clothing" / "images"
    names = sorted(path.name for path in folder.iterdir())
    data = simulate(1500, 23, 1.1, picture=lambda name: folder / names[int(name[6:-4])])
    render_report(data)
    started = time.perf_counter()
    html = render_report(data)
    assert time.perf_counter() - started < 6  # 2 s alone on the machine
    assert len(html) < 4_000_000
    assert html.count("data:image/jpeg") >= SUSPECT_PICTURES + FILLABLE_PICTURES


@pytest.mark.slow
def test_a_report_on_500_attributes_stays_below_5_megabytes(simulate: Callable[..., Any]) -> None:
    data = simulate(1000, 500, 0.4)
    html = render_report(data)
    assert len(html.encode()) < 5_000_000
    page = Page(html)
    assert all(attribute in page.words for attribute in data.attributes)  # the table holds them all
    assert "The figure shows 40 of 500 attributes: the strongest and the weakest." in page.words
