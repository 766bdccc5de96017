"""The last seconds of a camera, kept in memory, and their writing to a file.

A ring holds the packets of a stream as they came, or JPEG pictures of a camera that sends none.
What is taken from it starts at a key frame, so that it can be decoded. Packets are written as they
are, without coding them again; JPEG pictures become H.264.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError

from har.errors import VideoWriteError
from har.files import replacing
from har.types import Frame
from har.video.file.picture import PictureMaker
from har.video.file.writer import open_writer
from har.video.geometry import Orientation

_JPEG_QUALITY = 85
_MAX_DRIFT_S = 2.0
"""Packets arrive in bursts; stamps that are further from their arrival than this are wrong."""
_MP4_CODECS = frozenset({"av1", "h264", "hevc", "mjpeg", "mpeg4", "vp9"})


@dataclass(frozen=True)
class Piece:
    """A packet or a JPEG picture.

    Attributes:
        time_s: On the camera's timeline.
        data: Its bytes.
        is_key: Whether decoding may start here.
        pts: Of a packet, in ticks of its stream; None where it has none, and for a picture.
        dts: Likewise.
    """

    time_s: float
    data: bytes
    is_key: bool
    pts: int | None = None
    dts: int | None = None


class Coding:
    """How a stream's packets are coded, kept beyond the life of the stream."""

    def __init__(self, stream: av.VideoStream) -> None:
        """Copy what a file's header needs.

        Raises:
            VideoWriteError: The packets cannot be put into a file as they are.
        """
        self.codec = stream.codec_context.codec.canonical_name
        self.suffix = ".mp4" if self.codec in _MP4_CODECS else ".mkv"
        self.tick = stream.time_base or Fraction(1, 90_000)
        self._holder = av.open(io.BytesIO(), "w", format="matroska")
        with _translated_errors(f"Packets of the codec {self.codec}"):
            self._template = self._holder.add_stream_from_template(stream, opaque=True)

    def add_to(self, container: OutputContainer) -> av.VideoStream:
        """Add a stream that is coded so to a file."""
        stream = container.add_stream_from_template(self._template, opaque=True)
        stream.time_base = self.tick
        return stream


@dataclass(frozen=True)
class Footage:
    """Consecutive pieces of one stream, the first of them a key frame.

    Attributes:
        pieces: In the order of decoding; at least one.
        coding: Of packets; None where they are JPEG pictures.
    """

    pieces: tuple[Piece, ...]
    coding: Coding | None

    @property
    def suffix(self) -> str:
        """The ending of a file that can hold it."""
        return ".mp4" if self.coding is None else self.coding.suffix

    @property
    def start_s(self) -> float:
        """On the camera's timeline."""
        return self.pieces[0].time_s

    @property
    def length_s(self) -> float:
        """From the first picture to the last."""
        return max(piece.time_s for piece in self.pieces) - self.start_s

    def until(self, end_s: float) -> Footage:
        """Return what comes before the first piece that is later than ``end_s``; never nothing."""
        kept = tuple(takewhile(lambda piece: piece.time_s <= end_s, self.pieces))
        return Footage(kept or self.pieces[:1], self.coding)


class PacketRing:
    """The last seconds of one camera; a ring holds packets or pictures, as they come."""

    def __init__(self, keep_s: float, max_bytes: int, jpeg_hz: float) -> None:
        """Start empty.

        Args:
            keep_s: Seconds that can always be looked back, where ``max_bytes`` allows; a little
                more is kept, back to the key frame before.
            max_bytes: The oldest are forgotten earlier where they take more.
            jpeg_hz: Pictures that come faster are thinned to about this rate.
        """
        self._keep_s = keep_s
        self._max_bytes = max_bytes
        self._jpeg_interval_s = 1.0 / jpeg_hz
        self._groups: deque[list[Piece]] = deque()
        self._n_bytes = 0
        self.coding: Coding | None = None

    @property
    def n_bytes(self) -> int:
        """Memory that the pieces take."""
        return self._n_bytes

    def open(self, stream: av.VideoStream) -> None:
        """Forget everything: packets that are coded in another way follow.

        Raises:
            VideoWriteError: They cannot be put into a file as they are; no packets are kept.
        """
        self._forget()
        self.coding = None
        self.coding = Coding(stream)

    def push(self, packet: av.Packet, time_s: float) -> Piece | None:
        """Take a packet; return what was kept of it, or None where nothing was.

        Nothing is kept before the first key frame and of empty packets.
        """
        if self.coding is None or packet.size == 0:
            return None
        piece = Piece(time_s, bytes(packet), packet.is_keyframe, packet.pts, packet.dts)
        return self._add(piece)

    def push_frame(self, frame: Frame) -> Piece | None:
        """Take an RGB picture; return what was kept of it, or None where it came too soon."""
        last = self._groups[-1][-1] if self._groups else None
        if last is not None and frame.time_s - last.time_s < 0.9 * self._jpeg_interval_s:
            return None
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        image = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        done, data = cv2.imencode(".jpg", image, options)
        return self._add(Piece(frame.time_s, data.tobytes(), is_key=True)) if done else None

    def take(self, since_s: float) -> Footage | None:
        """Return what is kept from the last key frame at or before ``since_s`` on.

        It starts later where that is forgotten; None where there is nothing at all.
        """
        groups = list(self._groups)
        starts = [index for index, group in enumerate(groups) if group[0].time_s <= since_s]
        pieces = [piece for group in groups[starts[-1] if starts else 0 :] for piece in group]
        return Footage(tuple(pieces), self.coding) if pieces else None

    def _add(self, piece: Piece) -> Piece | None:
        if piece.is_key:
            self._groups.append([])
        if not self._groups:
            return None
        self._groups[-1].append(piece)
        self._n_bytes += len(piece.data)
        while len(self._groups) > 1 and self._is_spare(piece.time_s):
            self._n_bytes -= sum(len(old.data) for old in self._groups.popleft())
        if self._n_bytes > self._max_bytes:
            self._forget()
            return None
        return piece

    def _is_spare(self, now_s: float) -> bool:
        is_old = self._groups[1][0].time_s <= now_s - self._keep_s
        return is_old or self._n_bytes > self._max_bytes

    def _forget(self) -> None:
        self._groups.clear()
        self._n_bytes = 0


def iter_pictures(footage: Footage) -> Iterator[Frame]:
    """Yield the pictures of footage, decoded in memory; times are from its first picture.

    What cannot be decoded is passed over.

    Raises:
        VideoWriteError: None of it can be.
    """
    start_s = footage.pieces[0].time_s
    if footage.coding is None:
        for index, piece in enumerate(footage.pieces):
            yield Frame(index, piece.time_s - start_s, _decode_jpeg(piece))
        return
    maker = PictureMaker(None, "rgb", Orientation(), 1.0)
    with _translated_errors("An alert's footage"):
        for index, frame in enumerate(_decode_packets(footage.pieces, footage.coding)):
            yield Frame(index, float(frame.time or 0.0), maker.make_picture(frame))


def _decode_packets(pieces: Sequence[Piece], coding: Coding) -> Iterator[av.VideoFrame]:
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as container:
        stream = coding.add_to(container)
        for packet in _iter_packets(pieces, coding.tick):
            packet.stream = stream
            container.mux_one(packet)
    memory.seek(0)
    with av.open(memory, "r", format="matroska") as container:
        for packet in container.demux(video=0):
            try:
                yield from packet.decode()
            except FFmpegError:
                continue


def write_footage(path: Path, footage: Footage) -> None:
    """Write a video; its name should end with the footage's suffix.

    Packets keep their own distances in time; one that would go back is left out. Pictures of
    another size than the first are left out.

    Raises:
        OutputError: The file cannot be written, as when the disk is full.
        VideoWriteError: The pieces cannot be put together.
    """
    if footage.coding is None:
        _write_pictures(path, footage.pieces)
    else:
        _write_packets(path, footage.pieces, footage.coding)


def _write_packets(path: Path, pieces: Sequence[Piece], coding: Coding) -> None:
    form = "mp4" if coding.suffix == ".mp4" else "matroska"
    options = {"movflags": "+faststart"} if form == "mp4" else {}
    with _translated_errors(path), replacing(path) as part:
        container = av.open(str(part), "w", format=form, options=options)
        with closing(container):
            stream = coding.add_to(container)
            for packet in _iter_packets(pieces, coding.tick):
                packet.stream = stream
                container.mux_one(packet)


def _iter_packets(pieces: Sequence[Piece], tick: Fraction) -> Iterator[av.Packet]:
    """Return packets whose decoding times start at 0 and ascend.

    Where the camera's stamps leave its timeline, as when its clock is set, they are led back to it.
    """
    origin: int | None = None
    last = -1
    for piece in pieces:
        expected = round((piece.time_s - pieces[0].time_s) / tick)
        stamp = piece.pts if piece.dts is None else piece.dts
        stamp = expected + (origin or 0) if stamp is None else stamp
        if origin is None:
            origin = stamp
        elif abs(stamp - origin - expected) * tick > _MAX_DRIFT_S:
            origin = stamp - max(expected, last + 1)
        if stamp - origin <= last:
            continue
        packet = av.Packet(piece.data)
        packet.duration = max(stamp - origin - last, 1)  # counts for the last picture alone
        last = stamp - origin
        packet.time_base, packet.is_keyframe = tick, piece.is_key
        packet.dts, packet.pts = last, max(last, last if piece.pts is None else piece.pts - origin)
        yield packet


def _write_pictures(path: Path, pieces: Sequence[Piece]) -> None:
    first = _decode_jpeg(pieces[0])
    size = first.shape[0] // 2 * 2, first.shape[1] // 2 * 2
    span_s = pieces[-1].time_s - pieces[0].time_s
    fps = (len(pieces) - 1) / span_s if span_s > 0 else 1.0
    with open_writer(path, size, min(max(fps, 1.0), 60.0)) as writer:
        for piece in pieces:
            image = _decode_jpeg(piece)
            if image.shape == first.shape:
                cut = image[: size[0], : size[1]]
                writer.write(np.ascontiguousarray(cut), piece.time_s - pieces[0].time_s)


def _decode_jpeg(piece: Piece) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(piece.data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise VideoWriteError(f"The picture at {piece.time_s:.3f} s cannot be decoded again")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@contextmanager
def _translated_errors(what: object) -> Iterator[None]:
    try:
        yield
    except (FFmpegError, ValueError) as error:
        raise VideoWriteError(f"{what} cannot be written as a video: {error}") from error
