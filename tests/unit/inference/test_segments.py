"""Recordings with gaps: what is on both sides is recognized as if it were alone."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle, make_people_bundle
from hypothesis import given
from hypothesis import strategies as st
from videos import make_b_frames, make_joined_ts, make_tagged_avi, make_video

from har.config import DecodeConfig, PredictConfig
from har.errors import EmptyVideoError, VideoOpenError
from har.inference.model import Recognizer
from har.inference.segments import Segment, choose_segments, join_scores
from har.inference.video import recognize_video
from har.render.timeline import write_timeline
from har.types import People, Scores

CONFIG = PredictConfig(jobs=1)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    decode = DecodeConfig(background="still", min_s=0.25)
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle"), decode=decode), n_threads=1)


def paint(index: int) -> np.ndarray:
    """Something that flickers."""
    return np.full((64, 96, 3), 40 + 160 * (index % 2), np.uint8)


def count(n_frames: int, begin_s: float = 0.0) -> list[float]:
    return [begin_s + i / 25 for i in range(n_frames)]


@pytest.mark.parametrize("gap_s", [10.0, 3600.0, 864_000.0])
def test_a_gap_is_neither_scored_nor_an_event(
    recognizer: Recognizer, tmp_path: Path, gap_s: float
) -> None:
    alone = recognize_video(
        recognizer, make_video(tmp_path / "a.mkv", count(50), paint=paint), config=CONFIG
    )
    path = make_video(tmp_path / "jump.mkv", [*count(50), *count(50, 2.0 + gap_s)], paint=paint)
    found = recognize_video(recognizer, path, config=CONFIG)
    shift_s = 2.0 + gap_s
    assert found.duration_s == pytest.approx(4.0, abs=0.01)
    assert found.end_s == pytest.approx(shift_s + 2.0, abs=0.1)
    assert np.allclose(
        found.scores.times_s, [*alone.scores.times_s, *(alone.scores.times_s + shift_s)], atol=1e-3
    )
    assert np.allclose(found.scores.values[:16], alone.scores.values, atol=1e-3)
    spans_s = [(event.onset_s, event.offset_s) for event in found.events]
    assert np.allclose(spans_s, [(0.0, 2.0), (shift_s, shift_s + 2.0)], atol=0.01)
    assert found.label == "active"
    assert f"no frames from 1.96 to {shift_s:.2f} s" in found.note
    write_timeline(tmp_path / "timeline.svg", found, recognizer.info.decode)


def test_memory_is_bounded_by_what_was_read(recognizer: Recognizer, tmp_path: Path) -> None:
    times_s = [second * 90_000.0 + i / 25 for second in range(9) for i in range(25)]
    path = make_video(tmp_path / "days.mkv", times_s, paint=paint)
    tracemalloc.start()
    found = recognize_video(recognizer, path, config=CONFIG)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.scores.times_s) == 9 * 8
    assert peak < 20e6
    assert found.note.count("from") == 5
    assert "4 more" not in found.note
    assert "3 more" in found.note


def test_frames_that_are_all_far_apart_are_too_few(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_video(tmp_path / "rare.mkv", [0.0, 100.0, 200.0, 300.0])
    with pytest.raises(EmptyVideoError, match=r"4 readable frame\(s\), too few"):
        recognize_video(recognizer, path, config=CONFIG)


@pytest.mark.parametrize(("interval_s", "said"), [(1.0, "1 frame(s)"), (10.0, "0.1 frame(s)")])
def test_a_rate_below_what_the_lags_need_is_said(
    recognizer: Recognizer, tmp_path: Path, interval_s: float, said: str
) -> None:
    path = make_video(tmp_path / "slow.mp4", [i * interval_s for i in range(12)])
    note = recognize_video(recognizer, path, config=CONFIG).note
    assert note.startswith(f"{said} a second are too few: pictures 0.04 and 0.32 s apart are")


def test_a_usual_rate_is_not_spoken_of(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_video(tmp_path / "usual.mp4", [i / 15 for i in range(30)])
    assert recognize_video(recognizer, path, config=CONFIG).note == ""


def test_odd_files_are_recognized_as_they_are(recognizer: Recognizer, tmp_path: Path) -> None:
    odd = make_tagged_avi(tmp_path / "geox.avi", b"GEOX", 50)
    found = recognize_video(recognizer, odd, config=CONFIG)
    assert (found.note, found.duration_s) == ("", pytest.approx(2.0))
    found = recognize_video(recognizer, make_b_frames(tmp_path / "b.avi", 100), config=CONFIG)
    assert (found.note, found.duration_s) == ("", pytest.approx(4.0))
    found = recognize_video(recognizer, make_joined_ts(tmp_path / "j.ts"), config=CONFIG)
    assert found.duration_s == pytest.approx(20.0)
    assert "the container gives a length of 10.00 s" in found.note
    with pytest.raises(VideoOpenError, match="ZQQZ"):
        recognize_video(recognizer, make_tagged_avi(tmp_path / "z.avi", b"ZQQZ"), config=CONFIG)


def test_nobody_is_followed_across_a_gap(tmp_path: Path) -> None:
    people = Recognizer(make_people_bundle(tmp_path / "bundle"), n_threads=1)
    path = make_video(tmp_path / "jump.mkv", [*count(30), *count(30, 60.0)])
    config = PredictConfig(jobs=1, keep_places=True)
    found = recognize_video(people, path, config=config)
    assert found.scores.times_s[-1] == pytest.approx(61.15, abs=0.1)


def _scores(times_s: list[float], subjects: list[int]) -> Scores:
    n_rows = len(times_s)
    numbers = np.array([[n, n] for n in subjects], dtype=np.int64)
    people = People(numbers, numbers * 0, np.ones(n_rows, np.float32))
    return Scores(("a", "b"), np.array(times_s), np.ones((n_rows, 2), np.float32), 1.0, people)


def test_people_of_later_segments_have_numbers_of_their_own() -> None:
    segments = [Segment(0.0, n_people=2), Segment(100.0, n_people=1)]
    joined = join_scores([_scores([0.5, 1.5], [0, 2]), _scores([0.5, 1.5], [1, 0])], segments)
    assert joined.times_s.tolist() == [0.5, 1.5, 100.5, 101.5]
    assert joined.people is not None
    assert joined.people.subjects[:, 0].tolist() == [0, 2, 3, 0]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 9)), min_size=1, max_size=6),
    st.integers(1, 2),
)
def test_what_is_chosen_is_long_enough_or_the_longest(
    made: list[tuple[int, float]], n_least: int
) -> None:
    segments = [Segment(0.0, span_s=span_s, n_frames=n) for n, span_s in made]
    chosen = choose_segments(segments, n_least, 1.0)
    enough = [own for own in segments if own.n_frames >= n_least]
    assert all(own in enough for own in chosen)
    assert bool(chosen) == bool(enough)
    if len(chosen) > 1:
        assert min(own.span_s for own in chosen) >= 1.0
    elif chosen:
        assert chosen[0].span_s == max(own.span_s for own in enough)
