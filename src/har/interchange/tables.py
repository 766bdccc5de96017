"""Events as a table, one line an event: our own columns, or any others by a map.

    video           any path or name of it
    start_s, end_s  seconds, or h:mm:ss.mmm; an empty end, or the start again: a point event
    label           empty with both times: the video was watched and nothing happens in it
    subject, target, annotator, comment, score, group       optional
    point           optional; "yes" where only the moment was coded

`har.tables` says in which encodings and by which separators the file may be written. Columns of
common other names are found by themselves, and a note says so.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from har import files
from har.errors import HarError, InterchangeError, MissingDependencyError
from har.escaping import guard_cell, unguard_cell
from har.interchange.events import CodedEvent, EventTable, Media, build_table, name_some
from har.interchange.format import Format, Source, WriteSettings
from har.tables import Table, parse_number, parse_time_s, read_table

COLUMNS = (
    *("video", "start_s", "end_s", "label", "subject", "target", "annotator", "comment"),
    *("point", "score", "group"),
)
"""Of the tables that are written."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "video": (
        *("video", "media file name", "media file", "source", "media", "file", "filename"),
        *("file name", "recording", "path"),
    ),
    "start": (
        *("start_s", "onset_s", "start", "onset", "start (s)", "start time", "begin", "begin time"),
        *("onset time", "onset (s)", "from", "time_start", "begin time - ss.msec"),
    ),
    "end": (
        *("end_s", "offset_s", "end", "offset", "stop (s)", "stop", "end time", "stop time"),
        *("offset time", "offset (s)", "to", "time_end", "end time - ss.msec"),
    ),
    "duration": ("duration_s", "duration", "duration (s)", "length", "duration - ss.msec"),
    "label": ("label", "behavior", "behaviour", "code", "action", "activity", "annotation"),
    "subject": ("subject", "participant", "person", "actor"),
    "target": ("target", "receiver", "recipient"),
    "annotator": ("annotator", "observer", "coder", "rater"),
    "comment": ("comment", "comments", "comment start", "note", "notes", "remarks"),
    "point": ("point",),
    "score": ("score", "confidence", "probability"),
    "group": ("group",),
}
"""What a column may be called that is not named by a map: lower case, the best first."""
_NEEDED = ("start", "label")
_OURS = {*COLUMNS, "onset_s", "offset_s", "start", "end", "onset", "offset", "duration_s"}
_SHEET = {"time", "subject", "code", "modifier", "comment"}
_SAME_S = 1.0
_YES = {"1", "yes", "true", "point"}


def _matches(source: Source) -> bool:
    return not source.is_json


def read_csv(source: Source) -> EventTable:
    """Read a table of events.

    Raises:
        InterchangeError: A column is missing, or a line makes no sense.
        TableError: The file is no table.
        MissingDependencyError: It is a workbook, and the extra ``excel`` is not installed.
    """
    table = read_table(source.path)
    columns, notes = find_columns(table, source.settings.columns)
    if "video" not in columns and not source.settings.video:
        raise InterchangeError(
            f"{source.path} has no column for the video (its columns: {_list(table.names)}): add "
            f"one named video, say which it is (har convert --columns video=COLUMN), or name the "
            f"video that all events are in (--video)"
        )
    events, media = list[CodedEvent](), dict[str, Media]()
    ends, odd, divided = list[int](), list[int](), dict[str, None]()
    for row in table.rows:
        cells = {field: row.get(column) for field, column in columns.items()}
        try:
            item, event = _parse_row(cells, source.settings.video)
        except ValueError as error:
            raise InterchangeError(
                f"Line {row.line} of {source.path} cannot be used: {error}"
            ) from error
        first = media.setdefault(item.video, item)
        if item.group and not first.group:
            media[item.video] = Media(item.video, group=item.group)
        elif item.group not in ("", first.group):
            divided[item.video] = None
        if event is not None:
            events.append(event)
            ends += [row.line] if event.point else []
            odd += [row.line] if _is_odd(event, cells) else []
    file = source.path.name
    notes += [
        *_name_lines(f"{file} has point events, without an end, in line", ends),
        *_name_lines(f"{file} has ends that its durations contradict; the ends count. Line", odd),
        *name_some(f"{file} has several groups of a video, of which the first counts", [*divided]),
    ]
    return build_table(events, media.values(), notes=(*table.notes, *notes))


def _name_lines(what: str, lines: Sequence[int]) -> list[str]:
    return [note.replace(f"{what}:", what, 1) for note in name_some(what, lines)]


def find_columns(table: Table, named: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the column of each field that a table has, and a note on those that were guessed.

    Args:
        table: What a user gave.
        named: Columns that the user named, by the field; those go before all others.

    Raises:
        InterchangeError: A named field or column does not exist, or one that is needed is missing.
    """
    for field, column in named.items():
        if field not in FIELDS or column.strip().lower() not in table.names:
            raise InterchangeError(
                f"{field}={column} names no field and column of {table.path}. Its columns: "
                f"{_list(table.names)}; fields: {', '.join(FIELDS)}"
            )
    found = {field: column.strip().lower() for field, column in named.items()}
    several = []
    for field, known in FIELDS.items():
        fit = [name for name in known if name in table.names]
        if field not in found and fit and fit[0] not in found.values():
            found[field] = fit[0]
            several += [f"{field}={fit[0]} (not {', '.join(fit[1:])})"] if fit[1:] else []
    missing = [field for field in _NEEDED if field not in found]
    if missing or not {"end", "duration", "point"} & set(found):
        raise InterchangeError(
            f"Expected the columns video, label, start_s and end_s in {table.path}, received "
            f"{_list(table.names)}. {_advise(table.names)}"
        )
    guessed = [f"{f}={c}" for f, c in found.items() if f not in named and c not in _OURS]
    file = table.path.name
    return found, [
        *name_some(f"Columns of {file} were guessed from their names", guessed),
        *name_some(f"Several columns of {file} may be the same; these were taken", several),
    ]


def has_columns(path: Path) -> bool:
    """Return whether a file is a table with the columns of events, under whatever names."""
    try:
        find_columns(read_table(path), {})
    except HarError:
        return False
    return True


def _list(names: Sequence[str]) -> str:
    return repr(", ".join(names)[:200])


def _advise(names: Sequence[str]) -> str:
    if any(_is_clock(name) for name in names):
        return (
            "Its first line holds a time and no names, as in an ELAN tab-delimited export: put "
            "the line video,label,start_s,end_s before it, with the columns in its order"
        )
    if set(names) == _SHEET:
        return (
            "It is a sheet to import into BORIS, which names no video and no ends of events: give "
            "what it was written from, or the project"
        )
    return (
        "Rename the columns, add those that are missing, or say which is which: "
        "har convert --columns start=COLUMN"
    )


def _is_clock(name: str) -> bool:
    try:
        return ":" in name and parse_time_s(name) >= 0
    except ValueError:
        return False


def _parse_row(cells: Mapping[str, str], video: str) -> tuple[Media, CodedEvent | None]:
    """Return a line's video and its event, if it has one."""
    text = {field: unguard_cell(cell) for field, cell in cells.items()}
    name = text.get("video", "") or video
    label, start, end = text.get("label", ""), text.get("start", ""), text.get("end", "")
    if not name:
        raise ValueError("it names no video")
    media = Media(name, group=text.get("group", ""))
    if not (label or start or end):
        return media, None
    if not label:
        raise ValueError("its label is empty")
    if not start:
        raise ValueError(f"its start is empty, its end is {end or 'empty, too'}")
    start_s = parse_time_s(start)
    end_s = _parse_end_s(start_s, end, text.get("duration", ""))
    point = end_s == start_s or text.get("point", "").lower() in _YES
    score = parse_number(text["score"]) if text.get("score") else None
    who = (text.get(field, "") for field in ("subject", "target", "annotator", "comment"))
    return media, CodedEvent(name, start_s, end_s, label, *who, point=point, score=score)


def _parse_end_s(start_s: float, end: str, duration: str) -> float:
    if end:
        return parse_time_s(end)
    return start_s + parse_time_s(duration) if duration else start_s


def _is_odd(event: CodedEvent, cells: Mapping[str, str]) -> bool:
    """Return whether a line has an end and a duration that are not of one event."""
    if not (cells.get("end") and cells.get("duration")) or event.point:
        return False
    try:
        length_s = parse_time_s(cells["duration"])
    except ValueError:  # such as NA; it is not needed
        return False
    return abs(event.end_s - event.start_s - length_s) > _SAME_S


def write_csv(
    table: EventTable, path: Path, settings: WriteSettings, delimiter: str = ","
) -> list[str]:
    """Write a table in UTF-8: the columns of `COLUMNS`, times to the microsecond."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _iter_rows(table):
        writer.writerow(_guard(row, settings))
    files.write_text(path, text.getvalue())
    return []


def write_xlsx(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write a workbook with one sheet; every cell but times and scores is text, never a formula.

    Raises:
        MissingDependencyError: The extra ``excel`` is not installed.
        OutputError: The file cannot be written.
    """
    numbers = {COLUMNS.index(name) for name in ("start_s", "end_s", "score")}
    lines = (_guard(row, settings) for row in _iter_rows(table))
    write_sheet(
        path,
        COLUMNS,
        (
            [float(cell) if place in numbers and cell else cell for place, cell in enumerate(line)]
            for line in lines
        ),
    )
    return []


def write_sheet(path: Path, header: Sequence[str], rows: Iterable[Sequence[str | float]]) -> None:
    """Write a workbook with a sheet of numbers and texts, never a formula or a link.

    Raises:
        InterchangeError: There are more lines than a workbook holds, or a text is too long.
        MissingDependencyError: The extra ``excel`` is not installed.
        OutputError: The file cannot be written.
    """
    try:
        import xlsxwriter
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "Writing Excel files needs a package; run: pip install "
            "'human-action-recognition[excel]'"
        ) from error
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, options) as book:
        sheet = book.add_worksheet("events")
        for line, row in enumerate((header, *rows)):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    text = cell.encode("utf-8", "backslashreplace").decode("utf-8")
                    failed = sheet.write_string(line, place, text)
                else:
                    failed = sheet.write_number(line, place, cell)
                if failed:
                    raise InterchangeError(
                        f"Line {line + 1} does not fit into a workbook of at most 1,048,576 lines "
                        f"and 32,767 letters a cell; write CSV to {path.with_suffix('.csv').name}"
                    )
    with files.replacing(path) as part:
        part.write_bytes(data.getvalue())


def _guard(row: Sequence[str], settings: WriteSettings) -> Sequence[str]:
    return [guard_cell(cell) for cell in row] if settings.guard else row


def _iter_rows(table: EventTable) -> Iterator[list[str]]:
    for item in table.media:
        events: Iterable[CodedEvent] = table.of_video(item.video)
        if not events:
            yield [item.video, *[""] * (len(COLUMNS) - 2), item.group]
        for event in events:
            score = "" if event.score is None else f"{event.score:.6g}"
            yield [
                *(event.video, _format_s(event.start_s), _format_s(event.end_s), event.label),
                *(event.subject, event.target, event.annotator, event.comment),
                *("yes" if event.point else "", score, item.group),
            ]


def _format_s(time_s: float) -> str:
    """Return seconds to the microsecond, to the millisecond where that is the same.

    >>> _format_s(1.5), _format_s(1.0000004), _format_s(2.000125)
    ('1.500', '1.000', '2.000125')
    """
    fine, coarse = f"{time_s:.6f}", f"{time_s:.3f}"
    return coarse if float(fine) == float(coarse) else fine


_KEEPS = frozenset({"subject", "target", "annotator", "comment", "point", "score"})

FORMATS = (
    Format(
        "tsv",
        "table (TSV)",
        (".tsv", ".tab"),
        None,
        read_csv,
        partial(write_csv, delimiter="\t"),
        _KEEPS,
    ),
    Format("xlsx", "Excel workbook", (".xlsx",), None, read_csv, write_xlsx, _KEEPS),
    Format("csv", "table (CSV)", (".csv", ".txt"), _matches, read_csv, write_csv, _KEEPS),
)
