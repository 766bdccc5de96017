import json

import pytest

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.format import ReadSettings
from har.interchange.formats import read_events, write_events

RATE = ReadSettings(fps=10.0)


def test_labels_of_deepethogram_are_found_by_their_look(tmp_path):
    path = tmp_path / "day1_labels.csv"
    path.write_text(",background,Swim,Side Climb\n0,1,0,0\n1,0,1,0\n2,0,1,1\n3,-1,-1,-1\n4,0,0,1\n")
    table = read_events(path, settings=RATE)
    assert table.events == (
        CodedEvent("day1", 0.1, 0.3, "Swim"),
        CodedEvent("day1", 0.2, 0.3, "Side Climb"),
        CodedEvent("day1", 0.4, 0.5, "Side Climb"),
    )
    assert table.media == (Media("day1", 0.5, 10.0),)
    assert table.labels == ("Swim", "Side Climb")
    assert table.notes == ("1 frames of day1_labels.csv are not labeled",)
    path.write_text("background;Swim\n1;0\n0;1\n")
    assert read_events(path, settings=RATE).events == (CodedEvent("day1", 0.1, 0.2, "Swim"),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (",background,Swim\n0,1,2\n", "line 2: expected 0, 1 or -1"),
        (",background,Swim\n0,1\n", "line 2: expected 0, 1 or -1"),
        (",Swim\n0,1\n", "expected the columns background"),
        (",background,Swim,Swim\n0,1,1,1\n", "expected the columns background"),
        ("", "expected the columns background"),
        (',background,"Swim\n0,1,0\n', "unexpected end of data"),
        (",background,Swim\n", "above 0"),
    ],
)
def test_damaged_labels_of_deepethogram_are_refused(text, why, tmp_path):
    path = tmp_path / "day1.csv"
    path.write_text(text)
    with pytest.raises(InterchangeError, match=why):
        read_events(path, "deepethogram", RATE)


def test_an_event_that_means_nothing_is_the_background(tmp_path):
    table = build_table(
        [CodedEvent("a.mp4", 0, 0.2, "background"), CodedEvent("a.mp4", 0.2, 0.3, "hit")],
        [Media("a.mp4", 0.4, 10.0)],
        labels=["Background", "hit"],
    )
    path = tmp_path / "a.csv"
    assert write_events(table, path, "deepethogram") == [
        "Events left out, as they mean that nothing happens: background"
    ]
    assert path.read_text() == ",background,hit\n0,1,0\n1,1,0\n2,0,1\n3,1,0\n"


FERAL = {
    "class_names": {"0": "other", "1": "walk", "2": "run"},
    "is_multilabel": False,
    "labels": {"a.mp4": [0, 1, 1, 2, 1], "b.mp4": [0, 0]},
    "splits": {"train": ["a.mp4"], "val": ["b.mp4"]},
}


def test_classes_of_feral_are_read(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(FERAL))
    table = read_events(path, settings=RATE)
    assert [(e.start_s, e.end_s, e.label) for e in table.events] == [
        (0.1, 0.3, "walk"),
        (0.3, 0.4, "run"),
        (0.4, 0.5, "walk"),
    ]
    assert table.media == (Media("a.mp4", 0.5, 10.0), Media("b.mp4", 0.2, 10.0))
    assert table.labels == ("walk", "run")
    rows = [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    path.write_text(json.dumps({**FERAL, "is_multilabel": True, "labels": {"a": rows}}))
    table = read_events(path, settings=RATE)
    assert [(e.start_s, e.end_s, e.label) for e in table.events] == [
        (0.0, 0.2, "other"),
        (0.1, 0.2, "walk"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"a.mp4": [0, 3]}},
        {"labels": {"a.mp4": [0, -1]}},
        {"labels": {"a.mp4": [0, 1.0]}},
        {"labels": {"a.mp4": [[0, 1, 0]]}},
        {"labels": {"a.mp4": [[0, 1]]}, "is_multilabel": True},
        {"labels": {"a.mp4": [[0, 1, [2]]]}, "is_multilabel": True},
        {"labels": {"a.mp4": "x"}},
        {"labels": []},
        {"class_names": {"a": "walk"}},
        {"class_names": {"0": "walk", "1": "walk"}},
        {"class_names": []},
    ],
)
def test_damaged_classes_of_feral_are_refused(change, tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({**FERAL, **change}))
    with pytest.raises(InterchangeError, match="cannot be read as JSON of FERAL"):
        read_events(path, "feral", RATE)


def test_feral_gets_one_class_a_frame_where_that_is_enough(tmp_path):
    path = tmp_path / "labels.json"
    media = [Media("a.mp4", 0.5, 10.0), Media("b.mp4", 0.2, 10.0)]
    hit, kick = CodedEvent("a.mp4", 0.1, 0.3, "hit"), CodedEvent("a.mp4", 0.3, 0.4, "kick")
    notes = write_events(build_table([hit, kick], media), path, "feral")
    assert notes == ["All videos are in FERAL's split train; divide them by who is in them"]
    assert json.loads(path.read_text()) == {
        "is_multilabel": False,
        "class_names": {"0": "other", "1": "hit", "2": "kick"},
        "labels": {"a.mp4": [0, 1, 1, 2, 0], "b.mp4": [0, 0]},
        "splits": {"train": ["a.mp4", "b.mp4"]},
    }
    other = CodedEvent("a.mp4", 0.2, 0.3, "other")
    write_events(build_table([hit], media, ["other", "hit"]), path, "feral")
    assert not json.loads(path.read_text())["is_multilabel"]
    write_events(build_table([hit, other], media), path, "feral")
    values = json.loads(path.read_text())
    assert values["is_multilabel"]
    assert values["labels"]["a.mp4"] == [[0, 0], [1, 0], [1, 1], [0, 0], [0, 0]]
