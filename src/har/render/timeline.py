"""Recordings over time: lanes of bars and curves, and a video's timeline made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config import DecodeConfig
from har.render.svg import Svg, fit, measure, name_colors, write_path
from har.render.text import format_people, format_time
from har.result import VideoResult
from har.types import Event, Scores

Span = tuple[float, float]
"""Start and end in seconds."""

_WIDE_PX, _NARROW_PX = 1200, 940
"""Of a picture of its own, and of one in a page."""
_MARGIN_PX, _END_PX = 190, 24
"""What is left of the lanes, with their names, and right of them."""
_HEAD_PX, _TICKS_PX, _FOOT_PX = 52, 34, 19
_BAR_PX, _CURVE_PX, _GAP_PX = 18, 52, 12
_LEAST_BAR_PX, _LEAST_OPEN_PX = 1.5, 5.0
_HATCH_PX = 9
_MAX_TICKS = 12
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_EXACT_BELOW_S = 60.0
"""Shorter sums of events are written to the tenth of a second."""
_LEGEND = (
    "bars are events: from the start threshold (dashed) until below the stop threshold (dotted), "
    "ends moved to where the score was near its peak"
)


@dataclass(frozen=True)
class Bar:
    """A span of time in a lane.

    Attributes:
        start_s: Where it begins.
        end_s: Where it ends.
        text: Written on it where there is room.
        hint: Shown where the pointer rests on it.
        is_open: Only its edge is drawn.
    """

    start_s: float
    end_s: float
    text: str = ""
    hint: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class Lane:
    """One row over time.

    Attributes:
        name: Left of it.
        color: A class of `har.render.svg`, such as ``s0``.
        bars: Its spans.
        detail: Under its name; empty for none.
        times_s: (M,) float64 of its curve, empty for none.
        values: (M,) from 0 to 1, NaN where nothing is known.
        levels: Values that are marked beside the curve: a dashed and a dotted line; empty for none.
        unknown: Spans that are hatched.
    """

    name: str
    color: str
    bars: Sequence[Bar] = ()
    detail: str = ""
    times_s: Sequence[float] | np.ndarray = ()
    values: Sequence[float] | np.ndarray = ()
    levels: Sequence[float] = ()
    unknown: Sequence[Span] = ()

    @property
    def height_px(self) -> int:
        """Of the bars, and of the curve under them where there is one."""
        return _BAR_PX + (4 + _CURVE_PX if len(self.times_s) else 0)


def draw_lanes(
    title: str,
    desc: str,
    lanes: Sequence[Lane],
    duration_s: float,
    *,
    summary: str = "",
    notes: Sequence[str] = (),
    width_px: int = _NARROW_PX,
) -> Svg:
    """Draw lanes under each other over one axis of time.

    Args:
        title: Its name, written above where there is a summary.
        desc: What it shows, for who does not see it.
        lanes: From top to bottom.
        duration_s: Where time ends.
        summary: Written above, at the right.
        notes: Lines under the axis.
        width_px: Of the picture.
    """
    top = _HEAD_PX if summary else 8
    heights = [lane.height_px + _GAP_PX for lane in lanes]
    foot = top + sum(heights)
    height = foot + _TICKS_PX + _FOOT_PX * len(notes) + 4
    canvas = _Canvas(Svg(width_px, height, title, desc), duration_s)
    if summary:
        canvas.draw_head(title, summary)
    canvas.draw_times(top, foot)
    for lane, height_px in zip(lanes, heights, strict=True):
        canvas.draw_lane(lane, top)
        top += height_px
    for row, note in enumerate(notes):
        y = foot + _TICKS_PX + 14 + _FOOT_PX * row
        canvas.svg.text(note, width_px / 2, y, "t-small t-soft t-mid")
    return canvas.svg


class _Canvas:
    """A picture with an axis of time."""

    def __init__(self, svg: Svg, duration_s: float) -> None:
        self.svg, self._duration_s = svg, max(duration_s, 1e-9)
        self._right = svg.width - _END_PX

    def draw_head(self, title: str, summary: str) -> None:
        self.svg.text(summary, self._right, 32, "t-end")
        room = self._right - measure(summary, 13) - 50
        self.svg.text(fit(title, 17, room), 16, 33, "t-large")

    def draw_times(self, top: float, foot: float) -> None:
        tick_s = next((t for t in _TICKS_S if self._duration_s / t <= _MAX_TICKS), self._duration_s)
        for time_s in np.arange(0.0, self._duration_s * (1 + 1e-9), tick_s):
            x = self._x(float(time_s))
            self.svg.line(x, top, x, foot, "grid")
            text = format_time(float(time_s), 0 if tick_s >= 1 else 1)
            self.svg.text(text, x, foot + 17, "t-small t-soft t-mid")

    def draw_lane(self, lane: Lane, top: float) -> None:
        foot = top + lane.height_px
        for span in lane.unknown:
            self._draw_hatch(span, top, foot)
        if len(lane.times_s):
            self._draw_curve(lane, foot)
        self.svg.line(_MARGIN_PX, foot, self._right, foot, "axis")
        for bar in lane.bars:
            self._draw_bar(bar, lane, top, foot)
        self._draw_names(lane, (top + foot) / 2)

    def _draw_names(self, lane: Lane, middle: float) -> None:
        """Write name and detail left of a lane: under each other where it is high enough."""
        right, room = _MARGIN_PX - 22.0, _MARGIN_PX - 34.0
        is_flat = bool(lane.detail) and not len(lane.times_s)
        detail = fit(lane.detail, 12, room / 2) if is_flat else lane.detail
        aside = measure(detail, 12) + 12 if is_flat else 0.0
        y = middle if lane.detail and not aside else middle + 5
        name = fit(lane.name, 13, room - aside)
        self.svg.text(name, right - aside, y, f"fill t-end {lane.color}")
        if lane.detail:
            self.svg.text(detail, right, y + (0 if aside else 16), "t-small t-soft t-end")

    def _draw_bar(self, bar: Bar, lane: Lane, top: float, foot: float) -> None:
        left, right = self._x(bar.start_s), self._x(bar.end_s)
        width = max(right - left, _LEAST_OPEN_PX if bar.is_open else _LEAST_BAR_PX)
        left = (left + right - width) / 2
        kind = "open" if bar.is_open else "fill"
        spans = [(top + 1.0, _BAR_PX - 2.0, f"{kind} {lane.color}")]
        if len(lane.times_s):
            spans.append((top + _BAR_PX, foot - top - _BAR_PX, f"veil {lane.color}"))
        for y, height, style in spans:
            self.svg.add(
                "rect", hint=bar.hint, x=left, y=y, width=width, height=height, rx=2, class_=style
            )
        if bar.text and width > measure(bar.text, 12) + 8:
            x, y = (left + right) / 2, top + _BAR_PX / 2 + 4
            self.svg.text(bar.text, x, y, "t-small t-mid" + " t-on" * (not bar.is_open))

    def _draw_curve(self, lane: Lane, foot: float) -> None:
        times_s, values = np.asarray(lane.times_s), np.asarray(lane.values)
        for level, style in zip(lane.levels, ("axis dashed", "hint"), strict=False):
            y = foot - level * _CURVE_PX
            self.svg.line(_MARGIN_PX, y, self._right, y, style)
        self.svg.text("1", _MARGIN_PX - 5, foot - _CURVE_PX + 8, "t-small t-soft t-end")
        self.svg.text("0", _MARGIN_PX - 5, foot + 2, "t-small t-soft t-end")
        known = np.flatnonzero(~np.isnan(values))
        for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else ():
            line = [(self._x(float(times_s[k])), foot - float(values[k]) * _CURVE_PX) for k in run]
            area = [*line, (line[-1][0], foot), (line[0][0], foot)]
            self.svg.add("path", d=write_path(area) + "Z", class_=f"veil {lane.color}")
            self.svg.add("path", d=write_path(line), class_=f"thin {lane.color}")

    def _draw_hatch(self, span: Span, top: float, foot: float) -> None:
        left, right, height = self._x(span[0]), self._x(span[1]), foot - top
        self.svg.add("rect", x=left, y=top, width=right - left, height=height, class_="wash")
        starts = np.arange(left - height, right, _HATCH_PX)
        lines = [
            write_path(
                [
                    (max(x, left), foot - (max(x, left) - x)),
                    (min(x + height, right), foot - (min(x + height, right) - x)),
                ]
            )
            for x in starts.tolist()
        ]
        self.svg.add("path", d="".join(lines), class_="hatch")

    def _x(self, time_s: float) -> float:
        part = min(max(time_s / self._duration_s, 0.0), 1.0)
        return _MARGIN_PX + part * (self._right - _MARGIN_PX)


def write_timeline(path: Path, result: VideoResult, config: DecodeConfig) -> None:
    """Write what `draw_timeline` draws as a ``.svg`` file; missing folders are created.

    Raises:
        OutputError: The file cannot be written.
    """
    draw_timeline(result, config).write(path)


def draw_timeline(result: VideoResult, config: DecodeConfig) -> Svg:
    """Draw one lane a label: its score over time, and above it a bar for each of its events.

    In long recordings a point of the curve is the highest score of several steps, so that no short
    peak is lost; the lowest line has the length that a point stands for. Where the model is
    uncertain the lanes are hatched. A bar has the numbers of who acts and of the target, where
    there is room.

    Args:
        result: What was found.
        config: The settings that the events were cut with; its thresholds are drawn in.
    """
    labels, scores = result.scores.labels, result.scores
    times_s, values, point_s = _thin_scores(result)
    colors = name_colors(labels, config.background)
    unknown = _find_uncertain(scores)
    lanes = []
    for column, label in enumerate(labels):
        events = [event for event in result.events if event.label == label]
        is_background = label == config.background
        rule = config.rule(label)
        lanes.append(
            Lane(
                name=label,
                color=colors[label],
                bars=[to_bar(event) for event in events],
                detail="background" if is_background else _sum_up(events),
                times_s=times_s,
                values=values[:, column],
                levels=() if is_background else (rule.onset, rule.offset),
                unknown=unknown,
            )
        )
    summary = _summarize(result)
    details = "; ".join(f"{lane.name}: {lane.detail}" for lane in lanes)
    return draw_lanes(
        result.info.path.name,
        f"Scores and events over time. {summary}. {details}",
        lanes,
        result.end_s,
        summary=summary,
        notes=(_LEGEND, "; ".join(_explain(result, point_s))),
        width_px=_WIDE_PX,
    )


def to_bar(event: Event, *, is_open: bool = False) -> Bar:
    """Return the bar of an event, with who acts on whom and when."""
    people = format_people(event)
    times = f"{format_time(event.onset_s, 1)} to {format_time(event.offset_s, 1)}"
    hint = f"{event.label} {people}".strip() + f", {times}, score {event.score:.2f}"
    return Bar(event.onset_s, event.offset_s, people, hint, is_open)


def _find_uncertain(scores: Scores) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.pad(scores.is_uncertain.astype(np.int8), 1)))
    half_s = 0.5 * scores.step_s
    return [
        (float(scores.times_s[first]) - half_s, float(scores.times_s[end - 1]) + half_s)
        for first, end in edges.reshape(-1, 2)
    ]


def _thin_scores(result: VideoResult) -> tuple[np.ndarray, np.ndarray, float]:
    """Return at most so many points as there are columns, and how long each stands for.

    Points of which nothing is known are NaN.
    """
    scores = result.scores
    n_each = -(-len(scores.times_s) // (_WIDE_PX - _MARGIN_PX - _END_PX))
    firsts = np.arange(0, len(scores.times_s), n_each)
    values = np.maximum.reduceat(scores.values, firsts, axis=0)
    values = np.where(values.any(axis=1, keepdims=True), values, np.nan)
    times_s = scores.times_s[firsts] + (n_each - 1) / 2 * scores.step_s
    times_s = np.concatenate([[0.0], times_s, [result.end_s]])
    return times_s, values[[0, *range(len(values)), -1]], n_each * scores.step_s


def _sum_up(events: Sequence[Event]) -> str:
    total_s = sum(event.offset_s - event.onset_s for event in events)
    digits = 0 if total_s >= _EXACT_BELOW_S else 1
    return f"{len(events)} event{'s' * (len(events) != 1)}, {format_time(total_s, digits)}"


def _summarize(result: VideoResult) -> str:
    n = len(result.events)
    label = f"{result.label} {result.prob:.0%}" if result.prob else result.label
    summary = f"{label}   |   {n} event{'s' * (n != 1)} in {format_time(result.duration_s)}"
    if result.prob and result.uncertain_share:
        summary += f"   |   uncertain {result.uncertain_share:.0%} of the time"
    if result.note:
        summary += "   |   incomplete: the file is damaged"
    return summary


def _explain(result: VideoResult, point_s: float) -> list[str]:
    parts = [f"the curve is the highest score in every {point_s:.3g} s"]
    if any(event.subject for event in result.events):
        parts.append("1→2: person 1 acts on person 2")
    if result.uncertain_share:
        parts.append("hatched: uncertain")
    return parts
