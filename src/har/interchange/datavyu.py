"""Datavyu's ``.opf``: an archive with a table of columns, whose cells have times and codes.

    #4
    NAME (MATRIX,true,)-CODE|NOMINAL,CODE|NOMINAL
    00:00:01:000,00:00:02:500,(VALUE,VALUE)

A column's name is the label, and its codes stand in the comment. ``label=CODE`` among the columns
takes the value of that code for the label instead; subject, target and annotator likewise. A cell
that ends where it begins, or at 0, is a point event.

Source: ``OpenDatabaseFileC.java``, ``SaveDatabaseFileC.java`` and
``DatavyuProjectRepresenter.java`` of https://github.com/databrary/datavyu.
"""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from har.interchange.events import CodedEvent, EventTable, Media, build_table, name_some
from har.interchange.format import Format, Source
from har.interchange.values import make_event, parsing
from har.tables import parse_time_s

MAX_BYTES = 64 * 2**20
"""A table that unpacks to more is refused."""
_COLUMN = re.compile(r"(.+?) \((MATRIX|TEXT|NOMINAL|INTEGER|FLOAT)\b[^)]*\)-?(.*)")
_CELL = re.compile(r"(\d+:\d\d:\d\d:\d{3}),(\d+:\d\d:\d\d:\d{3}),?(.*)", re.DOTALL)
_FEED = re.compile(r"""^[ -]*feed: *["']?(.+?)["']? *$""", re.MULTILINE)
_COMMA = re.compile(r"(?<!\\),")
_FIELDS = ("label", "subject", "target", "annotator")


def _matches(source: Source) -> bool:
    return source.head.startswith(b"PK") and source.path.suffix.lower() == ".opf"


def read_opf(source: Source) -> EventTable:
    """Read the cells of all columns.

    Raises:
        InterchangeError: The archive is damaged or too large, or a line of it makes no sense.
    """
    with parsing(source, "a file of Datavyu"):
        db, project = _unpack(source)
        found = _FEED.search(project)
        video = found[1] if found else source.name_video()
        if others := set(source.settings.columns) - {*_FIELDS}:
            raise ValueError(f"{', '.join(sorted(others))} cannot be a code; these can: {_FIELDS}")
        events, empty = _read_cells(db, video, source.settings.columns)
    notes = name_some("Cells without the code that is the label are left out, in line", empty)
    if not found and not source.settings.video:
        notes.append(f"{source.path.name} names no video; it is taken as {video}")
    return build_table(events, [Media(video)], notes=notes)


def _unpack(source: Source) -> tuple[str, str]:
    """Return the table and the project's settings, empty where there are none."""
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            if "db" not in archive.namelist():
                raise ValueError("its archive holds no table named db")
            db, project = (_read_member(archive, name) for name in ("db", "project"))
    except (
        *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
        *(RuntimeError, struct.error),  # locked by a password, packed in ways that are not known
    ) as error:
        raise ValueError(f"its archive is damaged or locked: {error}") from error
    return db, project


def _read_member(archive: zipfile.ZipFile, name: str) -> str:
    if name not in archive.namelist():
        return ""
    with archive.open(name) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"its {name} unpacks to more than {MAX_BYTES // 2**20} MiB")
    return data.decode("utf-8-sig", errors="replace")


def _read_cells(
    db: str, video: str, columns: Mapping[str, str]
) -> tuple[list[CodedEvent], list[str]]:
    """Return the events, and the lines of cells that lack a label."""
    events, empty = list[CodedEvent](), list[str]()
    name, codes = "", list[str]()
    for number, line in _iter_lines(db):
        where = f"line {number} of its table"
        if match := _CELL.fullmatch(line):
            if not name:
                raise ValueError(f"{where}: a cell stands before the first column")
            values = dict(zip(codes, _split(match[3]), strict=False))
            label = values.get(columns["label"], "") if "label" in columns else name
            if label:
                events.append(_build_event(where, video, label, match, values, columns))
            else:
                empty.append(str(number))
        elif match := _COLUMN.fullmatch(line):
            name = _unescape(match[1])
            codes = [_unescape(part.partition("|")[0]) for part in _COMMA.split(match[3])]
            codes = codes if any(codes) else ["value"]
        elif name and line.strip():
            raise ValueError(f"{where} is neither a column nor a cell: {line[:60]!a}")
    return events, empty


def _build_event(
    where: str,
    video: str,
    label: str,
    cell: re.Match[str],
    values: Mapping[str, str],
    columns: Mapping[str, str],
) -> CodedEvent:
    start_s, end_s = parse_time_s(cell[1]), parse_time_s(cell[2])
    point = end_s in (0.0, start_s)
    used = {field: code for field, code in columns.items() if field in _FIELDS}
    who = {field: values.get(code, "") for field, code in used.items() if field != "label"}
    rest = (
        f"{code}={value}" for code, value in values.items() if value and code not in used.values()
    )
    end_s = start_s if point else end_s
    return make_event(
        where, video, start_s, end_s, label, **who, comment=", ".join(rest), point=point
    )


def _iter_lines(text: str) -> Iterator[tuple[int, str]]:
    """Return each line's number and text; one that ends in a backslash goes on in the next."""
    begun: tuple[int, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        first, before = begun or (number, "")
        begun = (first, f"{before}{line[:-1]} ") if line.endswith("\\") else None
        if begun is None:
            yield first, before + line
    if begun is not None:
        yield begun


def _split(values: str) -> list[str]:
    r"""Return the values of a cell.

    >>> _split(r"(a\,b,,c)"), _split("a text")
    (['a,b', '', 'c'], ['a text'])
    """
    if values.startswith("(") and values.endswith(")"):
        values = values[1:-1]
    return [_unescape(part).strip() for part in _COMMA.split(values)]


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


FORMAT = Format("datavyu", "Datavyu", (".opf",), _matches, read_opf)
