"""Files of events: CSV of one video or many, and WebVTT of one."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from har import files
from har.errors import OutputError
from har.events.vtt import write_vtt
from har.types import Event

_TABLE = "events.csv"
_EVENTS_ENDING, _VTT_ENDING = ".events.csv", ".events.vtt"

EVENT_COLUMNS = ("video", "start_s", "end_s", "label", "score", "subject", "target")


def write_events_csv(path: Path, found: Iterable[tuple[str, Iterable[Event]]]) -> None:
    """Writes one line an event, seconds to the millisecond.

    Subject and target are numbers of people within a video; empty where they are not known.

    Args:
        path: Gets the table; missing folders are made.
        found: Videos, as the table is to name them, and the events of each.

    Raises:
        OutputError: The file cannot be written.
    """
    _write_rows(path, (_to_row(video, event) for video, events in found for event in events))


def write_event_files(base: Path, video: str, events: Iterable[Event]) -> None:
    """Writes the events of one video as CSV and as WebVTT.

    Args:
        base: What the names of the video's files begin with: their folder and a stem.
        video: As the table is to name it.
        events: By onset.

    Raises:
        OutputError: A file cannot be written.
    """
    events = tuple(events)
    write_events_csv(files.add_ending(base, _EVENTS_ENDING), [(video, events)])
    write_vtt(files.add_ending(base, _VTT_ENDING), events)


def join_events(folder: Path) -> Path:
    """Writes ``events.csv``: the events of all videos of which there are files in a folder.

    Returns:
        The table's path.

    Raises:
        OutputError: A file cannot be read or is something else, or the table cannot be written.
    """
    table = folder / _TABLE
    _write_rows(
        table,
        (row for part in sorted(folder.glob(f"*{_EVENTS_ENDING}")) for row in _read_rows(part)),
    )
    return table


def _to_row(video: str, event: Event) -> list[str]:
    who = [str(number or "") for number in (event.subject, event.target)]
    span = [f"{event.onset_s:.3f}", f"{event.offset_s:.3f}"]
    return [video, *span, event.label, f"{event.score:.4f}", *who]


def _write_rows(path: Path, rows: Iterable[list[str]]) -> None:
    with files.replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(EVENT_COLUMNS)
        writer.writerows(rows)


def _read_rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        if tuple(header) != EVENT_COLUMNS:
            raise ValueError(f"its first line is {','.join(header)[:80]!r}")
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise OutputError(
            f"{path} cannot be read as events of a video: {error}. Move it to another folder."
        ) from error
    return rows
