"""A recording at a glance: its scores over time and its events, as one picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from har.config import DecodeConfig, LabelRule
from har.render.text import (
    BOLD,
    REGULAR,
    SMOOTH,
    Color,
    compute_colors,
    fit_text,
    format_people,
    format_time,
    measure_text,
    put_text,
    to_fixed,
    write_picture,
)
from har.result import VideoResult
from har.types import Event, Scores

_WIDTH_PX, _LEFT_PX, _RIGHT_PX = 1440, 230, 1394
"""Of the picture, and where in it time begins and ends."""
_HEAD_PX, _LANE_PX, _GAP_PX, _FOOT_PX = 58, 66, 20, 92
_TOP, _BAR_FROM, _BAR_TO = 1.38, 1.1, 1.36
"""Top of a lane, and foot and top of an event's bar, in units of the scores."""
_MAX_TICKS = 12
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_EXACT_BELOW_S = 60.0
"""Shorter sums of events are written to the tenth of a second."""
_LEGEND = (
    "bars are events: from the start threshold (dashed) until below the stop threshold (dotted), "
    "ends moved to where the score was near its peak"
)
_PAPER: Color = (255, 255, 255)
_INK: Color = (34, 37, 42)
_FAINT: Color = (138, 144, 153)
_EDGE: Color = (213, 216, 220)
_UNCERTAIN: Color = (236, 238, 240)
_HATCH: Color = (195, 200, 206)
_HATCH_PX = 12
_DASHES_PX, _DOTS_PX = (7, 12), (2, 6)
_FILL, _SHADE = 0.28, 0.1
"""How strongly the color of a label covers what is under its curve, and the time of an event."""


def write_timeline(path: Path, result: VideoResult, config: DecodeConfig) -> None:
    """Write what `draw_timeline` draws as a ``.png`` file; missing folders are created.

    Raises:
        OutputError: The file cannot be written.
    """
    write_picture(path, draw_timeline(result, config))


def draw_timeline(result: VideoResult, config: DecodeConfig) -> np.ndarray:
    """Draw one lane a label: its score over time, and above it a bar for each of its events.

    In long recordings a point of the curve is the highest score of several steps, so that no short
    peak is lost; the lowest line has the length that a point stands for. Where the model is
    uncertain the lanes are hatched. A bar has the numbers of who acts and of the target, where
    there is room.

    Args:
        result: What was found.
        config: The settings that the events were cut with; its thresholds are drawn in.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    labels = result.scores.labels
    height_px = _HEAD_PX + len(labels) * (_LANE_PX + _GAP_PX) - _GAP_PX + _FOOT_PX
    canvas = np.full((height_px, _WIDTH_PX, 3), _PAPER, np.uint8)
    times_s, values, point_s = _thin_scores(result)
    colors = compute_colors(labels, config.background)
    for column, label in enumerate(labels):
        top = _HEAD_PX + column * (_LANE_PX + _GAP_PX)
        lane = _Lane(canvas[top : top + _LANE_PX], result.end_s, colors[label])
        events = [event for event in result.events if event.label == label]
        lane.draw_uncertain(result.scores)
        lane.draw_scores(times_s, values[:, column])
        lane.draw_events(events)
        if label == config.background:
            lane.draw_names(label, "background")
        else:
            lane.draw_names(label, _sum_up(events))
            lane.draw_thresholds(config.rule(label))
    _draw_times(canvas, result.end_s)
    _draw_legend(canvas, result, point_s)
    _draw_title(canvas, result)
    return canvas


class _Lane:
    """The strip of one label, as wide as the picture."""

    def __init__(self, canvas: np.ndarray, duration_s: float, color: Color) -> None:
        self._canvas, self._duration_s, self._color = canvas, duration_s, color
        canvas[-1, _LEFT_PX:_RIGHT_PX] = _EDGE

    def draw_uncertain(self, scores: Scores) -> None:
        edges = np.flatnonzero(np.diff(np.pad(scores.is_uncertain.astype(np.int8), 1)))
        rows, columns = np.indices(self._canvas.shape[:2])
        is_line = np.less((rows + columns) % _HATCH_PX, 2)
        for first, end in edges.reshape(-1, 2):
            times_s = scores.times_s[[first, end - 1]] + scores.step_s * np.array([-0.5, 0.5])
            span = self._span(times_s[0], times_s[1])
            self._canvas[:, span] = np.where(is_line[:, span][..., None], _HATCH, _UNCERTAIN)

    def draw_scores(self, times_s: np.ndarray, values: np.ndarray) -> None:
        """Draw the curve; it is interrupted where the values are NaN."""
        known = np.flatnonzero(~np.isnan(values))
        for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else ():
            x = _to_x(times_s[run], self._duration_s)
            line = np.stack([x, self._to_rows(values[run])], axis=-1)
            foot = [[x[-1], self._row(0.0)], [x[0], self._row(0.0)]]
            filled = self._canvas.copy()
            cv2.fillPoly(filled, [to_fixed(np.concatenate([line, foot]))], self._color, *SMOOTH)
            cv2.addWeighted(filled, _FILL, self._canvas, 1 - _FILL, 0, dst=self._canvas)
            cv2.polylines(self._canvas, [to_fixed(line)], False, self._color, 1, *SMOOTH)

    def draw_events(self, events: list[Event]) -> None:
        top, foot = self._row(_BAR_TO), self._row(_BAR_FROM)
        for event in events:
            span = self._span(event.onset_s, event.offset_s)
            below = self._canvas[foot:, span]
            shade = below + (np.array(self._color, np.float32) - below) * _SHADE
            self._canvas[foot:, span] = np.rint(shade)
            self._canvas[top:foot, span] = self._color
            text = format_people(event)
            length_px = measure_text(text, 11, BOLD)
            if text and span.stop - span.start > length_px + 6:
                left = (span.start + span.stop - length_px) // 2
                put_text(self._canvas, text, (left, (top + foot) // 2), 11, _PAPER, BOLD)

    def draw_thresholds(self, rule: LabelRule) -> None:
        columns = np.arange(_LEFT_PX, _RIGHT_PX)
        for value, (ink_px, every_px) in ((rule.onset, _DASHES_PX), (rule.offset, _DOTS_PX)):
            drawn = columns[(columns - _LEFT_PX) % every_px < ink_px]
            self._canvas[self._row(value), drawn] = _FAINT

    def draw_names(self, label: str, detail: str) -> None:
        one, zero = self._row(1.0), self._row(0.0)
        _put_right(self._canvas, "1", _LEFT_PX - 6, one, (11, _FAINT, REGULAR))
        _put_right(self._canvas, "0", _LEFT_PX - 6, zero - 4, (11, _FAINT, REGULAR))
        right = _LEFT_PX - 26
        name = fit_text(label, 17, right - 8, BOLD)
        _put_right(self._canvas, name, right, 26, (17, self._color, BOLD))
        _put_right(self._canvas, detail, right, 52, (13, _FAINT, REGULAR))

    def _span(self, begin_s: float, end_s: float) -> slice:
        """Return the columns of a span of time, at least one."""
        left, right = _to_x(np.array([begin_s, end_s]), self._duration_s).round().astype(int)
        return slice(int(left), max(int(right), int(left) + 1))

    def _to_rows(self, values: np.ndarray) -> np.ndarray:
        return (self._canvas.shape[0] - 1) * (1 - values / _TOP)

    def _row(self, value: float) -> int:
        return round(float(self._to_rows(np.array(value))))


def _to_x(times_s: np.ndarray, duration_s: float) -> np.ndarray:
    part = np.clip(times_s / max(duration_s, 1e-9), 0.0, 1.0)
    return _LEFT_PX + part * (_RIGHT_PX - _LEFT_PX)


def _thin_scores(result: VideoResult) -> tuple[np.ndarray, np.ndarray, float]:
    """Return at most so many points as there are columns, and how long each stands for.

    Points of which nothing is known are NaN.
    """
    scores = result.scores
    n_each = -(-len(scores.times_s) // (_RIGHT_PX - _LEFT_PX))
    firsts = np.arange(0, len(scores.times_s), n_each)
    values = np.maximum.reduceat(scores.values, firsts, axis=0)
    values = np.where(values.any(axis=1, keepdims=True), values, np.nan)
    times_s = scores.times_s[firsts] + (n_each - 1) / 2 * scores.step_s
    times_s = np.concatenate([[0.0], times_s, [result.end_s]])
    return times_s, values[[0, *range(len(values)), -1]], n_each * scores.step_s


def _sum_up(events: list[Event]) -> str:
    total_s = sum(event.offset_s - event.onset_s for event in events)
    digits = 0 if total_s >= _EXACT_BELOW_S else 1
    return f"{len(events)} event{'s' * (len(events) != 1)}, {format_time(total_s, digits)}"


def _draw_times(canvas: np.ndarray, duration_s: float) -> None:
    tick_s = next((tick for tick in _TICKS_S if duration_s / tick <= _MAX_TICKS), duration_s)
    foot = canvas.shape[0] - _FOOT_PX
    for time_s in np.arange(0.0, duration_s * (1 + 1e-9), tick_s):
        x = round(float(_to_x(np.array(time_s), duration_s)))
        canvas[foot : foot + 5, x] = _INK
        text = format_time(float(time_s), 0 if tick_s >= 1 else 1)
        put_text(canvas, text, (x - measure_text(text, 15) // 2, foot + 17), 15, _INK)


def _draw_legend(canvas: np.ndarray, result: VideoResult, point_s: float) -> None:
    parts = [f"the curve is the highest score in every {point_s:.3g} s"]
    if any(event.subject for event in result.events):
        parts.append("1→2: person 1 acts on person 2")
    if result.uncertain_share:
        parts.append("hatched: uncertain")
    for row, text in enumerate((_LEGEND, "; ".join(parts))):
        left = (_LEFT_PX + _RIGHT_PX - measure_text(text, 13)) // 2
        put_text(canvas, text, (left, canvas.shape[0] - 45 + 19 * row), 13, _FAINT)


def _draw_title(canvas: np.ndarray, result: VideoResult) -> None:
    n = len(result.events)
    label = f"{result.label} {result.prob:.0%}" if result.prob else result.label
    summary = f"{label}   |   {n} event{'s' * (n != 1)} in {format_time(result.duration_s)}"
    if result.prob and result.uncertain_share:
        summary += f"   |   uncertain {result.uncertain_share:.0%} of the time"
    if result.note:
        summary += "   |   incomplete: the file is damaged"
    _put_right(canvas, summary, _RIGHT_PX, _HEAD_PX // 2, (17, _INK, REGULAR))
    room_px = _RIGHT_PX - measure_text(summary, 17) - 60
    name = fit_text(result.info.path.name, 20, room_px, BOLD)
    put_text(canvas, name, (17, _HEAD_PX // 2), 20, _INK, BOLD)


def _put_right(
    canvas: np.ndarray, text: str, right: int, middle: int, style: tuple[int, Color, int]
) -> None:
    """Write a line that ends at ``right``; the style is size, color and weight."""
    size_px, color, weight = style
    left = right - measure_text(text, size_px, weight)
    put_text(canvas, text, (left, middle), size_px, color, weight)
