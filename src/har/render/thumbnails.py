"""A picture of each event at its highest score, with its label under it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from har.config import DecodeConfig, PrivacyConfig
from har.errors import VideoDecodeError
from har.files import replacing_folder
from har.render.privacy import Anonymizer, open_anonymizer
from har.render.skeletons import draw_people
from har.render.text import (
    Color,
    compute_colors,
    fit_text,
    format_people,
    format_time,
    measure_text,
    put_text,
    write_picture,
)
from har.result import VideoResult, place_people
from har.types import TIME_EPS_S, Event, Frame, Scores
from har.video.file.reader import VideoReader, open_video
from har.video.geometry import Letterbox

_SIZE_PX = (270, 480)
_STRIP_PX, _TEXT_PX, _PAD_PX = 28, 15, 10
_LEAST_WIDTH_PX = 320
_BEFORE_S = 0.5
"""So long before, it is looked at what moves."""
_INK: Color = (255, 255, 255)


def write_thumbnails(
    folder: Path,
    result: VideoResult,
    config: DecodeConfig,
    privacy: PrivacyConfig | None = None,
) -> list[Path]:
    """Write ``0001_LABEL.jpg`` and on: one picture an event, in the order of the events.

    A picture is of the frame in which the event's label scores highest. Under it are the label, who
    acts and on whom, the score and the time, on the label's color.

    Args:
        folder: Gets the pictures; its earlier content is replaced.
        result: What was found; the video is read again from the place it names, only where events
            are. People are drawn if it has pose tracks.
        config: The settings that the events were cut with; gives the colors.
        privacy: What is hidden of people; nothing when None.

    Returns:
        The pictures, but for events at damaged places that cannot be read again.

    Raises:
        BundleMismatchError: People are to be hidden, and the result does not say where they are.
        OutputError: The folder cannot be written.
        VideoError: The video cannot be read again.
    """
    colors, names = compute_colors(result.scores.labels, config.background), list[str]()
    privacy = privacy or PrivacyConfig()
    with replacing_folder(folder) as part:
        for number, event in enumerate(result.events, start=1):
            picture = _draw_event(result, event, colors[event.label], privacy)
            if picture is not None:
                names.append(f"{number:04}_{_to_name(event.label)}.jpg")
                write_picture(part / names[-1], picture)
    return [folder / name for name in names]


def find_peak_s(event: Event, scores: Scores) -> float:
    """Return the middle of the rows of an event in which its label scores highest.

    >>> values = np.array([[0.3, 0.7], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]], dtype=np.float32)
    >>> scores = Scores(("play", "hit"), np.array([0.5, 1.5, 2.5, 3.5]), values, 1.0)
    >>> find_peak_s(Event("hit", 0.0, 4.0, 0.8), scores)
    2.5
    """
    first, end = np.searchsorted(scores.times_s, [event.onset_s, event.offset_s])
    rows = scores.values[first : max(end, first + 1), scores.labels.index(event.label)]
    highest = np.flatnonzero(rows == rows.max())
    return float(scores.times_s[first + highest[len(highest) // 2]])


def _draw_event(
    result: VideoResult, event: Event, color: Color, privacy: PrivacyConfig
) -> np.ndarray | None:
    """Return (H, W, 3) uint8 RGB, or None where the video cannot be read."""
    peak_s = find_peak_s(event, result.scores)
    start_s = max(peak_s - _BEFORE_S, 0.0) if privacy.is_on else peak_s
    with open_video(result.readable, _SIZE_PX, "rgb", start_s=start_s) as reader:
        box = reader.letterbox
        anonymizer = open_anonymizer(privacy, result, _SIZE_PX, box)
        frame = _read_at(reader, peak_s, anonymizer, result.note)
    if frame is None:
        return None
    picture = frame.image.copy() if anonymizer is None else frame.image
    if result.pose_tracks is not None:
        people = result.pose_tracks.find_people(frame.time_s)
        draw_people(picture, place_people(people, result.info, box), event, color)
    return _add_caption(_cut_out(picture, box), event, frame.time_s, color)


def _cut_out(picture: np.ndarray, box: Letterbox) -> np.ndarray:
    """Return what a letterboxed picture shows of the video, without the bars around it."""
    top, left = round(box.top), round(box.left)
    return picture[top : top + max(round(box.height), 1), left : left + max(round(box.width), 1)]


def _add_caption(picture: np.ndarray, event: Event, time_s: float, color: Color) -> np.ndarray:
    """Return a picture with its caption below; one that is too narrow for it stands in the middle.

    The caption's color is then beside it, too.
    """
    height, width = picture.shape[:2]
    canvas = np.empty((height + _STRIP_PX, max(width, _LEAST_WIDTH_PX), 3), np.uint8)
    canvas[:] = color
    left = (canvas.shape[1] - width) // 2
    canvas[:height, left : left + width] = picture
    _write_caption(canvas[height:], event, time_s)
    return canvas


def _read_at(
    reader: VideoReader, time_s: float, anonymizer: Anonymizer | None, note: str
) -> Frame | None:
    """Return the first frame from a time on, its people hidden as in a video up to there."""
    try:
        for frame in reader:
            if anonymizer is not None:
                frame = replace(frame, image=frame.image.copy())
                anonymizer.cover(frame.image, frame.time_s)
            if frame.time_s >= time_s - TIME_EPS_S:
                return frame
    except VideoDecodeError:
        if not note:
            raise
    return None


def _write_caption(strip: np.ndarray, event: Event, time_s: float) -> None:
    who = format_people(event).replace("→", " → ")
    detail = "   ".join(
        part for part in (who, f"{event.score:.0%}", format_time(time_s, 1)) if part
    )
    left = strip.shape[1] - _PAD_PX - measure_text(detail, _TEXT_PX)
    label = fit_text(event.label, _TEXT_PX, left - 2 * _PAD_PX)
    put_text(strip, label, (_PAD_PX, _STRIP_PX // 2), _TEXT_PX, _INK)
    put_text(strip, detail, (left, _STRIP_PX // 2), _TEXT_PX, _INK)


def _to_name(label: str) -> str:
    """Return a label as a part of a file's name.

    >>> _to_name("hits: others/self")
    'hits_others_self'
    """
    return re.sub(r"\W+", "_", label).strip("_")[:60] or "event"
