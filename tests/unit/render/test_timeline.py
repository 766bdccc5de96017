"""The timeline shows events where they are, whatever the labels and the length."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from har.config import DecodeConfig
from har.errors import OutputError
from har.events.decoder import decode_events
from har.render.text import format_time
from har.render.timeline import Bar, Lane, draw_lanes, draw_timeline, write_timeline
from har.result import VideoResult
from har.types import UNCERTAIN, Event, Scores, VideoInfo

CONFIG = DecodeConfig(background="play")


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


def draw(result: VideoResult, config: DecodeConfig = CONFIG) -> tuple[float, list[dict[str, str]]]:
    """Return the picture's width and the attributes of all its elements."""
    svg = draw_timeline(result, config)
    root = Xml.fromstring(svg.to_file())  # noqa: S314 - our own
    return svg.width, [dict(element.attrib) for element in root.iter()]


def find(elements: list[dict[str, str]], style: str) -> list[dict[str, str]]:
    return [item for item in elements if item.get("class") == style]


def place(element: dict[str, str]) -> tuple[float, float]:
    """Return the ends of a rectangle as parts of the axis of time."""
    left, width = float(element["x"]), float(element["width"])
    return (left - 190) / 986, (left + width - 190) / 986


@pytest.mark.parametrize("duration_s", [20, 7200])
def test_an_event_is_a_bar_at_its_time(duration_s: int) -> None:
    hit = np.zeros(duration_s * 8)
    hit[len(hit) // 4 : len(hit) // 2] = 1.0
    _, elements = draw(make_result(Path("a.mp4"), hit))
    (bar,) = find(elements, "fill s0")
    assert place(bar) == pytest.approx((0.25, 0.5), abs=0.003)


def test_a_short_peak_in_a_long_recording_is_seen() -> None:
    hit = np.zeros(7200 * 8)
    hit[1000] = 0.5
    _, elements = draw(make_result(Path("a.mp4"), hit))
    (curve,) = find(elements, "thin s0")
    heights = [float(point.split(" ")[1]) for point in curve["d"][1:].split("L")]
    assert max(heights) - min(heights) == pytest.approx(26)  # half of a lane
    assert len(heights) < 1100


@pytest.mark.parametrize(
    "labels",
    [("a$b", "<x>&"), ("no_fight_" * 10, "f"), tuple(f"label {i}" for i in range(12))],
    ids=["signs", "long", "many"],
)
@pytest.mark.parametrize("n_steps", [1, 100])
def test_any_labels_can_be_drawn(labels: tuple[str, ...], n_steps: int) -> None:
    result = make_result(Path("<video>\udce9.mp4"), np.ones(n_steps), labels, note="cut off at 3 s")
    width, elements = draw(result, DecodeConfig())
    assert width == 1200
    assert len(find(elements, "axis")) == len(labels)


def test_spans_where_it_is_uncertain_are_hatched() -> None:
    result = make_result(Path("a.mp4"), np.zeros(160))
    result.scores.values[40:80] = 0
    _, elements = draw(result)
    spans = find(elements, "wash")
    assert [place(span) for span in spans] == [pytest.approx((0.25, 0.5), abs=0.005)] * 2
    ends = re.findall(r"[ML]([\d.]+) ", find(elements, "hatch")[0]["d"])
    left, right = float(spans[0]["x"]), float(spans[0]["x"]) + float(spans[0]["width"])
    assert all(left - 0.1 <= float(x) <= right + 0.1 for x in ends)


@pytest.mark.parametrize(("length_s", "is_written"), [(2.0, True), (0.25, False)])
def test_people_are_written_on_bars_with_room(length_s: float, is_written: bool) -> None:
    result = make_result(Path("a.mp4"), np.zeros(160))
    event = Event("hit", 5.0, 5.0 + length_s, 0.9, 1, 2)
    _, elements = draw(replace(result, events=(event,)))
    assert bool(find(elements, "t-small t-mid t-on")) is is_written
    text = draw_timeline(replace(result, events=(event,)), CONFIG).to_html()
    assert f"hit 1→2, 0:05.0 to {format_time(5 + length_s, 1)}, score 0.90" in text


def test_a_recording_without_an_answer_can_be_drawn() -> None:
    result = make_result(Path("a.mp4"), np.zeros(9))
    result.scores.values[:] = 0
    result = replace(result, label=UNCERTAIN, probs=dict.fromkeys(result.probs, 0.0))
    _, elements = draw(result)
    assert not find(elements, "thin s0")


def test_an_open_bar_is_never_too_narrow_to_be_seen_through() -> None:
    lane = Lane("a", "s0", [Bar(5.0, 5.1, is_open=True), Bar(7.0, 7.001)])
    svg = draw_lanes("t", "d", [lane], 3600.0)
    widths = re.findall(r'width="([\d.]+)" height="16" rx', svg.to_html())
    assert widths == ["5", "1.5"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(OutputError, match=r"a\.svg could not be written"):
        write_timeline(tmp_path / "a.svg", make_result(Path("a.mp4"), np.ones(9)), CONFIG)
    assert [item.name for item in tmp_path.iterdir()] == ["a.svg"]
