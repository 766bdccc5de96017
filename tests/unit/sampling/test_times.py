"""Time arithmetic: worked examples and what must hold for any video."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from windows import slice_windows

from har.errors import ConfigError
from har.sampling.times import (
    WindowRing,
    compute_clip_logits,
    compute_nearest_indices,
    compute_span_s,
    compute_stack_indices,
    compute_step_times,
    compute_window_starts,
    cut_windows,
    gather_stacks,
    is_due,
)

intervals = st.lists(st.floats(0.005, 0.5), min_size=1, max_size=80)


def test_stacks_of_the_table_in_the_module():
    times = np.arange(20) * 0.04
    steps = compute_step_times(0.4, 8.0)
    stacks = compute_stack_indices(times, steps, (-0.04, 0.0, 0.16))
    assert stacks.tolist() == [[1, 2, 6], [4, 5, 9], [7, 8, 12]]


def test_lag_reaches_the_neighbor_in_a_slow_video():
    times = np.arange(5) * 0.5
    stacks = compute_stack_indices(times, np.array([1.0]), (-0.04, 0.0, 0.04))
    assert stacks.tolist() == [[1, 2, 3]]


def test_lag_is_clamped_at_both_ends():
    times = np.arange(3) * 0.04
    stacks = compute_stack_indices(times, np.array([0.0, 0.08]), (-0.16, 0.0, 0.16))
    assert stacks.tolist() == [[0, 0, 2], [0, 2, 2]]


def test_one_frame_stands_for_every_offset():
    stacks = compute_stack_indices(np.array([0.0]), np.array([0.0]), (-0.1, 0.0, 0.1))
    assert stacks.tolist() == [[0, 0, 0]]


def test_gather_puts_gray_frames_in_channels_and_keeps_rgb():
    gray = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    stacks = gather_stacks(gray, np.array([[0, 2], [1, 1]]))
    assert stacks.shape == (2, 2, 2, 2)
    assert stacks[0, 0, 0].tolist() == [0, 2]
    rgb = np.zeros((3, 2, 2, 3), np.uint8)
    rgb[1] = 7
    assert gather_stacks(rgb, np.array([[1]])).tolist() == rgb[1:2].tolist()


@pytest.mark.parametrize("hop", [0, 5])
def test_a_hop_that_would_leave_steps_out_is_refused(hop):
    with pytest.raises(ConfigError, match=f"hop={hop}"):
        WindowRing(4, hop)


@pytest.mark.parametrize(
    ("n_total", "windows"),
    [(0, []), (3, [(0, 3)]), (4, [(0, 4)]), (6, [(0, 4), (2, 4)]), (7, [(0, 4), (2, 4), (3, 4)])],
)
def test_a_ring_gives_a_window_every_hop_and_one_that_ends_with_the_last_step(n_total, windows):
    found = cut_windows(range(n_total), n_steps=4, hop=2)
    assert [(window.start, len(window.steps)) for window in found] == windows
    for window in found:
        assert window.steps == list(range(window.start, window.start + len(window.steps)))


@given(st.integers(1, 60), st.integers(1, 16), st.data())
def test_windows_start_at_every_hop(n_total, n_steps, data):
    hop = data.draw(st.integers(1, n_steps))
    last = max(n_total - n_steps, 0)
    expected = sorted({*range(0, last + 1, hop), last})
    assert compute_window_starts(n_total, n_steps, hop).tolist() == expected


def test_thinning_keeps_every_frame_of_a_video_at_the_limit():
    times = np.round(np.arange(100) / 30, 3)
    kept, last = 0, None
    for time_s in times:
        if is_due(time_s, last, 30.0):
            kept, last = kept + 1, time_s
    assert kept == 100


@given(intervals, st.floats(1.0, 30.0))
def test_steps_cover_the_stretch_and_no_more(gaps, rate_hz):
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    span_s = compute_span_s(times)
    steps = compute_step_times(span_s, rate_hz)
    assert steps[0] >= 0
    assert steps[-1] <= span_s
    assert len(steps) == max(1, int(np.floor(span_s * rate_hz + 1e-6)))


@given(intervals, st.floats(0.0, 5.0))
def test_nearest_is_nearest(gaps, query):
    times = np.cumsum(gaps)
    found = int(compute_nearest_indices(times, np.array(query)))
    assert abs(times[found] - query) <= np.abs(times - query).min() + 2e-6


@given(st.integers(1, 200), st.integers(1, 20), st.integers(1, 20))
def test_windows_cover_every_step_once_at_least(n_total, n_steps, hop):
    hop = min(hop, n_steps)
    starts = compute_window_starts(n_total, n_steps, hop)
    covered = np.zeros(n_total, bool)
    for start in starts:
        covered[start : start + n_steps] = True
    assert covered.all()
    assert starts[-1] + n_steps >= n_total
    assert (np.diff(starts) > 0).all()


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 12))
def test_every_step_counts_once_in_a_clip_s_logits_however_windows_overlap(n_total, n_steps, hop):
    hop = min(hop, n_steps)
    steps = np.random.default_rng(n_total).normal(size=(n_total, 3))
    cut, lengths = slice_windows(steps, n_steps, hop)
    starts = compute_window_starts(n_total, n_steps, hop)
    found = compute_clip_logits(cut, lengths, starts)
    assert np.allclose(found, steps.mean(axis=0))
    assert lengths.max() <= n_steps
