"""Tables of BORIS: aggregated and tabular events, of this version and old ones; the import sheet.

Columns are found by their names. Aggregated events have a line an event; tabular events have one
for the start and one for the stop of a state, and in exports until BORIS 8.0 lines of keys and
values before the header. Times are those of the observation, whose videos follow one another.

Source: ``export_events.py`` and ``export_observation.py`` of BORIS 10.0.2, 8.27, 8.0, 7.13, 7.9.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from har import files
from har.errors import InterchangeError, MissingDependencyError, TableError
from har.escaping import guard_cell, unguard_cell
from har.interchange.boris_observation import (
    ANNOTATORS,
    NO_SUBJECT,
    POINT,
    START,
    STATE,
    STOP,
    VARIABLES,
    Observation,
    Row,
    Span,
    build_events,
    build_observation,
    fit_events,
    format_comment,
    format_target,
    merge_events,
    pair_rows,
)
from har.interchange.boris_writing import POINTS, list_rows, name_codes
from har.interchange.events import MAX_TIME_S, EventTable, Media, name_some
from har.interchange.format import Format, Source, WriteSettings
from har.interchange.tables import write_sheet
from har.tables import Row as Line
from har.tables import Table, parse_number, parse_time_s, read_table

_AGGREGATED = ("behavior", "behavior type", "start (s)", "stop (s)")
_TABULAR = (("behavior", "behavior type", "time"), ("behavior", "status", "time"))
_VIDEO = ("media file name", "media file", "media file path")
_T = TypeVar("_T", Row, Span)
_NO_VIDEO = ("", "NA", "Not found", "LIVE")
_PLAYER = re.compile(r"(?:^|\|)\s*player #(\d+):", re.IGNORECASE)
_HEAD_LINES = 60
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_COLUMNS_BEFORE = (
    *("Observation id", "Observation date", "Description", "Observation type", "Source"),
    *("Time offset (s)", "Coding duration", "Media duration (s)", "FPS (frame/s)"),
    *(*VARIABLES, "Subject", "Observation duration by subject by observation", "Behavior"),
    "Behavioral category",
)
_COLUMNS_AFTER = (
    *("Behavior type", "Start (s)", "Stop (s)", "Duration (s)", "Media file name"),
    *("Image index start", "Image index stop", "Image file path start", "Image file path stop"),
    *("Comment start", "Comment stop"),
)


def _find_header(source: Source, headers: Sequence[Sequence[str]]) -> Sequence[str] | None:
    """Return the first of some sets of columns that a line of a file has, or None.

    A table whose columns the user has named is none of BORIS.
    """
    if source.settings.columns:
        return None
    if source.head.startswith(_WORKBOOKS):
        for header in headers:
            try:
                read_table(source.path, header)
            except (TableError, MissingDependencyError):
                continue
            return header
        return None
    text = source.head.replace(b"\0", b"").decode("latin-1").lower()
    lines = [
        {cell.strip('\xef\xbb\xbf\xff\xfe "') for cell in re.split("[,;\t]", line)}
        for line in text.splitlines()[:_HEAD_LINES]
    ]
    return next(
        (header for header in headers if any(line.issuperset(header) for line in lines)), None
    )


def _matches_aggregated(source: Source) -> bool:
    return _find_header(source, (_AGGREGATED,)) is not None


def _matches_tabular(source: Source) -> bool:
    return _find_header(source, _TABULAR) is not None


def read_aggregated(source: Source) -> EventTable:
    """Read aggregated events, exported by any BORIS since version 7.

    Raises:
        InterchangeError: A line makes no sense, or the videos of an observation cannot be told.
        TableError: The file is no such table.
        MissingDependencyError: It is a workbook, and the extra ``excel`` is not installed.
    """
    table = read_table(source.path, _AGGREGATED)
    found = [
        (observation, [_parse(source.path, line, _parse_span) for line in lines])
        for observation, lines in _group(table)
    ]
    return _build(source.path, found, [*table.notes])


def read_tabular(source: Source) -> EventTable:
    """Read tabular events, exported by any BORIS since version 7.

    Raises:
        InterchangeError: A line makes no sense, or the videos of an observation cannot be told.
        TableError: The file is no such table.
        MissingDependencyError: It is a workbook, and the extra ``excel`` is not installed.
    """
    table = read_table(source.path, _find_header(source, _TABULAR) or _TABULAR[0])
    found, unpaired = [], []
    for observation, lines in _group(table):
        rows = [_parse(source.path, line, _parse_row) for line in lines]
        spans, lacking = pair_rows(sorted(rows, key=lambda row: row.time_s))
        found.append((observation, spans))
        unpaired += [f"{row} in {observation.name}" for row in lacking]
    notes = name_some("States without a start or stop are read as points", unpaired)
    return _build(source.path, found, [*table.notes, *notes])


def _build(
    path: Path, found: Sequence[tuple[Observation, Sequence[Span]]], notes: Sequence[str]
) -> EventTable:
    try:
        return build_events(found, {}, notes=notes)
    except ValueError as error:
        raise InterchangeError(f"{path} cannot be used: {error}") from error


def _parse(path: Path, line: Line, parse: Callable[[Line], _T]) -> _T:
    try:
        return parse(line)
    except ValueError as error:
        raise InterchangeError(f"Line {line.line} of {path} cannot be used: {error}") from error


def _parse_span(line: Line) -> Span:
    start_s, end_s = (parse_time_s(line.get(name)) for name in ("start (s)", "stop (s)"))
    kind = line.get("behavior type").upper()
    if kind not in (STATE, POINT) or end_s < start_s:
        raise ValueError(f"expected a STATE or POINT with start <= stop, received {kind!r}")
    comments = dict.fromkeys(filter(None, map(line.get, ("comment start", "comment stop"))))
    return Span(
        *(round(start_s, 3), round(start_s if kind == POINT else end_s, 3)),
        *(_get(line, "subject"), _parse_label(line, kind), _parse_modifiers(line)),
        unguard_cell("; ".join(comments)),
    )


def _parse_row(line: Line) -> Row:
    kind = line.get("behavior type", "status").upper()
    if kind not in (START, STOP, POINT):
        raise ValueError(f"expected START, STOP or POINT, received {kind!r}")
    return Row(
        *(round(parse_time_s(line.get("time")), 3), _get(line, "subject")),
        *(_parse_label(line, kind), _parse_modifiers(line), _get(line, "comment"), kind),
    )


def _get(line: Line, *names: str) -> str:
    return unguard_cell(line.get(*names))


def _parse_label(line: Line, kind: str) -> str:
    label = _get(line, "behavior")
    if not label:
        raise ValueError("its behavior is empty")
    return label.removesuffix(POINTS) or label if kind == POINT else label


def _parse_modifiers(line: Line) -> tuple[str, ...]:
    if "modifiers" in line.cells:
        return tuple(_get(line, "modifiers").split("|"))
    names = (name for name in line.cells if re.fullmatch(r"modifier #?\d+", name))
    return tuple(_get(line, name) for name in names)


def _group(table: Table) -> list[tuple[Observation, list[Line]]]:
    """Return the observations of a table with their lines."""
    above = {cells[0].lower(): cells[1] for cells in table.preamble if len(cells) > 1}
    groups: dict[str, list[Line]] = {}
    for line in table.rows:
        # Without an id, which some drop from exports, each video is an observation of its own.
        name = _get(line, "observation id") or above.get("observation id") or _get(line, *_VIDEO)
        groups.setdefault(name, []).append(line)
    return [(_read_observation(table, name, lines, above), lines) for name, lines in groups.items()]


def _read_observation(
    table: Table, name: str, lines: Sequence[Line], above: Mapping[str, str]
) -> Observation:
    first = lines[0]
    cells = {**above, **first.cells}

    def get(*names: str) -> str:
        return unguard_cell(next((cells[one] for one in names if cells.get(one)), ""))

    videos = [*dict.fromkeys(_get(line, *_VIDEO) for line in lines)]
    videos = [video for video in videos if video not in _NO_VIDEO]
    listed = _split_player(get("source"), videos)
    if not listed:
        players = [
            *(cells[1] for cells in table.preamble if cells[0].lower() == "player #1" and cells[1:])
        ]
        listed = players or videos or [name or table.path.stem]
    offset_s = _parse_offset(table, first, get("time offset (s)"))
    # The total length of old exports is the time of the last event where that is later.
    lasts = get("media duration (s)") or ("" if offset_s else get("total length"))
    lengths_s = _parse_numbers(lasts, len(listed))
    rates = _parse_numbers(get("fps (frame/s)", "fps"), len(listed))
    if len(listed) > 1 and None in lengths_s[:-1]:
        raise InterchangeError(
            f"Observation {name!r} of {table.path} has several videos ({', '.join(listed[:5])}), "
            "and the export does not say how long each one lasts: read the project (.boris), or "
            "export the events again with a newer BORIS"
        )
    group = get(VARIABLES[1])
    media = [Media(*known, group=group) for known in zip(listed, lengths_s, rates, strict=True)]
    return build_observation(name, media, offset_s, get(*ANNOTATORS))


def _parse_offset(table: Table, line: Line, text: str) -> float:
    try:
        offset_s = parse_time_s(text.removeprefix("-")) if text else 0.0
    except ValueError as error:
        raise InterchangeError(
            f"Line {line.line} of {table.path} cannot be used: its time offset: {error}"
        ) from error
    return -offset_s if text.startswith("-") else offset_s


def _split_player(source: str, videos: Sequence[str]) -> list[str]:
    """Return the files of player 1; one that lines name as it is may have any letter.

    >>> _split_player("player #1:a.mp4;b.mp4|player #2:c.mp4", ["a.mp4"])
    ['a.mp4', 'b.mp4']
    """
    _, *parts = _PLAYER.split(source)
    found = [text for number, text in zip(parts[::2], parts[1::2], strict=True) if number == "1"]
    whole = source[source.find(":") + 1 :]
    if not found or whole in videos:
        return [whole] if found else []
    return found[:1] if found[0] in videos else [one for one in found[0].split(";") if one]


def _parse_numbers(text: str, n: int) -> list[float | None]:
    """Return the numbers of player 1's files, None for those that are not known."""
    parts = text.split("|")[0].split(";")
    numbers: list[float | None] = []
    for part in parts:
        try:
            number = parse_number(part)
        except ValueError:
            number = 0.0
        numbers.append(number if 0 < number <= MAX_TIME_S else None)
    return numbers if len(numbers) == n else [None] * n


def write_aggregated(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write a CSV file as BORIS exports aggregated events, one observation a video and annotator.

    Raises:
        OutputError: The file cannot be written.
    """
    events = fit_events(table.events)
    media = {item.video: item for item in table.media}
    coded = {event.video for event in events}
    has_target = any(event.target for event in events)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    modifier = ["Modifier #1"] if has_target else []
    writer.writerow([*_COLUMNS_BEFORE, *modifier, *_COLUMNS_AFTER])
    for event in events:
        item = media[event.video]
        length, fps = (f"{v:.3f}" if v else "NA" for v in (item.duration_s, item.fps))
        name = f"{event.video} ({event.annotator})" if event.annotator else event.video
        lasts = "NA" if event.point else f"{event.end_s - event.start_s:.3f}"
        row = [
            *(name, "", "", "Media file", f"player #1:{event.video}", "0.0", "", length, fps),
            *(event.annotator, item.group, event.subject or NO_SUBJECT, "", event.label),
            *("Not defined", *([format_target(event.target)] if has_target else [])),
            *(POINT if event.point else STATE, f"{event.start_s:.3f}", f"{event.end_s:.3f}"),
            *(lasts, event.video, "NA", "NA", "", "", format_comment(event), ""),
        ]
        writer.writerow(map(guard_cell, row) if settings.guard else row)
    files.write_text(path, text.getvalue())
    return name_some(
        "Videos without events are not named in the table", [v for v in media if v not in coded]
    )


def write_import(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write a sheet that BORIS imports into an open observation: a row for each start and stop.

    Raises:
        MissingDependencyError: The extra ``excel`` is not installed.
        OutputError: The file cannot be written.
    """
    events, notes = merge_events(table.events)
    codes, more = name_codes(events)
    rows = list_rows(events, codes)
    write_sheet(path, ("time", "subject", "code", "modifier", "comment"), rows)
    return [*notes, *more]


_KEEPS = frozenset({"subject", "target", "annotator", "comment", "point", "score"})
_ENDINGS = (".csv", ".tsv", ".xlsx")

FORMATS = (
    Format(
        "boris-aggregated",
        "aggregated events of BORIS",
        (".boris.csv",),
        _matches_aggregated,
        read_aggregated,
        write_aggregated,
        _KEEPS,
        is_exact=False,
    ),
    Format("boris-tabular", "tabular events of BORIS", _ENDINGS, _matches_tabular, read_tabular),
    Format(
        "boris-import",
        "import sheet of BORIS",
        (".boris.xlsx",),
        write=write_import,
        keeps=_KEEPS - {"annotator"},
        one_video=True,
    ),
)
