"""Charts of figures as SVG: lines over two axes, counts in cells, a figure on its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

import numpy as np

from har.metrics.intervals import Interval
from har.render.svg import Svg, fit, measure, name_color, write_path

Points = Sequence[tuple[float, float]]

_WIDTH, _LEFT, _RIGHT, _TOP, _HEIGHT = 410, 54, 24, 26, 240
"""Of a chart with two axes, and of the field in it."""
_ROW = 21
_BAR = 150
_CELL_OPACITY = 0.55
"""Of a full cell, so that text on it stays readable in both themes."""


@dataclass(frozen=True)
class Axis:
    """One of the two axes of a chart.

    Attributes:
        name: What is measured, with its unit.
        low: The value at its foot.
        high: The value at its end.
        is_log: Linear up to 1 and logarithmic above; ``low`` is 0.
        percent: Ticks are shown as percent.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    percent: bool = False

    def place(self, value: float) -> float:
        """Return where a value is on the axis, 0 at its foot and 1 at its end."""
        low, high, value = (self._warp(item) for item in (self.low, self.high, value))
        return min(max((value - low) / max(high - low, 1e-9), 0.0), 1.0)

    def list_ticks(self) -> list[float]:
        """Return the round values that are marked on it."""
        if self.is_log:
            marks = (2, 5, 10) if self.high <= 100 else (10,)
            ticks = [0.0, 1.0] + [m * 10.0**e for e in range(6) for m in marks]
            return [tick for tick in ticks if tick <= self.high]
        return compute_ticks(self.low, self.high)

    def format_tick(self, tick: float) -> str:
        """Return a tick as it is written."""
        return f"{abs(100 * tick):.0f} %" if self.percent else f"{tick:g}"

    def _warp(self, value: float) -> float:
        return 1.0 + log10(value) if self.is_log and value > 1.0 else value


def compute_ticks(low: float, high: float, at_most: int = 6) -> list[float]:
    """Return round values from ``low`` to ``high``, at steps of 1, 2 or 5 times a power of ten.

    >>> compute_ticks(0, 1), compute_ticks(1, 8)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [2.0, 4.0, 6.0, 8.0])
    """
    raw = max(high - low, 1e-9) / (at_most - 1)
    power = 10.0 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6)
    return [round(float(n * step), 10) + 0.0 for n in np.arange(first, last + 1)]


class LineChart(Svg):
    """A chart with two axes, to which lines and dots are added; the key to them is under it.

    Args:
        title: Its name.
        desc: What it shows, for who does not see it.
        x: The horizontal axis.
        y: The vertical axis.
    """

    def __init__(self, title: str, desc: str, x: Axis, y: Axis) -> None:
        super().__init__(_WIDTH, _TOP + _HEIGHT + 48, title, desc)
        self._x, self._y, self._n_rows = x, y, 0
        self._draw_axes()

    def add_line(
        self, points: Points, number: int = 0, name: str = "", *, step: bool = False
    ) -> None:
        """Draw a line through points, with a row in the key where it has a name."""
        placed = [self._place(x, y) for x, y in points]
        if step:
            corners = [(after[0], before[1]) for before, after in pairwise(placed)]
            pairs = zip(placed, [*corners, placed[-1]], strict=True)
            placed = [point for pair in pairs for point in pair]
        style = f"line {name_color(number)}{' dashed' * (number % 2)}"
        self.add("path", d=write_path(placed), class_=style)
        if name:
            y = self._add_row(name)
            self.line(_LEFT, y - 4, _LEFT + 26, y - 4, style)

    def add_hint(self, points: Points) -> None:
        """Draw a thin dotted line, such as that of chance."""
        self.add("path", d=write_path([self._place(*p) for p in points]), class_="hint")

    def add_dots(
        self, points: Points, number: int = 0, radius: float = 1.8, style: str = "fill"
    ) -> None:
        """Draw a dot at each point, filled or as a ``ring``."""
        for x, y in (self._place(*point) for point in points):
            self.add("circle", cx=x, cy=y, r=radius, class_=f"{style} {name_color(number)}")

    def add_bubble(self, point: tuple[float, float], share: float, hint: str) -> None:
        """Draw a disk whose area is a share around a dot."""
        (x, y), radius = self._place(*point), 3.0 + 22.0 * share**0.5
        self.add("circle", hint=hint, cx=x, cy=y, r=radius, class_="veil accent")
        self.add("circle", cx=x, cy=y, r=3, class_="fill accent")

    def _add_row(self, name: str) -> float:
        self._n_rows += 1
        y = _TOP + _HEIGHT + 46 + self._n_rows * _ROW
        self.text(fit(name, 13, _WIDTH - _LEFT - 40), _LEFT + 34, y)
        self.height = y + 8
        return y

    def _place(self, x: float, y: float) -> tuple[float, float]:
        width = _WIDTH - _LEFT - _RIGHT
        return _LEFT + self._x.place(x) * width, _TOP + (1 - self._y.place(y)) * _HEIGHT

    def _draw_axes(self) -> None:
        foot = _TOP + _HEIGHT
        for tick in self._y.list_ticks():
            _, y = self._place(self._x.low, tick)
            self.line(_LEFT, y, _WIDTH - _RIGHT, y, "grid")
            self.text(self._y.format_tick(tick), _LEFT - 7, y + 4, "t-small t-soft t-end")
        for tick in self._x.list_ticks():
            x, _ = self._place(tick, self._y.low)
            self.line(x, foot, x, foot + 4, "axis")
            self.text(self._x.format_tick(tick), x, foot + 18, "t-small t-soft t-mid")
        self.line(_LEFT, foot, _WIDTH - _RIGHT, foot, "axis")
        self.text(self._x.name, (_LEFT + _WIDTH - _RIGHT) / 2, foot + 38, "t-mid")
        middle = _TOP + _HEIGHT / 2
        turn = f"rotate(-90 12 {middle:g})"
        self.add("text", self._y.name, x=12, y=middle, transform=turn, class_="t-mid")


def draw_confusion(labels: Sequence[str], counts: Sequence[Sequence[int]], what: str) -> Svg:
    """Draw counts of true by predicted classes, colored by the share of each true class.

    Args:
        labels: K names.
        counts: (K, K), row is the truth, column the prediction.
        what: What is counted, such as ``clips``.
    """
    numbers = np.asarray(counts)
    shares = numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1)
    names = [fit(label, 13, 130) for label in labels]
    left = max(measure(name, 13) for name in names) + 34
    side = min(max((_WIDTH - left) / len(labels), 44.0), 92.0)
    top, end = _TOP + 8, left + side * len(labels)
    slant = len(labels) > 2
    foot = top + side * len(labels)
    room = max(measure(name, 13) for name in names) * 0.6 + 10 if slant else 12
    desc = ". ".join(
        f"{label}: " + ", ".join(f"{n} as {other}" for other, n in zip(labels, row, strict=True))
        for label, row in zip(labels, numbers, strict=True)
    )
    svg = Svg(max(end + 8, 220), foot + room + 30, f"Confusion: {what} by true and predicted", desc)
    for (row, column), count in np.ndenumerate(numbers):
        x, y, share = left + column * side, top + row * side, shares[row, column]
        place = {"x": x + 1.5, "y": y + 1.5, "width": side - 3, "height": side - 3, "rx": 4}
        svg.add("rect", **place, class_="wash")
        if count:
            svg.add("rect", **place, class_="cell", fill_opacity=f"{_CELL_OPACITY * share:.2f}")
        middle = y + side / 2 + (5 if side < 60 else 1)
        svg.text(str(count), x + side / 2, middle, "t-mid t-bold" if count else "t-mid t-soft")
        if count and side >= 60:
            svg.text(f"{100 * share:.0f} %", x + side / 2, middle + 17, "t-mid t-small")
    for place, name in enumerate(names):
        svg.text(name, left - 8, top + (place + 0.5) * side + 4, "t-end")
        x, y = left + (place + 0.5) * side, foot + 16
        turn = {"transform": f"rotate(-35 {x:.0f} {y:.0f})"} if slant else {}
        svg.add("text", name, x=x, y=y, class_="t-end" if slant else "t-mid", **turn)
    svg.text("predicted", (left + end) / 2, foot + room + 22, "t-mid t-small t-soft")
    svg.add(
        "text",
        "true",
        x=12,
        y=(top + foot) / 2,
        transform=f"rotate(-90 12 {(top + foot) / 2:.0f})",
        class_="t-mid t-small t-soft",
    )
    return svg


def draw_interval(interval: Interval, baseline: float | None = None, name: str = "") -> Svg:
    """Draw a figure from 0 to 1 as a dot on its interval, and a baseline as an upright line."""
    end, parts = _BAR + 6.0, [] if interval.mean is None else [f"{interval.mean:.3f}"]
    parts += [] if interval.low is None else [f"between {interval.low:.3f} and {interval.high:.3f}"]
    parts += [] if baseline is None else [f"chance level {baseline:.3f}"]
    svg = Svg(end + 6, 20, f"{name}: {', '.join(parts) or 'not defined'}")
    svg.add("rect", x=6, y=9, width=_BAR, height=2, class_="track")
    if interval.low is not None and interval.high is not None:
        width = max(_BAR * (interval.high - interval.low), 1.0)
        svg.add("rect", x=6 + _BAR * interval.low, y=5, width=width, height=10, rx=3, class_="band")
    if baseline is not None:
        svg.line(6 + _BAR * baseline, 1, 6 + _BAR * baseline, 19, "mark")
    if interval.mean is not None:
        svg.add("circle", cx=6 + _BAR * interval.mean, cy=10, r=4, class_="fill accent")
    return svg
