import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, EventTable, Media
from har.interchange.format import ReadSettings
from har.interchange.formats import read_events

DB = r"""#4
act (MATRIX,true,)-what|NOMINAL,who|NOMINAL,note|TEXT
00:00:01:000,00:00:02:500,(hit,child,a\, b)
00:00:03:000,00:00:03:000,(kick,,)
00:00:04:250,00:00:00:000,(,child,)
looks away (TEXT,false,)
01:00:00:000,01:00:01:000,to the \
door
"""
PROJECT = """!project
dbFile: db
name: day1
viewerSettings:
- !vs
  classifier: datavyu.video
  feed: C:\\films\\day 1.mp4
  plugin: org.datavyu.plugins
"""


def pack(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def read(folder: Path, db: str = DB, **settings) -> EventTable:
    path = pack(folder / "day1.opf", db=db, project=PROJECT)
    return read_events(path, settings=ReadSettings(**settings))


def test_columns_are_labels_and_codes_comments(tmp_path):
    table = read(tmp_path)
    video = "C:\\films\\day 1.mp4"
    assert table.events == (
        CodedEvent(video, 1.0, 2.5, "act", comment="what=hit, who=child, note=a, b"),
        CodedEvent(video, 3.0, 3.0, "act", comment="what=kick", point=True),
        CodedEvent(video, 4.25, 4.25, "act", comment="who=child", point=True),
        CodedEvent(video, 3600.0, 3601.0, "looks away", comment="value=to the  door"),
    )
    assert table.notes == ()


def test_codes_may_be_labels_and_people(tmp_path):
    table = read(tmp_path, columns={"label": "what", "subject": "who"})
    video = "C:\\films\\day 1.mp4"
    assert table.events == (
        CodedEvent(video, 1.0, 2.5, "hit", "child", comment="note=a, b"),
        CodedEvent(video, 3.0, 3.0, "kick", point=True),
    )
    assert table.notes == ("Cells without the code that is the label are left out, in line: 5, 7",)


def test_times_are_no_codes(tmp_path):
    with pytest.raises(InterchangeError, match="start cannot be a code"):
        read(tmp_path, columns={"start": "what"})


def test_a_file_without_a_video_takes_its_own_name(tmp_path):
    table = read_events(pack(tmp_path / "day1.opf", db=DB))
    assert table.media == (Media("day1"),)
    assert table.notes == ("day1.opf names no video; it is taken as day1",)
    table = read_events(tmp_path / "day1.opf", settings=ReadSettings(video="a.mp4"))
    assert table.media == (Media("a.mp4"),)
    assert table.notes == ()


@pytest.mark.parametrize(
    ("db", "why"),
    [
        (DB.replace("00:00:02:500", "00:00:00:500"), "line 3 of its table: expected 0 <= start_s"),
        (DB.replace("00:00:02:500", "00:00:99:500"), "below 60|99"),
        (DB.replace("00:00:02:500", "2.5"), "line 3 of its table is neither a column nor a cell"),
        ("#4\n00:00:01:000,00:00:02:500,(hit)\n", "a cell stands before the first column"),
    ],
)
def test_lines_that_make_no_sense_are_named(db, why, tmp_path):
    with pytest.raises(InterchangeError, match=why):
        read(tmp_path, db)


def test_archives_that_are_damaged_locked_or_too_large_are_refused(tmp_path):
    with pytest.raises(InterchangeError, match="unpacks to more than 64 MiB"):
        read_events(pack(tmp_path / "bomb.opf", db=b"0" * (64 * 2**20 + 1)))
    with pytest.raises(InterchangeError, match="holds no table named db"):
        read_events(pack(tmp_path / "a.opf", other="x"))
    locked = bytearray(pack(tmp_path / "l.opf", db=DB).read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + place] |= 1
    (tmp_path / "l.opf").write_bytes(locked)
    with pytest.raises(InterchangeError, match="damaged or locked"):
        read_events(tmp_path / "l.opf")


@given(place=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_archive_is_read_or_refused(place, value, cut, tmp_path_factory):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("db", DB)
    data = bytearray(file.getvalue())
    data[place % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.opf"
    path.write_bytes(data[: place % len(data)] if cut else data)
    try:
        table = read_events(path, "datavyu")
    except InterchangeError:
        return
    assert len(table.events) <= 4
