"""Timestamps on a timeline that never goes back, worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.video.camera.timeline import Placed, Timeline

STEP_S = 0.04


def _push(
    timeline: Timeline, stamps_s: list[float | None], arrived_s: list[float], waited_s: float = 0.03
) -> list[Placed]:
    return [timeline.place(*pair, waited_s) for pair in zip(stamps_s, arrived_s, strict=True)]


def test_the_camera_s_clock_rules_and_the_first_packet_is_at_zero() -> None:
    placed = _push(Timeline(5.0), [70.0, 70.04, 70.08], [1000.0, 1000.09, 1000.1])
    assert [item.time_s for item in placed] == pytest.approx([0.0, 0.04, 0.08])
    assert [item.late_s for item in placed] == pytest.approx([0.0, 0.05, 0.02], abs=1e-3)
    assert {item.segment.number for item in placed} == {0}
    assert placed[0].segment.note == ""


def test_without_timestamps_the_time_of_arrival_rules() -> None:
    placed = _push(Timeline(5.0), [None, None], [1000.0, 1000.5])
    assert [item.time_s for item in placed] == [0.0, 0.5]


def test_packets_in_the_order_of_decoding_are_no_jump() -> None:
    placed = _push(Timeline(5.0), [0.0, 0.12, 0.04, 0.08], [0.0, 0.04, 0.08, 0.12])
    assert {item.segment.number for item in placed} == {0}


SHOWN_S = [0.0, 4.0, 2.0, 1.0, 3.0, 8.0, 6.0, 5.0, 7.0, 12.0, 10.0, 9.0, 11.0]
"""B-frames at a frame a second, in the order of decoding."""


@pytest.mark.parametrize("knows_sent", [True, False])
def test_b_frames_at_a_frame_a_second_are_no_jump(knows_sent: bool) -> None:
    timeline = Timeline(5.0)
    placed = [
        timeline.place(shown_s, 500.0 + index, 1.0, index - 2.0 if knows_sent else None)
        for index, shown_s in enumerate(SHOWN_S)
    ]
    assert {item.segment.note for item in placed} == {""}


def test_a_clock_that_goes_back_shows_in_the_times_of_decoding() -> None:
    timeline = Timeline(5.0)
    sent_s = [10.0, 11.0, 12.0, 9.0]
    notes = [timeline.place(s, s, 1.0, s).segment.note for s in sent_s]
    assert notes == ["", "", "", "its clock went back by 3.0 s"]


@pytest.mark.parametrize(
    ("stamp_s", "note"),
    [(-9.0, "its clock went back by 10.0 s"), (500.0, "its clock leapt ahead by 499.0 s")],
)
def test_a_clock_that_jumps_begins_a_stretch_at_the_time_of_arrival(
    stamp_s: float, note: str
) -> None:
    timeline = Timeline(5.0)
    before = _push(timeline, [0.0, 1.0], [1000.0, 1001.0])
    (after,) = _push(timeline, [stamp_s], [1001.04])
    assert after.segment.number == 1
    assert after.segment.note.startswith(note[:24])
    assert after.time_s == pytest.approx(1.5), "half a second after what was before, at least"
    assert timeline.find_arrival_s(after.time_s) == pytest.approx(1001.04)
    assert timeline.find_arrival_s(before[1].time_s) == pytest.approx(1001.0, abs=2e-3)


def test_a_pause_of_the_camera_is_no_jump() -> None:
    placed = _push(Timeline(5.0), [0.0, 60.0], [0.0, 60.1])
    assert placed[1].segment.number == 0
    assert placed[1].time_s == 60.0


def test_a_new_connection_begins_a_stretch_on_the_same_timeline() -> None:
    timeline = Timeline(5.0)
    _push(timeline, [100.0, 101.0], [50.0, 51.0])
    timeline.restart()
    (placed,) = _push(timeline, [7.0], [60.0])
    assert (placed.segment.number, placed.time_s) == (1, 10.0)


def test_frames_that_a_camera_had_kept_are_dated_by_when_they_were_filmed() -> None:
    timeline = Timeline(5.0)
    _push(timeline, [0.0, 1.0, 2.0], [100.0, 100.01, 100.02], waited_s=0.0)
    assert timeline.find_arrival_s(2.0) == pytest.approx(100.02)
    assert timeline.find_arrival_s(0.0) == pytest.approx(98.02)


def test_packets_that_waited_for_the_reader_are_late_and_no_jump() -> None:
    timeline = Timeline(5.0)
    _push(timeline, [0.0], [0.0])
    times_s = [8.0 + 0.01 * i for i in range(400)]
    placed = _push(timeline, [STEP_S * i for i in range(1, 401)], times_s, waited_s=0.0)
    assert placed[0].late_s > 7.9
    assert {item.segment.number for item in placed} == {0}


def test_a_clock_that_fell_behind_though_nothing_waited_has_jumped() -> None:
    timeline = Timeline(5.0)
    _push(timeline, [0.0], [0.0])
    times_s = [8.0 + STEP_S * i for i in range(100)]
    placed = _push(timeline, [STEP_S * i for i in range(1, 101)], times_s)
    assert placed[-1].segment.number == 1
    assert placed[-1].segment.note.startswith("its clock fell behind by 7.9")
    assert placed[-1].late_s == pytest.approx(0.0, abs=0.01)


@given(
    steps_s=st.lists(st.floats(-1000, 1000), max_size=50),
    waits_s=st.lists(st.floats(0.001, 10), min_size=50, max_size=50),
)
def test_it_never_goes_back_between_stretches(steps_s: list[float], waits_s: list[float]) -> None:
    timeline = Timeline(5.0)
    stamp_s, arrived_s, last_s, number = 0.0, 0.0, -1.0, -1
    for step_s, wait_s in zip(steps_s, waits_s, strict=False):
        stamp_s, arrived_s = stamp_s + step_s, arrived_s + wait_s
        placed = timeline.place(stamp_s, arrived_s, wait_s)
        assert placed.late_s >= 0.0
        if placed.segment.number != number:
            assert placed.time_s > last_s
        number, last_s = placed.segment.number, max(last_s, placed.time_s)
