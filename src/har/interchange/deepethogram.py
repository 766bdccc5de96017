"""DeepEthogram's labels: a table with a line a frame of one video and a column a label.

The first column counts the frames, ``background`` is 1 where nothing else is, and -1 in a line
means that nobody has labeled the frame. The video is the file's name without ``_labels``.

Source: ``deepethogram/file_io.py`` and ``projects.py`` of
https://github.com/jbohnslav/deepethogram.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from har import files
from har.escaping import guard_cell, unguard_cell
from har.interchange.events import EventTable, build_table, name_some
from har.interchange.format import Format, Source, WriteSettings
from har.interchange.frames import build_events, find_fps, mark_frames, require_fps
from har.interchange.values import make_media, parsing

_BACKGROUND = "background"
_TITLE = "DeepEthogram"
_VALUES = {"0": b"\x00", "1": b"\x01", "-1": b"\xff"}
_VALUES |= {f"{text}.0": value for text, value in _VALUES.items()}


def _matches(source: Source) -> bool:
    lines = source.head.split(b"\n", 2)[:2]
    try:
        return _BACKGROUND.encode() in lines[0] and bool(
            len(_parse(b"\n".join(lines).decode("utf-8-sig"))[1])
        )
    except ValueError:
        return False


def read_deepethogram(source: Source) -> EventTable:
    """Read runs of frames with the same label.

    Raises:
        InterchangeError: The file is damaged, or it is not known how many frames make a second.
    """
    fps = require_fps(source)
    with parsing(source, "labels of DeepEthogram"):
        names, table = _parse(source.data.decode("utf-8-sig"))
        video = source.settings.video or source.path.stem.removesuffix("_labels")
        media = make_media("its length", video, len(table) / fps, fps)
        labels = [name for name in names if name and name != _BACKGROUND]
        events = build_events(
            video, {name: table[:, names.index(name)] == 1 for name in labels}, fps
        )
    n_open = int((table < 0).any(axis=1).sum())
    notes = [f"{n_open} frames of {source.path.name} are not labeled"] if n_open else []
    return build_table(events, [media], labels, notes)


def _parse(text: str) -> tuple[list[str], np.ndarray]:
    """Return the columns' names, and (F, K) int8 of their values; the first one is left out."""
    delimiter = max(",;", key=(text.split("\n", 2)[1:2] or [text])[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [unguard_cell(cell.strip()) for cell in next(reader, [])]
        skipped = 0 if names[:1] == [_BACKGROUND] else 1
        names = names[skipped:]
        if _BACKGROUND not in names or len(set(names)) < len(names):
            raise ValueError(f"expected the columns background and labels, received {names[:5]}")
        rows = list[bytes]()
        for cells in reader:
            row = b"".join(_VALUES.get(cell.strip(), b"??") for cell in cells[skipped:])
            if len(row) != len(names) or b"?" in row:
                raise ValueError(f"line {reader.line_num}: expected 0, 1 or -1 in each column")
            rows.append(row)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error
    return names, np.frombuffer(b"".join(rows), dtype=np.int8).reshape(-1, len(names))


def write_deepethogram(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write the labels of one video.

    Raises:
        InterchangeError: It is not known how many frames the video has a second.
        OutputError: The file cannot be written.
    """
    if not table.media:
        files.write_csv(path, ["", _BACKGROUND], [])
        return []
    item = table.media[0]
    active, n_frames, notes = mark_frames(item, table.events, find_fps(item, settings, _TITLE))
    named = dict.fromkeys((*table.labels, *active))
    labels = [label for label in named if label.strip().lower() != _BACKGROUND]
    lost = [label for label in active if label not in labels]
    notes += name_some("Events left out, as they mean that nothing happens", lost)
    columns = np.zeros((n_frames, 1 + len(labels)), dtype=np.int8)
    for place, label in enumerate(labels, 1):
        columns[:, place] = active.get(label, 0)
    columns[:, 0] = ~columns[:, 1:].any(axis=1)
    header = [
        "",
        _BACKGROUND,
        *(guard_cell(label) if settings.guard else label for label in labels),
    ]
    files.write_csv(path, header, ((n, *row) for n, row in enumerate(columns.tolist())))
    return notes


FORMAT = Format(
    "deepethogram",
    "DeepEthogram labels",
    (".csv",),
    _matches,
    read_deepethogram,
    write_deepethogram,
    one_video=True,
    is_exact=False,
)
