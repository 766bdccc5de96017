"""Every kind of camera gives the same pictures in the same way."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from bundles import SPEC
from cameras import HttpCamera, Pause, RtspServer, Send
from videos import (
    make_b_frames,
    make_clip,
    make_oriented,
    make_tagged_avi,
    make_video,
    paint_number,
    read_number,
)

from har.config import WatchConfig
from har.errors import CameraError, VideoOpenError
from har.types import Frame
from har.video.camera.frames import LiveFrame, LiveSetup, LiveSource
from har.video.camera.packets import open_played, open_stream
from har.video.camera.timeline import Timeline
from har.video.camera.webcam import Camera, WebcamSource, open_webcam
from har.video.file.reader import open_video

N_FRAMES = 50
SIZE = (64, 96)
TIMES_S = [index / 25 for index in range(N_FRAMES)]
CONFIG = WatchConfig(connect_s=5.0, lost_s=5.0, frozen_s=5.0)


class Recorder:
    """A tap that keeps what it hears."""

    def __init__(self) -> None:
        self.n_opened = 0
        self.times_s: list[float] = []

    def open(self, camera: str, stream: av.VideoStream) -> None:
        assert stream.codec_context.name == "h264"
        self.n_opened += 1

    def push(self, camera: str, packet: av.Packet, time_s: float) -> None:
        assert packet.size > 0
        self.times_s.append(time_s)

    def push_frame(self, camera: str, frame: Frame) -> None:
        assert frame.image.shape == (*SIZE, 3)
        self.times_s.append(frame.time_s)


class PacedCapture:
    """Gives OpenCV's pictures of a file no faster than a webcam films."""

    def __init__(self, path: Path) -> None:
        self._capture = cv2.VideoCapture(str(path))
        self.release = self._capture.release

    def read(self) -> tuple[bool, np.ndarray]:
        time.sleep(1 / 27)
        return self._capture.read()


def _make_setup() -> LiveSetup:
    return LiveSetup("cam", SPEC.pictures, CONFIG, Recorder(), Timeline(CONFIG.jump_s))


def _paint(index: int) -> np.ndarray:
    return paint_number(index, SIZE)


Opener = Callable[[LiveSetup], LiveSource]


@pytest.fixture(params=["file", "http", "rtsp", "webcam"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    ending = "ts" if request.param == "http" else "mp4"
    film = make_video(tmp_path / f"film.{ending}", TIMES_S, SIZE, paint=_paint)
    with ExitStack() as stack:
        if request.param == "file":
            yield lambda setup: open_played(film, setup)
        elif request.param == "http":
            acts = [Send(film.read_bytes(), 1.0), Pause(5.0)]
            camera = stack.enter_context(HttpCamera([acts]))
            yield lambda setup: open_stream(camera.url, setup)
        elif request.param == "rtsp":
            server = stack.enter_context(RtspServer(film))
            yield lambda setup: open_stream(server.url(), setup)
        else:
            capture = PacedCapture(film)
            yield lambda setup: WebcamSource(Camera(capture, "Camera 0"), setup)  # type: ignore[arg-type]


def test_pictures_come_in_order_sized_and_timed_from_their_first(opener: Opener) -> None:
    setup = _make_setup()
    frames = _take(opener(setup), N_FRAMES - 10)
    numbers = [read_number(frame.image) for frame in frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {frame.image.shape for frame in frames} == {SPEC.size}
    assert frames[0].time_s == 0.0
    times_s = [frame.time_s for frame in frames]
    assert times_s == sorted(set(times_s))
    assert {frame.segment.number for frame in frames} == {0}
    assert abs(frames[0].begun_s) < 0.2
    arrived_s = [frame.arrived_s for frame in frames]
    assert min(np.diff(sorted(arrived_s))) >= 0.0
    assert setup.summary.n_frames >= len(frames)
    assert setup.summary.n_damaged == 0


def test_a_tap_hears_all_on_the_same_timeline(opener: Opener) -> None:
    setup = _make_setup()
    frames = _take(opener(setup), N_FRAMES - 10)
    assert isinstance(setup.tap, Recorder)
    assert len(setup.tap.times_s) >= len(frames)
    weighed_s = np.array(sorted(setup.tap.times_s))
    for frame in frames:
        assert np.abs(weighed_s - (frame.begun_s + frame.time_s)).min() < 1e-6


def test_reading_ends_when_it_is_told_to(opener: Opener) -> None:
    setup = _make_setup()
    with opener(setup) as camera:
        frames = iter(camera)
        next(frames)
        setup.stop.set()
        assert len(list(frames)) <= 2


def _take(camera: LiveSource, n_frames: int) -> list[LiveFrame]:
    """Return the first frames."""
    with camera:
        frames: list[LiveFrame] = []
        for frame in camera:
            frames.append(frame)
            if len(frames) == n_frames:
                break
        return frames


@pytest.mark.parametrize(
    "url", ["rtsp://me:hunter2@127.0.0.1:9/x", "http://me:hunter2@127.0.0.1:9/"]
)
def test_a_stream_that_is_not_there_is_an_error_without_the_password(url: str) -> None:
    with pytest.raises(CameraError, match="cam cannot be reached: Connection refused") as caught:
        open_stream(url, _make_setup())
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_webcam_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CameraError, match="Camera 99 cannot be opened"):
        open_webcam(99, _make_setup())


def test_a_playlist_may_not_open_files_of_this_machine(tmp_path: Path) -> None:
    film = make_video(tmp_path / "film.ts", TIMES_S, SIZE, paint=_paint)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{film}\n#EXT-X-ENDLIST\n"
    with (
        HttpCamera([[Send(playlist.encode(), 0.0)]] * 3) as camera,
        pytest.raises(CameraError, match="cannot be reached"),
    ):
        open_stream(camera.url.replace("cam.ts", "cam.m3u8"), _make_setup())


def test_pictures_that_carry_no_times_are_timed_by_their_arrival() -> None:
    acts = []
    for index in range(12):
        _, content = cv2.imencode(".jpg", _paint(index))
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
        acts.append(Send(head.encode() + content.tobytes() + b"\r\n", 0.1))
    with HttpCamera([acts], "multipart/x-mixed-replace; boundary=frame") as camera:
        setup = LiveSetup("cam", SPEC.pictures, CONFIG, None, Timeline(CONFIG.jump_s))
        frames = _take(open_stream(camera.url, setup), 10)
    steps_s = np.diff([frame.time_s for frame in frames[1:]])
    assert np.median(steps_s) == pytest.approx(0.1, abs=0.03)


def _play(path: Path, speed: float) -> tuple[list[LiveFrame], LiveSetup]:
    setup = LiveSetup("cam", SPEC.pictures, CONFIG, None, Timeline(CONFIG.jump_s))
    with open_played(path, setup, speed) as camera:
        return list(camera), setup


@pytest.mark.parametrize("name", ["b.avi", "b.mp4", "b.mkv", "b.ts"])
def test_b_frames_are_all_shown_in_order(tmp_path: Path, name: str) -> None:
    frames, setup = _play(make_b_frames(tmp_path / name), 5.0)
    assert [read_number(frame.image) for frame in frames] == list(range(50))
    assert np.allclose([frame.time_s for frame in frames], TIMES_S, atol=2e-3)
    assert not setup.summary.notes


def test_a_frame_a_second_is_no_clock_that_goes_back(tmp_path: Path) -> None:
    path = make_video(tmp_path / "slow.mp4", [float(i) for i in range(20)])  # with B-frames
    frames, setup = _play(path, 10.0)
    assert len(frames) == 20
    assert {frame.segment.number for frame in frames} == {0}
    assert not setup.summary.notes


@pytest.mark.parametrize("gap_s", [60.0, 864_000.0])
def test_a_gap_in_a_played_file_is_not_waited_for(tmp_path: Path, gap_s: float) -> None:
    times_s = [*TIMES_S, *(gap_s + time_s for time_s in TIMES_S)]
    started_s = time.monotonic()
    frames, _ = _play(make_video(tmp_path / "jump.mkv", times_s, SIZE), 2.0)
    assert time.monotonic() - started_s < 5.0
    numbers = [read_number(frame.image) for frame in frames]
    assert numbers == sorted(set(numbers))
    lost = set(range(2 * N_FRAMES)) - set(numbers)
    assert lost <= set(range(N_FRAMES - 4, N_FRAMES + 4)), "B-frames that lean on both sides"
    first, second = frames[0], frames[-1]
    assert (first.segment.number, second.segment.number) == (0, 1)
    assert "its clock leapt ahead by" in second.segment.note
    assert second.begun_s < 10.0, "the camera's timeline goes on"


def test_a_file_whose_frames_are_hours_apart_is_played_at_once(tmp_path: Path) -> None:
    path = make_video(tmp_path / "rare.mkv", [i * 7200.0 for i in range(5)], SIZE)
    started_s = time.monotonic()
    frames, _ = _play(path, 1.0)
    assert time.monotonic() - started_s < 5.0
    assert frames


def test_sound_that_begins_later_stops_nothing(tmp_path: Path) -> None:
    for number, audio in enumerate((False, True)):
        make_clip(tmp_path / f"{number}.ts", 50, audio=audio, paint=_paint)
    path = tmp_path / "later.ts"
    path.write_bytes(b"".join((tmp_path / f"{number}.ts").read_bytes() for number in (0, 1)))
    frames, _ = _play(path, 5.0)
    assert len(frames) == 100
    with open_video(path) as reader:
        assert len(list(reader)) == 100


def test_odd_pictures_of_a_played_file(tmp_path: Path) -> None:
    frames, _ = _play(make_tagged_avi(tmp_path / "geox.avi", b"GEOX"), 5.0)
    assert [read_number(np.flipud(frame.image)) for frame in frames] == list(range(25))
    frames, _ = _play(make_oriented(tmp_path / "mirror.mp4", (-1, 0, 0, 1)), 5.0)
    assert [read_number(np.fliplr(frame.image)) for frame in frames] == list(range(25))
    with pytest.raises(VideoOpenError, match=r"z\.avi is coded with the codec 'ZQQZ'"):
        _play(make_tagged_avi(tmp_path / "z.avi", b"ZQQZ"), 5.0)
    blank = np.zeros((9000, 9000, 3), np.uint8)
    huge = make_clip(tmp_path / "huge.mp4", 1, size=(9000, 9000), paint=lambda _: blank)
    with pytest.raises(VideoOpenError, match="9000x9000, which is over"):
        _play(huge, 5.0)
