"""Tables as Excel, Windows and Mac write them."""

from __future__ import annotations

import datetime
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.errors import TableError
from har.tables import MAX_BYTES, begins_like, parse_time_s, read_table

CELLS = [["video", "label", "start_s"], ["a.mp4", "schlägt", "0,5"], ["b.mp4", "", "1"]]


def encode(delimiter: str, encoding: str, end: str = "\n", before: str = "") -> bytes:
    rows = ["".join((delimiter.join(cells), end)) for cells in CELLS]
    return (before + "".join(rows)).encode(encoding)


@pytest.mark.parametrize(
    "data",
    [
        encode(";", "utf-8"),
        encode("\t", "utf-8-sig", "\r\n"),
        encode(";", "utf-16", "\r\n"),
        encode(";", "utf-16-le"),
        encode(";", "utf-16-be"),
        encode(";", "utf-8", "\r\n", "sep=;\r\n"),
        encode(";", "utf-8-sig", "\r\n", "SEP=;\r\n"),
    ],
)
def test_every_way_of_writing_gives_the_same_table(tmp_path, data):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    table = read_table(path)
    assert table.names == ("video", "label", "start_s")
    assert [dict(row.cells) for row in table.rows] == [
        {"video": "a.mp4", "label": "schlägt", "start_s": "0,5"},
        {"video": "b.mp4", "label": "", "start_s": "1"},
    ]
    assert table.notes == ()
    assert begins_like(path, ["video", "label"])


def test_cp1252_is_read_with_a_note(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(encode(";", "cp1252"))
    table = read_table(path)
    assert table.rows[0].get("label") == "schlägt"
    assert "first seen in line 2" in table.notes[0]


def test_lines_keep_their_numbers_over_blank_and_quoted_ones(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('sep=,\na,b\n\n,,\n"x\ny",2\n3,4\n', encoding="utf-8")
    assert [(row.line, row.get("a")) for row in read_table(path).rows] == [(6, "x\ny"), (7, "3")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,label,label\na,b,c\n", "has the column label more than once"),
        ("", "needs a first line"),
        ("a,b\n0,5,2,0\n", "Line 2 .* has 4 cells, the header has 2. Numbers with a decimal comma"),
        ('a,b\n"open,1\n', "Line 2 .* cannot be read"),
        ("\0\1\2,b\n", "needs a first line"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(tmp_path, text, said):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=said) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_no_file_and_a_file_too_large(tmp_path):
    with pytest.raises(TableError, match="No such file"):
        read_table(tmp_path / "absent.csv")
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(TableError, match="64"):
        read_table(large)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1.5", 1.5),
        ("1,5", 1.5),
        ("0:00:01.5", 1.5),
        ("00:00:01,5", 1.5),
        ("100:00:00", 360000.0),
        ("90:00", 5400.0),
        ("1:02", 62.0),
        ("00:01:02:250", 62.25),
        (" 3 ", 3.0),
        ("1e3", 1000.0),
    ],
)
def test_times(text, seconds):
    assert parse_time_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0:61:00", "under 60"),
        ("0:00:75", "under 60"),
        ("2026-01-01 00:00:05", "calendar date"),
        ("01.02.2026", "calendar date"),
        ("1/2/2026", "calendar date"),
        ("nan", "expected seconds"),
        ("inf", "expected seconds"),
        ("1e999", "expected seconds"),
        ("1_0", "expected seconds"),
        ("", "expected seconds"),
        ("five", "expected seconds"),
    ],
)
def test_no_times(text, said):
    with pytest.raises(ValueError, match=said):
        parse_time_s(text)


@given(st.integers(0, 359999), st.integers(0, 999))
def test_a_clock_says_what_seconds_say(seconds, thousandths):
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}.{thousandths:03}"
    assert parse_time_s(text) == pytest.approx(seconds + thousandths / 1000, abs=1e-9)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_clear_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(data)
    with suppress(TableError):
        assert all(set(row.cells) <= set(read_table(path).names) for row in read_table(path).rows)


def test_a_workbook_is_read_and_its_dates_are_refused(tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    path = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        time, date = (book.add_format({"num_format": f}) for f in ("h:mm:ss", "yyyy-mm-dd"))
        sheet.write_row(0, 0, ["Video", "Start_s", "End_s", "Label", "Day"])
        sheet.write_row(1, 0, ["a.mp4", 1.5, 2, "hit"])
        sheet.write_datetime(1, 4, datetime.datetime(2026, 1, 2), date)
        sheet.write_row(2, 0, ["b.mp4"])
        sheet.write_datetime(2, 1, datetime.time(0, 1, 2, 500_000), time)
    first, second = read_table(path).rows
    assert (first.line, first.get("start_s"), first.get("end_s")) == (2, "1.5", "2")
    assert parse_time_s(second.get("start_s")) == pytest.approx(62.5)
    with pytest.raises(ValueError, match="calendar date"):
        parse_time_s(first.get("day"))


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (MAX_BYTES + 1))
    with pytest.raises(TableError, match="unpacks to"):
        read_table(path)
