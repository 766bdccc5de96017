"""A recording with its results drawn under it: the label, its score and a moving timeline.

Where people are tracked they are drawn into the picture, with their numbers.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from har.config import DecodeConfig, PrivacyConfig
from har.errors import VideoDecodeError
from har.events.matching import EventFinder
from har.events.summary import NOTHING, compute_states
from har.render.privacy import open_anonymizer
from har.render.skeletons import draw_people
from har.render.text import (
    SMOOTH,
    Color,
    compute_colors,
    fit_text,
    format_people,
    format_time,
    measure_text,
    put_text,
    to_fixed,
)
from har.result import Progress, VideoResult, place_people
from har.types import UNCERTAIN, Event
from har.video.file.reader import open_video
from har.video.file.writer import open_writer
from har.video.geometry import Letterbox

_MAX_SIZE_PX = (720, 960)
_MIN_WIDTH_PX = 480
_DEFAULT_FPS = 25.0
_VISIBLE_S = (3.0, 12.0)
"""Least and most of the timeline that is shown at once, now in its middle."""

_MAX_LANES = 6

_PANEL: Color = (24, 26, 30)
_LANE: Color = (40, 43, 49)
_HATCH: Color = (78, 82, 90)
_HATCH_PX = 9
_INK: Color = (236, 238, 241)
_FAINT: Color = (150, 155, 163)


def write_annotated(
    path: Path,
    result: VideoResult,
    config: DecodeConfig,
    progress: Progress | None = None,
    privacy: PrivacyConfig | None = None,
) -> None:
    """Write the video that was recognized again, with a panel of the results under the picture.

    The panel names the event that goes on and its people, or faintly the most probable label, with
    its score, and the scores and events of the seconds before and after; where the model is
    uncertain, it is marked so. Frames keep their own times, so videos of an uneven rate stay in
    step. There is no sound.

    Args:
        path: An ``.mp4`` file; missing folders are created.
        result: What was found; the video is read again from the place it names. People are drawn
            if it has pose tracks, and the corners of the motion crop if it has crops.
        config: The settings that the events were cut with; its background label is drawn in gray.
        progress: Called after every frame.
        privacy: What is hidden of people; nothing when None.

    Raises:
        BundleMismatchError: People are to be hidden, and the result does not say where they are.
        VideoError: The video cannot be read again, or the new one not written.
    """
    size = compute_picture_size(result.info.height, result.info.width)
    panel = Panel(result, config, size[1])
    whole = (size[0] + panel.height_px, size[1])
    canvas = np.empty((*whole, 3), np.uint8)
    with (
        open_video(result.readable, size, "rgb") as reader,
        open_writer(path, whole, result.info.fps or _DEFAULT_FPS) as writer,
    ):
        privacy = privacy or PrivacyConfig()
        anonymizer = open_anonymizer(privacy, result, size, reader.letterbox)
        try:
            for frame in reader:
                canvas[: size[0]] = frame.image
                if anonymizer is not None:
                    anonymizer.cover(canvas[: size[0]], frame.time_s)
                panel.draw(canvas[size[0] :], frame.time_s)
                panel.draw_crop(canvas[: size[0]], reader.letterbox, frame.time_s)
                panel.draw_people(canvas[: size[0]], reader.letterbox, frame.time_s)
                panel.draw_border(canvas[: size[0]], frame.time_s)
                writer.write(canvas, frame.time_s)
                if progress is not None:
                    progress(frame.time_s, reader.info.duration_s)
        except VideoDecodeError:
            if not result.note:
                raise


def compute_picture_size(height: int, width: int) -> tuple[int, int]:
    """Return the even (H, W) that a video is shown at: smaller for large ones, larger for tiny.

    A narrow video gets bars at its sides rather than a panel too narrow to read.

    >>> compute_picture_size(1080, 1920), compute_picture_size(361, 640)
    ((540, 960), (360, 640))
    >>> compute_picture_size(120, 160), compute_picture_size(1920, 1080)
    ((360, 480), (720, 480))
    """
    scale = min(_MAX_SIZE_PX[0] / height, _MAX_SIZE_PX[1] / width, max(1.0, _MIN_WIDTH_PX / width))
    rows, columns = (max(round(side * scale) // 2 * 2, 2) for side in (height, width))
    return rows, max(columns, _MIN_WIDTH_PX)


class Panel:
    """Draws the panel for any moment of a recording.

    Up to six labels have a lane: those with the longest events, then the most probable.

    Attributes:
        height_px: Rows of the panel, even.
    """

    def __init__(self, result: VideoResult, config: DecodeConfig, width_px: int) -> None:
        self._result = result
        self._colors = compute_colors(result.scores.labels, config.background)
        self._lanes = _choose_lanes(result)
        self._events = EventFinder(result.events)
        self._is_uncertain = result.scores.is_uncertain
        self._states = compute_states(result.scores, result.events, config)
        self._font_px = max(round(width_px / 52), 13)
        self._pad = self._font_px // 2
        self._lane_px = round(self._font_px * 1.5)
        self._head_px = round(self._font_px * 2.1)
        self._width_px = width_px
        self._visible_s = float(np.clip(2 * result.end_s, *_VISIBLE_S))
        names = max(measure_text(result.scores.labels[lane], self._font_px) for lane in self._lanes)
        self._name_px = min(names, round(width_px * 0.26))
        self._left = self._name_px + measure_text("100%", self._font_px) + 3 * self._pad
        foot_px = round(self._font_px * 1.5)
        rows = self._head_px + len(self._lanes) * (self._lane_px + 2) + foot_px
        self.height_px = rows + rows % 2

    def draw(self, canvas: np.ndarray, time_s: float) -> None:
        """Fill ``canvas``, (height_px, W, 3) uint8 RGB, with the panel for a moment."""
        canvas[:] = _PANEL
        row = int(self._rows_at(np.array(time_s)))
        values = self._result.scores.values[row]
        self._draw_head(canvas, time_s, values, int(self._states[row]))
        for row, column in enumerate(self._lanes):
            top = self._head_px + row * (self._lane_px + 2)
            self._draw_name(canvas, top, column, values)
            self._draw_lane(canvas[top : top + self._lane_px, self._left :], column, time_s)
        self._draw_times(canvas, time_s)

    def draw_border(self, picture: np.ndarray, time_s: float) -> None:
        """Frame the picture in the color of the event that goes on, if one does."""
        event = self._event_at(time_s)
        if event is not None:
            corner = (picture.shape[1] - 2, picture.shape[0] - 2)
            cv2.rectangle(picture, (1, 1), corner, self._colors[event.label], 3)

    def draw_crop(self, picture: np.ndarray, box: Letterbox, time_s: float) -> None:
        """Mark the corners of the motion crop, where there is one."""
        crops, info = self._result.crops, self._result.info
        if crops is None:
            return
        scale = np.array([box.width / info.width, box.height / info.height] * 2)
        shown = crops[int(self._rows_at(np.array(time_s)))] * scale
        shown += (box.left, box.top, box.left, box.top)
        left, top, right, bottom = np.rint(shown).astype(int).tolist()
        for x, inwards in ((left, 1), (right - 1, -1)):
            for y, down in ((top, 1), (bottom - 1, -1)):
                arm = self._font_px
                for ink, width in ((_PANEL, 3), (_INK, 1)):
                    cv2.line(picture, (x, y), (x + inwards * arm, y), ink, width)
                    cv2.line(picture, (x, y), (x, y + down * arm), ink, width)

    def draw_people(self, picture: np.ndarray, box: Letterbox, time_s: float) -> None:
        """Draw the people of a moment where the video is in the picture."""
        pose_tracks, info = self._result.pose_tracks, self._result.info
        if pose_tracks is None:
            return
        people = place_people(pose_tracks.find_people(time_s), info, box)
        event = self._event_at(time_s)
        draw_people(picture, people, event, self._colors[event.label] if event else _INK)

    def _rows_at(self, times_s: np.ndarray) -> np.ndarray:
        scores = self._result.scores
        rows = np.searchsorted(scores.times_s, times_s - scores.step_s / 2)
        return np.minimum(rows, len(scores.times_s) - 1)

    def _event_at(self, time_s: float) -> Event | None:
        going_on = self._events.find(self._result.scores.labels, time_s, time_s)
        return max(going_on, key=lambda event: event.score, default=None)

    def _draw_head(self, canvas: np.ndarray, time_s: float, values: np.ndarray, state: int) -> None:
        labels = self._result.scores.labels
        event = self._event_at(time_s)
        column = labels.index(event.label) if event else int(values.argmax())
        size_px = round(self._font_px * 1.1)
        name = fit_text(labels[column], size_px, self._width_px // 2)
        who = format_people(event).replace("→", " → ") if event else ""
        text = "  ".join(part for part in (name, who, f"{values[column]:.0%}") if part)
        middle = self._head_px // 2
        if event is not None:
            right = self._pad * 3 + measure_text(text, size_px)
            color = self._colors[event.label]
            canvas[self._pad // 2 : self._head_px - self._pad // 2, self._pad : right] = color
            put_text(canvas, text, (self._pad * 2, middle), size_px, (255, 255, 255))
        else:
            faint = f"{'nothing' if state == NOTHING else UNCERTAIN}: {text}"
            faint = faint if values.any() else UNCERTAIN
            put_text(canvas, faint, (self._pad, middle), size_px, _FAINT)
        clock = f"{format_time(time_s, 1)} / {format_time(self._result.end_s)}"
        left = self._width_px - self._pad - measure_text(clock, self._font_px)
        put_text(canvas, clock, (left, middle), self._font_px, _FAINT)

    def _draw_name(self, canvas: np.ndarray, top: int, column: int, values: np.ndarray) -> None:
        label = self._result.scores.labels[column]
        color = _lighten(self._colors[label])
        middle = top + self._lane_px // 2
        name = fit_text(label, self._font_px, self._name_px)
        put_text(canvas, name, (self._pad, middle), self._font_px, color)
        percent = f"{values[column]:.0%}" if values.any() else "?"
        left = self._left - self._pad - measure_text(percent, self._font_px)
        put_text(canvas, percent, (left, middle), self._font_px, _INK)

    def _draw_lane(self, lane: np.ndarray, column: int, time_s: float) -> None:
        """Draw one label's scores and events around a moment into its (h, w, 3) lane."""
        height, width = lane.shape[:2]
        scores, label = self._result.scores, self._result.scores.labels[column]
        color = self._colors[label]
        begin, end = self._x_of(np.array([0.0, self._result.end_s]), time_s, width)
        lane[:, max(round(begin), 0) : max(round(end), 0)] = _LANE
        self._draw_uncertain(lane, time_s)
        spans: list[slice] = []
        half_s = self._visible_s / 2
        for event in self._events.find((label,), time_s - half_s, time_s + half_s):
            left, right = self._x_of(np.array([event.onset_s, event.offset_s]), time_s, width)
            span = slice(max(round(left), 0), max(round(right), 0))
            lane[:, span] = _mix(color, _LANE, 0.25)
            spans.append(span)
        half_s += scores.step_s
        first, last = np.searchsorted(scores.times_s, [time_s - half_s, time_s + half_s])
        rows = np.arange(first, last)[~self._is_uncertain[first:last]]
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else ():
            xs = self._x_of(scores.times_s[run], time_s, width)
            _draw_curve(lane, xs, (height - 6) * (1 - scores.values[run, column]) + 1, color)
        for span in spans:
            lane[-4:, span] = _lighten(color)
        lane[:, width // 2 - 1 : width // 2 + 1] = _INK

    def _draw_uncertain(self, lane: np.ndarray, time_s: float) -> None:
        """Hatch a lane where the model is uncertain; the hatch moves with it."""
        height, width = lane.shape[:2]
        shift_s = (np.arange(width) + 0.5 - width / 2) * (self._visible_s / width)
        times_s = time_s + shift_s
        is_uncertain = self._is_uncertain[self._rows_at(times_s)]
        is_uncertain &= (times_s >= 0) & (times_s <= self._result.end_s)
        moved = np.floor(times_s * (width / self._visible_s)).astype(int)
        is_line = (moved[None, :] + np.arange(height)[:, None]) % _HATCH_PX < 2
        lane[is_line & is_uncertain] = _HATCH

    def _draw_times(self, canvas: np.ndarray, time_s: float) -> None:
        width = self._width_px - self._left
        middle = (self._head_px + len(self._lanes) * (self._lane_px + 2) + self.height_px) // 2
        size_px = round(self._font_px * 0.8)
        low_s = max(time_s - self._visible_s / 2, 0.0)
        high_s = min(time_s + self._visible_s / 2, self._result.end_s)
        every_s = 2 if self._visible_s > 6 else 1
        for tick_s in range(every_s * int(np.ceil(low_s / every_s)), int(high_s) + 1, every_s):
            text = format_time(tick_s)
            x = self._left + float(self._x_of(np.array([tick_s]), time_s, width)[0])
            left, length = round(x - measure_text(text, size_px) / 2), measure_text(text, size_px)
            if left >= self._left - self._pad and left + length <= self._width_px:
                put_text(canvas, text, (left, middle), size_px, _FAINT)

    def _x_of(self, times_s: np.ndarray, now_s: float, width: int) -> np.ndarray:
        return width / 2 + (times_s - now_s) * (width / self._visible_s)


def _choose_lanes(result: VideoResult) -> list[int]:
    labels = result.scores.labels
    length_s = dict.fromkeys(labels, 0.0)
    for event in result.events:
        length_s[event.label] += event.offset_s - event.onset_s
    ranked = sorted(
        range(len(labels)), key=lambda i: (-length_s[labels[i]], -result.probs[labels[i]])
    )
    return sorted(ranked[:_MAX_LANES])


def _draw_curve(lane: np.ndarray, xs: np.ndarray, ys: np.ndarray, color: Color) -> None:
    bottom = lane.shape[0] - 5
    outline = [(xs[0], bottom), *zip(xs, ys, strict=True), (xs[-1], bottom)]
    points = to_fixed(np.array(outline))
    fill = np.ascontiguousarray(lane)
    cv2.fillPoly(fill, [points], _mix(color, _LANE, 0.6), *SMOOTH)
    cv2.polylines(fill, [points[1:-1]], False, _lighten(color), 1, *SMOOTH)
    lane[:] = fill


def _mix(color: Color, other: Color, part: float) -> Color:
    red, green, blue = (round(part * a + (1 - part) * b) for a, b in zip(color, other, strict=True))
    return red, green, blue


def _lighten(color: Color) -> Color:
    return _mix(color, (255, 255, 255), 0.72)
