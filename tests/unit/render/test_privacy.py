"""No picture shows a head that is to be hidden, whatever is known of people."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from bundles import make_bundle, make_people_bundle
from puppet import FPS, SIZE, iter_times, make_film, paint_moment, paint_people
from videos import make_clip

import har
from har.config import DecodeConfig, PrivacyConfig
from har.errors import BundleMismatchError, ConfigError
from har.inference.people import RATE_HZ, SIZE_PX, find_people, find_people_in, open_detector
from har.pose.keypoints import INDEX
from har.render.annotate import write_annotated
from har.render.heads import find_heads
from har.render.privacy import Anonymizer, coarsen, cover_circle
from har.render.still import MotionFinder, StillBackground
from har.render.thumbnails import write_thumbnails
from har.result import FoundPeople, PoseTracks, VideoResult
from har.types import Event, Frame, Scores
from har.video.file.reader import open_video, probe_video
from har.video.geometry import Letterbox

BOX = Letterbox(0, 0, *SIZE)
HEAD = np.array([160, 0.10 * 240 + 0.075 * 0.85 * 240])
"""Middle of the puppet's head, (x, y) in pixels."""


def _tracks(times_s, points, step_s=0.1) -> FoundPeople:
    numbers = np.ones(len(times_s), np.int64)
    tracks = PoseTracks(np.array(times_s, float), numbers, np.array(points, np.float32), step_s)
    return FoundPeople(tracks, np.array(times_s, float))


def _body(x: float = 160.0, y: float = 50.0) -> np.ndarray:
    """Return one whose ears are 20 px apart, so that the head's radius is 21.85 px."""
    body = np.zeros((17, 3))
    body[INDEX["left_ear"]] = x + 10, y, 1.0
    body[INDEX["right_ear"]] = x - 10, y, 1.0
    return body


def _nobody(checked_s) -> FoundPeople:
    return replace(_tracks([], np.zeros((0, 17, 3))), checked_s=np.array(checked_s, float))


def _noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def test_a_circle_lies_about_the_head_and_grows_with_doubt() -> None:
    assert find_heads(_body()).round(2).tolist() == [[160.0, 50.0, 21.85]]
    doubtful = _body()
    doubtful[:, 2] *= 0.5
    assert find_heads(doubtful)[0, 2] == pytest.approx(19 * (1.15 + 0.6 * 0.5))
    assert find_heads(_body(), away_s=0.5)[0, 2] == pytest.approx(21.85 * 1.5)


def test_a_head_without_a_face_is_over_the_shoulders() -> None:
    body = np.zeros((17, 3))
    for name, place in (("shoulder", 100.0), ("hip", 200.0)):
        body[INDEX[f"left_{name}"]] = 320.0, place, 0.9
        body[INDEX[f"right_{name}"]] = 280.0, place, 0.9
    (circle,) = find_heads(body)  # of a trunk of 100 px the head has 38, sought with 1.6 of it
    np.testing.assert_allclose(circle, [300.0, 100.0 - 1.1 * 38.0, 1.6 * 38.0])


def test_bodies_are_held_before_they_are_seen_and_after() -> None:
    found = _tracks([2.0, 2.1], [_body(100.0), _body(110.0)])
    assert found.find_near(0.9, 1.0) == []
    ((first, away_s),) = found.find_near(1.5, 1.0)
    assert (first[3, 0], round(away_s, 6)) == (110.0, 0.4)
    places = sorted(points[3, 0].item() for points, _ in found.find_near(2.05, 1.0))
    np.testing.assert_allclose(places, [110.0, 115.0, 120.0])
    ((_, away_s),) = found.find_near(3.0, 1.0)
    assert away_s == pytest.approx(0.8)


@pytest.mark.parametrize("faces", ["blur", "pixelate", "black"])
def test_a_covered_circle_keeps_few_values_and_touches_nothing_else(faces: str) -> None:
    picture, before = _noise(), _noise()
    cover_circle(picture, np.array([160.0, 50.0, 20.0]), faces)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    inside = (columns - 160) ** 2 + (rows - 50) ** 2 <= 400
    assert (picture[~inside] == before[~inside]).all()
    n_values = len(np.unique(picture[inside], axis=0))
    assert n_values == 1 if faces == "black" else picture[inside].std() < 25 < before[inside].std()
    if faces == "pixelate":
        assert n_values <= 16
    edge = _noise()
    cover_circle(edge, np.array([-500.0, 0.0, 20.0]), faces)
    assert (edge == before).all()


def test_what_was_not_looked_at_is_hidden_as_a_whole() -> None:
    config = PrivacyConfig("blur")
    picture, coarse = _noise(), _noise()
    coarsen(coarse, 12)
    Anonymizer(config, _nobody([0.0, 0.1, 0.2]), SIZE, BOX).cover(picture, 0.6)
    assert (picture == coarse).all()
    picture = _noise()
    Anonymizer(config, _nobody([0.0, 0.1, 0.2]), SIZE, BOX).cover(picture, 0.15)
    assert (picture == _noise()).all()


def test_a_picture_for_which_the_network_fails_is_not_among_those_looked_at() -> None:
    frames = [Frame(i, i / RATE_HZ, np.zeros((*SIZE_PX, 3), np.uint8)) for i in range(10)]
    frames[4:7] = [replace(frame, image=frame.image[:-1]) for frame in frames[4:7]]
    found = find_people(frames, SIZE, Letterbox(0, 0, *SIZE_PX), open_detector())
    np.testing.assert_allclose(found.checked_s, [0.0, 0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    assert [found.is_checked(time_s) for time_s in (0.4, 0.5, 0.6)] == [True, False, True]


def test_what_moves_is_blurred_where_nobody_was_found() -> None:
    anonymizer = Anonymizer(
        PrivacyConfig(uncertain="blur-moving"), _nobody(np.arange(99)), SIZE, BOX
    )
    still = np.full((*SIZE, 3), 90, np.uint8)
    moved = still.copy()
    moved[100:140:2, 100:140] = 255
    for number, image in enumerate((still, still, moved)):
        picture = image.copy()
        anonymizer.cover(picture, float(number))
        outside = picture.copy()
        outside[80:160, 80:160] = 90
        assert (outside == 90).all() or number == 2
    stripes = picture[110:130, 110:130].astype(int)
    assert np.abs(np.diff(stripes, axis=0)).max() < 30


def test_the_background_is_what_stands_still_and_never_a_person() -> None:
    still = StillBackground()
    for left in (0, 100, 200):
        picture, hidden = np.full((*SIZE, 3), 90, np.uint8), np.zeros(SIZE, bool)
        picture[50:150, left : left + 60] = 255
        hidden[40:160, max(left - 10, 0) : left + 70] = True
        picture[200:220, 10:20], hidden[195:225, 5:25] = 255, True  # who never moves
        still.push(picture, hidden)
    found = still.compute()
    assert found is not None
    assert np.abs(found.astype(int) - 90).max() <= 2
    assert StillBackground().compute() is None
    assert MotionFinder().push(np.zeros((*SIZE, 3), np.uint8)).all()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One who appears after a second and stays for two."""
    pictures = [
        paint_people((), size=SIZE) if t < 1 else paint_moment(t, (0.5,)) for t in iter_times(3)
    ]
    return make_film(tmp_path_factory.mktemp("film") / "a.mp4", pictures)


@pytest.fixture(scope="module")
def result(film: Path) -> VideoResult:
    times_s = np.arange(30) / 10 + 0.05
    values = np.tile(np.array([0.2, 0.8], np.float32), (30, 1))
    scores, events = (
        Scores(("still", "active"), times_s, values, 0.1),
        (Event("active", 1, 3, 0.8),),
    )
    found = VideoResult(
        probe_video(film), 3.0, "active", {"still": 0.2, "active": 0.8}, events, scores, 1, 0.0, ""
    )
    return replace(found, people=find_people_in(film))


def _read(path: Path, size=None) -> list[Frame]:
    with open_video(path, size) as reader:
        return list(reader)


def _edges(image: np.ndarray, scale: float = 1.5) -> float:
    """Return the strongest edge within the puppet's face."""
    x, y = (HEAD * scale).round().astype(int)
    reach = round(10 * scale)
    face = image[y - reach : y + reach, x - reach : x + reach].astype(np.float32).mean(axis=2)
    return float(np.abs(cv2.Laplacian(face, cv2.CV_32F)).max())


def test_no_frame_of_an_annotated_video_shows_a_face(result: VideoResult, tmp_path: Path) -> None:
    for faces, limit in (("blur", 25.0), ("black", 25.0)):
        privacy = PrivacyConfig(faces)
        write_annotated(tmp_path / "a.mp4", result, DecodeConfig(), privacy=privacy)
        frames = _read(tmp_path / "a.mp4")
        assert len(frames) == 3 * FPS
        assert max(_edges(frame.image) for frame in frames) < limit
    write_annotated(tmp_path / "b.mp4", result, DecodeConfig())
    assert min(_edges(frame.image) for frame in _read(tmp_path / "b.mp4")[10:]) > 50


def test_skeletons_stand_on_the_background_alone(result: VideoResult, tmp_path: Path) -> None:
    privacy = PrivacyConfig(people="skeleton")
    write_annotated(tmp_path / "a.mp4", result, DecodeConfig(), privacy=privacy)
    frames = _read(tmp_path / "a.mp4")
    shirt = np.array([60, 90, 170])
    for frame in frames:
        trunk = frame.image[120:200, 225:255].reshape(-1, 3).astype(int)
        assert (np.abs(trunk - shirt).max(axis=1) > 40).mean() > 0.9


def test_pictures_of_events_hide_faces(result: VideoResult, tmp_path: Path) -> None:
    def read(folder: str, privacy: PrivacyConfig) -> np.ndarray:
        (path,) = write_thumbnails(tmp_path / folder, result, DecodeConfig(), privacy)
        return cv2.imread(str(path))

    scale = 270 / 240
    assert _edges(read("a", PrivacyConfig()), scale) > 50
    assert _edges(read("b", PrivacyConfig("blur")), scale) < 25


def test_nothing_is_drawn_where_it_is_not_known_where_people_are(
    result: VideoResult, tmp_path: Path
) -> None:
    assert result.people is not None
    tracks = result.people.tracks  # those of a model's own see too few
    blind = replace(result, people=None, pose_tracks=tracks)
    with pytest.raises(BundleMismatchError, match="not known where people are"):
        write_annotated(tmp_path / "a.mp4", blind, DecodeConfig(), privacy=PrivacyConfig("blur"))
    assert list(tmp_path.iterdir()) == []


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="faces must be one of keep, blur, pixelate, black"):
        PrivacyConfig("hide")  # type: ignore[arg-type]
    assert not PrivacyConfig().is_on
    assert PrivacyConfig(uncertain="blur-moving").is_on


def test_an_empty_film_has_nobody(tmp_path: Path) -> None:
    found = find_people_in(make_clip(tmp_path / "a.mp4", 5, 5.0, size=SIZE))
    assert found.find_near(0.5, 1.0) == [] or found.tracks.points[:, :, 2].max() < 0.5


def test_heads_are_found_apart_from_the_keypoints_of_a_model(film: Path, tmp_path: Path) -> None:
    model = make_people_bundle(tmp_path / "bundle")
    predict = partial(har.predict, film, model=model, out=tmp_path / "a", jobs=1)
    (result,) = predict(annotate=True, faces="blur").recognized
    assert result.people is not None
    assert len(result.people.checked_s) >= 30
    assert predict(annotate=True).recognized[0].people is None


def test_a_model_without_keypoints_hides_faces_too(film: Path, tmp_path: Path) -> None:
    model = har.load(make_bundle(tmp_path / "bundle"))
    assert model.info.pose is None
    found = har.predict(film, model=model, out=tmp_path / "a", annotate=True, faces="blur", jobs=1)
    assert found.recognized
    again = har.predict(film, model=model, out=tmp_path / "a", annotate=True, faces="blur", jobs=1)
    assert again.n_unchanged == 1

    model.predict(film).save(tmp_path / "b", annotate=True, faces="blur")
    for folder in ("a", "b"):
        frames = _read(tmp_path / folder / "a.annotated.mp4")
        assert max(_edges(frame.image) for frame in frames) < 25
    plain = har.predict(film, model=model, out=tmp_path / "a", annotate=True, jobs=1)
    assert plain.n_unchanged == 0  # what was hidden otherwise is written anew
    assert max(_edges(frame.image) for frame in _read(tmp_path / "a" / "a.annotated.mp4")) > 50
