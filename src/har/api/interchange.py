"""Coded events from files of other tools and into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from har.api.result import Result
from har.api.settings import StrPath, list_paths, to_path
from har.api.videos import Predictions
from har.errors import ConfigError
from har.interchange import formats
from har.interchange.coding import rename_labels
from har.interchange.events import CodedEvent, EventTable, build_table, give_length, join_codings
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
            point, score and group. Common names are found without it. Also which attribute of VIA,
            code of Datavyu or ``tier`` of ELAN is the label.
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
    return formats.read_events(to_path(path), format, settings)


def write_events(
    events: EventTable | Result | Predictions | Iterable[CodedEvent],
    path: StrPath,
    *,
    format: str | None = None,  # noqa: A002
    fps: float | None = None,
    guard: bool = True,
) -> tuple[str, ...]:
    """Write coded events as another tool reads them.

    Args:
        events: As of `har.read_events`, what a model found, or events one by one.
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
    if isinstance(events, Result | Predictions):
        table = events.to_events()
    else:
        table = events if isinstance(events, EventTable) else build_table(events)
    return tuple(formats.write_events(table, to_path(path), format, WriteSettings(fps, guard)))


@dataclass(frozen=True)
class Converted:
    """What `har.convert` has read and written.

    Attributes:
        table: The events as they were written, with notes on how they were read.
        path: Where they are.
        notes: What had to be assumed, mended or left out, in reading and in writing.
    """

    table: EventTable
    path: Path
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har convert --json` prints."""
        counts = Counter(event.label for event in self.table.events)
        return {
            "path": str(self.path),
            "n_videos": len(self.table.media),
            "n_events": len(self.table.events),
            "labels": dict(sorted(counts.items())),
            "notes": list(self.notes),
        }


def convert(
    sources: StrPath | Iterable[StrPath],
    out: StrPath,
    *,
    source_format: str | None = None,
    out_format: str | None = None,
    columns: Mapping[str, str] | None = None,
    fps: float | None = None,
    video: str = "",
    renames: Mapping[str, str] | None = None,
    points: float | None = None,
    guard: bool = True,
) -> Converted:
    """Read coded events of one tool, or of several files, and write them as another reads them.

    Args:
        sources: Files, or folders of them; all events go into one result.
        out: The file. Where the format holds one video a file and there are several, a folder.
        source_format: Of the sources, such as ``boris``; found from content and ending when None.
        out_format: Of ``out``; taken from its ending when None.
        columns: As of `har.read_events`.
        fps: Frames a second of the videos, for formats that count frames.
        video: The video that all events are in, where a file names none.
        renames: What labels are called in ``out``: ``{"Hitting others": "fight"}``; an empty text
            leaves a label's events out.
        points: Length that point events get, in seconds; they stay points when None.
        guard: As of `har.write_events`.

    Raises:
        ConfigError: A label to rename does not occur, or the length of points is none.
        InterchangeError: A file cannot be understood, or a format not written.
        MissingDependencyError: A format needs an extra that is not installed.
        OutputError: A file cannot be written.

    Example:
        >>> import har
        >>> har.convert("results/results.json", "found.boris").notes  # doctest: +SKIP
        ('Videos are named by where they are, so that BORIS finds them: films/day1.mp4',)
    """
    if points is not None and not 0 < points <= 60:
        raise ConfigError(f"Expected a length of point events up to 60 s, received {points:g}")
    settings = ReadSettings(dict(columns or {}), fps, video)
    paths = list_paths(sources)
    read = {
        str(path): formats.read_events(path, source_format, settings)
        for path in dict.fromkeys(paths)
    }
    table = join_codings(read)
    table = rename_labels(table, renames or {}, ", ".join(map(str, paths)))
    if points is not None:
        table = give_length(table, points)
    lost = formats.write_events(table, to_path(out), out_format, WriteSettings(fps, guard))
    return Converted(table, to_path(out), (*table.notes, *lost))
