"""Coded events from files of other tools and into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from har.api.settings import StrPath
from har.interchange import formats
from har.interchange.events import CodedEvent, EventTable, build_table
from har.interchange.format import ReadSettings, WriteSettings


def read_events(
    path: StrPath,
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str] | None = None,
    fps: float | None = None,
    video: str = "",
) -> EventTable:
    """Return the coded events of a file, whatever tool wrote it.

    Args:
        path: The file, or a folder of such files.
        format: Its name, such as ``boris``; found from content and ending when None.
        columns: Which column of a table is which: ``{"start": "Onset", "label": "Code"}``; the
            fields are video, start, end, duration, label, subject, target, annotator, comment,
            point, score and group. Common names are found without it.
        fps: Frames a second of the videos, for formats that count frames.
        video: The video that all events are in, where the file names none.

    Raises:
        InterchangeError: The file cannot be read, is in no known format, or a line of it makes no
            sense.
        MissingDependencyError: The format needs an extra that is not installed.

    Example:
        >>> import har
        >>> table = har.read_events("coded.boris")  # doctest: +SKIP
        >>> table.events[0].label, table.events[0].start_s  # doctest: +SKIP
        ('Hitting others', 12.4)
    """
    settings = ReadSettings(dict(columns or {}), fps, video)
    return formats.read_events(Path(path), format, settings)


def write_events(
    events: EventTable | Iterable[CodedEvent],
    path: StrPath,
    *,
    format: str | None = None,  # noqa: A002
    fps: float | None = None,
    guard: bool = True,
) -> tuple[str, ...]:
    """Write coded events as another tool reads them.

    Args:
        events: As of `har.read_events`, or events one by one.
        path: The file. Where the format holds one video a file and there are several, a folder.
        format: Its name, such as ``boris``; taken from the ending of ``path`` when None.
        fps: Frames a second of the videos, for formats that count frames, where the events do not
            know them.
        guard: Put a ``'`` before cells of tables that a spreadsheet would take for a formula.

    Returns:
        What could not be kept as it was, in words; often nothing.

    Raises:
        InterchangeError: The format is not written, or lacks something that it needs.
        MissingDependencyError: The format needs an extra that is not installed.
        OutputError: A file cannot be written.

    Example:
        >>> import har, tempfile
        >>> hit = har.CodedEvent("a.mp4", 1.0, 2.5, "hit", subject="child")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     notes = har.write_events([hit], f"{folder}/coded.csv")
        ...     har.read_events(f"{folder}/coded.csv").events == (hit,)
        True
    """
    table = events if isinstance(events, EventTable) else build_table(events)
    return tuple(formats.write_events(table, Path(path), format, WriteSettings(fps, guard)))
