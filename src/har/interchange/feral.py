"""FERAL's JSON: a class a frame, or several, for each of some videos.

    {"is_multilabel": false, "class_names": {"0": "other", "1": ...},
     "labels": {VIDEO: [0, 0, 1, ...]}, "splits": {"train": [VIDEO, ...]}}

In files of several classes a frame is a list with 0 or 1 for each. They are written where labels
overlap; else class 0 is ``other``. The file does not say how many frames make a second.

Source: ``validate_labels_json`` in ``feral/utils.py`` of https://github.com/Skovorp/feral.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from har.config import BACKGROUND_NAMES
from har.files import write_text
from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.interchange.format import Format, Source, WriteSettings
from har.interchange.frames import build_events, find_fps, mark_frames, require_fps
from har.interchange.values import check_dict, check_list, check_text, make_media, parsing

_OTHER = "other"
_BITS = (0, 1)
_KEYS = {"class_names", "is_multilabel", "labels"}


def _matches(source: Source) -> bool:
    return source.is_json and isinstance(source.json, dict) and set(source.json) >= _KEYS


def read_feral(source: Source) -> EventTable:
    """Read runs of frames with the same class; class 0 is left out where it means none.

    Raises:
        InterchangeError: The file is damaged, or it is not known how many frames make a second.
    """
    fps = require_fps(source)
    with parsing(source, "JSON of FERAL"):
        values = check_dict(source.json, "the file")
        named = check_dict(values.get("class_names"), "class_names")
        names = [check_text(named.get(str(n)), f"class_names, {n}") for n in range(len(named))]
        is_many = values.get("is_multilabel") is True
        media, events = list[Media](), list[CodedEvent]()
        first = int(not is_many and bool(names) and names[0].lower() in BACKGROUND_NAMES)
        for video, frames in check_dict(values.get("labels"), "labels").items():
            active = _read_frames(frames, names, is_many, video)
            media.append(make_media(video, video, max(len(active), 1) / fps, fps))
            columns = {name: active[:, n] for n, name in enumerate(names) if n >= first}
            events += build_events(video, columns, fps)
    return build_table(events, media, names[first:])


def _read_frames(frames: Any, names: list[str], is_many: bool, video: str) -> np.ndarray:
    """Return (F, K) bool."""
    if len(set(names)) < len(names) or not all(names):
        raise ValueError("class_names: a name is empty or stands twice")
    rows = check_list(frames, video)
    active = np.zeros((len(rows), len(names)), dtype=bool)
    for number, row in enumerate(rows):
        if is_many:
            valid = (
                isinstance(row, list) and len(row) == len(names) and all(x in _BITS for x in row)
            )
        else:
            valid = isinstance(row, int) and 0 <= row < len(names)
        if not valid:
            raise ValueError(f"frame {number} of {video} has no class of class_names")
        active[number, np.asarray(row, dtype=bool) if is_many else row] = True
    return active


def write_feral(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write the classes of all frames; every video is put into the split ``train``.

    Raises:
        InterchangeError: It is not known how many frames a video has a second.
        OutputError: The file cannot be written.
    """
    notes: list[str] = []
    found: dict[str, tuple[dict[str, np.ndarray], int]] = {}
    for item in table.media:
        fps = find_fps(item, settings, FORMAT.title)
        active, n_frames, more = mark_frames(item, table.of_video(item.video), fps)
        found[item.video] = active, n_frames
        notes += more
    used = dict.fromkeys(label for active, _ in found.values() for label in active)
    is_many = _OTHER in used or any(
        (np.sum(list(active.values()), axis=0) > 1).any() for active, _ in found.values() if active
    )
    labels = dict.fromkeys((*table.labels, *used))
    names = list(labels if is_many else {_OTHER: None, **labels})
    values = {
        "is_multilabel": bool(is_many),
        "class_names": {str(number): name for number, name in enumerate(names)},
        "labels": {video: _to_rows(*item, names, is_many) for video, item in found.items()},
        "splits": {"train": list(found)},
    }
    write_text(path, json.dumps(values, ensure_ascii=False))
    return [*notes, "All videos are in FERAL's split train; divide them by who is in them"]


def _to_rows(
    active: Mapping[str, np.ndarray], n_frames: int, names: Sequence[str], is_many: bool
) -> list[Any]:
    rows = np.zeros((n_frames, len(names)) if is_many else n_frames, dtype=np.int64)
    for label, values in active.items():
        number = names.index(label)
        if is_many:
            rows[:, number] = values
        else:
            rows[values] = number
    return rows.tolist()


FORMAT = Format(
    "feral", "FERAL JSON", (".json",), _matches, read_feral, write_feral, is_exact=False
)
