"""The timeline shows events where they are, whatever the labels and the length."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from har.config import DecodeConfig
from har.errors import OutputError
from har.events.decoder import decode_events
from har.render.text import compute_colors, measure_text
from har.render.timeline import write_timeline
from har.result import VideoResult
from har.types import UNCERTAIN, Event, Scores, VideoInfo

CONFIG = DecodeConfig(background="play")
HIT_COLOR = compute_colors(("play", "hit"), "play")["hit"]


def make_result(
    path: Path, hit: np.ndarray, labels: tuple[str, ...] = ("play", "hit"), note: str = ""
) -> VideoResult:
    """Return a result with eight scores a second for the second label; the first has the rest."""
    values = np.zeros((len(hit), len(labels)), np.float32)
    values[:, 0], values[:, 1] = 1 - hit, hit
    scores = Scores(labels, (np.arange(len(hit)) + 0.5) / 8, values, 0.125)
    mean = values.mean(axis=0).tolist()
    return VideoResult(
        info=VideoInfo(path, 96, 64, 25.0, len(hit) / 8, None, 0, "h264"),
        duration_s=len(hit) / 8,
        label=labels[int(np.argmax(mean))],
        probs=dict(zip(labels, mean, strict=True)),
        events=decode_events(scores, DecodeConfig(background=labels[0])),
        scores=scores,
        n_windows=1,
        wall_s=0.1,
        note=note,
    )


def _find_bar(image: np.ndarray) -> tuple[float, float]:
    """Return the ends of the longest full-color line as parts of the picture's width."""
    is_bar = (image == HIT_COLOR).all(axis=2)
    row = is_bar[is_bar.sum(axis=1).argmax()]
    columns = np.flatnonzero(row) / image.shape[1]
    return float(columns[0]), float(columns[-1])


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image[..., ::-1]


@pytest.mark.parametrize("duration_s", [20, 7200])
def test_an_event_is_a_bar_at_its_time(tmp_path: Path, duration_s: int) -> None:
    hit = np.zeros(duration_s * 8)
    hit[len(hit) // 4 : len(hit) // 2] = 1.0
    write_timeline(tmp_path / "new" / "a.png", make_result(Path("a.mp4"), hit), CONFIG)
    begin, end = _find_bar(_read(tmp_path / "new" / "a.png"))
    left, right = 0.16, 0.968
    assert begin == pytest.approx(left + (right - left) / 4, abs=0.003)
    assert end == pytest.approx(left + (right - left) / 2, abs=0.003)


def test_a_short_peak_in_a_long_recording_is_seen(tmp_path: Path) -> None:
    quiet, hit = np.zeros(7200 * 8), np.zeros(7200 * 8)
    hit[1000] = 0.5
    for name, values in (("quiet", quiet), ("peak", hit)):
        write_timeline(tmp_path / f"{name}.png", make_result(Path("a.mp4"), values), CONFIG)
    assert not np.array_equal(_read(tmp_path / "quiet.png"), _read(tmp_path / "peak.png"))


@pytest.mark.parametrize(
    "labels",
    [("a$b", "$x_1$"), ("no_fight_" * 10, "f"), tuple(f"label {i}" for i in range(12))],
    ids=["formula", "long", "many"],
)
@pytest.mark.parametrize("n_steps", [1, 100])
def test_any_labels_can_be_drawn(tmp_path: Path, labels: tuple[str, ...], n_steps: int) -> None:
    result = make_result(Path("$video$.mp4"), np.ones(n_steps), labels, note="cut off at 3 s")
    write_timeline(tmp_path / "a.png", result, DecodeConfig())
    assert _read(tmp_path / "a.png").shape[1] == 1440


def test_stretches_where_it_cannot_tell_are_gray_and_hatched(tmp_path: Path) -> None:
    result = make_result(Path("a.mp4"), np.zeros(160))
    result.scores.values[40:80] = 0
    write_timeline(tmp_path / "a.png", result, CONFIG)
    image = _read(tmp_path / "a.png")
    background = (image == (236, 238, 240)).all(axis=2)
    columns = np.flatnonzero(background.sum(axis=0) > 20) / image.shape[1]
    assert columns[0] == pytest.approx(0.16 + 0.808 / 4, abs=0.005)
    assert columns[-1] == pytest.approx(0.16 + 0.808 / 2, abs=0.005)
    assert (image == (195, 200, 206)).all(axis=2).sum() > 200


@pytest.mark.parametrize(("length_s", "is_written"), [(2.0, True), (0.25, False)])
def test_people_are_written_on_bars_with_room(
    tmp_path: Path, length_s: float, is_written: bool
) -> None:
    result = make_result(Path("a.mp4"), np.zeros(160))
    bars = []
    for name, who in (("named", (1, 2)), ("plain", (0, 0))):
        event = Event("hit", 5.0, 5.0 + length_s, 0.9, *who)
        write_timeline(tmp_path / f"{name}.png", replace(result, events=(event,)), CONFIG)
        is_bar = (_read(tmp_path / f"{name}.png") == HIT_COLOR).all(axis=2)
        bars.append(is_bar[is_bar.sum(axis=1) > 10].sum())
    assert bool(bars[1] - bars[0] > 15) is is_written


def test_a_recording_without_an_answer_can_be_drawn(tmp_path: Path) -> None:
    result = make_result(Path("a.mp4"), np.zeros(9))
    result.scores.values[:] = 0
    result = replace(result, label=UNCERTAIN, probs=dict.fromkeys(result.probs, 0.0))
    write_timeline(tmp_path / "a.png", result, CONFIG)
    assert _read(tmp_path / "a.png").shape[1] == 1440


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OutputError, match=r"a\.png could not be written"):
        write_timeline(tmp_path / "a.png", make_result(Path("a.mp4"), np.ones(9)), CONFIG)
    assert [item.name for item in tmp_path.iterdir()] == ["a.png"]


def test_odd_bytes_of_a_file_name_are_drawn_as_question_marks():
    assert measure_text("caf\udce9", 14) == measure_text("caf?", 14)
