"""SimBA's table of behaviors: the starts and stops of one video, as old BORIS exported them.

SimBA pairs the starts and stops of a behavior whoever shows it, refuses those that overlap, and
drops point events. So subjects are left out, what overlaps is joined, and a point event lasts a
frame. Such files are read as tabular events of BORIS.

Source: ``third_party_label_appenders/BORIS_appender.py`` and ``misc/boris_example.csv`` of
https://github.com/sgoldenlab/simba.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from har import files
from har.escaping import guard_cell
from har.interchange.boris_tables import read_tabular
from har.interchange.events import CodedEvent, EventTable, Media, merge_overlaps
from har.interchange.format import Format, WriteSettings
from har.interchange.frames import find_fps

_COLUMNS = (
    *("Time", "Media file path", "Total length", "FPS", "Subject", "Behavior"),
    *("Behavioral category", "Comment", "Status"),
)


def write_simba(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write the events of one video.

    Raises:
        InterchangeError: It is not known how many frames the video has a second.
        OutputError: The file cannot be written.
    """
    item = table.media[0] if table.media else Media("video")
    fps = find_fps(item, settings, "SimBA")
    events, notes = merge_overlaps(
        CodedEvent(
            event.video,
            event.start_s,
            max(event.end_s, event.start_s + (1 / fps if event.point else 0.0)),
            event.label,
            comment=event.comment,
        )
        for event in table.events
    )
    rows = [(event.start_s, 1, "START", event) for event in events]
    rows += [(event.end_s, 0, "STOP", replace(event, comment="")) for event in events]
    length_s = item.duration_s or max((event.end_s for event in events), default=0.0)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, value in (
        ("Observation id", path.stem),
        ("Media file(s)", ""),
        ("Player #1", item.video),
        ("Time offset (s)", "0"),
        ("", ""),
    ):
        writer.writerow([name, *_guard([value], settings), *[""] * (len(_COLUMNS) - 2)])
    writer.writerow(_COLUMNS)
    for time_s, _, status, event in sorted(rows, key=lambda row: (*row[:2], row[3].label)):
        cells = [item.video, f"{length_s:.3f}", f"{fps:g}", "", event.label, "", event.comment]
        writer.writerow([f"{time_s:.3f}", *_guard(cells, settings), status])
    files.write_text(path, text.getvalue())
    return notes


def _guard(cells: list[str], settings: WriteSettings) -> list[str]:
    return [guard_cell(cell) for cell in cells] if settings.guard else cells


FORMAT = Format(
    "simba",
    "SimBA",
    (".csv",),
    None,
    read_tabular,
    write_simba,
    frozenset({"comment"}),
    one_video=True,
    is_exact=False,
)
