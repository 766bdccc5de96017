"""Pictures of events show the right moment and people, and old ones go."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import make_truncated_mp4, make_video, read_number

from har.config import DecodeConfig
from har.errors import VideoNotFoundError
from har.render.thumbnails import write_thumbnails
from har.result import PoseTracks, VideoResult
from har.types import Event, Scores, VideoInfo

DECODE = DecodeConfig("play")
SIZE = (270, 480)
HIT_COLOR = (213, 94, 0)


def _make_result(path: Path, peaks: dict[float, float], length_s: float) -> VideoResult:
    """Return a result whose scores of ``hit`` have peaks at some times."""
    times_s = np.arange(round(length_s * 8)) / 8 + 1 / 16
    hit = np.full(len(times_s), 0.1, np.float32)
    for time_s, value in peaks.items():
        hit[np.argmin(abs(times_s - time_s))] = value
    scores = Scores(("play", "hit"), times_s, np.stack([1 - hit, hit], axis=1), 1 / 8)
    info = VideoInfo(path, SIZE[1], SIZE[0], 25.0, length_s, None, 0, "h264")
    return VideoResult(info, length_s, "hit", {"play": 0.1, "hit": 0.9}, (), scores, 1, 0.1, "")


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image[..., ::-1]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return make_video(path, np.arange(8 * 25) / 25, SIZE)


def test_each_event_is_shown_where_it_is_strongest(film: Path, tmp_path: Path) -> None:
    result = _make_result(film, {1.4: 0.9, 1.9: 0.7, 6.55: 0.8}, 8.0)
    events = (Event("hit", 1.0, 2.5, 0.8, 2, 1), Event("hit", 6.0, 7.0, 0.6))
    found = write_thumbnails(tmp_path / "new" / "a", replace(result, events=events), DECODE)
    assert [path.name for path in found] == ["0001_hit.jpg", "0002_hit.jpg"]
    for path, step in zip(found, (11, 52), strict=True):
        image = _read(path)
        frame = int(np.ceil((step + 0.5) / 8 * 25 - 1e-9))  # the first frame from there on
        assert read_number(image[: SIZE[0]]) == frame
        strip = image[SIZE[0] + 2 :, 200:260].reshape(-1, 3)
        assert np.abs(np.median(strip, axis=0) - HIT_COLOR).max() < 12


def test_pictures_of_an_earlier_run_go(film: Path, tmp_path: Path) -> None:
    result = _make_result(film, {1.0: 0.9}, 8.0)
    events = tuple(Event("hit", start, start + 0.5, 0.9) for start in (0.0, 1.0))
    write_thumbnails(tmp_path / "a", replace(result, events=events), DECODE)
    write_thumbnails(tmp_path / "a", replace(result, events=events[:1]), DECODE)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["0001_hit.jpg"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_people_are_drawn_where_they_are(film: Path, tmp_path: Path) -> None:
    result = _make_result(film, {1.0: 0.9}, 8.0)
    points = np.zeros((1, 17, 3), np.float32)
    points[..., 0], points[..., 1] = np.linspace(200, 260, 17), np.linspace(100, 200, 17)
    points[..., 2] = 0.9
    pose_tracks = PoseTracks(np.array([1.05]), np.array([3]), points, 0.2)
    plain = replace(result, events=(Event("hit", 0.5, 1.5, 0.9, 3),))
    images = [
        _read(write_thumbnails(tmp_path / str(index), item, DECODE)[0]).astype(int)
        for index, item in enumerate([plain, replace(plain, pose_tracks=pose_tracks)])
    ]
    rows, columns = np.nonzero(np.abs(images[0] - images[1]).max(axis=2) > 60)
    assert 40 < rows.min() < 100 < rows.max() < 210
    assert 180 < columns.min() < 200 < columns.max() < 280


def test_labels_of_any_letters_have_a_file(film: Path, tmp_path: Path) -> None:
    labels = ("../up", "?!", "schlägt zu")
    values = np.full((64, 3), 1 / 3, np.float32)
    result = _make_result(film, {}, 8.0)
    scores = replace(result.scores, labels=labels, values=values)
    events = tuple(Event(label, 1.0, 2.0, 0.5) for label in labels)
    found = write_thumbnails(
        tmp_path / "a", replace(result, scores=scores, events=events), DecodeConfig()
    )
    assert [path.name for path in found] == ["0001_up.jpg", "0002_event.jpg", "0003_schlägt_zu.jpg"]
    assert all(path.is_file() for path in found)


def test_events_at_damaged_places_have_none(tmp_path: Path) -> None:
    path = make_truncated_mp4(tmp_path / "in.mp4")
    result = _make_result(path, {0.1: 0.9}, 60.0)
    events = (Event("hit", 0.0, 0.5, 0.9), Event("hit", 50.0, 51.0, 0.9))
    damaged = replace(result, events=events, note="cut off")
    assert len(write_thumbnails(tmp_path / "a", damaged, DECODE)) == 1


def test_a_video_that_has_gone_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    result = _make_result(tmp_path / "gone.mp4", {1.0: 0.9}, 8.0)
    with pytest.raises(VideoNotFoundError, match="gone"):
        write_thumbnails(
            tmp_path / "a", replace(result, events=(Event("hit", 0.5, 1.5, 0.9),)), DECODE
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("size", "shown"), [((96, 320), (144, 480)), ((320, 180), (270, 320)), ((64, 640), (48, 480))]
)
def test_pictures_have_no_bars(
    tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    white = make_video(tmp_path / "a.mp4", np.arange(50) / 25, size, paint=lambda _: _fill(size))
    result = _make_result(white, {1.0: 0.9}, 2.0)
    info = replace(result.info, height=size[0], width=size[1])
    events = (Event("hit", 0.5, 1.5, 0.9),)
    (path,) = write_thumbnails(tmp_path / "t", replace(result, info=info, events=events), DECODE)
    image = _read(path)
    assert image.shape == (shown[0] + 28, shown[1], 3)
    assert (image[: shown[0], 4:-4].min(axis=2) > 40).mean() > 0.4
    assert not (image[: shown[0]].max(axis=2) < 60).any()  # nothing is black


def _fill(size: tuple[int, int]) -> np.ndarray:
    return np.full((*size, 3), 230, np.uint8)
