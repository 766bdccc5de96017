"""On any number of cores a recording is what its frames are, pushed one by one."""

import threading
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from bundles import SPEC, make_bundle, make_people_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from videos import make_resolution_change, make_truncated_mp4, make_video

from har.config import DecodeConfig, PredictConfig
from har.errors import VideoDecodeError
from har.events.decoder import decode_events
from har.inference.model import Recognizer
from har.inference.scores import fuse_windows
from har.inference.steps import StreamOutput, StreamRecognizer
from har.inference.video import recognize_video
from har.result import VideoResult
from har.types import Frame, Scores
from har.video.file.reader import open_video

ONE_BY_ONE = PredictConfig(batch_steps=1, jobs=1)
INTERVALS_S = (0.02, 0.04, 0.067, 0.2, 1.7)
"""Fast, usual and slow frame rates, and gaps."""


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    decode = DecodeConfig(background="still", min_s=0.25)
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle"), decode=decode), n_threads=1)


def _push_one_by_one(recognizer: Recognizer, path: Path) -> tuple[StreamOutput, np.ndarray, Scores]:
    pictures, stream, found = (
        recognizer.info.pictures,
        StreamRecognizer(recognizer, ONE_BY_ONE),
        StreamOutput(),
    )
    with open_video(path, pictures.size, pictures.color, pictures.max_rate_hz) as reader:
        for frame in reader:
            found.extend(stream.push(frame), keep_places=True)
    found.extend(stream.flush(), keep_places=True)
    return found, *fuse_windows(recognizer, found.windows, stream.span_s)


def _check_same(result: VideoResult, expected: tuple[StreamOutput, np.ndarray, Scores]) -> None:
    found, probs, scores = expected
    assert result.n_windows == found.n_windows
    assert np.array_equal(result.scores.times_s, scores.times_s)
    assert np.array_equal(result.scores.values, scores.values)
    assert list(result.probs.values()) == probs.tolist()


def _check_identical(one: VideoResult, other: VideoResult) -> None:
    assert np.array_equal(one.scores.values, other.scores.values)
    assert (one.events, one.probs, one.note) == (other.events, other.probs, other.note)


@settings(max_examples=12, deadline=None)
@given(
    intervals_s=st.lists(st.sampled_from(INTERVALS_S), min_size=29, max_size=29),
    sizes=st.lists(
        st.sampled_from([(64, 96), (96, 64), (128, 192), (48, 96)]), min_size=3, max_size=3
    ),
    n_ahead=st.integers(1, 40),
)
def test_uneven_times_gaps_and_other_sizes_give_what_single_frames_give(
    recognizer: Recognizer, intervals_s: list[float], sizes: list[tuple[int, int]], n_ahead: int
) -> None:
    times_s = np.cumsum([0.0, *intervals_s]).tolist()
    with TemporaryDirectory() as folder:
        path = make_resolution_change(Path(folder) / "a.ts", sizes, 10, times_s)
        expected = _push_one_by_one(recognizer, path)
        alone = recognize_video(recognizer, path, config=PredictConfig(jobs=1))
        many = recognize_video(recognizer, path, config=PredictConfig(jobs=3, n_ahead=n_ahead))
    _check_same(alone, expected)
    _check_identical(alone, many)
    assert alone.events == decode_events(expected[2], recognizer.info.decode)
    assert alone.duration_s >= times_s[-1] - 0.1


@pytest.mark.parametrize("streams", ["pose", "both"])
def test_people_of_many_cores_are_those_of_single_frames(tmp_path: Path, streams: str) -> None:
    recognizer = Recognizer(make_people_bundle(tmp_path / "bundle", streams), n_threads=1)  # type: ignore[arg-type]
    times_s = np.concatenate([np.arange(20) / 20, 1 + np.arange(8) / 4])
    path = make_video(tmp_path / "a.mp4", times_s, (96, 128))
    config = PredictConfig(jobs=2, keep_places=True)
    many = recognize_video(recognizer, path, config=config)
    _check_same(many, _push_one_by_one(recognizer, path))
    _check_identical(many, recognize_video(recognizer, path, config=PredictConfig(jobs=1)))


def test_a_damaged_video_gives_the_same_up_to_there(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_truncated_mp4(tmp_path / "a.mp4", n_frames=100)
    one, many = (recognize_video(recognizer, path, config=PredictConfig(jobs=n)) for n in (1, 3))
    assert "damaged or cut off at" in many.note
    _check_identical(one, many)
    assert many.events[-1].offset_s <= many.duration_s + SPEC.window_s


def test_an_error_in_the_middle_leaves_no_thread(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", np.arange(300) / 25)

    def fail(done_s: float, total_s: float | None) -> None:
        if done_s > 2:
            raise VideoDecodeError("stopped here") if total_s is None else OverflowError("stopped")

    with pytest.raises(OverflowError, match="stopped"):
        recognize_video(recognizer, path, config=PredictConfig(jobs=3), progress=fail)
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith(("reader", "network"))]


def test_memory_does_not_grow_with_the_frames(recognizer: Recognizer) -> None:
    """Twice the frames, no more memory but for what each window says: a few hundred bytes."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, SPEC.size, np.uint8) for _ in range(20)]
    stream, found, held = StreamRecognizer(recognizer), StreamOutput(), []
    tracemalloc.start()
    try:
        for index in range(6000):
            frame = Frame(index, index / 25, images[index % 20].copy())
            found.extend(stream.push(frame), keep_places=False)
            if index in (2999, 5999):
                held.append((tracemalloc.get_traced_memory()[0], found.n_windows))
    finally:
        tracemalloc.stop()
    (before, n_before), (after, n_after) = held
    assert n_after - n_before >= 470  # 120 s, a window every 0.25 s
    assert (after - before) / (n_after - n_before) < 1000
