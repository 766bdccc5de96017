from __future__ import annotations

import json

import pytest

from har.errors import ConfigError, ManifestError, OutputError
from har.interchange.coding import find_video, list_labels, read_events_csv, read_results


def write(path, text: str):
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_go_by_their_names(tmp_path):
    csv = "label;video;offset_s;onset_s;note\nhit;a.mp4;3;1.5;x\nkick;a.mp4;1;0;\nhit;b.mp4;2;1;\n"
    a, b = read_events_csv(write(tmp_path / "t.csv", csv))
    assert [(e.label, e.onset_s, e.offset_s) for e in a.events] == [("kick", 0, 1), ("hit", 1.5, 3)]
    assert (a.video, b.video, a.duration_s) == ("a.mp4", "b.mp4", None)


def test_what_predict_writes_is_read(tmp_path):
    csv = "video,start_s,end_s,label,score,subject,target\n/x/a.mp4,1.000,2.500,hit,0.7500,2,1\n"
    (video,) = read_events_csv(write(tmp_path / "t.csv", csv))
    assert (video.video, video.events[0].score) == ("/x/a.mp4", 0.75)


def test_a_video_may_be_named_without_an_event(tmp_path):
    csv = "video,label,start,end,group\na.mp4,,,,child 1\nb.mp4,hit,1,2,\n"
    a, b = read_events_csv(write(tmp_path / "t.csv", csv))
    assert (a.events, a.group, len(b.events), b.group) == ((), "child 1", 1, "")


def test_an_empty_file_of_events_has_none(tmp_path):
    assert read_events_csv(write(tmp_path / "t.csv", "video,start_s,end_s,label\n")) == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.mp4,hit,2,1", "0 <= start_s < end_s"),
        ("a.mp4,hit,-1,1", "0 <= start_s < end_s"),
        ("a.mp4,hit,0,inf", "0 <= start_s < end_s"),
        ("a.mp4,hit,nan,1", "0 <= start_s < end_s"),
        ("a.mp4,hit,x,1", "could not convert"),
        ("a.mp4,,0,1", "label is empty"),
        (",hit,0,1", "no video"),
        ("a.mp4,hit", "could not convert"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path, row, said):
    path = write(tmp_path / "t.csv", f"video,label,start_s,end_s\nb.mp4,hit,0,1\n{row}\n")
    with pytest.raises(ManifestError, match="Line 3") as error:
        read_events_csv(path)
    assert said in str(error.value)


def test_a_missing_column_or_file_is_named(tmp_path):
    with pytest.raises(ManifestError, match="video, label, start_s and end_s"):
        read_events_csv(write(tmp_path / "t.csv", "video,label,start_s\na.mp4,hit,1\n"))
    with pytest.raises(ManifestError, match="received ''"):
        read_events_csv(write(tmp_path / "t.csv", ""))
    with pytest.raises(ManifestError, match="nowhere"):
        read_events_csv(tmp_path / "nowhere.csv")


def test_results_know_lengths_and_videos_without_events(tmp_path):
    found = {"label": "hit", "onset_s": 1.0, "offset_s": 2.0, "score": 0.9, "subject": None}
    values = [
        {"video": "a.mp4", "totals": {"duration_s": 60.0}, "events": [found]},
        {"video": "b.mp4", "totals": {"duration_s": 30.0}, "events": []},
        {"video": "c.mp4", "error": "not a video"},
    ]
    a, b = read_results(write(tmp_path / "r.json", json.dumps(values)))
    assert (a.duration_s, a.events[0].score, b.events, b.duration_s) == (60.0, 0.9, (), 30.0)


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"video": "a"}]', '{"a": 1}'])
def test_other_json_is_no_result(tmp_path, text):
    with pytest.raises(OutputError, match="predict"):
        read_results(write(tmp_path / "r.json", text))


def test_names_are_found_from_the_closest_form():
    videos = ["day/x.mp4", "night/x.mp4", "night/y.avi", "night/y.mp4", "z.v2.mp4", "z.mp4"]
    assert find_video("day/x.mp4", videos) == "day/x.mp4"
    assert find_video("C:\\films\\Z.V2.MP4", videos) == "z.v2.mp4"
    assert find_video("z", videos) == "z.mp4"
    assert find_video("z.v2", videos) == "z.v2.mp4"
    assert find_video("y_mp4", videos) == "night/y.mp4"  # as har predict names files of one stem
    assert find_video("day_x_mp4", videos) == "day/x.mp4"
    assert find_video("w.mp4", videos) is None


def test_a_name_of_several_videos_is_refused():
    with pytest.raises(ConfigError, match=r"day/x\.mp4, night/x\.mp4"):
        find_video("x.mp4", ["day/x.mp4", "night/x.mp4"])


def test_background_is_no_label(tmp_path):
    csv = "video,label,start,end\na,hit,0,1\na,Playing,1,2\nb,kick,0,1\n"
    videos = read_events_csv(write(tmp_path / "t.csv", csv))
    assert list_labels(videos, (), {"playing"}) == ["hit", "kick"]
