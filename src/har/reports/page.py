"""What the pages of all reports share: one HTML file each, with nothing outside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from har.metrics.intervals import Interval

INK, FAINT, EDGE = "#22303c", "#52616e", "#e3e8ec"
ACCENT, WARNING = "#2f6db3", "#d9702b"
"""Colors of pages and charts: text, secondary text, lines, figures, and what a reader must see."""

_BAR_PX = 240

_STYLE = (
    f":root {{ color-scheme: light; --ink: {INK}; --faint: {FAINT}; --edge: {EDGE}; "
    f"--warning: {WARNING}; }}"
    """
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: #fff;
       max-width: 56rem; margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.lead { color: var(--faint); margin: 0 0 1.2rem; }
.note { border-left: 4px solid var(--warning); background: #fdf3ec;
        padding: .6rem 1rem; margin: .7rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; white-space: nowrap; font-weight: 600; color: var(--faint);
     font-size: .85rem; }
th, td { padding: .45rem .8rem .45rem 0; border-bottom: 1px solid var(--edge); }
td.figure { font-size: 1.25rem; font-weight: 600; }
td.why { color: var(--faint); font-size: .9rem; }
caption { caption-side: bottom; text-align: left; color: var(--faint); font-size: .85rem;
          padding-top: .5rem; }
svg { display: block; }
figure { margin: 2.2rem 0; }
figure img { max-width: 100%; height: auto; }
figcaption { color: var(--faint); font-size: .9rem; }
.synthetic { background: var(--warning); color: #fff; border-radius: .3rem; padding: .05rem .5rem;
        font-size: .8rem; font-weight: 600; }
"""
)


@dataclass(frozen=True)
class Picture:
    """A PNG file and what it shows."""

    caption: str
    path: Path


def render_shell(title: str, parts: Sequence[str]) -> str:
    """Return a whole page of a title and HTML parts, all of them escaped already."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def render_limits(interval: Interval) -> str:
    """Return a cell with a figure's interval, or with the reason that there is none."""
    if interval.low is None or interval.high is None:
        return f'<td class="why">none: {escape(interval.reason)}</td>'
    return f"<td>{interval.low:.3f} to {interval.high:.3f}</td>"


def render_bar(interval: Interval, baseline: float | None) -> str:
    """Draw the figure as a dot on its interval and the baseline as a line, from 0 to 1."""
    marks = [f'<rect x="0" y="9" width="{_BAR_PX}" height="2" fill="{EDGE}"/>']
    if interval.low is not None and interval.high is not None:
        left, width = _BAR_PX * interval.low, _BAR_PX * (interval.high - interval.low)
        marks.append(
            f'<rect x="{left:.1f}" y="6" width="{max(width, 1):.1f}" height="8" rx="4" '
            'fill="#a9c7e6"/>'
        )
    if baseline is not None:
        marks.append(
            f'<rect x="{_BAR_PX * baseline - 1:.1f}" y="1" width="2" height="18" fill="#7b8894"/>'
        )
    if interval.mean is not None:
        marks.append(f'<circle cx="{_BAR_PX * interval.mean:.1f}" cy="10" r="5" fill="{ACCENT}"/>')
    return (
        f'<svg width="{_BAR_PX + 12}" height="20" viewBox="-6 0 {_BAR_PX + 12} 20" '
        f'aria-hidden="true">{"".join(marks)}</svg>'
    )


def render_picture(picture: Picture, badge: str) -> str:
    """Return a picture with its caption, the file's bytes inside."""
    data = base64.b64encode(picture.path.read_bytes()).decode("ascii")
    caption = escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}{badge}</figcaption></figure>"
    )


def format_figure(value: float | None) -> str:
    """Return a figure to three digits."""
    return "n/a" if value is None else f"{value:.3f}"
