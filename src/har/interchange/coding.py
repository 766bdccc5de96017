"""Reads events: what a person coded as a table, what was recognized as a table or as results.

A table of events has a header and one line an event; `har.tables` says how it may be written:

    video           needed; any path or name of it
    label           empty with both times: the video was looked at and nothing happens in it
    start_s         also onset_s, start, onset: seconds, or h:mm:ss.mmm
    end_s           also offset_s, end, offset; empty or the same as start_s: a point event
    score, group    optional; other columns are left alone

The export "Aggregated events" of BORIS is such a table as well, by names of its own.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from har.config import BACKGROUND_NAMES
from har.errors import ConfigError, ManifestError, OutputError, TableError
from har.escaping import unguard_cell
from har.tables import Row, Table, begins_like, parse_number, parse_time_s, read_table
from har.types import Event

POINT_EVENT_S = 1.0
"""Length that an event gets of which only the moment was coded, in seconds."""

_VIDEOS = ("video", "media file name", "media file", "source")
_LABELS = ("label", "behavior")
_ONSETS = ("start_s", "onset_s", "start", "onset", "start (s)")
_OFFSETS = ("end_s", "offset_s", "end", "offset", "stop (s)")
_BORIS_PLAYER = re.compile(r"player #\d+:", re.IGNORECASE)
_BORIS_TABULAR = (
    "This is a BORIS tabular export, with one line for each start and stop: in BORIS choose "
    "Observations, Export events, Aggregated events"
)
_PROJECTS = {
    ".boris": "a BORIS project. In BORIS choose Observations, Export events, Aggregated events",
    ".eaf": "an ELAN document. In ELAN choose File, Export As, Tab-delimited Text, name the "
    "columns video, label, start_s and end_s",
}


@dataclass(frozen=True)
class VideoEvents:
    """The events of one video.

    Attributes:
        video: As the file names it.
        events: By onset.
        group: What the video depends on others by; empty where the file does not say.
        duration_s: None where the file does not say.
        labels: Those that could be found in it, where the file says.
    """

    video: str
    events: tuple[Event, ...]
    group: str = ""
    duration_s: float | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coding:
    """A table of events.

    Attributes:
        videos: In the file's order.
        notes: What had to be assumed to read it, for the user.
    """

    videos: tuple[VideoEvents, ...]
    notes: tuple[str, ...] = ()


def read_coding(path: Path, renames: Mapping[str, str] | None = None) -> Coding:
    """Read a table of events, such as a person's coding or what `har predict` wrote.

    Args:
        path: A text file or a workbook, see `har.tables`.
        renames: What labels of the file are called here; empty leaves their events out.

    Raises:
        ManifestError: The file cannot be read, lacks a column, or a line of it makes no sense.
        MissingDependencyError: It is a workbook, and the extra ``excel`` is not installed.
        ConfigError: A label to rename does not occur.
    """
    if kind := _PROJECTS.get(path.suffix.lower()):
        raise ManifestError(f"{path} is {kind}, and give that file as CSV")
    try:
        table = read_table(path)
    except TableError as error:
        what = f". {_BORIS_TABULAR}" if begins_like(path, ["observation id"]) else ""
        raise ManifestError(f"The table of events cannot be used: {error}{what}") from error
    _check_columns(table)
    found: dict[str, VideoEvents] = {}
    points: list[int] = []
    for row in table.rows:
        try:
            video = _parse_row(row)
        except ValueError as error:
            raise ManifestError(f"Line {row.line} of {path} cannot be used: {error}") from error
        points += [row.line] if _is_point(row) else []
        before = found.get(video.video, video)
        events = (*before.events, *video.events) if video.video in found else video.events
        found[video.video] = replace(before, events=events, group=before.group or video.group)
    videos = tuple(_sort(video) for video in found.values())
    notes = [*table.notes]
    if points:
        more = f" and {len(points) - 5} more" if len(points) > 5 else ""
        notes.append(
            f"{path.name} has point events, without an end, in line "
            f"{', '.join(map(str, points[:5]))}{more}: each counts as {POINT_EVENT_S:g} s long"
        )
    return Coding(_rename(path, videos, renames or {}), tuple(notes))


def _check_columns(table: Table) -> None:
    """Refuse a table without the columns of events, and say what it is where that is known."""
    groups = (_VIDEOS, _LABELS, _ONSETS, _OFFSETS)
    if all(set(table.names) & set(names) for names in groups):
        return
    names = set(table.names)
    if "behavior" in names and names & {"time", "status", "behavior type"}:
        what = _BORIS_TABULAR
    elif any(name.startswith(("begin time", "end time")) for name in names):
        what = (
            "This is an ELAN tab-delimited export: rename the columns of the begin time, the end "
            "time and the annotation to start_s, end_s and label, and add a column video"
        )
    elif any(_is_clock(name) for name in names):
        what = (
            "Its first line holds a time and no names, as in an ELAN tab-delimited export: put "
            "the line video,label,start_s,end_s before it, with the columns in its order"
        )
    else:
        what = "Rename the columns, or add those that are missing"
    raise ManifestError(
        f"Expected the columns video, label, start_s and end_s in {table.path}, received "
        f"{', '.join(table.names)[:200]!r}. {what}"
    )


def _is_clock(name: str) -> bool:
    try:
        return ":" in name and parse_time_s(name) >= 0
    except ValueError:
        return False


def _is_point(row: Row) -> bool:
    return bool(row.get(*_ONSETS)) and row.get(*_OFFSETS) in ("", row.get(*_ONSETS))


def _parse_row(row: Row) -> VideoEvents:
    video = _BORIS_PLAYER.sub("", unguard_cell(row.get(*_VIDEOS))).strip()
    label = unguard_cell(row.get(*_LABELS))
    onset, offset, group = row.get(*_ONSETS), row.get(*_OFFSETS), row.get("group")
    if not video:
        raise ValueError("it names no video")
    if not (label or onset or offset):
        return VideoEvents(video, (), group)
    if not label:
        raise ValueError("its label is empty")
    if not onset:
        raise ValueError(f"its start is empty, its end is {offset or 'empty, too'}")
    onset_s = parse_time_s(onset)
    offset_s = onset_s + POINT_EVENT_S if _is_point(row) else parse_time_s(offset)
    if not 0.0 <= onset_s < offset_s < math.inf:
        raise ValueError(f"expected 0 <= start_s < end_s, received {onset} and {offset}")
    score = parse_number(row.get("score") or "1")
    return VideoEvents(video, (Event(label, onset_s, offset_s, score),), group)


def parse_renames(texts: Iterable[str]) -> dict[str, str]:
    """Read what a command line took as ``CODED=LABEL``.

    >>> parse_renames(["Hitting others=fight", "Eating="])
    {'Hitting others': 'fight', 'Eating': ''}

    Raises:
        ConfigError: One has no ``=``, or a label is renamed twice.
    """
    renames: dict[str, str] = {}
    for text in texts:
        coded, equals, label = (part.strip() for part in text.rpartition("="))
        if not equals or not coded or coded in renames:
            raise ConfigError(
                f"Expected CODED=LABEL such as 'Hitting others=fight', each once, received {text!r}"
            )
        renames[coded] = label
    return renames


def _rename(
    path: Path, videos: Sequence[VideoEvents], renames: Mapping[str, str]
) -> tuple[VideoEvents, ...]:
    labels = {event.label for video in videos for event in video.events}
    for coded in renames:
        if coded not in labels:
            raise ConfigError(
                f"There is no label {coded!r} in {path} to rename; it has: {_quote(labels)}"
            )
    return tuple(
        replace(
            video,
            events=tuple(
                replace(event, label=renames.get(event.label, event.label))
                for event in video.events
                if renames.get(event.label, event.label)
            ),
        )
        for video in videos
    )


def check_known(coded: Iterable[str], known: Iterable[str]) -> None:
    """Refuse labels of a coding that the model does not have.

    Args:
        coded: Labels that a person coded; those that mean the background are left alone.
        known: Labels of the model; none leaves all alone.

    Raises:
        ConfigError: Some are unknown; the message lists both, and how to rename.
    """
    ours = set(known)
    unknown = {label for label in coded if label.lower() not in BACKGROUND_NAMES} - ours
    if not ours or not unknown:
        return
    first = min(unknown)
    alike = [label for label in sorted(ours) if _fold(label) == _fold(first)]
    target = (alike or sorted(label for label in ours if label.lower() not in BACKGROUND_NAMES))[:1]
    why = f"; {first!r} and {alike[0]!r} differ in case or blanks alone" if alike else ""
    raise ConfigError(
        f"The reference coding has labels that the model does not know: {_quote(unknown)}. The "
        f"model's are: {_quote(ours)}{why}. Say which is which, once a label, with "
        f'--map "{first}={(target or sorted(ours))[0]}"; --map "{first}=" leaves its events out'
    )


def _fold(label: str) -> str:
    return re.sub(r"[\s_-]+", "", label.casefold())


def _quote(labels: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(labels))) or "none"


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
                    events=tuple(map(_parse_event, item["events"])),
                    duration_s=_parse_length(item["totals"]["duration_s"]),
                    labels=_list_known(item),
                )
            )
            for item in values
            if "error" not in item
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else repr(error)
        raise OutputError(
            f"{path} cannot be read as results of videos: {why}. Give the results.json of 'har "
            f"predict', the events.json of 'har events', or a CSV of events."
        ) from error


def _parse_event(values: Mapping[str, Any]) -> Event:
    onset_s, offset_s = float(values["onset_s"]), float(values["offset_s"])
    score = float(values["score"])
    if not (0.0 <= onset_s < offset_s < math.inf and math.isfinite(score)):
        raise ValueError(f"an event from {onset_s} to {offset_s} s with the score {score}")
    return Event(str(values["label"]), onset_s, offset_s, score)


def _parse_length(value: Any) -> float:
    length_s = float(value)
    if not 0.0 <= length_s < math.inf:
        raise ValueError(f"a length of {length_s} s")
    return length_s


def _list_known(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the labels that a result says its model has, also those of which it found none."""
    in_totals = [total["label"] for total in item["totals"].get("labels", ())]
    return tuple(dict.fromkeys([*item.get("probs", ()), *in_totals]))


def _sort(video: VideoEvents) -> VideoEvents:
    return replace(video, events=tuple(sorted(video.events, key=lambda event: event.onset_s)))


def find_video(name: str, videos: Iterable[str]) -> str | None:
    """Return the one of some videos that a name stands for, or None.

    The same text comes first, then the same file name, then the name without its ending, then what
    `har predict` calls the files of videos of one name; letters may be small or capital, and
    accents letters of their own (NFC) or marks (NFD, as on Macs).

    Args:
        name: A path, a file's name, or what its results are called.
        videos: Different ones.

    Raises:
        ConfigError: The name stands for several.

    >>> find_video("out/day1", ["b/day2.mp4", "b/Day1.mp4"])
    'b/Day1.mp4'
    """
    ours, theirs = _normalize(name), {video: _normalize(video) for video in videos}
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


def _normalize(name: str) -> PurePath:
    return PurePath(unicodedata.normalize("NFC", name.replace("\\", "/").casefold()))


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
