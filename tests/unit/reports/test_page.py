"""The one page of all reports: whole, closed to the outside, escaped, with a text for each part."""

from __future__ import annotations

import base64
import hashlib
import re

import cv2
import numpy as np
import pytest
from pages import Page as Read

from har.errors import OutputError
from har.metrics.intervals import Interval
from har.render.charts import draw_interval
from har.reports.page import (
    Chart,
    Charts,
    Facts,
    Figure,
    Headline,
    Note,
    Page,
    Points,
    Section,
    Strip,
    Strips,
    Table,
    Text,
    render_fragment,
    render_page,
    write_page,
)

EVIL = '<script>alert("1")</script>&'


def make_page(text: str) -> Page:
    """Return a page with every part, all of whose texts are one."""
    svg = draw_interval(Interval(0.5, 0.2, 0.9), 0.3, text)
    table = Table([text, text], [[text, svg], [text, 3]], text, text)
    jpeg = cv2.imencode(".jpg", np.zeros((4, 8, 3), np.uint8))[1].tobytes()
    parts = [
        Text(text),
        Note(text),
        Points([text]),
        Headline((Figure(text, Interval(0.5, None, None, 0, text), text, 0.4),)),
        table,
        Table([text], [[f"{text}{k}"] for k in range(5)], text, fold=text, n_open=2),
        Chart(svg, text, text, table),
        Charts((Chart(svg, text), Chart(svg, text, is_wide=True))),
        Facts({text: text}, text),
        Facts({text: text}, fold=text),
        Strips((Strip(text, jpeg, text),)),
    ]
    sections = [
        Section(text, parts),
        Section("Empty", []),
        Section("b", parts),
        Section("c", parts),
    ]
    return Page(text, text, text, sections, (text,), text)


@pytest.mark.parametrize("text", ["plain", EVIL, "'\" x=y", "{{ 7 * 7 }}", "名前 \udce9"])
def test_a_page_of_every_part_is_whole_and_needs_nothing_else(text, tmp_path):
    write_page(tmp_path / "new" / "report.html", make_page(text))
    page = Read((tmp_path / "new" / "report.html").read_text(encoding="utf-8"))
    page.check()
    assert "49" not in page.text
    assert "Empty" not in page.text, "a section without parts is left out"
    assert page.list_names("section") == [None] * 3


def test_text_is_escaped_in_every_part():
    html = render_page(make_page(EVIL))
    assert "<script" not in html
    # Title, lead, heading and so on, and in each of three sections every part.
    assert Read(html).text.count('alert("1")') > 3 * 30


def test_the_policy_allows_the_one_style_and_nothing_else():
    html = render_page(make_page("x"))
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.replace("&#39;", "'").split(";"))
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def test_a_long_table_is_open_at_its_head_and_folded_after():
    rows = [[f"row {k}", k] for k in range(5)]
    page = Page("k", "t", "l", [Section("s", [Table(["a", "b"], rows, "n", n_open=3)])])
    html = render_page(page)
    assert re.findall(r"<summary>(.*?)</summary>", html) == ["2 more"]
    assert html.index("row 2") < html.index("<details>") < html.index("row 3")


def test_a_fragment_is_what_markdown_takes_and_brings_its_style():
    html = render_fragment(make_page("x"))
    assert all(line.strip() for line in html.splitlines())
    assert html.count("<style>") == 1
    assert "<html" not in html
    Read(html).check()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match=r"report\.html"):
        write_page(tmp_path / "report.html", make_page("x"))
