"""The annotated video keeps pictures and times, and shows events while they go on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle
from videos import make_clip, make_truncated_mp4, make_video, read_number

from har.config import DecodeConfig
from har.errors import VideoDecodeError, VideoWriteError
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.pose.keypoints import INDEX
from har.render.annotate import Panel, write_annotated
from har.result import PoseTracks, VideoResult
from har.types import Event, Frame
from har.video.file.reader import open_video

DECODE = DecodeConfig(background="still")
SIZE = (120, 480)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle"), decode=DECODE))


def _annotate(result: VideoResult, folder: Path) -> list[Frame]:
    write_annotated(folder / "out.mp4", result, DECODE)
    with open_video(folder / "out.mp4") as reader:
        return list(reader)


def test_pictures_and_uneven_times_are_kept(recognizer: Recognizer, tmp_path: Path) -> None:
    times_s = np.concatenate([np.arange(10) / 25, 0.4 + np.arange(10) / 10, [3.0, 3.01]])
    path = make_video(tmp_path / "in.mp4", times_s, SIZE)
    frames = _annotate(recognize_video(recognizer, path), tmp_path)
    assert [read_number(frame.image[: SIZE[0]]) for frame in frames] == list(range(22))
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s, atol=1e-3)


def test_an_event_is_shown_while_it_goes_on(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", np.arange(75) / 25, SIZE, paint=_paint_gray)
    result = replace(recognize_video(recognizer, path), events=(Event("active", 1.0, 2.0, 0.9),))
    frames = _annotate(result, tmp_path)
    is_framed = [bool(frame.image[SIZE[0] // 2, 1, 0] > 150) for frame in frames]
    assert is_framed == [1.0 <= frame.time_s < 2.0 for frame in frames]
    chip = [frame.image[SIZE[0] + 6, 10].astype(int) for frame in frames]
    assert [bool(red - blue > 100) for red, _, blue in chip] == is_framed


def test_the_corners_of_what_the_cnn_sees_are_marked(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    path = make_video(tmp_path / "in.mp4", np.arange(10) / 25, SIZE, paint=_paint_gray)
    result = recognize_video(recognizer, path)
    plain = _annotate(result, tmp_path)[5].image[: SIZE[0]].astype(int)
    views = np.tile([120.0, 30.0, 360.0, 90.0], (len(result.scores.times_s), 1))
    marked = _annotate(replace(result, crops=views), tmp_path)[5].image[: SIZE[0]].astype(int)
    changed = np.abs(marked - plain).max(axis=2) > 40
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    found = [rows[0], rows[-1], columns[0], columns[-1]]
    np.testing.assert_allclose(found, [30, 89, 120, 359], atol=2)
    assert not changed[50:70, 140:340].any()


def _paint_gray(index: int) -> np.ndarray:
    return np.full((*SIZE, 3), 100, np.uint8)


@pytest.mark.parametrize(
    ("size", "shown"),
    [((64, 96), (320, 480)), ((1080, 1920), (540, 960)), ((640, 360), (720, 480))],
    ids=["tiny", "large", "upright"],
)
def test_every_size_becomes_readable(
    recognizer: Recognizer, tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    path = make_clip(tmp_path / "in.mp4", n_frames=3, size=size)
    frames = _annotate(recognize_video(recognizer, path), tmp_path)
    height, width = frames[0].image.shape[:2]
    assert width == shown[1]
    assert shown[0] + 60 <= height <= shown[0] + 160
    picture = frames[2].image[: shown[0]]
    bar = (shown[1] - shown[0] * size[1] // size[0]) // 2
    assert read_number(picture[:, bar : shown[1] - bar]) == 2


def test_many_long_names_fit(tmp_path: Path) -> None:
    labels = tuple(f"{name} with a very long name that cannot fit" for name in "abcdefghi")
    recognizer = Recognizer(make_bundle(tmp_path / "bundle", labels))
    path = make_clip(tmp_path / "in.mp4", n_frames=10, size=SIZE)
    result = recognize_video(recognizer, path)
    write_annotated(tmp_path / "out.mp4", result, DecodeConfig())
    with open_video(tmp_path / "out.mp4") as reader:
        assert reader.info.height - SIZE[0] < 260


def test_a_damaged_video_is_annotated_as_far_as_it_was_recognized(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    path = make_truncated_mp4(tmp_path / "in.mp4")
    result = recognize_video(recognizer, path)
    frames = _annotate(result, tmp_path)
    assert frames[-1].time_s == pytest.approx(result.duration_s, abs=0.05)
    with pytest.raises(VideoDecodeError):
        write_annotated(tmp_path / "out2.mp4", replace(result, note=""), DECODE)
    assert not (tmp_path / "out2.mp4").exists()


def test_a_place_that_cannot_be_written_is_named(recognizer: Recognizer, tmp_path: Path) -> None:
    result = recognize_video(recognizer, make_clip(tmp_path / "in.mp4", n_frames=5))
    with pytest.raises(VideoWriteError, match=r"in\.mp4"):
        write_annotated(tmp_path / "in.mp4" / "out.mp4", result, DECODE)


def test_people_are_drawn_where_they_are_in_the_video(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    path = make_video(tmp_path / "in.mp4", np.arange(25) / 25, (90, 120), paint=_paint_small)
    body = np.tile(np.array([90.0, 45.0, 0.9], np.float32), (17, 1))
    body[INDEX["left_wrist"]] = [30.0, 45.0, 0.05]  # not confident enough
    seen = PoseTracks(np.array([0.25]), np.array([1]), body[None], 0.5)
    frames = _annotate(replace(recognize_video(recognizer, path), pose_tracks=seen), tmp_path)
    for frame in (frames[0], frames[5], frames[20]):
        shown = frame.image[:360, :480].astype(int)
        spots = np.argwhere(np.abs(shown - 100).max(axis=2) > 60)
        if frame.time_s > 0.5:
            assert len(spots) == 0
        else:
            assert spots[:, 1].mean() == pytest.approx(90 * 4, abs=6)
            assert 90 < spots[:, 0].min() < spots[:, 0].max() < 190


def _paint_small(index: int) -> np.ndarray:
    return np.full((90, 120, 3), 100, np.uint8)


def test_what_it_cannot_tell_is_said_and_hatched(recognizer: Recognizer, tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", np.arange(50) / 25, SIZE, paint=_paint_gray)
    result = recognize_video(recognizer, path)
    result.scores.values[:8] = 0
    panel = Panel(result, DECODE, SIZE[1])
    canvas = np.empty((panel.height_px, SIZE[1], 3), np.uint8)
    n_hatched = []
    for time_s in (0.5, 1.5):
        panel.draw(canvas, time_s)
        is_line = (canvas == (78, 82, 90)).all(axis=2).any(axis=0)
        n_hatched.append(is_line.sum())
        # A second of the four that are seen, to the left or the right of now.
        columns = np.flatnonzero(is_line)
        begin_s, end_s = (columns[[0, -1]] - panel._left) / (SIZE[1] - panel._left) * 4 - 2
        assert begin_s + time_s == pytest.approx(0, abs=0.1)
        assert end_s + time_s == pytest.approx(1, abs=0.1)
    assert n_hatched[0] == pytest.approx(n_hatched[1], abs=4)


def test_progress_goes_to_the_end(recognizer: Recognizer, tmp_path: Path) -> None:
    result = recognize_video(recognizer, make_clip(tmp_path / "in.mp4", n_frames=5))
    seen: list[float] = []
    write_annotated(tmp_path / "out.mp4", result, DECODE, lambda done_s, _: seen.append(done_s))
    assert seen == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16])
