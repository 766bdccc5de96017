"""Pushing frames one by one gives what all frames at once give, for motion and for people."""

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from acting import iter_scene
from bundles import PEOPLE_SPEC, POSE_SPEC, SPEC, make_bundle, make_people_bundle
from windows import slice_windows

from har.config import PredictConfig
from har.errors import BundleMismatchError, VideoDecodeError
from har.inference.detector import PoseDetector
from har.inference.model import Recognizer
from har.inference.steps import StreamOutput, StreamRecognizer, open_networks, score_steps
from har.inference.streams import PoseWindowLogits, iter_people
from har.pose.keypoints import Detections
from har.sampling.times import (
    compute_nearest_indices,
    compute_span_s,
    compute_stack_indices,
    compute_step_times,
    gather_stacks,
)
from har.types import Frame

QUARTER = PredictConfig(n_overlap=4, batch_steps=4)


def test_a_long_gap_is_bridged_in_little_memory(tmp_path: Path) -> None:
    stream = StreamRecognizer(Recognizer(make_bundle(tmp_path)), QUARTER)
    image = np.zeros(SPEC.size, np.uint8)
    stream.push(Frame(0, 0.0, image))
    tracemalloc.start()
    found = _push_all(stream, [Frame(1, 600.0, image), Frame(2, 600.04, image)]).windows["motion"]
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[-1].start + SPEC.n_steps == int(stream.span_s * SPEC.rate_hz)
    assert peak_bytes < 8e6


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle")), exact=True)


def _random_frames(n: int, seed: int) -> list[Frame]:
    rng = np.random.default_rng(seed)
    times_s = np.concatenate([[0.0], np.cumsum(rng.choice([0.03, 0.04, 0.08, 0.5], n - 1))])
    return [
        Frame(index, float(time_s), rng.integers(0, 20, SPEC.size, dtype=np.uint8))
        for index, time_s in enumerate(times_s)
    ]


@pytest.mark.parametrize("batch_steps", [1, 3, 16])
@pytest.mark.parametrize("n_overlap", [1, 2, 3, 8])
@pytest.mark.parametrize("n_frames", [1, 2, 9, 150])
def test_streamed_logits_are_those_of_the_whole(
    recognizer: Recognizer, n_frames: int, n_overlap: int, batch_steps: int
) -> None:
    frames = _random_frames(n_frames, seed=n_frames)
    config = PredictConfig(n_overlap, batch_steps)
    found = _push_all(StreamRecognizer(recognizer, config), frames).windows["motion"]

    times_s = np.array([frame.time_s for frame in frames])
    step_times_s = compute_step_times(compute_span_s(times_s), SPEC.rate_hz)
    indices = compute_stack_indices(times_s, step_times_s, SPEC.offsets_s)
    stacks = gather_stacks(np.stack([frame.image for frame in frames]), indices)
    features = recognizer.motion.compute_features(stacks)
    sliced, lengths = slice_windows(features, SPEC.n_steps, config.hop(SPEC.n_steps))
    expected = recognizer.motion.compute_logits(sliced)
    assert len(found) == len(expected)
    for window, rows, length in zip(found, expected, lengths, strict=True):
        np.testing.assert_allclose(window.of_steps, rows[:length], rtol=1e-5, atol=1e-5)


def _push_all(stream: StreamRecognizer, frames: list[Frame]) -> StreamOutput:
    found = StreamOutput()
    for frame in frames:
        found.extend(stream.push(frame), keep_places=True)
    found.extend(stream.flush(), keep_places=True)
    return found


def _rest_and_move(n: int) -> list[Frame]:
    """Return noise of a few gray levels, with a square that moves in the second half."""
    rng = np.random.default_rng(0)
    frames = []
    for index in range(n):
        image = (100 + rng.normal(0.0, 1.5, SPEC.size)).astype(np.uint8)
        if index >= n // 2:
            image[8:24, 2 * index % 24 : 2 * index % 24 + 12] = 220
        frames.append(Frame(index, index / 25, image))
    return frames


def test_still_steps_are_not_encoded_and_are_told(tmp_path: Path) -> None:
    gated = Recognizer(make_bundle(tmp_path))
    n_encoded = 0

    def encode(pictures: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        nonlocal n_encoded
        for picture in pictures:
            n_encoded += 1
            yield gated.motion.compute_features(picture[None])[0]

    found = _push_all(StreamRecognizer(gated, QUARTER, {"motion": encode}), _rest_and_move(100))
    still = found.stillness["motion"]
    assert still.n_steps == 32
    assert 9 <= still.n_still == still.n_steps - n_encoded <= 14
    assert 2.0 < still.threshold < 10.0


@pytest.mark.parametrize("batch_steps", [1, 3, 16])
def test_still_steps_are_the_same_however_frames_come(tmp_path: Path, batch_steps: int) -> None:
    gated, frames = Recognizer(make_bundle(tmp_path)), _rest_and_move(100)
    one = _push_all(StreamRecognizer(gated, QUARTER), frames)
    other = _push_all(StreamRecognizer(gated, PredictConfig(4, batch_steps)), frames)
    assert one.stillness == other.stillness
    for a, b in zip(one.windows["motion"], other.windows["motion"], strict=True):
        np.testing.assert_allclose(a.of_steps, b.of_steps, rtol=1e-5, atol=1e-5)


def test_a_stream_without_frames_has_no_windows(recognizer: Recognizer) -> None:
    stream = StreamRecognizer(recognizer)
    assert stream.flush() == StreamOutput()
    assert stream.span_s == 0.0


def test_a_frame_from_the_past_is_refused(recognizer: Recognizer) -> None:
    stream = StreamRecognizer(recognizer)
    stream.push(Frame(0, 0.0, np.zeros((32, 48), np.uint8)))
    with pytest.raises(VideoDecodeError, match=r"after 0\.000 s"):
        stream.push(Frame(1, 0.0, np.zeros((32, 48), np.uint8)))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recognizer]:
    folder = tmp_path_factory.mktemp("people")
    return {
        streams: Recognizer(make_people_bundle(folder / streams, streams))
        for streams in ("pose", "both")
    }


@pytest.fixture(scope="module")
def film() -> list[Frame]:
    """Return three seconds at an uneven rate: two people, the right one's hands go up for one."""
    pictures = iter_scene(lambda time_s: ((0.3, False), (0.7, 1 <= time_s < 2)), 3.0)
    rng = np.random.default_rng(0)
    times_s = np.concatenate([[0.0], np.cumsum(rng.choice([0.04, 0.1, 0.16], 29))])
    size = PEOPLE_SPEC.size[::-1]
    return [
        Frame(index, float(time_s), cv2.cvtColor(cv2.resize(image, size), cv2.COLOR_RGB2GRAY))
        for index, (time_s, image) in enumerate(zip(times_s, pictures, strict=True))
    ]


@pytest.fixture(scope="module")
def detections(film: list[Frame]) -> Detections:
    """Return what is seen at the steps of all frames at once."""
    times_s = np.array([frame.time_s for frame in film])
    steps = compute_step_times(compute_span_s(times_s), POSE_SPEC.rate_hz)
    detector = PoseDetector(1)
    rows = compute_nearest_indices(times_s, steps)
    points, scores = zip(*(detector.detect(film[row].image) for row in rows), strict=True)
    return Detections(np.stack(points), np.stack(scores))


@pytest.mark.parametrize("streams", ["pose", "both"])
@pytest.mark.parametrize("batch_steps", [1, 7])
def test_streamed_people_are_those_of_the_whole(
    bundles: dict[str, Recognizer],
    film: list[Frame],
    detections: Detections,
    streams: str,
    batch_steps: int,
) -> None:
    recognizer, config = bundles[streams], PredictConfig(2, batch_steps)
    with open_networks(recognizer, 2) as networks:
        found = _push_all(StreamRecognizer(recognizer, config, networks), film)
    people = found.windows["pose"]
    expected = score_steps(recognizer.pose, iter_people(detections), config.n_overlap)
    assert [_to_plain(window) for window in people] == [_to_plain(w) for w in expected]
    assert len(people) > 4
    assert len(found.places["pose"]) == len(detections.scores)
    assert ("motion" in found.windows) is (streams == "both")


def _to_plain(window: PoseWindowLogits) -> tuple:
    numbers = (window.subjects.tolist(), window.targets.tolist())
    logits = np.round(window.logits, 4).tolist()
    return window.start, window.n_steps, logits, round(window.confidence, 5), *numbers


@pytest.mark.parametrize("streams", ["motion", "pose", "both"])
def test_a_picture_of_another_size_is_refused_in_mid_stream(
    bundles: dict[str, Recognizer], recognizer: Recognizer, streams: str
) -> None:
    bundle = bundles.get(streams, recognizer)
    stream = StreamRecognizer(bundle)
    size = bundle.info.pictures.size
    stream.push(Frame(0, 0.0, np.zeros(size, np.uint8)))
    for shape in ((size[0], size[1], 3), (size[0] // 2, size[1])):
        with pytest.raises(BundleMismatchError, match=f"{size[0]}, {size[1]}.*at 0.040 s"):
            stream.push(Frame(1, 0.04, np.zeros(shape, np.uint8)))


def test_a_picture_is_not_looked_at_for_every_step_of_a_gap(
    bundles: dict[str, Recognizer],
) -> None:
    detector, n_looks = PoseDetector(1), 0

    def detect(pictures: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nonlocal n_looks
        for picture in pictures:
            n_looks += 1
            yield detector.detect(picture)

    stream = StreamRecognizer(bundles["pose"], QUARTER, {"pose": detect})
    image = np.zeros(PEOPLE_SPEC.size, np.uint8)
    found = _push_all(stream, [Frame(index, 20.0 * index, image) for index in range(3)])
    # Known with frame 1: steps of frames 0 and 1; with frame 2: of 1 and 2; at the end: of 2. All
    # show the same, and two stacks are passed over before the picture is looked at again.
    assert n_looks == 1
    assert found.stillness["pose"].n_steps == 600
    assert len(found.places["pose"]) == 600
    assert found.windows["pose"][-1].start == 590
    assert {window.confidence for window in found.windows["pose"]} == {0.0}


def test_pictures_of_a_shape_that_the_pose_network_does_not_take_are_named(tmp_path: Path) -> None:
    spec = replace(PEOPLE_SPEC, size=(100, 160))
    stream = StreamRecognizer(Recognizer(make_people_bundle(tmp_path, spec=spec)))
    stream.push(Frame(0, 0.0, np.zeros((100, 160), np.uint8)))
    with pytest.raises(BundleMismatchError, match="100x160"):
        stream.flush()
