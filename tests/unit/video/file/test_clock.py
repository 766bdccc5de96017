import itertools

from hypothesis import given
from hypothesis import strategies as st

from har.video.file.clock import FrameClock, StampRule


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


def iter_all(clock, stamps):
    return [time_s for _, time_s in clock.iter_times(enumerate(stamps))]


def test_a_leap_ahead_is_a_gap_on_the_true_times():
    clock = FrameClock(4.0)
    assert iter_all(clock, [0.0, 0.25, 3600.0, 3600.25]) == [0.0, 0.25, 3600.0, 3600.25]
    assert clock.gaps == [(0.25, 3600.0)]
    assert clock.read_s == 1.0, "four frames of a quarter of a second"


def test_a_leap_of_one_frame_alone_is_a_wrong_stamp():
    clock = FrameClock(4.0)
    assert iter_all(clock, [0.0, 0.25, 9e5, 0.75, 1.0]) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert clock.gaps == []


def test_a_leap_right_after_the_first_frame_and_before_the_last():
    clock = FrameClock(4.0)
    assert iter_all(clock, [0.0, 60.0, 60.25, 900.0]) == [0.0, 60.0, 60.25, 900.0]
    assert clock.gaps == [(0.0, 60.0), (60.25, 900.0)]


def test_frames_that_are_always_rare_have_no_gaps():
    clock = FrameClock(0.1)
    assert iter_all(clock, [0.0, 10.0, 20.0, 31.0]) == [0.0, 10.0, 20.0, 31.0]
    assert clock.gaps == []


def test_rare_frames_whose_container_says_another_rate_have_none_for_long():
    clock = FrameClock(25.0)
    iter_all(clock, [10.0 * index for index in range(20)])
    assert clock.gaps == [(0.0, 10.0), (10.0, 20.0)]


def test_so_rare_is_no_video():
    clock = FrameClock(0.01)
    iter_all(clock, [100.0 * index for index in range(4)])
    assert len(clock.gaps) == 3, "whatever is recognized, an hour costs no more than its frames"


class Stamped:
    def __init__(self, pts, dts):
        self.pts, self.dts = pts, dts


def read_stamps(rule, pairs):
    return [rule.read(Stamped(*pair)) for pair in pairs]


OUT_OF_ORDER = [(1, 2), (4, 3), (3, 4), (5, 5), (2, 6), (7, None)]


def test_times_of_showing_are_taken_while_they_ascend():
    assert read_stamps(StampRule(0.5), [(0, 0), (2, 1), (4, None), (None, 9)]) == [
        0.0,
        1.0,
        2.0,
        4.5,
    ]


def test_times_of_decoding_are_taken_once_those_of_showing_do_not_ascend():
    assert read_stamps(StampRule(1.0), OUT_OF_ORDER) == [1, 4, 4, 5, 6, None]


def test_looking_ahead_takes_the_right_ones_from_the_first_frame_on():
    rule = StampRule(1.0)
    rule.check_first([Stamped(*pair) for pair in OUT_OF_ORDER])
    assert read_stamps(rule, OUT_OF_ORDER) == [2, 3, 4, 5, 6, None]


def test_a_container_without_times_of_showing():
    assert read_stamps(StampRule(1.0, is_decoded_order=True), OUT_OF_ORDER)[:2] == [2, 3]


def test_a_stream_without_a_clock_has_no_times():
    assert read_stamps(StampRule(None), [(0, 0)]) == [None]
