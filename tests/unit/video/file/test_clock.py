import itertools

from hypothesis import given
from hypothesis import strategies as st

from har.video.file.clock import FrameClock


def read_all(clock, stamps):
    return [clock.read_time(stamp) for stamp in stamps]


def test_starts_at_zero_whatever_the_first_timestamp():
    assert read_all(FrameClock(25.0), [90.0, 90.5, 91.25]) == [0.0, 0.5, 1.25]


def test_without_timestamps_the_nominal_rate_counts():
    assert read_all(FrameClock(4.0), [None, None, None]) == [0.0, 0.25, 0.5]


def test_without_timestamps_and_rate_it_is_25():
    assert read_all(FrameClock(None), [None, None]) == [0.0, 0.04]


def test_a_repeated_timestamp_is_dropped_and_the_clock_goes_on():
    assert read_all(FrameClock(10.0), [0.0, 0.25, 0.25, 0.125, 0.5]) == [0.0, 0.25, None, None, 0.5]


def test_a_restarted_clock_goes_on_one_interval_later():
    assert read_all(FrameClock(4.0), [0.0, 2.0, 0.0, 0.5]) == [0.0, 2.0, 2.25, 2.75]


def test_a_given_origin_is_time_zero():
    assert read_all(FrameClock(25.0, origin_s=1.5), [8.5, 9.0]) == [7.0, 7.5]


def test_next_time_is_an_interval_after_the_last():
    clock = FrameClock(4.0)
    assert clock.next_s == 0.0
    clock.read_time(3.0)
    clock.read_time(4.0)
    assert clock.next_s == 1.25


@given(st.lists(st.one_of(st.none(), st.floats(-1e5, 1e5)), max_size=40))
def test_times_are_strictly_ascending(stamps):
    times = [time for time in read_all(FrameClock(25.0), stamps) if time is not None]
    assert all(a < b for a, b in itertools.pairwise(times))
