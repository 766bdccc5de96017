import csv
import zipfile
from pathlib import Path

import pytest

from har.errors import InterchangeError, TableError
from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.format import ReadSettings
from har.interchange.formats import read_events, write_events
from har.tables import read_table

DATA = Path(__file__).parents[2] / "data" / "boris"

HEADER = "Observation id,Source,Time offset (s),Media duration (s),FPS (frame/s),Subject,Behavior,"
AGGREGATED = HEADER + "Behavior type,Start (s),Stop (s),Media file name,Comment start"
TABULAR = HEADER + "Behavior type,Time,Media file name,Comment"


def read(folder, header, *lines, name="t.csv"):
    path = folder / name
    path.write_text("\n".join((header, *lines)), encoding="utf-8")
    return read_events(path)


@pytest.mark.parametrize("name", ["aggregated-10.csv", "tabular-10.tsv"])
def test_exports_of_this_boris_are_read(name):
    table = read_events(DATA / name)
    target = "modifier 1: child 2; modifier 2: strong"
    assert table.events == (
        CodedEvent("day1.mp4", 1.2, 3.4, "hitting", "child 1", "", "AB", target),
        CodedEvent("day1.mp4", 5.0, 5.0, "scream", "child 2", "", "AB", "loud", point=True),
        CodedEvent("day1.mp4", 18.5, 20.0, "spielt größer", annotator="AB"),
        CodedEvent("day2.mp4", 0.0, 2.25, "spielt größer", annotator="AB"),
    )
    assert table.media == (Media("day1.mp4", 20.0, 25.0), Media("day2.mp4", 20.0, 25.0))
    assert table.notes == (
        "Events that run on into the next video of their observation are split there: spielt "
        "größer at 28.5 s in monday",
    )


@pytest.mark.parametrize(
    ("name", "begin_s", "length_s"),
    # Aggregated events of old versions do not tell the offset of 10 s, tabular ones do.
    [("aggregated-8.csv", 10.0, 24.25), ("tabular-8.csv", 0.0, None)],
)
def test_exports_of_an_old_boris_are_read(name, begin_s, length_s):
    table = read_events(DATA / name)
    assert table.media == (Media("day1.mp4", length_s, 25.0),)
    found = [(round(e.start_s - begin_s, 3), round(e.end_s - begin_s, 3)) for e in table.events]
    assert found == [(1.2, 3.4), (5.0, 5.0), (12.0, 14.25)]
    assert [event.subject for event in table.events] == ["child 1", "child 2", ""]
    assert {event.annotator for event in table.events} == {"AB"}
    assert table.events[0].comment == "modifier 1: child 2; modifier 2: strong"
    assert table.notes == ()


@pytest.mark.parametrize("name", ["aggregated-8.csv", "tabular-8.csv"])
def test_old_exports_of_several_videos_do_not_say_where_each_begins(tmp_path, name):
    text = (DATA / name).read_text(encoding="utf-8").replace("day1.mp4", "day0.mp4", 1)
    text = text.replace("Player #1,day0.mp4", "Player #1,day0.mp4\nPlayer #1,day1.mp4")
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InterchangeError, match=r"several videos .* read the project"):
        read_events(tmp_path / name)


def test_columns_are_found_by_name_in_any_order_and_encoding(tmp_path):
    header = "Stop (s);Start (s);Behavior type;Behavior;Media file;Modifiers;Subject"
    lines = "3,5;1,5;STATE;schlägt;a.mp4;hart|target: Kind 2;No focal subject"
    (tmp_path / "t.csv").write_bytes(f"{header}\n{lines}".encode("utf-16"))
    (event,) = read_events(tmp_path / "t.csv").events
    assert event == CodedEvent("a.mp4", 1.5, 3.5, "schlägt", "", "Kind 2", "", "modifier 1: hart")


def test_two_players_and_names_with_semicolons(tmp_path):
    lines = [
        "1,player #1:a;1.mp4|player #2:s.mp4,0,60.000|50.000,25|30,x,hit,STATE,1,2,a;1.mp4,",
        "2,player #1:b.mp4;c.mp4,0,60.000;50.000,25.000;30.000,x,hit,STATE,61,62,c.mp4,",
        "3,NA,0,NA,NA,x,hit,POINT,5,5,NA,",
    ]
    table = read(tmp_path, AGGREGATED, *lines)
    assert [(e.video, e.start_s) for e in table.events] == [("a;1.mp4", 1), ("c.mp4", 1), ("3", 5)]
    assert [item.duration_s for item in table.media] == [60, 60, 50, None]


def test_a_table_whose_columns_are_named_is_none_of_boris(tmp_path):
    line = "1,player #1:a.mp4;b.mp4,0,60;30,25;25,x,hit,STATE,61,62,b.mp4,"
    (tmp_path / "t.csv").write_text(f"{AGGREGATED}\n{line}\n", encoding="utf-8")
    named = ReadSettings(columns={"label": "Subject", "video": "Media file name"})
    found = [read_events(tmp_path / "t.csv", settings=one).events[0] for one in (None, named)]
    assert [(event.label, event.start_s) for event in found] == [("hit", 1), ("x", 61)]


def test_rows_that_an_export_cut_off_their_pair_are_points(tmp_path):
    before = "1,player #1:a.mp4,0,60.000,25.000,x,hit,"
    lines = [f"{before}{kind},{time},a.mp4,{kind}" for kind, time in [("STOP", 3), ("START", 8)]]
    table = read(tmp_path, TABULAR, *lines)
    assert [(e.start_s, e.end_s, e.comment) for e in table.events] == [
        (3, 3, "STOP"),
        (8, 8, "START"),
    ]
    assert table.notes == (
        "States without a start or stop are read as points: STOP of hit at 3 s in 1, START of hit "
        "at 8 s in 1",
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,,0,60,25,x,hit,STATE,5,4,a.mp4,", "start <= stop"),
        ("1,,0,60,25,x,hit,EVENT,5,6,a.mp4,", "received 'EVENT'"),
        ("1,,0,60,25,x,,STATE,5,6,a.mp4,", "behavior is empty"),
        ("1,,0,60,25,x,hit,STATE,NA,6,a.mp4,", "received 'NA'"),
        ("1,,soon,60,25,x,hit,STATE,5,6,a.mp4,", r"time offset: .* received 'soon'"),
        ("1,,0,60,25,x,hit,STATE,5,2e9,a.mp4,", "hit at 5 s in 1"),
    ],
)
def test_lines_that_make_no_sense_are_named(tmp_path, line, message):
    with pytest.raises(InterchangeError, match=message):
        read(tmp_path, AGGREGATED, line)


def test_aggregated_events_are_written_as_boris_exports_them(tmp_path):
    events = [
        CodedEvent("a.mp4", 1, 2.5, "=hit", "x", "y", "AB", "hard", score=0.5),
        CodedEvent("a.mp4", 3.00049, 3.00049, "shout", point=True),
    ]
    media = [Media("a.mp4", 60, 25, "g"), Media("b.mp4")]
    notes = write_events(build_table(events, media), tmp_path / "t.boris.csv")
    with (tmp_path / "t.boris.csv").open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    with (DATA / "aggregated-10.csv").open(encoding="utf-8") as file:
        theirs = file.readline().strip().split(",")
    own = {"annotator", "group"}
    assert [name for name in first if name not in own] == [
        name for name in theirs if name not in ("observer", "weather", "Modifier #2")
    ]
    assert {name: text for name, text in first.items() if text} == {
        "Observation id": "a.mp4 (AB)",
        "Observation type": "Media file",
        "Source": "player #1:a.mp4",
        "Time offset (s)": "0.0",
        "Media duration (s)": "60.000",
        "FPS (frame/s)": "25.000",
        "annotator": "AB",
        "group": "g",
        "Subject": "x",
        "Behavior": "'=hit",
        "Behavioral category": "Not defined",
        "Modifier #1": "target: y",
        "Behavior type": "STATE",
        "Start (s)": "1.000",
        "Stop (s)": "2.500",
        "Duration (s)": "1.500",
        "Media file name": "a.mp4",
        "Image index start": "NA",
        "Image index stop": "NA",
        "Comment start": "[score 0.5] hard",
    }
    assert [second[name] for name in ("Subject", "Behavior type", "Stop (s)", "Duration (s)")] == [
        *("No focal subject", "POINT", "3.000", "NA"),
    ]
    assert notes == ["Videos without events are not named in the table: b.mp4"]


def test_the_import_sheet_has_a_row_for_each_start_and_stop(tmp_path):
    events = [
        CodedEvent("a.mp4", 1, 3, "=1+1", "x", "y"),
        CodedEvent("a.mp4", 2, 2, "shout", comment="http://x", point=True),
    ]
    write_events(build_table(events), tmp_path / "t.boris.xlsx")
    table = read_table(tmp_path / "t.boris.xlsx")
    assert table.names == ("time", "subject", "code", "modifier", "comment")
    assert [tuple(row.cells.values()) for row in table.rows] == [
        ("1", "x", "=1+1", "target: y", ""),
        ("2", "", "shout", "", "http://x"),
        ("3", "x", "=1+1", "target: y", ""),
    ]
    write_events(
        build_table([*events, CodedEvent("b.mp4", 0, 1, "hit")]), tmp_path / "two", "boris-import"
    )
    with pytest.raises(InterchangeError, match="written only"):
        read_events(tmp_path / "two" / "a.boris.xlsx", "boris-import")
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == [
        *("a.boris.xlsx", "b.boris.xlsx"),
    ]


def test_a_workbook_that_unpacks_to_far_more_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(2**27))
    for name in (None, "boris-aggregated", "boris-tabular"):
        with pytest.raises((InterchangeError, TableError), match="unpacks to 128 MiB"):
            read_events(tmp_path / "t.xlsx", name)


def test_a_workbook_of_no_known_version_is_refused(tmp_path):
    write_events(build_table([CodedEvent("a.mp4", 0, 1, "hit")]), tmp_path / "t.xlsx")
    data = bytearray((tmp_path / "t.xlsx").read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 224  # the version that it needs to unpack it
    (tmp_path / "t.xlsx").write_bytes(data)
    with pytest.raises(InterchangeError, match="damaged archive"):
        read_events(tmp_path / "t.xlsx")


def test_the_header_may_stand_below_other_lines(tmp_path):
    (tmp_path / "t.csv").write_text("Name,day 1\n\nx\nTime,Behavior\n1,hit\n", encoding="utf-8")
    table = read_table(tmp_path / "t.csv", ("behavior", "time"))
    assert table.names == ("time", "behavior")
    assert table.preamble == (("Name", "day 1"), ("x",))
    assert [(row.line, row.get("time")) for row in table.rows] == [(5, "1")]
    with pytest.raises(TableError, match="needs a first line with the names"):
        read_table(tmp_path / "t.csv", ("status",))
