"""The page of every report: one HTML file of parts, with nothing outside it and no script.

A report is a `Page` of sections, a section is a title and parts. Each part has a template of its
own in ``templates/``; all text is escaped there, pictures are `har.render.svg.Svg` or data URIs.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from har.files import write_text
from har.metrics.intervals import Interval
from har.render.charts import draw_interval
from har.render.svg import STYLE, Svg
from har.version import __version__

Cell = str | int | Svg


class Part:
    """One block of a section.

    Attributes:
        template: The file that shows it.
    """

    template: ClassVar[str]


@dataclass(frozen=True)
class Text(Part):
    """A paragraph."""

    text: str
    template = "text.html"


@dataclass(frozen=True)
class Note(Part):
    """What a reader must see."""

    text: str
    template = "note.html"


@dataclass(frozen=True)
class Figure:
    """One of the main figures.

    Attributes:
        name: What is measured.
        interval: The figure with its interval.
        meaning: What that means, in a sentence.
        baseline: What chance reaches, where it was measured.
        is_share: From 0 to 1, so that a bar is drawn.
    """

    name: str
    interval: Interval
    meaning: str
    baseline: float | None = None
    is_share: bool = True

    @property
    def bar(self) -> Svg:
        """The figure on its interval."""
        return draw_interval(self.interval, self.baseline, self.name)


@dataclass(frozen=True)
class Headline(Part):
    """The main figures, side by side."""

    figures: tuple[Figure, ...]
    template = "headline.html"


@dataclass(frozen=True)
class Table(Part):
    """A table.

    Attributes:
        header: A name for each column.
        rows: Cells of text, numbers or small pictures.
        name: What the table has, for who does not see it.
        meaning: A sentence that is shown under it; empty for none.
        n_text: How many columns, from the left, are words; others are numbers and stand right.
        fold: Shown in place of the table until it is opened; empty for a table that is open.
        n_open: At most so many rows are open; the rest opens on demand.
        wraps: The last column is of sentences.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    name: str
    meaning: str = ""
    n_text: int = 1
    fold: str = ""
    n_open: int = 15
    wraps: bool = False
    template = "table.html"


@dataclass(frozen=True)
class Chart(Part):
    """A picture, the sentence that says what it means, and its values.

    Attributes:
        svg: The picture.
        meaning: Shown under it.
        title: Shown above it; empty for none.
        values: Opened on demand, for who does not see the picture.
        is_wide: It takes the whole width and is scrolled on a phone; others stand side by side.
    """

    svg: Svg
    meaning: str
    title: str = ""
    values: Table | None = None
    is_wide: bool = False
    template = "chart.html"


@dataclass(frozen=True)
class Charts(Part):
    """Some charts, side by side where there is room."""

    charts: tuple[Chart, ...]
    template = "charts.html"


@dataclass(frozen=True)
class Facts(Part):
    """Names and values.

    Attributes:
        rows: Value by name.
        command: What makes the page again; empty for none.
        fold: Shown in place of them until they are opened; empty for names that are open.
    """

    rows: Mapping[str, str]
    command: str = ""
    fold: str = ""
    template = "facts.html"


@dataclass(frozen=True)
class Points(Part):
    """Some sentences as a list."""

    texts: Sequence[str]
    template = "points.html"


@dataclass(frozen=True)
class Strip:
    """Frames of a clip in a row.

    Attributes:
        caption: Which clip it is.
        jpeg: The frames as one picture.
        alt: What it shows, for who does not see it.
    """

    caption: str
    jpeg: bytes
    alt: str

    @property
    def uri(self) -> str:
        """The picture as an address that holds it."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


@dataclass(frozen=True)
class Strips(Part):
    """Frames of some clips, a clip a row."""

    strips: tuple[Strip, ...]
    template = "strips.html"


@dataclass(frozen=True)
class Section:
    """A title and what is under it; a section without parts is left out."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        kind: What was done, such as ``Evaluation on clips``.
        title: Its heading.
        lead: How the figures were measured, in words.
        sections: Shown in this order.
        notes: Sentences that a reader must see first.
        badge: A word beside every heading, such as ``synthetic``; empty for none.
    """

    kind: str
    title: str
    lead: str
    sections: Sequence[Section]
    notes: Sequence[str] = ()
    badge: str = ""
    version: str = field(default=__version__, init=False)

    @property
    def shown(self) -> list[Section]:
        """The sections that have something to show."""
        return [section for section in self.sections if section.parts]


def write_page(path: Path, page: Page) -> None:
    """Write a report as one HTML file; its folder is created.

    Raises:
        OutputError: The file cannot be written.
    """
    write_text(path, render_page(page))


def render_page(page: Page) -> str:
    """Return the whole page; its policy allows nothing but the one style and pictures in it."""
    style = _load_style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    template = _environment().get_template("page.html")
    return template.render(page=page, style=Markup(style), style_hash=digest)  # noqa: S704


def render_fragment(page: Page) -> str:
    """Return the report with its style for a notebook; Markdown takes it, no line is empty."""
    body = _environment().get_template("body.html").render(page=page)
    html = f'<style>{_load_style()}</style>\n<div class="har-report">{body}</div>'
    return "\n".join(line for line in html.splitlines() if line.strip())


def format_figure(value: float | None) -> str:
    """Return a figure to three digits."""
    return "n/a" if value is None else f"{value:.3f}"


def format_share(value: float) -> str:
    """Return a share from 0 to 1 in percent.

    >>> format_share(0.984)
    '98 %'
    """
    return f"{100 * value:.0f} %"


def format_interval(interval: Interval) -> str:
    """Return the limits of a figure's interval, or the reason that there is none."""
    if interval.low is None or interval.high is None:
        return f"none: {interval.reason}"
    return f"{interval.low:.3f} to {interval.high:.3f}"


def _hold_percent(value: Any) -> Any:
    """Return a text whose percent signs stay on the line of their number."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return value.replace(" %", "\N{NO-BREAK SPACE}%") if is_text else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("har.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_hold_percent,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(figure=format_figure, limits=format_interval)
    return environment


@cache
def _load_style() -> str:
    source = _environment().loader
    page = source.get_source(_environment(), "page.css")[0] if source else ""
    return STYLE + page
