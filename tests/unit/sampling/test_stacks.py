"""Pushing frames one by one gives the stacks that all frames at once give."""

from dataclasses import replace

import numpy as np
import pytest
from bundles import RGB_SPEC, SPEC
from hypothesis import given, settings
from hypothesis import strategies as st

from har.sampling.crop import MotionCrop, gather_crops
from har.sampling.stacks import BatchSampler, StackSampler
from har.sampling.times import compute_span_s, compute_stack_indices, compute_step_times
from har.types import Frame, WindowSpec

TINY = replace(SPEC, size=(8, 8))

rates = st.sampled_from([1.0, 2.0, 7.5, 8.0, 10.0, 12.0])
offset = st.floats(-0.6, 0.6).map(lambda value: round(value, 3))
lag = st.tuples(offset, offset).filter(lambda pair: pair[0] != pair[1])
specs = st.builds(
    lambda rate_hz, lags: replace(TINY, rate_hz=rate_hz, lags_s=tuple(lags)),
    rates,
    st.lists(lag, min_size=1, max_size=4),
) | st.just(replace(RGB_SPEC, size=(8, 8)))
even = st.builds(
    lambda fps, n: np.arange(n) / fps,
    st.sampled_from([1.0, 3.0, 5.0, 8.0, 23.976, 25.0, 29.97, 30.0, 60.0]),
    st.integers(1, 120),
)
uneven = st.lists(
    st.sampled_from([0.001, 0.02, 1 / 30, 0.04, 0.1, 0.125, 0.4, 1.0, 7.0]), max_size=100
).map(lambda gaps: np.concatenate([[0.0], np.cumsum(gaps)]))
frame_times = even | uneven


def _make_frames(times_s: np.ndarray, spec: WindowSpec) -> list[Frame]:
    """Return frames whose every pixel is their number."""
    shape = spec.pictures.shape
    return [
        Frame(index, float(time_s), np.full(shape, index, np.uint8))
        for index, time_s in enumerate(times_s)
    ]


def _make_sampler(spec: WindowSpec) -> StackSampler:
    return StackSampler(spec.rate_hz, spec.offsets_s, spec.pictures.shape, MotionCrop(spec))


def _sample(times_s: np.ndarray, spec: WindowSpec) -> list[list[int]]:
    sampler = _make_sampler(spec)
    stacks = [stack for frame in _make_frames(times_s, spec) for stack in sampler.push(frame)]
    stacks += sampler.flush()
    return [stack.image[0, 0].tolist() for stack in stacks for _ in range(stack.n_steps)]


@settings(max_examples=300, deadline=None)
@given(times_s=frame_times, spec=specs)
def test_streamed_stacks_are_those_of_all_frames_at_once(
    times_s: np.ndarray, spec: WindowSpec
) -> None:
    step_times_s = compute_step_times(compute_span_s(times_s), spec.rate_hz)
    indices = compute_stack_indices(times_s, step_times_s, spec.offsets_s)
    expected = np.repeat(indices, 3, axis=1) if spec.color == "rgb" else indices
    assert _sample(times_s, spec) == expected.tolist()


def test_stacks_worked_out_by_hand() -> None:
    spec = replace(TINY, lags_s=((0.0, -0.04), (0.16, 0.0)))
    times_s = np.arange(11) * 0.04
    assert _sample(times_s, spec) == [[1, 2, 6], [4, 5, 9], [7, 8, 10]]


def test_a_step_is_given_with_the_first_frame_that_makes_it_final() -> None:
    sampler = _make_sampler(replace(TINY, lags_s=((0.0, -0.04), (0.16, 0.0))))
    times_s = np.arange(12) * 0.04
    given_at = [frame.index for frame in _make_frames(times_s, TINY) for _ in sampler.push(frame)]
    # Step 0 looks at frame 2 (0.08 s) and 0.16 s later: frame 6. Step 1: frame 5, then 9.
    assert given_at == [6, 9]


def test_a_gap_makes_few_stacks() -> None:
    sampler = _make_sampler(replace(TINY, lags_s=((0.0, -0.04),)))
    frames = _make_frames(np.array([0.0, 1.0, 11.0]), TINY)
    stacks = [stack for frame in frames for stack in sampler.push(frame)]
    # Steps 0-3 are nearest to frame 0, 4-7 to frame 1, then 8-47 to 1 and 48-87 to 2.
    assert [stack.n_steps for stack in stacks] == [4, 4, 40, 40]
    assert [stack.image[0, 0].tolist() for stack in stacks] == [[0, 0], [0, 1], [0, 1], [1, 2]]


@pytest.mark.parametrize("fps", [2.0, 30.0])
def test_memory_does_not_grow_with_the_stream(fps: float) -> None:
    sampler = _make_sampler(replace(SPEC, size=(64, 64)))
    n_held = []
    for index in range(3000):
        sampler.push(Frame(index, index / fps, np.zeros((64, 64), np.uint8)))
        n_held.append(len(sampler._images))
    assert max(n_held) == max(n_held[:60]) <= 2 + 0.5 * fps


@pytest.mark.parametrize("batch_steps", [1, 3, 100])
def test_batches_are_the_stacks_in_their_order(batch_steps: int) -> None:
    frames = _make_frames(np.arange(100) / 25, TINY)
    batches = BatchSampler(_make_sampler(TINY), batch_steps)
    found = [batch for frame in frames for batch in batches.push(frame)]
    assert all(len(batch) == batch_steps for batch in found)
    found += batches.flush()
    stacks = [stack.image[0, 0].tolist() for batch in found for stack in batch]
    assert stacks == _sample(np.arange(100) / 25, TINY)
    assert batches.flush() == []
    assert (batches.n_frames, batches.span_s) == (100, pytest.approx(4.0))


@settings(max_examples=30, deadline=None)
@given(times_s=uneven | even, seed=st.integers(0, 2**31))
def test_a_stream_is_enlarged_where_a_clip_is(times_s: np.ndarray, seed: int) -> None:
    near = replace(SPEC, motion_crop=2)
    pictures = np.random.default_rng(seed).integers(0, 256, (len(times_s), *near.size), np.uint8)
    sampler = _make_sampler(near)
    found = [
        stack
        for index, time_s in enumerate(times_s)
        for stack in sampler.push(Frame(index, float(time_s), pictures[index]))
    ]
    found += sampler.flush()
    steps = compute_step_times(compute_span_s(times_s), near.rate_hz)
    rows = compute_stack_indices(times_s, steps, near.offsets_s)
    streamed = [stack.image for stack in found for _ in range(stack.n_steps)]
    assert np.array_equal(streamed, gather_crops(pictures, rows, near))
