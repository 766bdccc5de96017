"""Whole videos of people through a real bundle: who acts, on whom, and when it is uncertain."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from acting import make_scene, paint_scene
from bundles import POSE_SPEC, make_bundle, make_people_bundle
from videos import make_video

from har.bundle import POSE_GRAPH_FILE
from har.config import DecodeConfig, PredictConfig
from har.errors import (
    BundleIntegrityError,
    BundleMismatchError,
    ConfigError,
    EmptyVideoError,
)
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.types import UNCERTAIN

KEEP = PredictConfig(keep_places=True)
LEFT, RIGHT = 0.3, 0.7


def _right_acts(time_s: float) -> tuple[tuple[float, bool], ...]:
    return (LEFT, False), (RIGHT, 1 <= time_s < 2.5)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer(make_people_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scene(tmp_path_factory.mktemp("film") / "a.mp4", _right_acts, 3.5)


@pytest.mark.parametrize(
    ("streams", "early_s", "late_s"),
    [("pose", 1.0, 0.75), ("both", 0.25, 0.25)],  # in pose, a few steps speak for a window of 1 s
)
def test_an_event_has_who_acts_and_who_is_near(
    film: Path, tmp_path: Path, streams: str, early_s: float, late_s: float
) -> None:
    recognizer = Recognizer(make_people_bundle(tmp_path, streams))
    result = recognize_video(recognizer, film, config=KEEP)
    (event,) = result.events
    assert (event.label, event.onset_s, event.offset_s) == (
        "active",
        pytest.approx(1.0, abs=early_s),
        pytest.approx(2.5, abs=late_s),
    )
    places = {
        number: points[5:7, 0].mean() / result.info.width
        for number, points in result.pose_tracks.find_people(1.5).items()
    }
    assert set(places) == {1, 2}
    assert places[event.subject] == pytest.approx(RIGHT, abs=0.02)
    assert places[event.target] == pytest.approx(LEFT, abs=0.02)
    assert result.uncertain_share == 0
    assert 0.5 < result.confidence < 0.9
    grid = 8 if streams == "both" else 10
    assert len(result.scores.times_s) == len(result.scores.people.confidence) == 3.5 * grid


def test_what_one_does_to_oneself_has_no_target(film: Path, tmp_path: Path) -> None:
    pose = replace(POSE_SPEC, single_person_labels=("active",))
    (event,) = recognize_video(Recognizer(make_people_bundle(tmp_path, pose=pose)), film).events
    assert event.subject > 0
    assert event.target == 0


def test_one_person_alone_has_no_target(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.mp4", lambda _: ((0.5, True),), 1.2)
    (event,) = recognize_video(recognizer, path).events
    assert (event.subject, event.target) == (1, 0)


def test_nobody_there_is_no_answer(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.mp4", lambda _: (), 1.5)
    result = recognize_video(recognizer, path, config=KEEP)
    assert (result.label, result.prob, result.events) == (UNCERTAIN, 0.0, ())
    assert (result.uncertain_share, result.confidence) == (1.0, 0.0)
    assert result.probs == {"still": 0.0, "active": 0.0}
    assert not result.scores.people.subjects.any()
    assert result.pose_tracks is None or len(result.pose_tracks.times_s) == 0
    assert result.to_json()["uncertain_share"] == 1.0


def test_motion_answers_where_nobody_is_seen(tmp_path: Path) -> None:
    recognizer = Recognizer(make_people_bundle(tmp_path / "bundle", "both"))
    path = make_scene(tmp_path / "a.mp4", lambda _: (), 1.5)
    result = recognize_video(recognizer, path)
    assert (result.label, result.uncertain_share, result.confidence) == ("still", 0.0, 0.0)


def test_keypoints_that_are_all_too_weak_are_no_answer(film: Path, tmp_path: Path) -> None:
    pose = replace(POSE_SPEC, min_confidence=0.95)
    result = recognize_video(Recognizer(make_people_bundle(tmp_path, pose=pose)), film, config=KEEP)
    assert (result.label, result.events) == (UNCERTAIN, ())
    assert result.uncertain_share == 1
    assert len(result.pose_tracks.times_s) == 70  # seen, but not confident enough


def test_who_leaves_and_returns_late_is_someone_new(recognizer: Recognizer, tmp_path: Path) -> None:
    def scene(time_s: float) -> tuple[tuple[float, bool], ...]:
        return () if 1.2 <= time_s < 3.4 else ((0.5, True),)

    path = make_scene(tmp_path / "a.mp4", scene, 4.6)
    result = recognize_video(recognizer, path)
    assert [event.subject for event in result.events] == [1, 2]
    is_uncertain = result.scores.is_uncertain
    assert is_uncertain[22:26].all()
    assert not is_uncertain[:12].any()
    assert not is_uncertain[34:].any()
    assert result.uncertain_share == pytest.approx(is_uncertain.mean())
    assert result.label == "active"


def test_who_is_away_for_a_moment_keeps_the_number(recognizer: Recognizer, tmp_path: Path) -> None:
    def scene(time_s: float) -> tuple[tuple[float, bool], ...]:
        return () if 1.0 <= time_s < 1.6 else ((0.5, True),)

    result = recognize_video(recognizer, make_scene(tmp_path / "a.mp4", scene, 2.6))
    assert [event.subject for event in result.events] == [1]


@pytest.mark.parametrize("n_frames", [1, 2])
def test_a_video_of_one_time_step(recognizer: Recognizer, tmp_path: Path, n_frames: int) -> None:
    picture = paint_scene(((0.5, True),))
    times_s = [index / 25 for index in range(n_frames)]
    path = make_video(tmp_path / "a.mp4", times_s, picture.shape[:2], paint=lambda _: picture)
    result = recognize_video(recognizer, path, config=KEEP)
    assert result.label == "active"
    assert result.scores.values.shape == (1, 2)
    assert result.scores.people.subjects.tolist() == [[1, 1]]
    assert result.pose_tracks.numbers.tolist() == [1]
    both = Recognizer(make_people_bundle(tmp_path / "both", "both"))
    if n_frames == 1:
        with pytest.raises(EmptyVideoError):
            recognize_video(both, path)
    else:
        assert recognize_video(both, path).scores.values.shape == (1, 2)


def test_a_bundle_of_another_pose_network_is_refused(tmp_path: Path) -> None:
    make_people_bundle(tmp_path, pose=replace(POSE_SPEC, detector="0" * 64))
    with pytest.raises(BundleMismatchError, match="another pose network"):
        Recognizer(tmp_path)


def test_a_pose_graph_that_was_altered_is_refused(tmp_path: Path) -> None:
    make_people_bundle(tmp_path)
    with (tmp_path / POSE_GRAPH_FILE).open("ab") as file:
        file.write(b" ")
    with pytest.raises(BundleIntegrityError, match="not the file that was saved"):
        Recognizer(tmp_path)


def test_places_are_kept_only_on_demand(recognizer: Recognizer, film: Path, tmp_path: Path) -> None:
    assert recognize_video(recognizer, film).pose_tracks is None
    motion = Recognizer(make_bundle(tmp_path))
    result = recognize_video(motion, film, config=KEEP)
    assert (result.pose_tracks, result.confidence, result.scores.people) == (None, None, None)


def test_places_are_pixels_of_the_video_whatever_its_shape(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    picture = paint_scene(((0.25, False),))
    tall = np.concatenate([picture, np.zeros_like(picture)])  # 480 x 320, bars at the sides
    path = make_video(tmp_path / "a.mp4", [0.0, 0.1], tall.shape[:2], paint=lambda _: tall)
    result = recognize_video(recognizer, path, config=KEEP)
    (points,) = result.pose_tracks.find_people(0.05).values()
    assert points[5:7, 0].mean() == pytest.approx(80, abs=6)
    assert points[15:17, 1].max() == pytest.approx(225, abs=12)


def test_no_thread_is_left_behind(recognizer: Recognizer, film: Path) -> None:
    recognize_video(recognizer, film)
    strict = DecodeConfig(background="nothing")
    with pytest.raises(ConfigError, match="nothing"):
        recognize_video(recognizer, film, decode=strict)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("network")]
