"""Whole videos through a real bundle: all of it is looked at, and damage is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import RGB_SPEC, SPEC, make_bundle
from videos import (
    make_clip,
    make_empty_file,
    make_resolution_change,
    make_truncated_mp4,
    make_video,
)
from windows import slice_windows

from har.config import DecodeConfig, PredictConfig
from har.errors import ConfigError, EmptyVideoError, VideoNotFoundError
from har.inference.cache import save_result
from har.inference.model import Recognizer
from har.inference.video import find_videos, recognize_video
from har.sampling.times import (
    compute_clip_logits,
    compute_span_s,
    compute_stack_indices,
    compute_step_times,
    compute_window_starts,
    gather_stacks,
)
from har.video.file.reader import open_video

SIZE = (64, 96)
DECODE = DecodeConfig(background="still", min_s=0.5, merge_gap_s=0.5)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle"), decode=DECODE))


def _make_moving(path: Path, times_s: np.ndarray, spans_s: list[tuple[float, float]]) -> Path:
    """Write a video of a bar that runs across the picture during some spans and rests between."""

    def paint(index: int) -> np.ndarray:
        moved_s = sum(float(np.clip(times_s[index] - a, 0, b - a)) for a, b in spans_s)
        column = int(moved_s * 80) % (SIZE[1] - 16)
        image = np.full((*SIZE, 3), 40, np.uint8)
        image[:, column : column + 16] = 220
        return image

    return make_video(path, times_s, SIZE, paint=paint)


def test_a_still_and_a_moving_clip_are_told_apart(recognizer: Recognizer, tmp_path: Path) -> None:
    times_s = np.arange(50) / 25
    still = recognize_video(recognizer, _make_moving(tmp_path / "a.mp4", times_s, []))
    moving = recognize_video(recognizer, _make_moving(tmp_path / "b.mp4", times_s, [(0, 2)]))
    assert (still.label, still.events, still.note) == ("still", (), "")
    assert moving.label == "active"
    assert moving.probs["active"] > 0.9 > 0.1 > still.probs["active"]
    assert sum(moving.probs.values()) == pytest.approx(1)
    (event,) = moving.events
    assert (event.label, event.onset_s, event.offset_s) == ("active", 0.0, 2.0)
    assert moving.duration_s == pytest.approx(2.0)
    assert moving.n_windows == 5  # 16 steps, windows of 8, every 2


def test_a_motion_crop_tells_where_it_looked_if_asked(tmp_path: Path) -> None:
    near = Recognizer(make_bundle(tmp_path / "bundle", spec=replace(SPEC, motion_crop=2)))
    path = _make_moving(tmp_path / "a.mp4", np.arange(50) / 25, [(0, 2)])
    assert recognize_video(near, path).crops is None
    result = recognize_video(near, path, config=PredictConfig(keep_places=True))
    assert result.crops is not None
    assert result.crops.shape == (len(result.scores.times_s), 4)
    sides = result.crops[:, 2:] - result.crops[:, :2]
    assert (sides == (SIZE[1] / 2, SIZE[0] / 2)).all()
    save_result(tmp_path / "a", "key", result)
    assert (tmp_path / "a.result.json").is_file()


UNEVEN_S = np.concatenate([np.arange(250) / 25, 10 + np.arange(300) / 15, 30 + np.arange(75) / 7.5])


@pytest.mark.parametrize("times_s", [np.arange(1000) / 25, UNEVEN_S], ids=["even", "uneven"])
def test_events_are_found_where_they_are_in_a_long_video(
    recognizer: Recognizer, tmp_path: Path, times_s: np.ndarray
) -> None:
    truth = [(3.0, 6.0), (18.0, 21.0), (36.5, 40.0)]
    result = recognize_video(recognizer, _make_moving(tmp_path / "a.mp4", times_s, truth))
    found = [(event.onset_s, event.offset_s) for event in result.events]
    assert len(found) == 3
    np.testing.assert_allclose(found, truth, atol=SPEC.window_s)
    assert all(event.label == "active" for event in result.events)


def test_every_step_has_a_score(recognizer: Recognizer, tmp_path: Path) -> None:
    times_s = np.arange(323) / 25
    result = recognize_video(recognizer, _make_moving(tmp_path / "a.mp4", times_s, [(0, 13)]))
    assert result.duration_s == pytest.approx(12.92)
    np.testing.assert_allclose(result.scores.times_s, (np.arange(103) + 0.5) / 8)
    assert result.scores.values.shape == (103, 2)
    assert result.scores.step_s == 0.125
    np.testing.assert_allclose(result.scores.values.sum(axis=1), 1, atol=1e-6)


def test_answer_and_scores_are_those_of_all_frames_at_once(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    times_s = np.cumsum(np.random.default_rng(0).choice([0.02, 0.04, 0.3], 200))
    path = _make_moving(tmp_path / "a.mp4", times_s - times_s[0], [(1, 3), (6, 20)])
    result = recognize_video(recognizer, path, config=PredictConfig(n_overlap=2))
    with open_video(path, SPEC.size, SPEC.color, SPEC.max_rate_hz) as reader:
        frames = list(reader)
    read_s = np.array([frame.time_s for frame in frames])
    steps = compute_step_times(compute_span_s(read_s), SPEC.rate_hz)
    indices = compute_stack_indices(read_s, steps, SPEC.offsets_s)
    stacks = gather_stacks(np.stack([frame.image for frame in frames]), indices)
    cut, lengths = slice_windows(
        recognizer.motion.compute_features(stacks), SPEC.n_steps, SPEC.n_steps // 2
    )
    logits = recognizer.motion.compute_logits(cut)
    starts = compute_window_starts(len(steps), SPEC.n_steps, SPEC.n_steps // 2)
    expected = recognizer.compute_probs(compute_clip_logits(logits, lengths, starts))
    np.testing.assert_allclose(list(result.probs.values()), expected, atol=1e-5)
    for step, score in enumerate(result.scores.values):
        covering = (starts <= step) & (step < starts + SPEC.n_steps)
        expected = recognizer.compute_probs(logits[covering].mean(axis=1).mean(axis=0))
        np.testing.assert_allclose(score, expected, atol=1e-5)


def test_pushing_frames_one_by_one_gives_the_same_windows(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    path = _make_moving(tmp_path / "a.mp4", UNEVEN_S, [(3, 6), (18, 21)])
    config = PredictConfig(batch_steps=1)
    live = recognize_video(recognizer, path, config=config)
    batched = recognize_video(recognizer, path)
    assert live.n_windows == batched.n_windows
    np.testing.assert_allclose(live.scores.values, batched.scores.values, atol=1e-5)
    assert [event.label for event in live.events] == [event.label for event in batched.events]


def test_a_clip_shorter_than_a_window(recognizer: Recognizer, tmp_path: Path) -> None:
    result = recognize_video(
        recognizer, _make_moving(tmp_path / "a.mp4", np.arange(15) / 25, [(0, 1)])
    )
    assert (result.label, result.n_windows) == ("active", 1)
    assert result.scores.values.shape == (4, 2)


def test_a_clip_shorter_than_a_step_has_one_score_for_all_of_it(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    result = recognize_video(
        recognizer, _make_moving(tmp_path / "a.mp4", np.arange(2) / 25, [(0, 1)])
    )
    assert result.scores.times_s.tolist() == [0.04]
    assert result.scores.step_s == pytest.approx(result.duration_s) == 0.08


def test_one_frame_is_too_few_to_compare_but_enough_for_a_picture_model(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    path = make_clip(tmp_path / "a.mp4", n_frames=1)
    with pytest.raises(EmptyVideoError, match=r"a\.mp4 has 1 readable frame"):
        recognize_video(recognizer, path)
    picture_model = Recognizer(make_bundle(tmp_path / "rgb", spec=RGB_SPEC))
    assert recognize_video(picture_model, path).label == "still"


def test_a_damaged_video_is_recognized_up_to_there_with_a_note(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    result = recognize_video(recognizer, make_truncated_mp4(tmp_path / "a.mp4", n_frames=100))
    assert result.label == "active"
    assert 0.5 < result.duration_s < 3.5
    assert "damaged or cut off at" in result.note
    assert result.to_json()["note"] == result.note


def test_a_change_of_resolution_does_not_disturb(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_resolution_change(tmp_path / "a.ts", [(64, 96), (128, 192), (48, 96)], n_each=25)
    result = recognize_video(recognizer, path)
    assert result.duration_s == pytest.approx(3.0, abs=0.1)
    assert result.label == "active"


def test_progress_goes_to_the_end(recognizer: Recognizer, tmp_path: Path) -> None:
    seen: list[tuple[float, float | None]] = []
    path = make_clip(tmp_path / "a.mp4", n_frames=50)
    recognize_video(recognizer, path, progress=lambda *at: seen.append(at))
    assert [done_s for done_s, _ in seen] == pytest.approx((np.arange(50) / 25).tolist())
    assert {total_s for _, total_s in seen} == {2.0}


def test_the_users_rule_goes_before_the_bundles(recognizer: Recognizer, tmp_path: Path) -> None:
    path = _make_moving(tmp_path / "a.mp4", np.arange(100) / 25, [(0, 4)])
    strict = DecodeConfig(background="still", min_s=60.0)
    assert recognize_video(recognizer, path, decode=strict).events == ()
    with pytest.raises(ConfigError, match="background='nothing'"):
        recognize_video(recognizer, path, decode=DecodeConfig(background="nothing"))


def test_a_video_that_is_not_there(recognizer: Recognizer, tmp_path: Path) -> None:
    with pytest.raises(VideoNotFoundError, match="absent"):
        recognize_video(recognizer, tmp_path / "absent.mp4")


def test_folders_are_searched_and_nothing_is_taken_twice(tmp_path: Path) -> None:
    for name in ("b/2.mp4", "b/1.mp4", "b/deep/3.MKV", "a.mp4", "b/notes.txt", "b/.hidden.mp4"):
        make_empty_file(tmp_path / name)
    (tmp_path / "none").mkdir()
    videos, rejects = find_videos(
        [
            tmp_path / "a.mp4",
            tmp_path / "b",
            tmp_path / "b" / "1.mp4",
            tmp_path / "absent",
            tmp_path / "none",
        ]
    )
    assert [path.relative_to(tmp_path).as_posix() for path in videos] == [
        "a.mp4",
        "b/1.mp4",
        "b/2.mp4",
        "b/deep/3.MKV",
    ]
    assert [reject.path.name for reject in rejects] == ["absent", "none"]
