import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from videos import make_video

from har.errors import InterchangeError
from har.interchange.boris_observation import Row, pair_rows
from har.interchange.events import CodedEvent, Media, build_table, merge_overlaps
from har.interchange.format import MAX_BYTES, WriteSettings
from har.interchange.formats import choose_format, read_events, write_events

DATA = Path(__file__).parents[2] / "data" / "boris"
"""Made by BORIS 10.0.2 (coded and saved in its window) and, what ends in 8, by BORIS 8.0.14."""

STATE, POINT = "State event", "Point event"


def make_project(events, *, types=None, observation=None, sets=None):
    """Return a project with one observation of a.mp4, 60 s, and b.mp4, 30 s."""
    types = types or {"hit": STATE, "shout": POINT}
    media = {"a.mp4": 60.0004, "b.mp4": 30.0}
    return {
        "project_format_version": "7.0",
        "behaviors_conf": {
            str(place): {"type": kind, "code": code, "modifiers": sets or {}}
            for place, (code, kind) in enumerate(types.items())
        },
        "observations": {
            "day 1": {
                "file": {"1": list(media)},
                "type": "MEDIA",
                "time offset": 0.0,
                "events": events,
                "media_info": {"length": media, "fps": dict.fromkeys(media, 25.0)},
            }
            | (observation or {})
        },
    }


def read(values, folder):
    path = folder / "p.boris"
    path.write_text(json.dumps(values), encoding="utf-8")
    return read_events(path)


def list_events(table):
    return [(e.video, e.start_s, e.end_s, e.label, e.subject) for e in table.events]


def test_a_project_that_boris_wrote_is_read():
    table = read_events(DATA / "playground.boris")
    who = {"annotator": "AB"}
    assert table.events == (
        CodedEvent("day1.mp4", 1.2, 3.4, "hitting", "child 1", "child 2", "AB", "force: strong"),
        CodedEvent("day1.mp4", 5.0, 5.0, "scream", "child 2", "", "AB", "loud", point=True),
        CodedEvent("day1.mp4", 18.5, 20.0, "spielt größer", **who),
        CodedEvent("day2.mp4", 0.0, 2.25, "spielt größer", **who),
        CodedEvent("day2.mp4", 10.125, 11.0, "hitting", "child 2", "child 1", **who),
        CodedEvent("day2.mp4", 15.5, 15.5, "spielt größer", "child 1", point=True, **who),
    )
    assert table.media == (Media("day1.mp4", 20.0, 25.0), Media("day2.mp4", 20.0, 25.0))
    assert table.labels == ("hitting", "spielt größer", "scream")
    assert table.notes == (
        "States without a start or stop are read as points: START of spielt größer at 45.5 s in "
        "monday",
        "Independent variables are not read: weather",
        "Events that run on into the next video of their observation are split there: spielt "
        "größer at 28.5 s in monday",
    )


def test_a_state_is_every_second_row_of_its_subject_and_modifiers(tmp_path):
    rows = [
        [5, "x", "hit", "hard", ""],
        [1, "x", "hit", "", "first", 25],
        [3, "x", "hit", "", "", 75],
        [3, "x", "hit", "", "second", 75],
        [4, "", "hit", "", "", "NA"],
        [6, "x", "hit", "", "end", 1],
        [6, "", "hit", "", "", 1],
        [7, "x", "hit", "hard", ""],
    ]
    table = read(make_project(rows), tmp_path)
    assert list_events(table) == [
        ("a.mp4", 1, 3, "hit", "x"),
        ("a.mp4", 3, 6, "hit", "x"),
        ("a.mp4", 4, 6, "hit", ""),
        ("a.mp4", 5, 7, "hit", "x"),
    ]
    comments = [event.comment for event in table.events]
    assert comments == ["first", "second; end", "", "modifier 1: hard"]


def test_several_videos_are_one_timeline_in_whole_milliseconds(tmp_path):
    rows = [[70, "", "shout", "", ""], [60, "", "hit", "", ""], [61, "", "hit", "", ""]]
    rows += [[59.5, "", "hit", "x", ""], [60, "", "hit", "x", ""], [95, "", "shout", "", ""]]
    table = read(make_project(rows), tmp_path)
    assert list_events(table) == [
        ("a.mp4", 59.5, 60, "hit", ""),
        ("b.mp4", 0, 1, "hit", ""),
        ("b.mp4", 10, 10, "shout", ""),
        ("b.mp4", 35, 35, "shout", ""),
    ]
    assert table.notes == (
        "Events reach beyond the end of their video: shout at 35 s in b.mp4 (30.0 s)",
    )


def test_times_are_counted_from_the_offset_or_from_the_date_of_each_video(tmp_path):
    rows = [[8, "", "shout", "", ""], [12, "", "shout", "", ""], [75, "", "shout", "", ""]]
    table = read(make_project(rows, observation={"time offset": 10}), tmp_path)
    assert [(e.video, e.start_s) for e in table.events] == [
        ("a.mp4", 0),
        ("a.mp4", 2),
        ("b.mp4", 5),
    ]
    assert table.notes == (
        "Events before the beginning of their video were moved to it: shout at 8 s in day 1",
    )
    dated = {
        "media_creation_date_as_offset": True,
        "media_info": {"media_creation_time": {"a.mp4": 1.7e9 + 500, "b.mp4": 1.7e9}},
    }
    rows = [[1.7e9 + 3, "", "shout", "", ""], [1.7e9 + 504.5, "", "shout", "", ""]]
    table = read(make_project(rows, observation=dated), tmp_path)
    assert [(e.video, e.start_s) for e in table.events] == [("b.mp4", 3), ("a.mp4", 4.5)]


def test_a_video_of_unknown_length_lasts_until_the_end(tmp_path):
    rows = [[70, "", "shout", "", ""]]
    values = make_project(rows, observation={"media_info": {}})
    table = read(values, tmp_path)
    assert list_events(table) == [("a.mp4", 70, 70, "shout", "")]
    assert [note for note in table.notes if "length of a video that others follow" in note]


def test_what_is_not_as_it_should_be_is_said_and_nothing_is_lost(tmp_path):
    rows = [
        [None, "x", "hit", "", ""],
        [float("nan"), "", "hit", "", ""],
        [1, "", "gone", "", "why"],
        [2, "", "hit", "", "open"],
    ]
    other = {"file": {"1": ["a.mp4"], "2": ["side.mp4"]}}
    table = read(make_project(rows, observation=other), tmp_path)
    assert list_events(table) == [("a.mp4", 1, 1, "gone", ""), ("a.mp4", 2, 2, "hit", "")]
    assert table.labels == ("hit", "shout", "gone")
    assert [note.split(":")[0] for note in table.notes] == [
        "States without a start or stop are read as points",
        "Rows without a time are left out",
        "Behaviors that are not in the ethogram are read as points",
        "Several players show the same time; the events are named by the videos of the first",
    ]
    live = make_project([[2, "", "shout", "", ""]], observation={"file": [], "type": "LIVE"})
    assert list_events(read(live, tmp_path)) == [("day 1", 2, 2, "shout", "")]


def test_a_set_of_modifiers_called_target_says_to_whom(tmp_path):
    sets = {"0": {"name": "force", "values": []}, "1": {"name": "Target", "values": []}}
    rows = [[1, "", "shout", "weak|child 3", "loud"], [2, "", "shout", "None|None", ""]]
    events = read(make_project(rows, sets=sets), tmp_path).events
    assert [(e.target, e.comment) for e in events] == [("child 3", "loud; force: weak"), ("", "")]


def test_who_codes_a_video_twice_is_told_apart(tmp_path):
    values = make_project([[1, "x", "shout", "", ""]])
    first = values["observations"]["day 1"]
    values["observations"]["day 1 MK"] = first | {"events": [[2, "x", "shout", "", ""]]}
    values["observations"]["other child"] = first | {"events": [[3, "y", "shout", "", ""]]}
    values["observations"]["named"] = first | {
        "events": [[4, "x", "shout", "", ""]],
        "independent_variables": {"Coder": "JS"},
    }
    table = read(values, tmp_path)
    assert [event.annotator for event in table.events] == ["day 1", "day 1 MK", "", "JS"]
    assert table.notes == (
        "Several observations code the same in one video; each counts as an annotator: day 1, "
        "day 1 MK",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"behaviors_conf": None},
        {"observations": [1]},
        {"observations": {"x": {"file": {"1": ["a"]}}}},
        {"observations": {"x": {"file": {"1": ["a"]}, "events": [[1]]}}},
        {"observations": {"x": {"file": {"1": ["a"]}, "events": [[2e9, "", "hit", "", ""]]}}},
        {"observations": {"x": {"file": {"1": ["a"]}, "events": [], "time offset": "soon"}}},
        {"observations": {"x": {"file": {"1": ["a"]}, "events": [[10**400, "", "b", "", ""]]}}},
    ],
)
def test_what_is_no_project_is_refused(tmp_path, change):
    with pytest.raises(InterchangeError, match="cannot be read as a project of BORIS"):
        read(make_project([]) | change, tmp_path)


def test_compressed_projects_are_read_and_bombs_refused(tmp_path):
    table = build_table([CodedEvent("a.mp4", 1, 2, "hit")], [Media("a.mp4", 9, 25)])
    write_events(table, tmp_path / "p.boris.gz")
    assert gzip.decompress((tmp_path / "p.boris.gz").read_bytes())[:1] == b"{"
    assert read_events(tmp_path / "p.boris.gz") == replace(table, labels=("hit",))
    with gzip.open(tmp_path / "bomb.boris.gz", "wb", compresslevel=1) as file:
        for _ in range(MAX_BYTES // 2**20 + 1):
            file.write(bytes(2**20))
    with pytest.raises(InterchangeError, match="unpacks to more than 256 MiB"):
        read_events(tmp_path / "bomb.boris.gz")
    (tmp_path / "cut.boris.gz").write_bytes((tmp_path / "p.boris.gz").read_bytes()[:-9])
    with pytest.raises(InterchangeError, match="damaged as a gzip file"):
        read_events(tmp_path / "cut.boris.gz")


def test_the_rows_of_a_project_are_those_that_boris_expects(tmp_path):
    events = [
        CodedEvent("d/a.mp4", 1.00049, 2, "hit", "x", "y|z", "AB", "hard", score=0.875),
        CodedEvent("d/a.mp4", 1.5, 3, "hit", "x", "y|z", "AB"),
        CodedEvent("d/a.mp4", 2.5, 2.5, "hit", "x", annotator="AB", point=True),
        CodedEvent("d/a.mp4", 70, 70, "shout", point=True),
    ]
    media = [Media("d/a.mp4", 60.0, 30.0, "g"), Media("b.mp4")]
    notes = write_events(build_table(events, media, ["hit", "run"]), tmp_path / "p.boris")
    values = json.loads((tmp_path / "p.boris").read_text(encoding="ascii"))
    assert list(values["observations"]) == ["a.mp4 (AB)", "a.mp4", "b.mp4"]
    first = values["observations"]["a.mp4 (AB)"]
    assert first["events"] == [
        [1.0, "x", "hit", "target: y%7Cz", "[score 0.875] hard", "NA"],
        [2.5, "x", "hit [point]", "", "", "NA"],
        [3.0, "x", "hit", "target: y%7Cz", "", "NA"],
    ]
    assert first["file"] == {"1": ["d/a.mp4"]}
    assert first["independent_variables"] == {"annotator": "AB", "group": "g"}
    assert first["media_info"]["length"] == {"d/a.mp4": 60.0}
    behaviors = values["behaviors_conf"].values()
    assert [(item["code"], item["type"], item["key"]) for item in behaviors] == [
        ("hit", STATE, "h"),
        ("hit [point]", POINT, "i"),
        ("run", STATE, "r"),
        ("shout", POINT, "s"),
    ]
    assert [item["modifiers"]["0"]["values"] for item in behaviors if item["modifiers"]] == [
        ["target: y%7Cz"],
        ["target: y%7Cz"],
    ]
    empty = values["observations"]["b.mp4"]["media_info"]
    assert (empty["length"], empty["fps"]) == ({"b.mp4": 1.0}, {"b.mp4": 25.0})
    assert [note.split(":")[0] for note in notes] == [
        "Events of one subject and label that overlap were joined",
        "BORIS has states or points of a behavior, not both; the points of a label with both are "
        "named with ' [point]' after it",
        "Videos whose length or frames a second are not known",
        "Events reach beyond the end of their video",
    ]
    back = read_events(tmp_path / "p.boris")
    assert [event.label for event in back.events] == ["hit", "hit", "shout"]
    assert back.events[0].score == 0.875


def test_what_stands_where_a_video_would_has_no_pictures(tmp_path):
    media = [Media(name, 9.0, 25.0) for name in ("a.mp4", "b.features.npz")]
    write_events(build_table([], media, ["hit"]), tmp_path / "p.boris")
    found = json.loads((tmp_path / "p.boris").read_text())["observations"]
    assert [item["media_info"]["hasVideo"] for item in found.values()] == [
        {"a.mp4": True},
        {"b.features.npz": False},
    ]


def test_different_targets_at_once_are_kept_and_said(tmp_path):
    events = [CodedEvent("a", 1, 4, "hit", "x", "y"), CodedEvent("a", 2, 3, "hit", "x", "z")]
    notes = write_events(build_table(events, [Media("a", 9, 9)]), tmp_path / "p.boris")
    assert read_events(tmp_path / "p.boris").events == tuple(events)
    assert len(notes) == 1
    assert "'include modifiers' only: hit at 2 s in a" in notes[0]


def test_videos_at_hand_say_how_long_they_are_and_where(tmp_path, monkeypatch):
    times_s = [index / 10 for index in range(20)]
    (tmp_path / "out").mkdir()
    make_video(tmp_path / "out" / "near.mp4", times_s)
    make_video(tmp_path / "far.mp4", times_s)
    (tmp_path / "broken.mp4").write_text("none")
    monkeypatch.chdir(tmp_path)
    events = [
        CodedEvent(video, 0, 1.2, "hit") for video in ("out/near.mp4", "far.mp4", "broken.mp4")
    ]
    notes = write_events(build_table(events), Path("out/p.boris"))
    values = json.loads(Path("out/p.boris").read_text(encoding="utf-8"))["observations"]
    found = [item["media_info"] for item in values.values()]
    paths = ["near.mp4", (tmp_path / "far.mp4").as_posix(), (tmp_path / "broken.mp4").as_posix()]
    assert [list(item["length"]) for item in found] == [[path] for path in paths]
    lengths_s = [item["length"][path] for item, path in zip(found, paths, strict=True)]
    assert lengths_s == [pytest.approx(2, abs=0.1), pytest.approx(2, abs=0.1), 2]
    rates = [item["fps"][path] for item, path in zip(found, paths, strict=True)]
    assert rates == [pytest.approx(10, rel=0.05), pytest.approx(10, rel=0.05), 25]
    assert [note.partition(": ")[2] for note in notes] == [
        "BORIS is told the end of the last event and 25: broken.mp4",
        ", ".join(paths),
    ]


def test_frames_a_second_may_be_told(tmp_path):
    table = build_table([CodedEvent("a.mp4", 1, 2, "hit")], [Media("a.mp4", 9.0)])
    assert write_events(table, tmp_path / "p.boris", settings=WriteSettings(fps=50)) == []
    assert read_events(tmp_path / "p.boris").media == (Media("a.mp4", 9.0, 50.0),)


@st.composite
def draw_states(draw, apart):
    """Return tables of states and points; those of one subject and label may overlap or not."""
    events, clock_ms = [], 0
    for _ in range(draw(st.integers(0, 12))):
        start = clock_ms if apart else draw(st.integers(0, 50_000))
        start += draw(st.integers(0, 3000))
        end = start + draw(st.integers(1, 5000))
        clock_ms = end
        point = draw(st.booleans())
        events.append(
            CodedEvent(
                draw(st.sampled_from(["a.mp4", "b/größe.mp4"])),
                start / 1000,
                (start if point else end) / 1000,
                draw(st.sampled_from(["hit", "=1+1", "打つ", "run (fast)|x"])),
                draw(st.sampled_from(["", "x", "Kind größer"])),
                draw(st.sampled_from(["", "x", "y|z (left), %7C"])),
                draw(st.sampled_from(["", "AB"])),
                draw(st.sampled_from(["", "[x] hard", "a\nb"])),
                point,
                draw(st.sampled_from([None, 0.0, 0.123457, 1.0])),
            )
        )
    return build_table(events, [Media("a.mp4", 1e4, 25.0), Media("b/größe.mp4", 1e4, 25.0)])


def to_set(events):
    return sorted(map(repr, events))


@pytest.mark.parametrize("ending", [".boris", ".boris.gz", ".boris.csv"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=draw_states(apart=True))
def test_events_that_do_not_overlap_come_back_as_they_were(ending, table, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / f"p{ending}"
    write_events(table, path)
    assert to_set(read_events(path).events) == to_set(table.events)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=draw_states(apart=False))
def test_events_that_overlap_come_back_joined(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "p.boris"
    merged, joined = merge_overlaps(table.events)
    notes = write_events(table, path)
    assert to_set(read_events(path).events) == to_set(merged)
    assert [note for note in notes if "were joined" in note] == joined


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=draw_states(apart=False))
def test_a_table_of_aggregated_events_holds_overlaps(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "p.boris.csv"
    write_events(table, path)
    assert to_set(read_events(path).events) == to_set(table.events)


def test_a_state_that_is_started_twice_or_only_stopped_is_a_point():
    kinds = [(1, "STOP"), (2, "START"), (3, "START"), (5, "STOP")]
    rows = [Row(time_s, "x", "hit", (), "", kind) for time_s, kind in kinds]
    spans, unpaired = pair_rows(rows)
    assert [(span.start_s, span.end_s) for span in spans] == [(1, 1), (2, 2), (3, 5)]
    assert unpaired == ["STOP of hit at 1 s", "START of hit at 2 s"]


def test_the_longest_ending_chooses_the_format():
    names = ["a.boris", "a.boris.gz", "a.boris.csv", "a.boris.xlsx", "a.csv", "a.xlsx"]
    assert [choose_format(Path(name)).name for name in names] == [
        *("boris", "boris", "boris-aggregated", "boris-import", "csv", "xlsx"),
    ]
