"""Pushing frames one by one gives what all frames at once give."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import RGB_SPEC, SPEC, make_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from har import windows
from har.errors import BundleMismatchError, ConfigError, VideoDecodeError
from har.inference.stream import FeatureWindows, StackSampler, StreamRecognizer
from har.runtime.recognizer import Recognizer
from har.types import Frame, WindowSpec

TINY = replace(SPEC, size=(2, 2))

rates = st.sampled_from([1.0, 2.0, 7.5, 8.0, 10.0, 12.0])
offset = st.floats(-0.6, 0.6).map(lambda value: round(value, 3))
lag = st.tuples(offset, offset).filter(lambda pair: pair[0] != pair[1])
specs = st.builds(
    lambda rate_hz, lags: replace(TINY, rate_hz=rate_hz, lags_s=tuple(lags)),
    rates,
    st.lists(lag, min_size=1, max_size=4),
) | st.just(replace(RGB_SPEC, size=(2, 2)))
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
    """Gives frames whose every pixel is their number."""
    shape = (*spec.size, 3) if spec.color == "rgb" else spec.size
    return [
        Frame(index, float(time_s), np.full(shape, index, np.uint8))
        for index, time_s in enumerate(times_s)
    ]


def _sample(times_s: np.ndarray, spec: WindowSpec) -> list[list[int]]:
    sampler = StackSampler(spec)
    stacks = [stack for frame in _make_frames(times_s, spec) for stack in sampler.push(frame)]
    stacks += sampler.flush()
    return [stack.image[0, 0].tolist() for stack in stacks for _ in range(stack.n_steps)]


@settings(max_examples=300, deadline=None)
@given(times_s=frame_times, spec=specs)
def test_streamed_stacks_are_those_of_all_frames_at_once(
    times_s: np.ndarray, spec: WindowSpec
) -> None:
    step_times_s = windows.compute_step_times(windows.compute_span_s(times_s), spec.rate_hz)
    indices = windows.compute_stack_indices(times_s, step_times_s, spec.offsets_s)
    expected = np.repeat(indices, 3, axis=1) if spec.color == "rgb" else indices
    assert _sample(times_s, spec) == expected.tolist()


def test_stacks_worked_out_by_hand() -> None:
    spec = replace(TINY, lags_s=((0.0, -0.04), (0.16, 0.0)))
    times_s = np.arange(11) * 0.04
    assert _sample(times_s, spec) == [[1, 2, 6], [4, 5, 9], [7, 8, 10]]


def test_a_step_is_given_with_the_first_frame_that_makes_it_final() -> None:
    sampler = StackSampler(replace(TINY, lags_s=((0.0, -0.04), (0.16, 0.0))))
    times_s = np.arange(12) * 0.04
    given_at = [frame.index for frame in _make_frames(times_s, TINY) for _ in sampler.push(frame)]
    # Step 0 looks at frame 2 (0.08 s) and 0.16 s later: frame 6. Step 1: frame 5, then 9.
    assert given_at == [6, 9]


def test_a_gap_makes_few_stacks() -> None:
    sampler = StackSampler(replace(TINY, lags_s=((0.0, -0.04),)))
    frames = _make_frames(np.array([0.0, 1.0, 11.0]), TINY)
    stacks = [stack for frame in frames for stack in sampler.push(frame)]
    # Steps 0-3 are nearest to frame 0, 4-7 to frame 1, then 8-47 to 1 and 48-87 to 2.
    assert [stack.n_steps for stack in stacks] == [4, 4, 40, 40]
    assert [stack.image[0, 0].tolist() for stack in stacks] == [[0, 0], [0, 1], [0, 1], [1, 2]]


@pytest.mark.parametrize("fps", [2.0, 30.0])
def test_memory_does_not_grow_with_the_stream(fps: float) -> None:
    sampler = StackSampler(replace(SPEC, size=(64, 64)))
    n_held = []
    for index in range(3000):
        sampler.push(Frame(index, index / fps, np.zeros((64, 64), np.uint8)))
        n_held.append(len(sampler._images))
    assert max(n_held) == max(n_held[:60]) <= 2 + 0.5 * fps


def test_a_long_gap_is_bridged_in_little_memory(tmp_path: Path) -> None:
    stream = StreamRecognizer(Recognizer(make_bundle(tmp_path)), hop=2, batch_steps=4)
    image = np.zeros(SPEC.size, np.uint8)
    stream.push(Frame(0, 0.0, image))
    tracemalloc.start()
    found = stream.push(Frame(1, 600.0, image))
    found += stream.push(Frame(2, 600.04, image)) + stream.flush()
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[-1].start + SPEC.n_steps == int(stream.span_s * SPEC.rate_hz)
    assert peak_bytes < 8e6


@settings(max_examples=200, deadline=None)
@given(n=st.integers(1, 60), n_steps=st.integers(1, 16), data=st.data())
def test_ring_gives_the_windows_of_the_whole(n: int, n_steps: int, data: st.DataObject) -> None:
    hop = data.draw(st.integers(1, n_steps))
    ring = FeatureWindows(n_steps, hop)
    steps = np.arange(n, dtype=np.float32)[:, None]
    found = [window for window in map(ring.push, steps) if window is not None]
    found += [window] if (window := ring.flush()) else []
    starts = windows.compute_window_starts(n, n_steps, hop)
    assert [start for start, _ in found] == starts.tolist()
    for start, features in found:
        assert features[:, 0].tolist() == steps[start : start + n_steps, 0].tolist()


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle")))


def _random_frames(n: int, seed: int) -> list[Frame]:
    rng = np.random.default_rng(seed)
    times_s = np.concatenate([[0.0], np.cumsum(rng.choice([0.03, 0.04, 0.08, 0.5], n - 1))])
    return [
        Frame(index, float(time_s), rng.integers(0, 20, SPEC.size, dtype=np.uint8))
        for index, time_s in enumerate(times_s)
    ]


@pytest.mark.parametrize("batch_steps", [1, 3, 16])
@pytest.mark.parametrize("hop", [1, 2, 3, 8])
@pytest.mark.parametrize("n_frames", [1, 2, 9, 150])
def test_streamed_logits_are_those_of_the_whole(
    recognizer: Recognizer, n_frames: int, hop: int, batch_steps: int
) -> None:
    frames = _random_frames(n_frames, seed=n_frames)
    stream = StreamRecognizer(recognizer, hop, batch_steps)
    found = [window for frame in frames for window in stream.push(frame)] + stream.flush()

    times_s = np.array([frame.time_s for frame in frames])
    step_times_s = windows.compute_step_times(windows.compute_span_s(times_s), SPEC.rate_hz)
    indices = windows.compute_stack_indices(times_s, step_times_s, SPEC.offsets_s)
    stacks = windows.gather_stacks(np.stack([frame.image for frame in frames]), indices)
    features = recognizer.compute_features(stacks)
    sliced, lengths = windows.slice_windows(features, SPEC.n_steps, hop)
    expected = recognizer.compute_logits(sliced)
    assert len(found) == len(expected)
    for window, rows, length in zip(found, expected, lengths, strict=True):
        np.testing.assert_allclose(window.logits, rows[:length], rtol=1e-5, atol=1e-5)


def test_a_stream_without_frames_has_no_windows(recognizer: Recognizer) -> None:
    stream = StreamRecognizer(recognizer, hop=2)
    assert stream.flush() == []
    assert stream.span_s == 0.0


def test_a_picture_of_another_size_is_refused(recognizer: Recognizer) -> None:
    stream = StreamRecognizer(recognizer, hop=2)
    with pytest.raises(BundleMismatchError, match=r"\(32, 48\).*\(32, 48, 3\)"):
        stream.push(Frame(0, 0.0, np.zeros((32, 48, 3), np.uint8)))


def test_a_frame_from_the_past_is_refused(recognizer: Recognizer) -> None:
    stream = StreamRecognizer(recognizer, hop=2)
    stream.push(Frame(0, 0.0, np.zeros((32, 48), np.uint8)))
    with pytest.raises(VideoDecodeError, match=r"after 0\.000 s"):
        stream.push(Frame(1, 0.0, np.zeros((32, 48), np.uint8)))


@pytest.mark.parametrize("hop", [0, 9])
def test_a_hop_that_would_leave_steps_out_is_refused(recognizer: Recognizer, hop: int) -> None:
    with pytest.raises(ConfigError, match="hop"):
        StreamRecognizer(recognizer, hop)
