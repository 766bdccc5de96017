from __future__ import annotations

import json
from pathlib import Path

import pytest

from har.errors import ConfigError, InterchangeError
from har.interchange.coding import (
    check_known,
    find_video,
    list_labels,
    parse_renames,
    read_coding,
)
from har.interchange.formats import read_events


def write(path, text: str):
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_go_by_their_names(tmp_path):
    csv = "label;video;offset_s;onset_s;note\nhit;a.mp4;3;1.5;x\nkick;a.mp4;1;0;\nhit;b.mp4;2;1;\n"
    a, b = read_coding(write(tmp_path / "t.csv", csv)).videos
    assert [(e.label, e.onset_s, e.offset_s) for e in a.events] == [("kick", 0, 1), ("hit", 1.5, 3)]
    assert (a.video, b.video, a.duration_s) == ("a.mp4", "b.mp4", None)


def test_what_predict_writes_is_read(tmp_path):
    csv = "video,start_s,end_s,label,score,subject,target\n/x/a.mp4,1.000,2.500,hit,0.7500,2,1\n"
    (video,) = read_coding(write(tmp_path / "t.csv", csv)).videos
    assert (video.video, video.events[0].score) == ("/x/a.mp4", 0.75)


def test_a_video_may_be_named_without_an_event(tmp_path):
    csv = "video,label,start,end,group\na.mp4,,,,child 1\nb.mp4,hit,1,2,\n"
    a, b = read_coding(write(tmp_path / "t.csv", csv)).videos
    assert (a.events, a.group, len(b.events), b.group) == ((), "child 1", 1, "")


def test_an_empty_file_of_events_has_none(tmp_path):
    assert read_coding(write(tmp_path / "t.csv", "video,start_s,end_s,label\n")).videos == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.mp4,hit,2,1", "0 <= start_s < end_s"),
        ("a.mp4,hit,-1,1", "0 <= start_s < end_s"),
        ("a.mp4,hit,0,inf", "received 'inf'"),
        ("a.mp4,hit,nan,1", "received 'nan'"),
        ("a.mp4,hit,x,1", "expected seconds such as 62.5, or h:mm:ss.mmm, received 'x'"),
        ("a.mp4,,0,1", "label is empty"),
        (",hit,0,1", "no video"),
        ("a.mp4,hit", "its start is empty"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path, row, said):
    path = write(tmp_path / "t.csv", f"video,label,start_s,end_s\nb.mp4,hit,0,1\n{row}\n")
    with pytest.raises(InterchangeError, match="Line 3") as error:
        read_coding(path)
    assert said in str(error.value)


def test_a_missing_column_or_file_is_named(tmp_path):
    with pytest.raises(InterchangeError, match="video, label, start_s and end_s"):
        read_coding(write(tmp_path / "t.csv", "video,label,start_s\na.mp4,hit,1\n"))
    with pytest.raises(InterchangeError, match=r"names of its columns|damaged as"):
        read_coding(write(tmp_path / "t.csv", ""))
    with pytest.raises(InterchangeError, match="nowhere"):
        read_coding(tmp_path / "nowhere.csv")


def test_results_know_lengths_and_videos_without_events(tmp_path):
    found = {"label": "hit", "onset_s": 1.0, "offset_s": 2.0, "score": 0.9, "subject": None}
    values = [
        {"video": "a.mp4", "totals": {"duration_s": 60.0}, "events": [found]},
        {"video": "b.mp4", "totals": {"duration_s": 30.0}, "events": []},
        {"video": "c.mp4", "error": "not a video"},
    ]
    a, b = read_coding(write(tmp_path / "r.json", json.dumps(values))).videos
    assert (a.duration_s, a.events[0].score, b.events, b.duration_s) == (60.0, 0.9, (), 30.0)


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"video": "a"}]', '{"a": 1}'])
def test_other_json_is_no_result(tmp_path, text):
    with pytest.raises(
        InterchangeError, match=r"no format that is known|names of its columns|damaged as"
    ):
        read_coding(write(tmp_path / "r.json", text))


def test_names_are_found_from_the_closest_form():
    videos = ["day/x.mp4", "night/x.mp4", "night/y.avi", "night/y.mp4", "z.v2.mp4", "z.mp4"]
    assert find_video("day/x.mp4", videos) == "day/x.mp4"
    assert find_video("C:\\films\\Z.V2.MP4", videos) == "z.v2.mp4"
    assert find_video("z", videos) == "z.mp4"
    assert find_video("day/y.mp4", ["k/y.keypoints.npz"]) == "k/y.keypoints.npz"
    assert find_video("y.mp4", ["k/y.keypoints.npz", "y.avi"]) == "y.avi"
    assert find_video("k/z.features.npz", videos) == "z.mp4"
    assert find_video("k/z.v2.keypoints.npz", videos) == "z.v2.mp4"
    assert find_video("k/night_y_mp4.features.npz", videos) == "night/y.mp4"
    assert find_video("y.features.npz", ["k/y.keypoints.npz"]) == "k/y.keypoints.npz"
    assert find_video("z.v2", videos) == "z.v2.mp4"
    assert find_video("y_mp4", videos) == "night/y.mp4"  # as har predict names files of one stem
    assert find_video("day_x_mp4", videos) == "day/x.mp4"
    assert find_video("w.mp4", videos) is None


def test_a_name_of_several_videos_is_refused():
    with pytest.raises(ConfigError, match=r"day/x\.mp4, night/x\.mp4"):
        find_video("x.mp4", ["day/x.mp4", "night/x.mp4"])


def test_background_is_no_label(tmp_path):
    csv = "video,label,start,end\na,hit,0,1\na,Playing,1,2\nb,kick,0,1\n"
    videos = read_coding(write(tmp_path / "t.csv", csv)).videos
    assert list_labels(videos, (), {"playing"}) == ["hit", "kick"]


HEADER = "video,label,start_s,end_s"


@pytest.mark.parametrize(
    "data",
    [
        b"video;label;start_s;end_s\r\nschl\xe4gt.mp4;hit;1,5;3,0\r\n",
        "sep=;\nvideo;label;start_s;end_s\nschlägt.mp4;hit;0:00:01.500;0:00:03\n".encode(),
        "video\tlabel\tstart_s\tend_s\nschlägt.mp4\thit\t1.5\t3\n".encode("utf-16"),
        f'\ufeff{HEADER}\nschlägt.mp4,hit,"1,5","3,0"\n'.encode(),
    ],
    ids=["cp1252", "sep", "utf-16", "bom"],
)
def test_a_coding_is_read_however_excel_wrote_it(tmp_path, data):
    (tmp_path / "t.csv").write_bytes(data)
    coding = read_coding(tmp_path / "t.csv")
    (video,) = coding.videos
    assert (video.video, video.events[0].onset_s, video.events[0].offset_s) == (
        "schlägt.mp4",
        1.5,
        3,
    )
    assert [note for note in coding.notes if "cp1252" in note] == list(coding.notes)


def test_a_column_twice_is_refused(tmp_path):
    with pytest.raises(InterchangeError, match="has the column label more than once"):
        read_coding(write(tmp_path / "t.csv", f"{HEADER},label\na.mp4,hit,0,1,kick\n"))


def test_an_event_without_end_is_a_point(tmp_path):
    path = write(tmp_path / "t.csv", f"{HEADER}\na.mp4,hit,2,\na.mp4,hit,9,9\na.mp4,hit,4,6\n")
    coding = read_coding(path)
    spans = [(event.onset_s, event.offset_s) for event in coding.videos[0].events]
    assert spans == [(2, 3), (4, 6), (9, 10)]
    assert coding.notes == (
        "t.csv has point events, without an end, in line 2, 3",
        "Point events of t.csv count as 1 s long",
    )


BORIS = (
    "Observation id,Observation date,Description,Observation type,Source,Total duration,FPS,"
    "Subject,Behavior,Behavioral category,Behavior type,Start (s),Stop (s),Duration (s),"
    "Media file name,Comment start,Comment stop\n"
    "day 1,2025-03-01 10:00:00,,Media file(s),player #1:films/a.mp4,60,25,child 3,Hitting others,"
    "aggression,STATE,10.000,14.000,4.000,films/a.mp4,,\n"
    "day 1,2025-03-01 10:00:00,,Media file(s),player #1:films/a.mp4,60,25,child 3,Shout,"
    "aggression,POINT,20.000,20.000,NA,films/a.mp4,,\n"
)


def test_an_aggregated_export_of_boris_is_read(tmp_path):
    (video,) = read_coding(write(tmp_path / "t.csv", BORIS)).videos
    assert video.video == "films/a.mp4"
    assert [(e.label, e.onset_s, e.offset_s) for e in video.events] == [
        ("Hitting others", 10, 14),
        ("Shout", 20, 21),
    ]


def test_a_table_without_names_of_columns_is_named_with_the_way_out(tmp_path):
    text = "hit\t\t00:00:01.000\t00:00:02.000\tx\n"
    with pytest.raises(InterchangeError, match="put the line video,label,start_s"):
        read_coding(write(tmp_path / "t.txt", text))


def test_labels_are_renamed_or_left_out(tmp_path):
    path = write(tmp_path / "t.csv", f"{HEADER}\na.mp4,Hitting others,1,2\na.mp4,Eating,3,4\n")
    (video,) = read_coding(path, parse_renames(["Hitting others=fight", "Eating="])).videos
    assert [event.label for event in video.events] == ["fight"]
    with pytest.raises(ConfigError) as error:
        read_coding(path, {"hitting": "fight"})
    assert str(error.value) == (
        f"There is no label 'hitting' in {path} to rename; it has: 'Eating', 'Hitting others'"
    )
    for text in ("fight", "=fight"):
        with pytest.raises(ConfigError, match="Expected CODED=LABEL"):
            parse_renames([text])


def test_labels_that_the_model_does_not_know_are_listed_with_its_own():
    with pytest.raises(ConfigError) as error:
        check_known(["Hitting others", "Playing"], ["fight", "noFight"])
    assert str(error.value) == (
        "The reference coding has labels that the model does not know: 'Hitting others'. The "
        "model's are: 'fight', 'noFight'. Say which is which, once a label, with "
        '--map "Hitting others=fight"; --map "Hitting others=" leaves its events out'
    )
    with pytest.raises(ConfigError, match=r"'Fight ' and 'fight' differ in case or blanks alone"):
        check_known(["Fight "], ["fight", "noFight"])
    check_known(["fight"], ["fight"])
    check_known(["anything"], [])


def test_a_name_is_found_with_either_kind_of_accent():
    assert find_video("Ma\u0308dchen.mp4", ["d/M\u00e4dchen.mp4"]) == "d/M\u00e4dchen.mp4"


@pytest.mark.parametrize(
    ("event", "duration_s"),
    [
        ('{"label": "hit", "onset_s": NaN, "offset_s": 2, "score": 1}', "9"),
        ('{"label": "hit", "onset_s": 5, "offset_s": 1, "score": 1}', "9"),
        ('{"label": "hit", "onset_s": 1, "offset_s": 2, "score": 1}', "-9"),
        ('{"label": "hit", "onset_s": 1, "offset_s": 2, "score": 1}', "NaN"),
        ('{"label": "hit", "onset_s": 1, "offset_s": 2, "score": 1}', "9" * 400),
    ],
)
def test_results_with_numbers_that_cannot_be_are_refused(tmp_path, event, duration_s):
    text = f'[{{"video": "a", "events": [{event}], "totals": {{"duration_s": {duration_s}}}}}]'
    with pytest.raises(InterchangeError, match="cannot be read as results"):
        read_coding(write(tmp_path / "results.json", text))


def test_a_name_with_a_null_byte_is_refused():
    with pytest.raises(InterchangeError, match="null byte"):
        read_coding(Path("a\0b"))


def test_results_nested_without_end_are_refused(tmp_path):
    text = '[{"totals": ' + "[" * 100_000
    with pytest.raises(InterchangeError, match="damaged as JSON"):
        read_coding(write(tmp_path / "results.json", text))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("day.left", "day.right"),
        ("2024.01.05", "2024.01.06"),
        ("child.1.mp4", "child.2.mp4"),
        ("k/x.1", "k/x.2.mp4"),
    ],
)
def test_what_follows_a_point_is_an_ending_only_if_videos_have_it(name, other):
    assert find_video(name, [other]) is None
    assert find_video(name, [other, name]) == name


@pytest.mark.parametrize(
    ("name", "other"),
    [("day.left", "x/day.left.MP4"), ("a.avi", "a.mkv"), ("a.odd", "a"), ("a", "a.odd")],
)
def test_a_name_without_its_ending_is_the_same_video(name, other):
    assert find_video(name, [other]) == other


ANNOTATED = """video,label,start_s,end_s,annotator
a,hit,1,2,Ann
a,hit,1.1,2.1,Ben
a,kick,5,6,
b,hit,3,4,Ben
c,,,,
"""


def test_events_of_several_annotators_never_count_twice(tmp_path):
    path = write(tmp_path / "t.csv", ANNOTATED)
    with pytest.raises(ConfigError, match=r'\(Ann, Ben\) of a, .* twice. .* --annotator "Ann"'):
        read_coding(path)
    ann = read_coding(path, annotator="Ann")
    assert [(item.video, len(item.events)) for item in ann.videos] == [("a", 2), ("c", 0)]
    assert "Coded by others but not by Ann, so left out: b" in ann.notes
    ben = read_coding(path, annotator="Ben").videos
    assert [(item.video, len(item.events)) for item in ben] == [("a", 2), ("b", 1), ("c", 0)]


def test_annotators_who_share_the_videos_out_are_read_as_one_coding(tmp_path):
    rows = "a,hit,1,2,Ann\nb,hit,1,2,Ben\n"
    path = write(tmp_path / "t.csv", f"video,label,start_s,end_s,annotator\n{rows}")
    assert [len(item.events) for item in read_coding(path).videos] == [1, 1]


def test_files_of_a_folder_that_code_the_same_are_annotators(tmp_path):
    write(tmp_path / "x.csv", f"{HEADER}\na,hit,1,2\na,hit,5,6\n")
    write(tmp_path / "y.csv", f"{HEADER}\na,hit,2,3\n")
    write(tmp_path / "later.csv", f"{HEADER}\na,hit,60,61\na,kick,1,2\n")
    found = read_events(tmp_path)
    assert [(e.start_s, e.annotator) for e in found.events if e.label == "hit"] == [
        *[(1, "x.csv"), (2, "y.csv"), (5, "x.csv"), (60, "")],
    ]
    assert found.notes == (
        "Several files code the same in one video; each counts as an annotator: x.csv, y.csv",
    )


def test_what_systems_leave_in_a_folder_is_no_coding(tmp_path):
    write(tmp_path / "a.csv", f"{HEADER}\na,hit,1,2\n")
    (tmp_path / "._a.csv").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "~$a.xlsx").write_bytes(b"\x05user")
    (tmp_path / "old.csv").mkdir()
    assert len(read_events(tmp_path).events) == 1


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("start,end,duration", "1,5,2", "ends that its durations contradict; the ends count. Line"),
        ("start,end,stop", "1,5,2", "may be the same; these were taken: end=end (not stop)"),
        ("start,onset,end", "1,2,5", "these were taken: start=start (not onset)"),
    ],
)
def test_columns_that_contradict_each_other_are_noted(tmp_path, header, row, said):
    path = write(tmp_path / "t.csv", f"video,label,{header}\na,hit,{row}\n")
    found = read_events(path)
    assert [(event.start_s, event.end_s) for event in found.events] == [(1, 5)]
    assert [note for note in found.notes if said in note]


@pytest.mark.parametrize("row", ["1,3,2", "1,3,2.4", "1,3,NA", "1,3,"])
def test_durations_that_fit_are_not_noted(tmp_path, row):
    path = write(tmp_path / "t.csv", f"video,label,start_s,end_s,duration_s\na,hit,{row}\n")
    assert read_events(path).notes == ()


def test_a_video_of_two_groups_is_noted(tmp_path):
    rows = "a,hit,1,2,kid1\na,hit,3,4,kid2\nb,hit,1,2,\nb,hit,3,4,kid2\n"
    found = read_events(write(tmp_path / "t.csv", f"{HEADER},group\n{rows}"))
    assert [item.group for item in found.media] == ["kid1", "kid2"]
    assert found.notes == ("t.csv has several groups of a video, of which the first counts: a",)
