"""What tests of pages read: their text and tags, and that they are whole and need nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link"}
_ADDRESS = re.compile(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w.]", re.IGNORECASE)


class Page(HTMLParser):
    """The page's text and tags; fails on a tag that is not closed in order.

    Attributes:
        text: All text but that of the style.
        tags: Name and attributes of each element.
        rows: Texts of the cells of each table row.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.text = html, ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data):
        data = data.replace("\N{NO-BREAK SPACE}", " ")
        if self._open and self._open[-1] != "style":
            self.text += data
            if {"td", "th"} & set(self._open) and "svg" not in self._open:
                self.rows[-1][-1] += data.strip()

    def find_row(self, name: str) -> list[str]:
        """Return the cells after the one that begins a row."""
        return next(row[1:] for row in self.rows if row and row[0] == name)

    def list_names(self, tag: str) -> list[str | None]:
        """Return the classes of all elements of a kind."""
        return [attributes.get("class") for name, attributes in self.tags if name == tag]

    def check(self) -> None:
        """Fail where the page needs anything, or could run anything."""
        names = {tag for tag, _ in self.tags}
        assert not names & {"script", "iframe", "object", "embed", "form", "base", "foreignObject"}
        assert _ADDRESS.search(re.sub(r"data:image/[^\"]+", "", self.html)) is None
        for tag, attributes in self.tags:
            assert not any(name.startswith("on") or name == "style" for name in attributes)
            for name in ("src", "href", "xlink:href"):
                value = attributes.get(name) or "#"
                assert value.startswith(("#", "data:")), (tag, value)
            if tag == "img":
                assert attributes.get("alt")
            if tag == "svg":
                assert attributes["role"] == "img"
        titles = re.findall(r"<svg[^>]*><title>([^<]+)</title>", self.html)
        assert len(titles) == self.html.count("<svg")
