import json
from dataclasses import replace

import pytest

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, Media, build_table
from har.interchange.format import ReadSettings
from har.interchange.formats import read_events, write_events


def read(folder, values, name=None, **settings):
    path = folder / "coded.json"
    path.write_text(json.dumps(values))
    return read_events(path, name, ReadSettings(**settings))


GROUND = {
    "version": "VERSION 1.3",
    "taxonomy": [],
    "database": {
        "v1": {
            "duration": 82.73,
            "subset": "training",
            "resolution": "1920x1080",
            "url": "",
            "annotations": [{"segment": [6.5, 20], "label": "Hit"}],
        },
        "v2": {"duration": 10, "subset": "validation", "annotations": []},
    },
}
PREDICTED = {
    "version": "VERSION 1.3",
    "results": {"v1": [{"label": "Hit", "score": 0.64, "segment": [6.4, 19.1]}], "v2": []},
    "external_data": {"used": False},
}
MM = {
    "v_1": {
        "duration_second": 211.53,
        "duration_frame": 6337,
        "annotations": [{"segment": [30.02, 205.2], "label": "Rock climbing"}],
        "feature_frame": 6336,
        "fps": 30.0,
        "rfps": 29.958,
    }
}


def test_every_kind_of_activitynet_is_read(tmp_path):
    table = read(tmp_path, GROUND)
    assert table.events == (CodedEvent("v1", 6.5, 20, "Hit"),)
    assert table.media == (Media("v1", 82.73), Media("v2", 10.0))
    table = read(tmp_path, PREDICTED)
    assert table.events == (CodedEvent("v1", 6.4, 19.1, "Hit", score=0.64),)
    assert [item.video for item in table.media] == ["v1", "v2"]
    table = read(tmp_path, MM)
    assert table.events == (CodedEvent("v_1", 30.02, 205.2, "Rock climbing"),)
    assert table.media == (Media("v_1", 211.53, 30.0),)


def test_predictions_are_written_where_all_have_scores(tmp_path):
    event = CodedEvent("a.mp4", 1, 2.5, "hit", score=0.5)
    media = [Media("a.mp4", 60.0, 25.0), Media("b.mp4")]
    path = tmp_path / "x.json"
    write_events(build_table([event], media), path, "activitynet")
    assert json.loads(path.read_text()) == {
        "version": "VERSION 1.3",
        "results": {"a.mp4": [{"label": "hit", "segment": [1, 2.5], "score": 0.5}], "b.mp4": []},
        "external_data": {},
    }
    coded = replace(event, score=None, subject="child")
    write_events(build_table([coded], media), path, "activitynet")
    values = json.loads(path.read_text())
    assert values["taxonomy"][0]["nodeName"] == "hit"
    assert values["database"] == {
        "a.mp4": {
            "duration": 60.0,
            "fps": 25.0,
            "subset": "training",
            "annotations": [{"label": "hit", "segment": [1, 2.5], "subject": "child"}],
        },
        "b.mp4": {"subset": "training", "annotations": []},
    }


VIA = {
    "project": {"pid": "__VIA_PROJECT_ID__", "data_format_version": "3.1.1", "vid_list": ["1"]},
    "config": {},
    "attribute": {
        "1": {"aname": "Object", "anchor_id": "FILE1_Z1_XY1", "type": 1, "options": {}},
        "2": {"aname": "Acts", "anchor_id": "FILE1_Z2_XY0", "type": 4,
              "options": {"1": "Break Egg", "2": "Pour"}},
        "3": {"aname": "Subject", "anchor_id": "FILE1_Z2_XY0", "type": 1, "options": {}},
        "4": {"aname": "How", "anchor_id": "FILE1_Z2_XY0", "type": 2,
              "options": {"a": "fast", "b": "loud"}},
    },
    "file": {"7": {"fid": 7, "fname": "Alioli.ogv", "type": 4, "loc": 2, "src": "http://x/A.ogv"}},
    "view": {"1": {"fid_list": [7]}},
    "metadata": {
        "-glfwaaX": {"vid": "1", "flg": 0, "z": [2, 6.5], "xy": [], "av": {"2": "1", "3": "cook"}},
        "+mHHT-tg": {"vid": "1", "flg": 0, "z": [9, 20], "xy": [], "av": {"2": "2", "4": "a,b"}},
        "fH-oMre1": {"vid": "1", "flg": 0, "z": [0.9], "xy": [2, 1, 1, 1, 1], "av": {"1": "Egg"}},
        "ed+wsOZZ": {"vid": "1", "flg": 0, "z": [24, 26], "xy": [], "av": {}},
    },
}  # fmt: skip


def test_segments_of_via_are_read_by_the_names_of_attributes(tmp_path):
    table = read(tmp_path, VIA)
    assert table.events == (
        CodedEvent("Alioli.ogv", 2, 6.5, "Break Egg", "cook"),
        CodedEvent("Alioli.ogv", 9, 20, "Pour"),
    )
    assert table.notes == (
        "Segments without a label are left out: ed+wsOZZ",
        "Marks of VIA that are no temporal segments are left out: 1",
    )
    table = read(tmp_path, VIA, columns={"label": "how"})
    assert [event.label for event in table.events] == ["fast", "loud"]
    with pytest.raises(InterchangeError, match="has no attribute 'who'"):
        read(tmp_path, VIA, columns={"label": "who"})


def test_what_via_shows_is_written(tmp_path):
    event = CodedEvent("day 1/a.mp4", 1, 1, "hit", "child", point=True, score=0.25)
    path = tmp_path / "x.json"
    write_events(build_table([event]), path, "via")
    values = json.loads(path.read_text())
    assert [item["aname"] for item in values["attribute"].values()] == [
        *("label", "subject", "point", "score")
    ]
    assert values["file"]["1"]["src"] == "day 1/a.mp4"
    (segment,) = values["metadata"].values()
    assert segment["z"] == [1, 1.001]
    assert segment["av"] == {"1": "1", "2": "child", "3": "yes", "4": "0.25"}
    assert read_events(path).events == (event,)


def make_range(first: object, last: object, label: str = "hit", **more: object):
    return {
        "id": "x1",
        "from_name": "acts",
        "to_name": "video",
        "type": "timelinelabels",
        "value": {"ranges": [{"start": first, "end": last}], "timelinelabels": [label]},
        **more,
    }


TASKS = [
    {
        "id": 1,
        "data": {"video": "/data/upload/3/3d3ad63e-day%201.mp4", "fps": 10},
        "annotations": [
            {"completed_by": {"email": "mk@lab.org"}, "result": [make_range(11, 30)]},
            {"completed_by": 7, "result": [make_range(12, 12, meta={"text": ["loud", "late"]})]},
            {"completed_by": 7, "was_cancelled": True, "result": [make_range(1, 2)]},
        ],
        "predictions": [{"model_version": "m", "result": [make_range(1, 5)]}],
    },
    {
        "id": 2,
        "data": {"other": "text", "video_url": "films/b.mp4", "fps": 10},
        "annotations": [],
        "predictions": [
            {"model_version": "m", "result": [make_range(1, 5, "kick", score=0.5),
             {"type": "choices", "value": {"choices": ["bad"]}},
             {"type": "labels", "value": {"start": 2.5, "end": 3.0, "labels": ["cry"]}}]}
        ],
    },
]  # fmt: skip


def test_tasks_of_label_studio_are_read(tmp_path):
    table = read(tmp_path, TASKS)
    assert table.events == (
        CodedEvent("day 1.mp4", 1.0, 3.0, "hit", annotator="mk@lab.org"),
        CodedEvent("day 1.mp4", 1.1, 1.2, "hit", annotator="7", comment="loud\nlate"),
        CodedEvent("films/b.mp4", 0.0, 0.5, "kick", annotator="m", score=0.5),
        CodedEvent("films/b.mp4", 2.5, 3.0, "cry", annotator="m"),
    )
    assert table.notes == (
        "Predictions of tasks that have annotations are left out",
        "Results without times are left out: choices (1)",
    )
    halved = read(tmp_path, TASKS, fps=5.0)
    assert (halved.events[0].start_s, halved.events[0].end_s) == (2.0, 6.0)


def test_seconds_need_no_frames_a_second_and_frames_do(tmp_path):
    sound = {"type": "labels", "value": {"start": 1, "end": 2, "labels": ["cry"]}}
    task = {"data": {"video": "a.mp4"}, "predictions": [{"result": [sound]}]}
    assert read(tmp_path, task).events == (CodedEvent("a.mp4", 1, 2, "cry"),)
    task["predictions"] = [{"result": [make_range(1, 5)]}]
    with pytest.raises(InterchangeError, match=r"counts frames .*--fps"):
        read(tmp_path, [task])


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (make_range(0, 5), "task 1, result 1: frames count from 1, received 0"),
        (make_range(5, 3), "task 1, result 1: expected 0 <= start_s"),
        (make_range("1", 3), "task 1, result 1, start: expected a number, received '1'"),
        (make_range(None, 3), "task 1, result 1, start: expected a number, received nothing"),
        (make_range(1, 10**400), "task 1, result 1, end: the number is too large"),
        (make_range(1, 2, ""), "its label is empty"),
        (make_range(1, 2, score=7), "expected a score from 0 to 1"),
        ({"type": 3.5, "value": {}}, "task 1, result 1, type: expected a text"),
        ("x", "task 1, result 1: expected an object"),
    ],
)
def test_a_wrong_result_is_named(result, why, tmp_path):
    task = {"data": {"video": "a.mp4", "fps": 10}, "predictions": [{"result": [result]}]}
    with pytest.raises(InterchangeError, match="JSON of Label Studio") as caught:
        read(tmp_path, [task])
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"database": {"a": {"annotations": [{"segment": [1, 1e999], "label": "x"}]}}}', "large"),
        ('{"database": {"a": {"annotations": [{"segment": [1, NaN], "label": "x"}]}}}', "NaN"),
        ('{"database": {"a": {"annotations": [{"segment": [2, 1], "label": "x"}]}}}', "start_s"),
        ('{"database": {"a": {"duration": -1}}}', "duration_s above 0"),
        ('{"results": {"a": [{"segment": [1, 2], "label": null}]}}', "received nothing"),
        ('{"results": {"a": [{"segment": [1, 2], "label": "x", "score": true}]}}', "a number"),
        ("[" * 100_000, "recursion|nested too deep"),
        ('{"database": {"a": ' + '{"a": ' * 100_000, "recursion|nested too deep"),
    ],
)
def test_odd_numbers_and_deep_nesting_are_refused(text, why, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InterchangeError, match=why):
        read_events(path)
