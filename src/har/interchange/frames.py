"""Between seconds and frames, for formats that count frames.

Frame ``f``, from 0, lasts from ``f / fps`` to ``(f + 1) / fps``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, Media, name_some
from har.interchange.format import Source, WriteSettings

MAX_FRAMES = 10_000_000
"""More frames of one video are refused: four days of 30 frames a second."""


def require_fps(source: Source) -> float:
    """Return the frames a second that the user named, for a file that does not say them.

    Raises:
        InterchangeError: The user did not, or not a number above 0.
    """
    fps = source.settings.fps
    if fps is None or not 0.0 < fps < math.inf:
        raise InterchangeError(
            f"{source.path} counts frames and does not say how many make a second: name that "
            f"(--fps 25)"
        )
    return fps


def find_fps(item: Media, settings: WriteSettings, title: str) -> float:
    """Return the frames a second of a video that is to be written.

    Raises:
        InterchangeError: Neither the table nor the user says them.
    """
    fps = item.fps or settings.fps
    if fps is None or not 0.0 < fps < math.inf:
        raise InterchangeError(
            f"{title} counts frames, and the events do not say how many {item.video} has a "
            f"second: name that (--fps 25)"
        )
    return fps


def to_frames(event: CodedEvent, fps: float) -> tuple[int, int]:
    """Return an event's first frame and the one after its last, at least one frame.

    >>> to_frames(CodedEvent("a", 1.0, 2.0, "hit"), 25.0)
    (25, 50)
    >>> to_frames(CodedEvent("a", 1.0, 1.0, "hit", point=True), 25.0)
    (25, 26)
    """
    first = round(event.start_s * fps)
    return first, max(round(event.end_s * fps), first + 1)


def mark_frames(
    item: Media, events: Iterable[CodedEvent], fps: float
) -> tuple[dict[str, np.ndarray], int, list[str]]:
    """Return for each label of a video's events in which frames it is.

    Args:
        item: The video.
        events: Its events.
        fps: Frames a second.

    Returns:
        By label (F,) bool, the number F of frames, and notes on events that became one and on a
        length that is not known.

    Raises:
        InterchangeError: The video has more than `MAX_FRAMES`.
    """
    spans: dict[str, list[tuple[int, int]]] = {}
    for event in events:
        spans.setdefault(event.label, []).append(to_frames(event, fps))
    last = max((end for found in spans.values() for _, end in found), default=0)
    n_frames = max(last, round((item.duration_s or 0.0) * fps), 1)
    if n_frames > MAX_FRAMES:
        raise InterchangeError(
            f"{item.video} has {n_frames:,} frames; a format with a value a frame may have at most "
            f"{MAX_FRAMES:,}. Split the video, or write another format"
        )
    active, joined = dict[str, np.ndarray](), list[str]()
    for label, found in spans.items():
        active[label] = np.zeros(n_frames, dtype=bool)
        for first, end in found:
            active[label][first:end] = True
        if len(find_spans(active[label])) < len(found):
            joined.append(f"{label} in {item.video}")
    notes = name_some("Events of one label that touch or overlap became one", joined)
    if item.duration_s is None:
        notes.append(f"The length of {item.video} is not known; it ends with its last event here")
    return active, n_frames, notes


def find_spans(active: np.ndarray) -> list[tuple[int, int]]:
    """Return the first frame of each run of (F,) bool, and the one after its last.

    >>> find_spans(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(active.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def build_events(video: str, active: Mapping[str, np.ndarray], fps: float) -> list[CodedEvent]:
    """Return the runs of frames of each label, (F,) bool, as events."""
    return [
        CodedEvent(video, first / fps, end / fps, label)
        for label, values in active.items()
        for first, end in find_spans(values)
    ]
