"""What is written can be read, by har and by others, and never hides another video's files."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.dataset.catalog import Reject
from har.errors import OutputError
from har.inference import outputs
from har.inference.recording import VideoResult
from har.types import Event, People, Scores, VideoInfo


def _make_result(path: Path, events: tuple[Event, ...] = (), note: str = "") -> VideoResult:
    values = np.array([[0.25, 0.75]], dtype=np.float32)
    return VideoResult(
        info=VideoInfo(path, 96, 64, 25.0, 2.0, 50, 0, "h264"),
        duration_s=2.00049,
        label="hit",
        probs={"play": 0.25, "hit": 0.75},
        events=events,
        scores=Scores(("play", "hit"), np.array([1.0]), values, 2.0),
        n_windows=1,
        wall_s=0.12345,
        note=note,
    )


def test_events_of_all_videos_are_lines_of_one_table(tmp_path: Path) -> None:
    events = (
        Event("hit", 0.0, 1.25, 0.8, 2, 11),
        Event("hit", 3, 4, 1.0),
        Event("hit", 5, 6, 1.0, 3),
    )
    first = _make_result(Path("a,b.mp4"), events)
    outputs.write_events_csv(tmp_path / "new" / "events.csv", [first, _make_result(Path("c.mp4"))])
    with (tmp_path / "new" / "events.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["video", "start_s", "end_s", "label", "score", "subject", "target"],
            ["a,b.mp4", "0.000", "1.250", "hit", "0.8000", "2", "11"],
            ["a,b.mp4", "3.000", "4.000", "hit", "1.0000", "", ""],
            ["a,b.mp4", "5.000", "6.000", "hit", "1.0000", "3", ""],
        ]


def test_json_has_the_fields_of_the_command_line(tmp_path: Path) -> None:
    outcomes = [
        _make_result(Path("a.mp4"), (Event("hit", 0.5, 1.25, 0.8, subject=2),)),
        Reject("", Path("é.mp4"), "no video"),
        _make_result(Path("c.mp4"), note="cut off"),
    ]
    outputs.write_json(tmp_path / "results.json", outcomes)
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert found[0] == {
        "video": "a.mp4",
        "duration_s": 2.0,
        "fps": 25.0,
        "label": "hit",
        "probs": {"play": 0.25, "hit": 0.75},
        "events": [
            {
                "label": "hit",
                "onset_s": 0.5,
                "offset_s": 1.25,
                "score": 0.8,
                "subject": 2,
                "target": None,
            }
        ],
        "sureness": None,
        "unknown_share": 0.0,
        "n_windows": 1,
        "wall_s": 0.123,
    }
    assert found[1] == {"video": "é.mp4", "error": "no video"}
    assert found[2]["note"] == "cut off"


def test_json_says_how_sure_the_keypoints_were_and_what_was_left_open() -> None:
    numbers = np.zeros((4, 2), np.int64)
    values = np.array([[0.5, 0.5], [0, 0], [0, 0], [0, 0]], np.float32)
    people = People(numbers, numbers, np.array([0.5, 0, 0, 0], np.float32))
    scores = Scores(("play", "hit"), np.arange(4) + 0.5, values, 1.0, people)
    found = replace(_make_result(Path("a.mp4")), scores=scores).to_json()
    assert (found["sureness"], found["unknown_share"]) == (0.125, 0.75)


@st.composite
def scores_of_any_kind(draw: st.DrawFn) -> Scores:
    labels = draw(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1),
            min_size=2,
            max_size=4,
            unique=True,
        )
    )
    n = draw(st.integers(1, 20))
    unit = st.floats(0, 1, width=32)
    values = draw(st.lists(unit, min_size=n * len(labels), max_size=n * len(labels)))
    step_s = draw(st.floats(1e-3, 2.0))
    people = None
    if draw(st.booleans()):
        rng = np.random.default_rng(n)
        numbers = rng.integers(0, 10**6, (2, n, len(labels)))
        people = People(*numbers, rng.random(n, dtype=np.float32))
    return Scores(
        tuple(labels),
        (np.arange(n) + 0.5) * step_s,
        np.array(values, np.float32).reshape(n, len(labels)),
        step_s,
        people,
    )


@given(scores=scores_of_any_kind())
def test_scores_come_back_without_loss(
    tmp_path_factory: pytest.TempPathFactory, scores: Scores
) -> None:
    path = tmp_path_factory.getbasetemp() / "scores.csv"
    outputs.save_scores(path, scores)
    found = outputs.load_scores(path)
    assert (found.labels, found.step_s) == (scores.labels, scores.step_s)
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.times_s, scores.times_s)
    np.testing.assert_array_equal(found.values, scores.values)
    assert (found.people is None) is (scores.people is None)
    if found.people is not None and scores.people is not None:
        for name, expected in vars(scores.people).items():
            array = getattr(found.people, name)
            assert array.dtype == expected.dtype
            np.testing.assert_array_equal(array, expected)


def test_labels_that_are_named_as_the_columns_of_people_come_back(tmp_path: Path) -> None:
    labels = ("a", "sureness", "subject:a")
    values = np.full((2, 3), 1 / 3, np.float32)
    numbers = np.arange(6).reshape(2, 3)
    for people in (None, People(numbers, numbers + 1, np.ones(2, np.float32))):
        scores = Scores(labels, np.array([0.5, 1.5]), values, 1.0, people)
        outputs.save_scores(tmp_path / "scores.csv", scores)
        found = outputs.load_scores(tmp_path / "scores.csv")
        assert found.labels == labels
        assert (found.people is None) is (people is None)


PEOPLE = b"time_s,step_s,a,b,sureness,subject:a,subject:b,target:a,target:b\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not enough values"),
        (b"video,start_s\n", "first line is 'video,start_s'"),
        (b"time_s,step_s,a,b\n", "no rows"),
        (b"time_s,step_s,a,b\n0.5,1,0.5\n", "cannot be read"),
        (b"time_s,step_s,a,b\n0.5,1,x,0.5\n", "could not convert"),
        (b"time_s,step_s,a,b\n0.5,1,1.5,0.5\n", "not from 0 to 1"),
        (b"time_s,step_s,a,b\n0.5,1,nan,0.5\n", "not from 0 to 1"),
        (b"time_s,step_s,a,b\n0.5,1,1,0\n0.5,1,1,0\n", "ascend"),
        (b"time_s,step_s,a,b\n0.5,1,1,0\n1.5,2,1,0\n", "even grid"),
        (PEOPLE + b"0.5,1,1,0,1.5,1,1,2,2\n", "sureness is not"),
        (PEOPLE + b"0.5,1,1,0,0.5,1,1.5,2,2\n", "not a whole one"),
        (PEOPLE + b"0.5,1,1,0,0.5,1,1,-2,2\n", "not a whole one"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_file_that_is_no_scores_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "scores.csv").write_bytes(content)
    with pytest.raises(OutputError, match=message) as caught:
        outputs.load_scores(tmp_path / "scores.csv")
    assert "scores.csv" in str(caught.value)


def test_scores_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"absent\.csv"):
        outputs.load_scores(tmp_path / "absent.csv")


def test_an_output_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="taken could not be written"):
        outputs.write_events_csv(tmp_path / "taken", [])
    assert [item.name for item in tmp_path.iterdir()] == ["taken"]


def test_stems_of_one_folder_differ(tmp_path: Path) -> None:
    paths = [
        Path("a/x.mp4"),
        Path("b/X.MP4"),
        Path("b/x_mp4.avi"),
        Path("c/a/x.mp4"),
        Path("b/only.mp4"),
        Path("b/y.mp4"),
        Path("b/y.avi"),
    ]
    stems = outputs.compute_output_stems(paths)
    assert len({stem.casefold() for stem in stems}) == len(paths)
    assert stems[1] == "b_X_MP4"
    assert stems[4:] == ["only", "y_mp4", "y_avi"]
    assert stems[0].startswith("x_mp4_")
