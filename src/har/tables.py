"""Tables as people's programs write them: the one reader of manifests, codings and truths.

A table is text with cells parted by comma, semicolon or tab (UTF-8 with or without a byte order
mark, UTF-16, or Windows' cp1252), or a sheet of Excel or LibreOffice. Numbers may have a decimal
comma, times may be written as ``h:mm:ss.mmm``. What had to be assumed is said in `Table.notes`.
"""

from __future__ import annotations

import csv
import datetime
import io
import math
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from har.errors import MissingDependencyError, TableError

MAX_BYTES = 64 * 2**20
"""Larger files, or sheets that unpack to more, are refused: no table of clips or events is."""
MAX_COLUMNS = 1000

_DELIMITERS = ",;\t"
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_SEP_LINE = re.compile(r"sep=([,;\t])\s*", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d*)?)")
_CLOCK_MS = re.compile(r"(\d+):(\d{1,2}):(\d{1,2}):(\d{3})")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b")


@dataclass(frozen=True)
class Row:
    """One line of a table: its number, from 1, and its cells by lower-case column name."""

    line: int
    cells: Mapping[str, str]

    def get(self, *names: str) -> str:
        """Return the first cell of some columns that is not empty, else an empty text.

        >>> Row(2, {"start": "", "onset": "1.5"}).get("start", "onset", "begin")
        '1.5'
        """
        return next((self.cells[name] for name in names if self.cells.get(name)), "")


@dataclass(frozen=True)
class Table:
    """What a file of a user holds.

    Attributes:
        path: The file.
        names: Columns in lower case, in the file's order; none twice, none empty.
        rows: Those that are not blank.
        notes: What had to be assumed, in words for the user; often none.
        preamble: Cells of the lines before the header.
    """

    path: Path
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    preamble: tuple[tuple[str, ...], ...] = ()


def read_table(path: Path, header: Iterable[str] = ()) -> Table:
    """Read a table, whatever program wrote it.

    Args:
        path: A text file, or an Excel or LibreOffice workbook, of which the first sheet is taken.
        header: Lower-case names; the first line that has all of them is the header, and those
            before it go to `Table.preamble`.

    Raises:
        TableError: The file cannot be read, is too large, has no header, a column twice, or a line
            with more cells than columns.
        MissingDependencyError: It is a workbook, and the extra ``excel`` is not installed.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TableError(
                f"{path} has {path.stat().st_size / 2**20:.0f} MiB; a table may have at most "
                f"{MAX_BYTES // 2**20}. Split it, or name the table and not a video"
            )
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a null byte in the name; errors of tables are ValueErrors, too
        if isinstance(error, TableError):
            raise
        raise TableError(f"{str(path)!a} cannot be read: {error}") from error
    if data.startswith((_ZIP, _OLE)):
        return _build(path, enumerate(_read_workbook(path, data), 1), [], header)
    text, notes = _decode(path, data)
    return _build(path, _split(path, text), notes, header)


def begins_like(path: Path, names: Sequence[str]) -> bool:
    """Return whether a file's first line holds all of some column names, whatever its encoding."""
    try:
        with path.open("rb") as file:
            data = file.read(4096)
    except (OSError, ValueError):
        return False
    header = data.replace(b"\0", b"").lower().split(b"\n")
    first = b"".join(
        header[:2] if header[0].startswith((b"sep=", b"\xef\xbb\xbfsep=")) else header[:1]
    )
    return all(name.encode() in first for name in names)


def parse_number(text: str) -> float:
    """Return a finite number that may have a decimal comma.

    >>> parse_number("1,5"), parse_number("2.25"), parse_number("-3")
    (1.5, 2.25, -3.0)

    Raises:
        ValueError: It is no finite number.
    """
    found = text.strip()
    value = float(found.replace(",", ".")) if _NUMBER.fullmatch(found) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"expected a number such as 1.5, received {text!r}")
    return value


def parse_time_s(text: str) -> float:
    """Return seconds from a number or a time such as ``0:01:02.5`` (hours, minutes, seconds).

    ``1:02`` is a minute and two seconds; ``0:01:02:500`` has milliseconds at its end.

    >>> parse_time_s("62,5"), parse_time_s("0:01:02.5"), parse_time_s("1:02")
    (62.5, 62.5, 62.0)

    Raises:
        ValueError: It is no time, or a calendar date.
    """
    found = text.strip()
    if match := _CLOCK_MS.fullmatch(found):
        hours, minutes, seconds, thousandths = (int(part) for part in match.groups())
        _check_clock(text, minutes, seconds)
        return 3600.0 * hours + 60.0 * minutes + seconds + thousandths / 1000
    if match := _CLOCK.fullmatch(found):
        minutes, seconds = int(match[2]), float(match[3].replace(",", "."))
        _check_clock(text, minutes if match[1] else 0, seconds)
        return 3600.0 * int(match[1] or 0) + 60.0 * minutes + seconds
    if _DATE.match(found) and not _NUMBER.fullmatch(found):
        raise ValueError(
            f"{text!r} is a calendar date: format the column as numbers (seconds) or as text "
            "(h:mm:ss.mmm) in the spreadsheet and save it again"
        )
    try:
        return parse_number(text)
    except ValueError:
        raise ValueError(
            f"expected seconds such as 62.5, or h:mm:ss.mmm, received {text!r}"
        ) from None


def _check_clock(text: str, minutes: float, seconds: float) -> None:
    if minutes >= 60 or seconds >= 60:
        raise ValueError(f"expected minutes and seconds under 60, received {text!r}")


def _decode(path: Path, data: bytes) -> tuple[str, list[str]]:
    """Return the text of a file, and what had to be assumed about its encoding."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_as(path, data, encoding), []
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return _decode_as(path, data, "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"), []
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        place = data.count(b"\n", 0, error.start) + 1
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} is no text in UTF-8, UTF-16 or cp1252: byte {error.start} is "
            f"0x{data[error.start]:02x}. Save it as 'CSV UTF-8'"
        ) from error
    return text, [
        f"{path.name} is not UTF-8 (first seen in line {place}); it is read as Windows cp1252. "
        "If letters are wrong, save it as 'CSV UTF-8'"
    ]


def _decode_as(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} begins like {encoding} but byte {error.start} is not; save it as 'CSV UTF-8'"
        ) from error


def _split(path: Path, text: str) -> Iterable[tuple[int, list[str]]]:
    """Return each line's number and its cells."""
    first, _, rest = text.partition("\n")
    skipped = 0
    if match := _SEP_LINE.fullmatch(first.strip("\r ")):
        delimiter, text, skipped = match[1], rest, 1
    else:
        bare = re.sub(r'"[^"]*"', "", first)
        delimiter = max(_DELIMITERS, key=bare.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num + skipped, cells
    except csv.Error as error:
        raise TableError(
            f"Line {reader.line_num + skipped} of {path} cannot be read: {error}"
        ) from error


def _build(
    path: Path,
    lines: Iterable[tuple[int, Sequence[str]]],
    notes: list[str],
    header: Iterable[str],
) -> Table:
    filled = ((line, cells) for line, cells in lines if any(cell.strip() for cell in cells))
    preamble = []
    for _, cells in filled:
        if {cell.strip().lower() for cell in cells}.issuperset(header):
            names = _check_names(path, cells)
            break
        preamble.append(tuple(cell.strip() for cell in cells))
    else:
        names = _check_names(path, [])
    rows = []
    for line, cells in filled:
        if any(cell.strip() for cell in cells[len(names) :]):
            raise TableError(
                f"Line {line} of {path} has {len(cells)} cells, the header has {len(names)}. "
                "Numbers with a decimal comma need ';' between cells, or quotes around them"
            )
        values = (cell.strip() for cell in cells)
        rows.append(Row(line, {n: v for n, v in zip(names, values, strict=False) if n}))
    columns = tuple(filter(None, names))
    return Table(path, columns, tuple(rows), tuple(notes), tuple(preamble))


def _check_names(path: Path, cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names or len(names) > MAX_COLUMNS or not all(name.isprintable() for name in names):
        raise TableError(
            f"{path} needs a first line with the names of its columns (at most {MAX_COLUMNS}), "
            f"received {ascii(names[:5])[:200]}"
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise TableError(
            f"{path} has the column {', '.join(twice)} more than once; rename or delete one"
        )
    return names


def _read_workbook(path: Path, data: bytes) -> list[list[str]]:
    """Return the cells of the first sheet as text."""
    if data.startswith(_ZIP):
        _check_unpacked(path, data)
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{path} is a workbook of a spreadsheet program; save it as 'CSV UTF-8', or run: "
            "pip install 'human-action-recognition[excel]'"
        ) from error
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        if sheet.total_height * sheet.total_width > MAX_BYTES // 8:
            raise TableError(f"The first sheet of {path} has too many cells; delete empty ones")
        return [
            [_format_cell(cell) for cell in cells]
            for cells in sheet.to_python(skip_empty_area=False)
        ]
    except (CalamineError, IndexError, ValueError) as error:
        raise TableError(
            f"{path} cannot be read as a workbook: {error}. Save it as 'CSV UTF-8'"
        ) from error


def _check_unpacked(path: Path, data: bytes) -> None:
    """Refuse an archive that unpacks to far more than a table."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            n_bytes = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise TableError(f"{path} is a damaged archive, not a workbook: {error}") from error
    if n_bytes > MAX_BYTES:
        raise TableError(
            f"{path} unpacks to {n_bytes / 2**20:.0f} MiB; a workbook may have at most "
            f"{MAX_BYTES // 2**20}"
        )


def _format_cell(cell: object) -> str:
    """Return a cell's text; times of day and durations as seconds, whole numbers without point."""
    if isinstance(cell, datetime.timedelta):
        return repr(cell.total_seconds())
    if isinstance(cell, datetime.time):
        return repr(
            cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1_000_000
        )
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
