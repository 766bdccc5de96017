"""Pictures as SVG: elements with a text alternative, and one style for light, dark and paper.

No element has a color or a font of its own: classes name what it is, `STYLE` says how that looks.
So a page that forbids inline styles shows them, and one picture fits both themes.
"""

from __future__ import annotations

import re
from pathlib import Path
from unicodedata import east_asian_width
from xml.etree.ElementTree import Element, SubElement, tostring

from har.files import write_text

N_SERIES = 7
BACKGROUND = "bg"
"""The class of the background label's color; those of others are `name_color`."""

THEME = """
.har-svg, .har-report { --paper: #fff; --ink: #16212b; --soft: #51606d; --rule: #d6dde3;
  --wash: #f3f6f8; --accent: #1d66ab; --warn: #a34100; --warn-wash: #fdf2ea;
  --c0: #b84a00; --c1: #0068a3; --c2: #007a58; --c3: #a8487f; --c4: #8a6100; --c5: #5a55c9;
  --c6: #6b5038; --bg: #5f6872; }
@media screen and (prefers-color-scheme: dark) {
  .har-svg, .har-report { --paper: #11171d; --ink: #e7edf2; --soft: #a3b0bc; --rule: #33404b;
    --wash: #1a222a; --accent: #6bb1f2; --warn: #f5a05f; --warn-wash: #2b2017;
    --c0: #f08a4b; --c1: #5ab0ea; --c2: #3cc49a; --c3: #e59ac6; --c4: #e3b341; --c5: #a9a5f5;
    --c6: #cfa884; --bg: #9aa5b0; }
}
"""
STYLE = (
    THEME
    + """.har-svg { display: block; max-width: 100%; height: auto; color: var(--ink);
  font-family: system-ui, -apple-system, "Segoe UI", sans-serif; }
.har-svg text { fill: var(--ink); font-size: 13px; }
.har-svg .t-soft { fill: var(--soft); }
.har-svg .t-small { font-size: 12px; }
.har-svg .t-large { font-size: 17px; font-weight: 650; }
.har-svg .t-bold { font-weight: 650; }
.har-svg .t-end { text-anchor: end; }
.har-svg .t-mid { text-anchor: middle; }
.har-svg .t-on { fill: var(--paper); font-weight: 650; }
.har-svg .paper { fill: var(--paper); }
.har-svg .wash { fill: var(--wash); }
.har-svg .grid { stroke: var(--rule); stroke-width: 1; fill: none; }
.har-svg .axis { stroke: var(--soft); stroke-width: 1; fill: none; }
.har-svg .hint { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 4; fill: none; }
.har-svg .dashed { stroke-dasharray: 7 5; }
.har-svg .line { stroke: var(--c); stroke-width: 2; fill: none; stroke-linejoin: round; }
.har-svg .thin { stroke: var(--c); stroke-width: 1.2; fill: none; stroke-linejoin: round; }
.har-svg .fill { fill: var(--c); }
.har-svg text.fill { font-weight: 650; }
.har-svg .veil { fill: var(--c); fill-opacity: .2; }
.har-svg .ring { stroke: var(--c); stroke-width: 2.5; fill: var(--paper); }
.har-svg .open { stroke: var(--c); stroke-width: 1.5; fill: var(--paper); }
.har-svg .cell { fill: var(--accent); }
.har-svg .track { fill: var(--rule); }
.har-svg .band { fill: var(--accent); fill-opacity: .35; }
.har-svg .mark { stroke: var(--ink); stroke-width: 2; }
.har-svg .hatch { stroke: var(--soft); stroke-width: 1; opacity: .5; }
.har-svg .bg { --c: var(--bg); }
.har-svg .ink { --c: var(--ink); }
.har-svg .accent { --c: var(--accent); }
.har-svg .warn { --c: var(--warn); }
"""
    + "".join(f".har-svg .s{n} {{ --c: var(--c{n}); }}\n" for n in range(N_SERIES))
)
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LETTER, _WIDE_LETTER = 0.55, 1.0
"""Mean width of a letter by the size of the font; a drawn text may differ by a tenth."""


def name_color(number: int) -> str:
    """Return the class of a series' color; after the last the first comes again.

    >>> name_color(0), name_color(8)
    ('s0', 's1')
    """
    return f"s{number % N_SERIES}"


def name_colors(labels: tuple[str, ...], background: str = "") -> dict[str, str]:
    """Return the class of each label's color, the same in all pictures; the background is gray.

    >>> name_colors(("play", "hit"), background="play")
    {'play': 'bg', 'hit': 's0'}
    """
    others = [label for label in labels if label != background]
    colors = {label: name_color(number) for number, label in enumerate(others)}
    return {label: colors.get(label, BACKGROUND) for label in labels}


def measure(text: str, size_px: float) -> float:
    """Return about how many pixels wide a text is drawn."""
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return size_px * (_LETTER * (len(text) - wide) + _WIDE_LETTER * wide)


def fit(text: str, size_px: float, width_px: float) -> str:
    """Return the text, cut and with an ellipsis where it is wider than ``width_px``.

    >>> fit("hitting", 14, 500), fit("hitting", 14, 40)
    ('hitting', 'hitt…')
    """
    if measure(text, size_px) <= width_px:
        return text
    while text and measure(text + "…", size_px) > width_px:
        text = text[:-1]
    return text + "…"


class Svg:
    """A picture that is built element by element; coordinates are pixels from the upper left.

    Args:
        width: Of the picture; it becomes narrower where there is no room, never wider.
        height: May be set again until it is written.
        title: Its name: what a person hears who does not see it.
        desc: What it shows, in a sentence or two; empty for nothing.

    >>> picture = Svg(20, 10, "A <bar>")
    >>> picture.add("rect", x=0.25, y=2, width=20, height=8, class_="fill s0")
    >>> picture.to_html().split("<title>")[1].split("</title>")
    ['A &lt;bar&gt;', '<rect x="0.2" y="2" width="20" height="8" class="fill s0" /></svg>']
    """

    def __init__(self, width: float, height: float, title: str, desc: str = "") -> None:
        self.width, self.height = width, height
        self._root = Element("svg", {"class": "har-svg", "role": "img"})
        SubElement(self._root, "title").text = _clean(title)
        if desc:
            SubElement(self._root, "desc").text = _clean(desc)

    def add(self, tag: str, text: str = "", hint: str = "", **attributes: float | str) -> None:
        """Add an element.

        Args:
            tag: Such as ``rect``.
            text: What is in it.
            hint: Shown where the pointer rests on it.
            **attributes: ``class_`` is ``class``, other underscores are hyphens.
        """
        element = SubElement(self._root, tag, {_name(k): _write(v) for k, v in attributes.items()})
        if hint:
            SubElement(element, "title").text = _clean(hint)
        if text:
            element.text = _clean(text)

    def text(self, text: str, x: float, y: float, class_: str = "") -> None:
        """Write a line of text; ``y`` is its foot."""
        self.add("text", text, x=x, y=y, **({"class_": class_} if class_ else {}))

    def line(self, x1: float, y1: float, x2: float, y2: float, class_: str) -> None:
        """Draw a straight line."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)

    def to_html(self) -> str:
        """Return the element as it stands in a page that has `STYLE`."""
        return self._write({})

    __html__ = to_html
    """Templates put it in as it is: it is escaped already."""

    def write(self, path: Path) -> None:
        """Write it as a file of its own, with its style; missing folders are created.

        Raises:
            OutputError: The file cannot be written.
        """
        write_text(path, self.to_file())

    def to_file(self) -> str:
        """Return the text of a file of its own, on a ground of its own."""
        text = self._write({"xmlns": "http://www.w3.org/2000/svg"})
        ground = '<rect class="paper" width="100%" height="100%" />'
        head, rest = text.split(">", 1)
        return f"{head}><style>{STYLE}</style>{ground}{rest}\n"

    def _write(self, more: dict[str, str]) -> str:
        width, height = _write(self.width), _write(self.height)
        size = {"viewBox": f"0 0 {width} {height}", "width": width, "height": height}
        self._root.attrib.update(size)
        self._root.attrib.pop("xmlns", None)
        self._root.attrib.update(more)
        return tostring(self._root, encoding="unicode")


def write_path(points: list[tuple[float, float]]) -> str:
    """Return the ``d`` of a line through points.

    >>> write_path([(0, 1.04), (2.5, 3)])
    'M0 1L2.5 3'
    """
    return "M" + "L".join(f"{_write(x)} {_write(y)}" for x, y in points)


def _name(attribute: str) -> str:
    return attribute.rstrip("_").replace("_", "-")


def _write(value: float | str) -> str:
    if isinstance(value, str):
        return _clean(value)
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _clean(text: str) -> str:
    """Return a text without what no XML file may hold, such as odd bytes of file names."""
    return _NOT_IN_XML.sub("�", text)
