"""Round trips of the formats that count frames: each event comes back by the frame."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.interchange.format import ReadSettings, WriteSettings
from har.interchange.formats import read_events, write_events

TEXTS = st.sampled_from(["hit", "=1+1", "a;b,c", 'say "hi"', "Kind größer", "打つ", "-x", "'=x"])
RATES = st.sampled_from([25.0, 29.97, 30.0, 120.0])
SLOW = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)


@st.composite
def draw_tables(draw, max_frame: int, max_length: int):
    """Return tables whose events begin and end with frames, and their frames a second."""
    fps = draw(RATES)
    videos = ["a.mp4", "day 1/b.mp4"][: draw(st.integers(1, 2))]
    events = []
    for _ in range(draw(st.integers(0, 8))):
        first, length = draw(st.integers(0, max_frame)), draw(st.integers(0, max_length))
        events.append(
            CodedEvent(
                draw(st.sampled_from(videos)),
                first / fps,
                (first + length) / fps,
                draw(TEXTS),
                draw(st.one_of(st.just(""), TEXTS)),
                draw(st.one_of(st.just(""), TEXTS)),
                draw(st.one_of(st.just(""), TEXTS)),
                draw(st.one_of(st.just(""), TEXTS)),
                length == 0,
                draw(st.one_of(st.none(), st.sampled_from([0.0, 0.25, 1.0]))),
            )
        )
    frames = max_frame + max_length + 1
    return build_table(events, [Media(video, frames / fps, fps) for video in videos]), fps


def round_trip(table: EventTable, fps: float, folder, name: str, ending: str) -> EventTable:
    path = folder / f"events{ending}"
    write_events(table, path, name)
    return read_events(path, name, ReadSettings(fps=fps))


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(drawn=draw_tables(10_000_000, 100_000))
def test_label_studio_keeps_all_to_the_frame(drawn, tmp_path):
    table, fps = drawn
    path = tmp_path / "tasks.json"
    assert write_events(table, path, "label-studio") == []
    back = read_events(path)
    assert [item.fps for item in back.media] == [fps] * len(table.media)

    def to_keys(events):
        rounded = (replace(e, start_s=round(e.start_s, 6), end_s=round(e.end_s, 6)) for e in events)
        return sorted(map(str, rounded))

    assert to_keys(back.events) == to_keys(table.events)


@pytest.mark.parametrize(("name", "ending"), [("feral", ".json"), ("deepethogram", ".csv")])
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(drawn=draw_tables(200, 50))
def test_every_frame_keeps_its_labels(name, ending, drawn, tmp_path):
    table, fps = drawn
    folder = tmp_path / f"{abs(hash((table, fps)))}"
    back = round_trip(table, fps, folder, name, ending)

    def to_frames(events, by_stem):
        return {
            (video.rpartition("/")[2].split(".")[0] if by_stem else video, label, frame)
            for video, label, first, end in (
                (e.video, e.label, round(e.start_s * fps), round(e.end_s * fps)) for e in events
            )
            for frame in range(first, max(end, first + 1))
        }

    alone = name == "deepethogram"
    expected = to_frames(table.events, alone)
    if alone and len(table.media) == 1:
        expected = {("events", label, frame) for _, label, frame in expected}
    assert to_frames(back.events, alone) == expected
    assert all(item.duration_s == pytest.approx(251 / fps) for item in back.media)
    assert len(back.media) == len(table.media)


@pytest.mark.parametrize("name", ["feral", "deepethogram", "label-studio"])
def test_frames_a_second_are_asked_for(name, tmp_path):
    table = build_table([CodedEvent("a.mp4", 1, 2, "hit")])
    path = tmp_path / "events.json"
    with pytest.raises(InterchangeError, match=r"how many a\.mp4 has a second.*--fps"):
        write_events(table, path, name)
    write_events(table, path, name, WriteSettings(fps=10.0))
    if name == "label-studio":
        assert read_events(path, name).events == table.events
        return
    with pytest.raises(InterchangeError, match="how many make a second"):
        read_events(path, name)
    with pytest.raises(InterchangeError, match="how many make a second"):
        read_events(path, name, ReadSettings(fps=float("nan")))


@pytest.mark.parametrize("name", ["feral", "deepethogram"])
def test_what_is_joined_cut_or_too_long_is_said(name, tmp_path):
    events = [CodedEvent("a.mp4", 1, 3, "hit"), CodedEvent("a.mp4", 2, 4, "hit")]
    path = tmp_path / "events"
    notes = write_events(build_table(events), path, name, WriteSettings(fps=10.0))
    assert notes[:2] == [
        "Events of one label that touch or overlap became one: hit in a.mp4",
        "The length of a.mp4 is not known; it ends with its last event here",
    ]
    (event,) = read_events(path, name, ReadSettings(fps=10.0)).events
    assert (event.start_s, event.end_s) == (1.0, 4.0)
    long = build_table([CodedEvent("a.mp4", 1e8, 1e8 + 1, "hit")], [Media("a.mp4", fps=25.0)])
    with pytest.raises(InterchangeError, match="2,500,000,025 frames"):
        write_events(long, path, name)
