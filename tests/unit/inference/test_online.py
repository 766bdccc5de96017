"""Scores that are given as windows come are to the bit those of the whole recording."""

from dataclasses import replace

import numpy as np
import pytest
from bundles import PEOPLE_SPEC, POSE_SPEC, SPEC, make_bundle, make_people_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from har.inference.model import Recognizer
from har.inference.scores import OnlineFusion, fuse_windows
from har.inference.steps import StreamOutput, Windows
from har.inference.streams import MotionWindowLogits, PoseWindowLogits
from har.sampling.times import compute_step_times, compute_window_starts
from har.types import Scores


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recognizer]:
    folder = tmp_path_factory.mktemp("bundles")
    one_step = replace(POSE_SPEC, n_steps=1)
    return {
        "motion": Recognizer(make_bundle(folder / "motion")),
        "pose": Recognizer(make_people_bundle(folder / "pose", "pose")),
        "both": Recognizer(make_people_bundle(folder / "both", "both")),
        "one step": Recognizer(make_people_bundle(folder / "one", "both", one_step)),
    }


def _make_windows(recognizer: Recognizer, span_s: float, hop: int, seed: int) -> list[Windows]:
    """Return random windows of a recording, in the order in which they become known."""
    rng = np.random.default_rng(seed)
    found: list[tuple[float, Windows]] = []
    n_labels = len(recognizer.info.labels)
    if recognizer.motion is not None:
        spec = recognizer.motion.spec
        n_total = len(compute_step_times(span_s, spec.rate_hz))
        for start in compute_window_starts(n_total, spec.n_steps, min(hop, spec.n_steps)):
            logits = rng.normal(size=(min(n_total, spec.n_steps), n_labels)).astype(np.float32)
            window = MotionWindowLogits.of(int(start), logits)
            found.append((start / spec.rate_hz + spec.window_s, {"motion": [window]}))
    if recognizer.pose is not None:
        pose = recognizer.pose.spec
        n_total = len(compute_step_times(span_s, pose.rate_hz))
        for start in compute_window_starts(n_total, pose.n_steps, min(hop, pose.n_steps)):
            confidence = float(rng.choice([0.0, rng.uniform(0.2, 1.0)]))
            numbers = rng.integers(0, 3, (2, n_labels))
            logits = rng.normal(size=n_labels) * (confidence > 0)
            n_real = min(n_total, pose.n_steps)
            people = PoseWindowLogits(int(start), n_real, logits, confidence, *numbers)
            found.append((start / pose.rate_hz + pose.window_s, {"pose": [people]}))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def _join(pieces: list[Windows]) -> Windows:
    found = StreamOutput()
    for piece in pieces:
        found.extend(StreamOutput(piece), keep_places=False)
    return found.windows


def _assert_same(parts: list[Scores], whole: Scores) -> None:
    np.testing.assert_array_equal(np.concatenate([part.times_s for part in parts]), whole.times_s)
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), whole.values)
    assert {part.step_s for part in parts} == {whole.step_s}
    if whole.people is not None:
        for name in ("subjects", "targets", "confidence"):
            pieces = [getattr(part.people, name) for part in parts]
            np.testing.assert_array_equal(np.concatenate(pieces), getattr(whole.people, name))


@settings(max_examples=150, deadline=None)
@given(
    streams=st.sampled_from(["motion", "pose", "both", "one step"]),
    span_s=st.floats(0.02, 9.0),
    hop=st.integers(1, 10),
    seed=st.integers(0, 99),
)
def test_piece_by_piece_is_the_whole(
    bundles: dict[str, Recognizer], streams: str, span_s: float, hop: int, seed: int
) -> None:
    recognizer = bundles[streams]
    pieces = _make_windows(recognizer, span_s, hop, seed)
    n_last = 2 if streams in ("both", "one step") else 1  # what only the end makes known
    stream = OnlineFusion(recognizer)
    parts = [stream.push(piece) for piece in pieces[:-n_last]]
    parts.append(stream.flush(_join(pieces[-n_last:]), span_s))
    _, whole = fuse_windows(recognizer, _join(pieces), span_s)
    _assert_same([part for part in parts if part is not None], whole)


def test_a_step_is_given_once_no_window_can_look_at_it_any_more(
    bundles: dict[str, Recognizer],
) -> None:
    pieces = _make_windows(bundles["motion"], 4.0, 1, seed=0)
    stream = OnlineFusion(bundles["motion"])
    given = [stream.push(piece) for piece in pieces]
    assert [len(part.times_s) for part in given if part is not None] == [1] * len(pieces)
    last = stream.flush({}, 4.0)
    assert last is not None
    assert len(last.times_s) == SPEC.n_steps - 1


def test_the_newest_window_speaks_for_now(bundles: dict[str, Recognizer]) -> None:
    stream = OnlineFusion(bundles["motion"])
    assert stream.newest.tolist() == [0.0, 0.0]  # nothing is known yet
    for start in range(5):
        logits = np.zeros((SPEC.n_steps, 2), np.float32)
        logits[:, 1] = start
        stream.push({"motion": [MotionWindowLogits.of(start, logits)]})
    assert stream.newest[1] == pytest.approx(1 / (1 + np.exp(-4.0)))
    assert OnlineFusion(bundles["pose"]).newest.tolist() == [0.0, 0.0]


def test_memory_does_not_grow_with_the_stream(bundles: dict[str, Recognizer]) -> None:
    recognizer = bundles["both"]
    stream = OnlineFusion(recognizer)
    most = 0
    for piece in _make_windows(recognizer, 60.0, 1, seed=3):
        stream.push(piece)
        most = max(most, sum(map(len, stream._windows.values())))
    assert most <= 2 * (PEOPLE_SPEC.n_steps + POSE_SPEC.n_steps)


def test_a_stream_without_windows_has_no_scores(bundles: dict[str, Recognizer]) -> None:
    assert OnlineFusion(bundles["both"]).flush({}, 0.0) is None
