"""The last seconds of a camera: what is kept, and that what is written plays and is not recoded."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from videos import make_clip, paint_number, read_number

from har.errors import OutputError
from har.types import Frame
from har.video.camera.ring import Footage, PacketRing, Piece, write_footage

MEGABYTE = 1 << 20


def _make_source(path: Path, n_frames: int, gop: int) -> Path:
    """Write a video at 25 frames a second with a key frame every ``gop`` frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": str(gop), "bf": "2"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for number in range(n_frames):
            picture = av.VideoFrame.from_ndarray(paint_number(number, (64, 96)), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _fill(ring: PacketRing, source: Path, shift: int = 0) -> None:
    """Send a file's packets as a camera would; the ring must outlive the file."""
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        ring.open(stream)
        for count, packet in enumerate(container.demux(stream)):
            if packet.pts is not None and packet.dts is not None and count >= 30:
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            ring.push(packet, count / 25)


def _read(path: Path) -> list[tuple[float, int]]:
    with av.open(str(path)) as container:
        return [
            (frame.time, read_number(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]


@pytest.mark.parametrize("name", ["a.ts", "a.mp4", "a.mkv"])
def test_packets_are_written_as_they_came_from_a_key_frame_on(tmp_path: Path, name: str) -> None:
    ring = PacketRing(keep_s=10, max_bytes=MEGABYTE, jpeg_hz=10)
    _fill(ring, _make_source(tmp_path / name, 100, gop=10))
    footage = ring.take(since_s=2.5)
    assert footage is not None
    assert footage.pieces[0].is_key
    assert 2.0 <= footage.start_s <= 2.5
    write_footage(tmp_path / "out.mp4", footage)
    shown = _read(tmp_path / "out.mp4")
    numbers = [number for _, number in shown]
    assert numbers == list(range(numbers[0], 100))
    assert 50 <= numbers[0] <= 62
    np.testing.assert_allclose(np.diff([time_s for time_s, _ in shown]), 0.04, atol=1e-3)
    assert not (tmp_path / "out.mp4.part").exists()


def test_bytes_of_pictures_are_those_of_the_camera(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.avi", 20, codec="mjpeg", pix_fmt="yuvj420p")
    ring = PacketRing(keep_s=10, max_bytes=MEGABYTE, jpeg_hz=10)
    _fill(ring, source)
    footage = ring.take(0.0)
    assert footage is not None
    write_footage(tmp_path / "out.mp4", footage)
    with av.open(str(source)) as a, av.open(str(tmp_path / "out.mp4")) as b:
        sent = [bytes(packet) for packet in a.demux(video=0) if packet.size]
        kept = [bytes(packet) for packet in b.demux(video=0) if packet.size]
    assert sent == kept


def test_codec_that_mp4_does_not_hold_goes_into_matroska(tmp_path: Path) -> None:
    ring = PacketRing(keep_s=10, max_bytes=MEGABYTE, jpeg_hz=10)
    _fill(ring, make_clip(tmp_path / "a.mkv", codec="ffv1"))
    footage = ring.take(0.0)
    assert footage is not None
    assert footage.suffix == ".mkv"
    write_footage(tmp_path / "out.mkv", footage)
    assert [number for _, number in _read(tmp_path / "out.mkv")] == list(range(25))


def test_only_the_last_seconds_stay(tmp_path: Path) -> None:
    ring = PacketRing(keep_s=1.0, max_bytes=MEGABYTE, jpeg_hz=10)
    _fill(ring, _make_source(tmp_path / "a.ts", 250, gop=10))
    footage = ring.take(0.0)
    assert footage is not None
    assert 1.0 <= footage.length_s <= 1.5
    assert ring.n_bytes == sum(len(piece.data) for piece in footage.pieces)


def test_memory_is_bounded_even_without_key_frames() -> None:
    ring = PacketRing(keep_s=1000, max_bytes=4000, jpeg_hz=25)
    noise = np.random.default_rng(0)
    for index in range(40):
        image = noise.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        ring.push_frame(Frame(index, index / 25, image))
        assert ring.n_bytes <= 4000
    assert ring.take(0.0) is not None
    ring = PacketRing(keep_s=1000, max_bytes=10, jpeg_hz=25)
    assert ring.push_frame(Frame(0, 0.0, np.zeros((16, 16, 3), np.uint8))) is None
    assert ring.take(0.0) is None


def test_nothing_before_the_first_key_frame(tmp_path: Path) -> None:
    ring = PacketRing(keep_s=10, max_bytes=MEGABYTE, jpeg_hz=10)
    assert ring.take(0.0) is None
    with av.open(str(_make_source(tmp_path / "a.ts", 25, gop=10))) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert ring.push(packets[0], 0.0) is None  # no stream was opened
        ring.open(stream)
        assert ring.push(packets[1], 0.0) is None
        assert ring.take(0.0) is None
        assert ring.push(packets[0], 0.0) is not None


def test_camera_whose_clock_is_set_still_gives_an_even_clip(tmp_path: Path) -> None:
    source = _make_source(tmp_path / "a.ts", 60, gop=10)
    for shift in (3600 * 90_000, -10 * 90_000):
        ring = PacketRing(keep_s=10, max_bytes=MEGABYTE, jpeg_hz=10)
        _fill(ring, source, shift)
        footage = ring.take(0.0)
        assert footage is not None
        write_footage(tmp_path / "out.mp4", footage)
        times_s = [time_s for time_s, _ in _read(tmp_path / "out.mp4")]
        assert len(times_s) >= 57
        assert times_s[-1] - times_s[0] < 3.0
        assert all(later > earlier for earlier, later in pairwise(times_s))


def test_pictures_of_a_webcam_become_a_video_at_their_times(tmp_path: Path) -> None:
    ring = PacketRing(keep_s=10, max_bytes=MEGABYTE, jpeg_hz=10)
    for index in range(60):
        ring.push_frame(Frame(index, index / 30, paint_number(index, (65, 97))))
    footage = ring.take(0.0)
    assert footage is not None
    assert footage.suffix == ".mp4"
    write_footage(tmp_path / "out.mp4", footage)
    shown = _read(tmp_path / "out.mp4")
    assert [number for _, number in shown] == list(range(0, 60, 3))
    np.testing.assert_allclose([time_s for time_s, _ in shown], np.arange(20) / 10, atol=1e-3)


def test_footage_is_cut_at_an_end_but_never_empty() -> None:
    pieces = tuple(Piece(index / 10, b"x", index == 0) for index in range(10))
    assert len(Footage(pieces, None).until(0.45).pieces) == 5
    assert len(Footage(pieces, None).until(-1.0).pieces) == 1
    assert Footage(pieces, None).length_s == pytest.approx(0.9)


def test_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    ring = PacketRing(keep_s=10, max_bytes=MEGABYTE, jpeg_hz=10)
    _fill(ring, _make_source(tmp_path / "a.ts", 25, gop=10))
    footage = ring.take(0.0)
    assert footage is not None
    with pytest.raises(OutputError, match=r"out\.mp4"):
        write_footage(tmp_path / "out.mp4", footage)
