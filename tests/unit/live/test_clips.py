"""Clips: the seconds before and after an alert, whatever the camera does meanwhile."""

import logging
from pathlib import Path
from threading import Event

import av
import pytest
from videos import paint_number, read_number

from har.config import ClipsConfig
from har.live.clips import ClipKeeper
from har.types import Frame

CONFIG = ClipsConfig(before_s=2.0, after_s=1.0, max_s=8.0)
FPS = 25


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> tuple[av.VideoStream, list[av.Packet]]:
    """Twenty seconds of a stream with a key frame every second, and its open stream."""
    path = tmp_path_factory.mktemp("stream") / "a.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"g": "25", "bf": "0", "sc_threshold": "0"}
        )
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for number in range(20 * FPS):
            picture = av.VideoFrame.from_ndarray(paint_number(number, (64, 96)), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    container = av.open(str(path))
    stream = container.streams.video[0]
    return stream, [packet for packet in container.demux(stream) if packet.size]


class _Camera:
    """Sends packets on its timeline to a keeper."""

    def __init__(
        self,
        keeper: ClipKeeper,
        packets: tuple[av.VideoStream, list[av.Packet]],
        name: str = "hall",
    ) -> None:
        self.keeper, self.name = keeper, name
        self.stream, self._packets = packets
        self._sent = 0
        keeper.open(name, self.stream)

    def play_to(self, time_s: float) -> None:
        while self._sent < round(time_s * FPS):
            self.keeper.push(self.name, self._packets[self._sent], self._sent / FPS)
            self._sent += 1


class _Done:
    """Remembers which clips are there."""

    def __init__(self) -> None:
        self.clips: dict[str, tuple[float, float]] = {}
        self.came = Event()

    def __call__(self, path: Path, start_s: float, length_s: float) -> None:
        self.clips[path.name] = (start_s, length_s)
        self.came.set()


def _read_numbers(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [
            read_number(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]


def test_clip_holds_the_seconds_before_and_after(
    tmp_path: Path, packets: tuple[av.VideoStream, list[av.Packet]]
) -> None:
    keeper, done = ClipKeeper(CONFIG), _Done()
    camera = _Camera(keeper, packets)
    camera.play_to(6.0)
    assert keeper.begin("hall", tmp_path / "a", onset_s=4.5, done=done)
    camera.play_to(8.0)
    keeper.end("hall", tmp_path / "a", offset_s=8.2)
    camera.play_to(9.0)
    assert not done.clips
    camera.play_to(10.0)
    assert done.came.wait(10)
    start_s, length_s = done.clips["a.mp4"]
    assert (start_s, start_s + length_s) == (2.0, pytest.approx(9.2))
    assert _read_numbers(tmp_path / "a.mp4") == list(range(50, 231))
    keeper.close()


def test_event_that_is_over_when_the_alert_comes_still_gets_its_seconds_after(
    tmp_path: Path, packets: tuple[av.VideoStream, list[av.Packet]]
) -> None:
    keeper, done = ClipKeeper(CONFIG), _Done()
    camera = _Camera(keeper, packets)
    camera.play_to(8.0)
    assert keeper.begin("hall", tmp_path / "a", onset_s=4.0, done=done)
    keeper.end("hall", tmp_path / "a", offset_s=5.0)  # three seconds late
    assert done.came.wait(10)
    assert _read_numbers(tmp_path / "a.mp4") == list(range(50, 151))
    keeper.close()


def test_endless_event_gives_a_clip_of_bounded_length(
    tmp_path: Path, packets: tuple[av.VideoStream, list[av.Packet]]
) -> None:
    keeper, done = ClipKeeper(CONFIG), _Done()
    camera = _Camera(keeper, packets)
    camera.play_to(3.0)
    assert keeper.begin("hall", tmp_path / "a", onset_s=2.5, done=done)
    camera.play_to(20.0)
    assert done.came.wait(10)
    assert done.clips["a.mp4"] == (0.0, pytest.approx(8.0))
    keeper.end("hall", tmp_path / "a", offset_s=30.0)  # it is written already
    keeper.close()
    assert list(done.clips) == ["a.mp4"]


def test_lost_camera_and_the_end_of_the_watch_leave_what_there_is(
    tmp_path: Path, packets: tuple[av.VideoStream, list[av.Packet]]
) -> None:
    keeper, done = ClipKeeper(CONFIG), _Done()
    camera = _Camera(keeper, packets)
    camera.play_to(5.0)
    assert keeper.begin("hall", tmp_path / "a", onset_s=4.0, done=done)
    keeper.cut("hall")
    assert done.came.wait(10)
    assert _read_numbers(tmp_path / "a.mp4") == list(range(50, 125))
    assert keeper.begin("hall", tmp_path / "b", onset_s=4.0, done=done)
    keeper.open("hall", camera.stream)  # found again: another stream begins
    assert not keeper.begin("hall", tmp_path / "c", onset_s=4.0, done=done)
    camera.play_to(7.0)
    assert keeper.begin("hall", tmp_path / "d", onset_s=5.0, done=done)
    keeper.close()
    assert sorted(done.clips) == ["a.mp4", "b.mp4", "d.mp4"]


def test_beginning_of_an_event_that_alerts_late_is_not_forgotten(
    tmp_path: Path, packets: tuple[av.VideoStream, list[av.Packet]]
) -> None:
    for longest_wait_s, start_s in ((0.0, 5.0), (7.0, 2.0)):
        keeper, done = ClipKeeper(CONFIG, longest_wait_s), _Done()
        _Camera(keeper, packets).play_to(18.0)
        assert keeper.begin("hall", tmp_path / "a", onset_s=4.0, done=done)
        keeper.close()
        assert done.clips["a.mp4"][0] == start_s


def test_cameras_and_overlapping_clips_do_not_mix(
    tmp_path: Path, packets: tuple[av.VideoStream, list[av.Packet]]
) -> None:
    keeper, done = ClipKeeper(CONFIG), _Done()
    hall, yard = _Camera(keeper, packets), _Camera(keeper, packets, "yard")
    hall.play_to(5.0)
    yard.play_to(3.0)
    for camera, stem, onset_s in (("hall", "a", 3.0), ("hall", "b", 4.0), ("yard", "c", 2.0)):
        assert keeper.begin(camera, tmp_path / stem, onset_s, done)
    keeper.end("hall", tmp_path / "a", 4.0)
    hall.play_to(6.0)
    keeper.close()
    assert _read_numbers(tmp_path / "a.mp4") == list(range(25, 126))
    assert _read_numbers(tmp_path / "b.mp4") == list(range(50, 150))
    assert _read_numbers(tmp_path / "c.mp4") == list(range(75))


def test_webcam_without_packets_gets_clips_too(tmp_path: Path) -> None:
    keeper, done = ClipKeeper(CONFIG), _Done()
    for index in range(100):
        frame = Frame(index, index / 25, paint_number(index, (64, 96)))
        keeper.push_frame("camera-0", frame)
    assert keeper.begin("camera-0", tmp_path / "a", onset_s=3.0, done=done)
    keeper.close()
    numbers = _read_numbers(tmp_path / "a.mp4")
    assert numbers == list(range(numbers[0], 100, 2))
    assert 24 <= numbers[0] <= 25


def test_clip_that_cannot_be_written_is_said_and_the_next_one_is_kept(
    tmp_path: Path,
    packets: tuple[av.VideoStream, list[av.Packet]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "a.mp4").mkdir()
    keeper, done = ClipKeeper(CONFIG), _Done()
    _Camera(keeper, packets).play_to(5.0)
    with caplog.at_level(logging.WARNING):
        for stem in "ab":
            assert keeper.begin("hall", tmp_path / stem, onset_s=4.0, done=done)
        keeper.close()
    assert "a.mp4" in caplog.text
    assert list(done.clips) == ["b.mp4"]
