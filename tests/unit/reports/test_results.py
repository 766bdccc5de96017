"""What is written can be read, by har and by others, and never hides another video's files."""

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from har.config import DecodeConfig, OutputsConfig
from har.dataset.catalog import Reject
from har.errors import OutputError
from har.reports import results as outputs
from har.result import PoseTracks, VideoResult
from har.types import Event, People, Scores, VideoInfo

DECODE = DecodeConfig("play")
HIT = Event("hit", 0.5, 1.25, 0.8, subject=2)


def _make_result(path: Path, events: tuple[Event, ...] = (), note: str = "") -> VideoResult:
    hit = np.array([0.9, 0.8, 0.1, 0.5], dtype=np.float32)
    values = np.stack([1 - hit, hit], axis=1)
    return VideoResult(
        info=VideoInfo(path, 96, 64, 25.0, 2.0, 50, 0, "h264"),
        duration_s=2.00049,
        label="hit",
        probs={"play": 0.25, "hit": 0.75},
        events=events,
        scores=Scores(("play", "hit"), np.arange(4) / 2 + 0.25, values, 0.5),
        n_windows=1,
        wall_s=0.12345,
        note=note,
    )


def _write(folder: Path, results: dict[str, VideoResult], rejects: tuple[Reject, ...] = ()) -> None:
    """Do what a run of `har predict` does."""
    for stem, result in results.items():
        outputs.write_video_outputs(folder / stem, result, DECODE, OutputsConfig())
    stems = {result.info.path: stem for stem, result in results.items()}
    outputs.write_folder_outputs(folder, [*rejects, *results.values()], stems, DECODE)


def _read_videos(folder: Path) -> list[str]:
    with (folder / "events.csv").open(newline="") as file:
        return [row["video"] for row in csv.DictReader(file)]


def _read_results(folder: Path) -> list[dict]:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_json_has_the_fields_of_the_command_line() -> None:
    outcomes = [
        _make_result(Path("a.mp4"), (HIT,)),
        Reject("", Path("é.mp4"), "no video"),
        _make_result(Path("c.mp4"), note="cut off"),
    ]
    found = outputs.to_json(outcomes, {Path("a.mp4"): "a", Path("c.mp4"): "c"}, DECODE)
    totals = found[0].pop("totals")
    assert found[0] == {
        "video": "a.mp4",
        "stem": "a",
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
        "confidence": None,
        "uncertain_share": 0.0,
        "n_windows": 1,
        "still": {},
        "engines": {},
        "wall_s": 0.123,
    }
    assert totals["labels"] == [
        {"label": "hit", "n_events": 1, "total_s": 0.75, "per_hour": pytest.approx(1799.559)}
    ]
    assert found[1] == {"video": "é.mp4", "error": "no video"}
    assert found[2]["note"] == "cut off"


def test_json_says_how_sure_the_keypoints_were_and_what_was_left_open() -> None:
    numbers = np.zeros((4, 2), np.int64)
    values = np.array([[0.5, 0.5], [0, 0], [0, 0], [0, 0]], np.float32)
    people = People(numbers, numbers, np.array([0.5, 0, 0, 0], np.float32))
    scores = Scores(("play", "hit"), np.arange(4) + 0.5, values, 1.0, people)
    found = replace(_make_result(Path("a.mp4")), scores=scores).to_json()
    assert (found["confidence"], found["uncertain_share"]) == (0.125, 0.75)


def test_tracks_become_keypoints_at_their_steps_however_many_came_and_went() -> None:
    result = _make_result(Path("a.mp4"))
    times_s = np.array([0.05, 0.05, 0.15, 0.35, 0.36])  # a gap, and a step that begins late in it
    numbers = np.array([1, 2, 3, 90, 90])
    points = np.arange(5.0)[:, None, None] + np.ones((5, 17, 3))
    tracks = PoseTracks(times_s, numbers, points.astype(np.float32), 0.1)
    scores = replace(result.scores, times_s=np.array([0.25]), step_s=0.5)
    found = replace(result, duration_s=0.4, scores=scores, pose_tracks=tracks)
    poses = outputs.spread_tracks(found)
    assert poses.points[:, :, 0, 0].tolist() == [[1, 2], [3, 0], [0, 0], [4, 0], [0, 0]]
    assert poses.fps == pytest.approx(10)


def test_a_second_run_in_a_folder_keeps_what_the_first_found(tmp_path: Path) -> None:
    first, second = (_make_result(Path(name), (HIT,)) for name in ("a.mp4", "b.mp4"))
    _write(tmp_path, {"a": first}, (Reject("", Path("bad.mp4"), "no video"),))
    _write(tmp_path, {"b": second})
    assert _read_videos(tmp_path) == ["a.mp4", "b.mp4"]
    assert [entry["video"] for entry in _read_results(tmp_path)] == ["bad.mp4", "a.mp4", "b.mp4"]
    with (tmp_path / "totals.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["video"], row["label"], row["n_events"]) for row in rows] == [
        ("a.mp4", "hit", "1"),
        ("b.mp4", "hit", "1"),
    ]


def test_a_second_run_over_a_video_takes_the_place_of_the_first(tmp_path: Path) -> None:
    _write(tmp_path, {"a": _make_result(Path("a.mp4"), (HIT, Event("hit", 1.5, 2, 0.9)))})
    _write(tmp_path, {"a": _make_result(Path("../here/a.mp4"), (HIT,))})
    assert _read_videos(tmp_path) == ["../here/a.mp4"]
    assert len(_read_results(tmp_path)) == 1


def test_a_video_that_could_not_be_read_before_is_left_out_no_more(tmp_path: Path) -> None:
    _write(tmp_path, {}, (Reject("", Path("a.mp4"), "still being copied"),))
    _write(tmp_path, {"a": _make_result(Path("a.mp4"))})
    assert ["error" in entry for entry in _read_results(tmp_path)] == [False]


_ENTRY = '[{"video": "z.mp4", "stem": "z", "totals": {"duration_s": 9, "labels": [%s]}}]'
_LABEL = '{"label": "hit", "n_events": 1, "total_s": 1, "per_hour": 1}'


def test_an_entry_of_an_earlier_run_is_kept(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(_ENTRY % _LABEL)
    _write(tmp_path, {"a": _make_result(Path("a.mp4"))})
    assert [entry["video"] for entry in _read_results(tmp_path)] == ["z.mp4", "a.mp4"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[1]", '[{"error": "x"}]', "[" * 100_000, '[{"video": "z", "stem": {}}]'),
        *('[{"video": "z", "totals": []}]', '[{"video": "z", "totals": {"labels": []}}]'),
        _ENTRY % _LABEL.replace('"hit"', "5"),
        _ENTRY % _LABEL.replace('"label"', '"name"'),
        _ENTRY % _LABEL.replace('"total_s"', '"more"'),
        _ENTRY.replace("9", "NaN") % _LABEL,
        _ENTRY.replace("9", "1e999") % _LABEL,
        _ENTRY.replace("9", '"long"') % _LABEL,
    ],
)
def test_results_of_others_are_written_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    _write(tmp_path, {"a": _make_result(Path("a.mp4"))})
    assert [entry["video"] for entry in _read_results(tmp_path)] == ["a.mp4"]


def test_each_video_has_its_files(tmp_path: Path) -> None:
    _write(tmp_path, {"day.1": _make_result(Path("day.1.mp4"), (HIT,))})
    assert {path.name for path in tmp_path.iterdir()} == {
        "day.1.events.csv",
        "day.1.events.vtt",
        "day.1.timeline.svg",
        "events.csv",
        "results.json",
        "totals.csv",
    }


def test_what_several_videos_add_up_to() -> None:
    results = [_make_result(Path("a.mp4"), (HIT,)), _make_result(Path("b.mp4"), (HIT, HIT))]
    total = outputs.add_up(results, DECODE)
    assert total.duration_s == pytest.approx(4.00098)
    (hit,) = total.labels
    assert (hit.n_events, hit.total_s) == (3, 2.25)
    assert hit.per_hour == pytest.approx(3 / 4.00098 * 3600)


def test_an_output_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.events.csv").mkdir()
    with pytest.raises(OutputError, match=r"a\.events\.csv could not be written"):
        outputs.write_video_outputs(
            tmp_path / "a", _make_result(Path("a.mp4")), DECODE, OutputsConfig()
        )
    assert [item.name for item in tmp_path.iterdir()] == ["a.events.csv"]


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


def test_stems_in_use_go_to_their_own_video_only() -> None:
    taken = {"X": Path("a/x.mp4"), "y_mp4": Path("b/y.mp4")}
    paths = [Path("b/x.mp4"), Path("a/../a/x.mp4"), Path("b/y.mp4"), Path("c/y.mp4")]
    assert outputs.compute_output_stems(paths, taken) == ["x_mp4", "X", "y_mp4", "c_y_mp4"]


def test_a_run_that_goes_on_gives_the_same_stems() -> None:
    paths = [Path("a/x.mp4"), Path("b/x.mp4"), Path("c/x.mp4")]
    stems = outputs.compute_output_stems(paths)
    done = dict(zip(stems[:2], paths[:2], strict=True))
    assert outputs.compute_output_stems(paths, done) == stems == ["a_x_mp4", "b_x_mp4", "c_x_mp4"]


def test_stems_in_use_are_read_from_what_earlier_runs_left(tmp_path: Path) -> None:
    (tmp_path / "x.1.result.json").write_text('{"info": {"path": "a/x.1.mp4"}}')
    texts = ("{}", "no", "[]", "[" * 100_000)
    paths = (r"a\u0000b", r"\ud800")
    for number, text in enumerate((*texts, *(f'{{"info": {{"path": "{p}"}}}}' for p in paths))):
        (tmp_path / f"{number}.result.json").write_text(text)
    assert outputs.find_taken_stems(tmp_path) == {"x.1": Path("a/x.1.mp4")}
    assert outputs.find_taken_stems(tmp_path / "absent") == {}


def test_stems_fit_the_disk_and_may_hold_bytes_that_are_no_text(tmp_path):
    names = ["a" * 251 + ".mp4", "a" * 250 + "b.mp4", "\u00e9" * 125 + ".mp4", "caf\udce9.mp4"]
    stems = outputs.compute_output_stems([tmp_path / name for name in names])
    assert len(set(stems)) == 4
    assert stems[3] == "caf\udce9"
    for stem in stems:
        (tmp_path / f"{stem}.annotated.mp4.part").write_bytes(b"")
    assert max(len(os.fsencode(stem)) for stem in stems) <= 200
