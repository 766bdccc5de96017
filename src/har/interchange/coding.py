"""Reads events: what a person coded as CSV, what was recognized as CSV or as results of videos.

A CSV of events has a header and one line an event; cells may be parted by comma, semicolon or tab:

    video           needed; any path or name of it
    label           empty with both times: the video was looked at and nothing happens in it
    start_s         also onset_s, start, onset: seconds
    end_s           also offset_s, end, offset: seconds
    score, group    optional; other columns are left alone
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from har.errors import ConfigError, ManifestError, OutputError
from har.types import Event

_ONSETS = ("start_s", "onset_s", "start", "onset")
_OFFSETS = ("end_s", "offset_s", "end", "offset")
_COLUMNS = (_ONSETS, _OFFSETS)


@dataclass(frozen=True)
class VideoEvents:
    """The events of one video.

    Attributes:
        video: As the file names it.
        events: By onset.
        group: What the video depends on others by; empty where the file does not say.
        duration_s: None where the file does not say.
    """

    video: str
    events: tuple[Event, ...]
    group: str = ""
    duration_s: float | None = None


def read_events_csv(path: Path) -> tuple[VideoEvents, ...]:
    """Read a CSV of events, such as a person's coding or what `har predict` wrote.

    Raises:
        ManifestError: The file cannot be read, lacks a column, or a line of it makes no sense.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=header.count))
            names = [name.strip().lower() for name in next(reader, [])]
            rows = [(reader.line_num, cells) for cells in reader if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path} cannot be read as a CSV of events: {error}") from error
    known = set(names)
    if not ({"video", "label"} <= known and known & {*_ONSETS} and known & {*_OFFSETS}):
        raise ManifestError(
            f"Expected the columns video, label, start_s and end_s in {path}, received "
            f"{header.strip()[:200]!r}"
        )
    found: dict[str, VideoEvents] = {}
    for line, cells in rows:
        try:
            video = _parse_row(
                {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
            )
        except ValueError as error:
            raise ManifestError(f"Line {line} of {path} cannot be used: {error}") from error
        before = found.get(video.video, video)
        events = (*before.events, *video.events) if video.video in found else video.events
        found[video.video] = replace(before, events=events, group=before.group or video.group)
    return tuple(_sort(video) for video in found.values())


def _parse_row(cells: Mapping[str, str]) -> VideoEvents:
    video, label = cells.get("video", ""), cells.get("label", "")
    onset, offset = (next((cells[n] for n in names if cells.get(n)), "") for names in _COLUMNS)
    if not video:
        raise ValueError("it names no video")
    if not (label or onset or offset):
        return VideoEvents(video, (), cells.get("group", ""))
    if not label:
        raise ValueError("its label is empty")
    event = Event(label, float(onset), float(offset), float(cells.get("score") or 1.0))
    if not (0.0 <= event.onset_s < event.offset_s < math.inf and math.isfinite(event.score)):
        raise ValueError(f"expected 0 <= start_s < end_s, received {onset} and {offset}")
    return VideoEvents(video, (event,), cells.get("group", ""))


def read_results(path: Path) -> tuple[VideoEvents, ...]:
    """Read ``results.json`` of `har predict`, or ``events.json`` of `har events`.

    Returns:
        All videos that were recognized, also those without events.

    Raises:
        OutputError: The file cannot be read, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return tuple(
            _sort(
                VideoEvents(
                    video=str(item["video"]),
                    events=tuple(
                        Event(e["label"], float(e["onset_s"]), float(e["offset_s"]), e["score"])
                        for e in item["events"]
                    ),
                    duration_s=float(item["totals"]["duration_s"]),
                )
            )
            for item in values
            if "error" not in item
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else repr(error)
        raise OutputError(
            f"{path} cannot be read as results of videos: {why}. Give the results.json of 'har "
            f"predict', the events.json of 'har events', or a CSV of events."
        ) from error


def _sort(video: VideoEvents) -> VideoEvents:
    return replace(video, events=tuple(sorted(video.events, key=lambda event: event.onset_s)))


def find_video(name: str, videos: Iterable[str]) -> str | None:
    """Return the one of some videos that a name stands for, or None.

    The same text comes first, then the same file name, then the name without its ending, then what
    `har predict` calls the files of videos of one name; letters may be small or capital.

    Args:
        name: A path, a file's name, or what its results are called.
        videos: Different ones.

    Raises:
        ConfigError: The name stands for several.

    >>> find_video("out/day1", ["b/day2.mp4", "b/Day1.mp4"])
    'b/Day1.mp4'
    """
    ours = PurePath(name.replace("\\", "/").casefold())
    theirs = {video: PurePath(video.replace("\\", "/").casefold()) for video in videos}
    for mine, form in (
        (str(ours), str),
        (ours.name, _name),
        (ours.name, _stem),
        (ours.stem, _stem),
        (ours.name, _flat_name),
        (ours.name, _flat_path),
    ):
        alike = sorted(video for video, path in theirs.items() if form(path) == mine)
        if len(alike) > 1:
            raise ConfigError(
                f"{name} may be any of {', '.join(alike)}; give the videos different names"
            )
        if alike:
            return alike[0]
    return None


def _name(path: PurePath) -> str:
    return path.name


def _stem(path: PurePath) -> str:
    return path.stem


def _flat_name(path: PurePath) -> str:
    return path.name.replace(".", "_")


def _flat_path(path: PurePath) -> str:
    return f"{path.parent.name}_{_flat_name(path)}"


def list_labels(
    truth: Sequence[VideoEvents], found: Sequence[VideoEvents], background: Iterable[str]
) -> list[str]:
    """Return the labels of all events, sorted, without the background (lower case)."""
    labels = {event.label for video in (*truth, *found) for event in video.events}
    return sorted(label for label in labels if label.lower() not in set(background))
