"""What of a table of events BORIS holds, and a project of it.

A behavior is a state or a point. Of a label with both, the points are written as a behavior of
their own, ``LABEL [point]``. States of one subject and behavior that overlap are joined: BORIS
takes every second row for a stop and would make other events of them, without a word.

Source: BORIS 10.0.2, by trial, and its ``project_functions.check_project_integrity``.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from har import files
from har.errors import VideoError
from har.interchange.boris_observation import (
    TARGET,
    VARIABLES,
    format_comment,
    format_target,
    merge_events,
)
from har.interchange.events import (
    CodedEvent,
    EventTable,
    Media,
    build_table,
    name_some,
    note_outside,
)
from har.interchange.format import WriteSettings
from har.types import VideoInfo
from har.video.file.reader import probe_video

ASSUMED_FPS = 25.0
"""Frames a second of a video that is not at hand; BORIS only shows them."""
POINTS = " [point]"
"""Ends the code of the points of a label that has states, too."""
_VARIABLE = {"description": "", "type": "text", "default value": "", "possible values": ""}
_MODIFIERS = {"name": TARGET, "description": "", "type": 0, "ask at stop": False}
_BEHAVIOR = dict.fromkeys(("description", "color", "category", "excluded", "coding map"), "")


def write_project(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write a project with an observation for each video, and for each of its annotators.

    Lengths and frame rates that the table does not know are read from the videos where those are
    at hand.

    Raises:
        OutputError: The file cannot be written.
    """
    events, notes = merge_events(table.events)
    codes, more = name_codes(events)
    notes += more
    labels = [*dict.fromkeys([*table.labels, *(event.label for event in events)])]
    values = {
        "time_format": "hh:mm:ss",
        "project_date": f"{datetime.now():%Y-%m-%dT%H:%M:%S}",
        "project_name": path.name.split(".")[0],
        "project_description": "",
        "project_format_version": "7.0",
        "subjects_conf": _write_subjects(events),
        "behaviors_conf": _write_ethogram(labels, events, codes),
        "observations": _write_observations(
            build_table(events, table.media), codes, path.parent, settings.fps, notes
        ),
        "behavioral_categories": [],
        "behavioral_categories_config": {},
        "independent_variables": {
            str(place): dict(_VARIABLE, label=name) for place, name in enumerate(VARIABLES)
        },
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    data = json.dumps(values, allow_nan=False).encode()
    with files.replacing(path) as part:
        part.write_bytes(
            gzip.compress(data, mtime=0) if path.name.lower().endswith(".gz") else data
        )
    return notes


def name_codes(events: Sequence[CodedEvent]) -> tuple[dict[tuple[str, bool], str], list[str]]:
    """Return the code of each label, for states and for points, and a note where they differ.

    >>> events = [CodedEvent("a", 0, 1, "hit"), CodedEvent("a", 2, 2, "hit", point=True)]
    >>> name_codes(events)[0]
    {('hit', False): 'hit', ('hit', True): 'hit [point]'}
    """
    uses = dict.fromkeys((event.label, event.point) for event in events)
    labels = {label for label, _ in uses}
    codes, both = {}, []
    for label, point in uses:
        code = label
        if point and (label, False) in uses:
            code += POINTS
            both.append(label)
            while code in labels:
                code += "'"
        codes[label, point] = code
    return codes, name_some(
        "BORIS has states or points of a behavior, not both; the points of a label with both are "
        f"named with {POINTS!r} after it",
        both,
    )


def list_rows(events: Sequence[CodedEvent], codes: Mapping[tuple[str, bool], str]) -> list[tuple]:
    """Return rows (time_s, subject, code, modifier, comment), two a state, in BORIS's order."""
    rows = []
    for event in events:
        code, target = codes[event.label, event.point], format_target(event.target)
        rows.append((event.start_s, event.subject, code, target, format_comment(event)))
        if not event.point:
            rows.append((event.end_s, event.subject, code, target, ""))
    return sorted(rows, key=lambda row: row[:3])


def _write_subjects(events: Sequence[CodedEvent]) -> dict[str, Any]:
    names = dict.fromkeys(event.subject for event in events if event.subject)
    return {
        str(place): {"key": "", "name": name, "description": ""} for place, name in enumerate(names)
    }


def _write_ethogram(
    labels: Sequence[str], events: Sequence[CodedEvent], codes: Mapping[tuple[str, bool], str]
) -> dict[str, Any]:
    targets: dict[str, dict[str, None]] = {}
    for event in events:
        found = targets.setdefault(event.label, {})
        found |= {format_target(event.target): None} if event.target else {}
    # A label of which nothing was found is a state, as what a model finds.
    every = {
        (label, point): codes.get((label, point), label)
        for label in labels
        for point in (False, True)
        if (label, point) in codes or (not point and (label, True) not in codes)
    }
    free = list(ascii_lowercase)
    conf = {}
    for place, ((label, point), code) in enumerate(every.items()):
        key = next((letter for letter in code.lower() if letter in free), (free or [""])[0])
        free = [letter for letter in free if letter != key]
        values = list(targets.get(label, ()))
        conf[str(place)] = _BEHAVIOR | {
            "type": "Point event" if point else "State event",
            "key": key,
            "code": code,
            "modifiers": {"0": _MODIFIERS | {"values": values}} if values else {},
        }
    return conf


def _write_observations(
    table: EventTable,
    codes: Mapping[tuple[str, bool], str],
    folder: Path,
    fps: float | None,
    notes: list[str],
) -> dict[str, Any]:
    coded: dict[str, dict[str, list[CodedEvent]]] = {item.video: {} for item in table.media}
    for event in table.events:
        coded[event.video].setdefault(event.annotator, []).append(event)
    found: dict[str, Any] = {}
    media, unknown, moved = [], [], []
    for item in table.media:
        by_annotator = coded[item.video] or {"": []}
        path = _find_path(item.video, folder)
        known, is_assumed = _complete(item, _resolve(path, folder), fps, by_annotator.values())
        media.append(known)
        moved += [path] if path != item.video else []
        unknown += [item.video] if is_assumed else []
        for annotator, part in by_annotator.items():
            name = _name_observation(item.video, annotator, found)
            variables = {VARIABLES[0]: annotator, VARIABLES[1]: item.group}
            rows = [[*row, "NA"] for row in list_rows(part, codes)]
            found[name] = _write_observation(path, known, variables, rows)
    notes += name_some(
        f"Videos whose length or frames a second are not known: BORIS is told the end of the last "
        f"event and {ASSUMED_FPS:g}",
        unknown,
    )
    notes += name_some("Videos are named by where they are, so that BORIS finds them", moved)
    notes += note_outside(replace(table, media=tuple(media)))
    return found


def _name_observation(video: str, annotator: str, taken: Mapping[str, object]) -> str:
    name = Path(video.replace("\\", "/")).name or video
    name = f"{name} ({annotator})".strip() if annotator else name.strip()
    names = (name if number == 1 else f"{name} {number}" for number in range(1, len(taken) + 2))
    return next(one for one in names if one not in taken)


def _find_path(video: str, folder: Path) -> str:
    """Return what names a video in a project of a folder so that BORIS finds it, if it is there."""
    if Path(video).is_absolute() or _is_file(folder / video) or not _is_file(Path(video)):
        return video
    found, home = Path(video).resolve(), folder.resolve()
    return (found.relative_to(home) if found.is_relative_to(home) else found).as_posix()


def _resolve(path: str, folder: Path) -> Path | None:
    return folder / path if _is_file(folder / path) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _complete(
    item: Media, path: Path | None, fps: float | None, parts: Iterable[Sequence[CodedEvent]]
) -> tuple[Media, bool]:
    """Return a video with its length and frames a second, and whether one had to be assumed."""
    info: VideoInfo | None = None
    if path is not None and None in (item.duration_s, item.fps):
        with suppress(VideoError):
            info = probe_video(path)
    length_s = item.duration_s or (info.duration_s if info else None)
    fps = item.fps or (info.fps if info else None) or fps
    end_s = max((event.end_s for part in parts for event in part), default=0.0)
    known = replace(item, duration_s=length_s or max(1.0, math.ceil(end_s)), fps=fps or ASSUMED_FPS)
    return known, None in (length_s, fps)


def _write_observation(
    path: str, item: Media, variables: Mapping[str, str], rows: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    return {
        "file": {"1": [path]},
        "type": "MEDIA",
        "date": f"{datetime.now():%Y-%m-%dT%H:%M:%S}",
        "description": "",
        "time offset": 0.0,
        "events": rows,
        "observation time interval": [0, 0],
        "independent_variables": variables,
        "media_info": {
            "length": {path: item.duration_s},
            "fps": {path: item.fps},
            "hasVideo": {path: not path.lower().endswith(".npz")},
            "hasAudio": {path: False},
            "offset": {"1": 0.0},
        },
    }
