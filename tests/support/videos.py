"""Videos made by the tests, with the frame number coded in the pixels.

Each picture is a 4 x 4 board of black and white fields: 16 bits, most significant first, row by
row. `read_number` reads it back from a decoded picture, so a test knows which frame it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FIELDS = 4
BLACK, WHITE = 16, 235
MILLISECOND = Fraction(1, 1000)

Painter = Callable[[int], np.ndarray]


def paint_number(number: int, size: tuple[int, int]) -> np.ndarray:
    """Return a (H, W, 3) uint8 picture that shows ``number`` (below 65536) as a board."""
    bits = [(number >> shift) & 1 for shift in reversed(range(FIELDS * FIELDS))]
    board = np.array(bits, dtype=np.uint8).reshape(FIELDS, FIELDS) * (WHITE - BLACK) + BLACK
    rows = np.arange(size[0]) * FIELDS // size[0]
    columns = np.arange(size[1]) * FIELDS // size[1]
    return np.repeat(board[rows][:, columns, None], 3, axis=2)


def read_number(image: np.ndarray) -> int:
    """Read the number off a decoded picture: the whole board, without letterbox bars."""
    gray = image if image.ndim == 2 else image.mean(axis=2)
    height, width = gray.shape
    number = 0
    for row in range(FIELDS):
        for column in range(FIELDS):
            y = int((row + 0.5) * height / FIELDS)
            x = int((column + 0.5) * width / FIELDS)
            number = number * 2 + int(gray[y, x] > 128)
    return number


def make_video(
    path: Path,
    times_s: Iterable[float] = tuple(i / 25 for i in range(25)),
    size: tuple[int, int] = (64, 96),
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    paint: Painter | None = None,
    time_base: Fraction = MILLISECOND,
    audio: bool = False,
) -> Path:
    """Write a video whose frames are presented at ``times_s``, rounded to ``time_base``.

    Args:
        path: The ending chooses the container.
        times_s: Ascending seconds, one a frame.
        size: (H, W); odd sides need a codec such as ``ffv1`` or ``mpeg4``.
        codec: FFmpeg's name of the encoder.
        pix_fmt: FFmpeg's name of the pixel format.
        paint: Gives the RGB picture of a frame's index; the index itself when None.
        audio: Adds a second of silence.
    """
    paint = paint or (lambda index: paint_number(index, size))
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        rate = Fraction(25) if time_base == MILLISECOND else 1 / time_base
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = time_base
        sound = _add_sound(container) if audio else None
        for index, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(paint(index), format="rgb24")
            frame.pts, frame.time_base = round(time_s / time_base), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _mux_silence(container, sound)
    return path


def make_clip(path: Path, n_frames: int = 25, fps: float = 25.0, **options: object) -> Path:
    """Write a video of a constant rate."""
    interval = 1 / Fraction(fps).limit_denominator(1001)
    times_s = [float(i * interval) for i in range(n_frames)]
    return make_video(path, times_s, time_base=interval, **options)  # type: ignore[arg-type]


def make_rotated(path: Path, clockwise_deg: int, **options: object) -> Path:
    """Write an MP4 whose metadata asks players to turn it clockwise by 90, 180 or 270."""
    sine, cosine = {90: (1, 0), 180: (0, -1), 270: (-1, 0)}[clockwise_deg]
    return make_oriented(path, (cosine, sine, -sine, cosine), **options)


def make_oriented(path: Path, matrix: tuple[int, int, int, int], **options: object) -> Path:
    """Write an MP4 with a display matrix (a, b, c, d): (x, y) is shown at (ax + cy, bx + dy)."""
    make_clip(path, **options)  # type: ignore[arg-type]
    a, b, c, d = matrix
    turn = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 14]) << 16
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 44  # version 0: the matrix follows 40 bytes of fields
    content[start : start + 36] = turn.astype(">i4").tobytes()
    path.write_bytes(content)
    return path


def make_tagged_avi(path: Path, fourcc: bytes, n_frames: int = 25) -> Path:
    """Write MPEG-4 in AVI under the name of another codec: ``GEOX`` is upside down in memory."""
    make_clip(path, n_frames, codec="mpeg4")
    path.write_bytes(path.read_bytes().replace(b"FMP4", fourcc))
    return path


def make_b_frames(path: Path, n_frames: int = 50, keep_pts: bool = True) -> Path:
    """Write H.264 with B-frames; AVI, or ``keep_pts=False``, has times of decoding alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        options = {"bf": "3", "b-adapt": "0", "b-pyramid": "normal"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.height, stream.width = 64, 96
        stream.pix_fmt = "yuv420p"
        pictures = [paint_number(number, (64, 96)) for number in range(n_frames)]
        frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in pictures]
        for index, frame in enumerate([*frames, None]):
            if frame is not None:
                frame.pts, frame.time_base = index, Fraction(1, 25)
            for packet in stream.encode(frame):
                if not keep_pts:
                    packet.pts = packet.dts
                container.mux(packet)
    return path


def make_joined_ts(path: Path, n_each: int = 250) -> Path:
    """Write two recordings of ``n_each`` frames as one MPEG-TS; the clock starts twice."""
    parts = []
    for part in range(2):
        first = part * n_each
        piece = make_clip(
            path.with_name(f"{part}.ts"),
            n_each,
            paint=lambda index, first=first: paint_number(first + index, (64, 96)),
        )
        parts.append(piece.read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def make_playlist(path: Path, names: Sequence[str]) -> Path:
    """Write a list of files, one second each: HLS where the name says so, else concat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".m3u8":
        path.write_text("".join(["ffconcat version 1.0\n", *(f"file {name}\n" for name in names)]))
        return path
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2"]
    lines += [line for name in names for line in ("#EXTINF:1.0,", name)]
    path.write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
    return path


def make_huge(path: Path, side: int = 16_000) -> Path:
    """Write two pictures of ``side`` by ``side`` pixels, in few bytes, as PNG in AVI."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.height = stream.width = side
        stream.pix_fmt = "gray"
        frame = av.VideoFrame.from_ndarray(np.zeros((side, side), np.uint8), format="gray")
        for index in range(2):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_truncated(path: Path, keep: float = 0.5, **options: object) -> Path:
    """Write a Matroska or AVI video and cut its file to the part ``keep``."""
    make_clip(path, **options)  # type: ignore[arg-type]
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    return path


def make_truncated_mp4(path: Path, keep: float = 0.5, n_frames: int = 50) -> Path:
    """Write an MP4 with its index in front and cut off the end of the pictures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0", "g": "10"})
        stream.height, stream.width = 64, 96
        stream.pix_fmt = "yuv420p"
        for index in range(n_frames):
            picture = paint_number(index, (64, 96))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    start = content.index(b"mdat") + 4
    path.write_bytes(content[: start + int((len(content) - start) * keep)])
    return path


def make_empty_file(path: Path) -> Path:
    """Write a file of no bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def make_not_a_video(path: Path) -> Path:
    """Write a file that no video format owns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.random.default_rng(0).bytes(4096))
    return path


def make_audio_only(path: Path) -> Path:
    """Write a second of silence in a video container."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        _mux_silence(container, _add_sound(container))
    return path


def make_resolution_change(
    path: Path,
    sizes: list[tuple[int, int]],
    n_each: int = 10,
    times_s: Sequence[float] | None = None,
) -> Path:
    """Write an MPEG-TS whose pictures change size part-way; the numbers run through.

    Frames come every 0.04 s, or at ``times_s``, one a frame, rounded to milliseconds.
    """
    ticks = [40 * number for number in range(len(sizes) * n_each)]
    if times_s is not None:
        ticks = [round(time_s * 1000) for time_s in times_s]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = sizes[0]
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
        for part, size in enumerate(sizes):
            _mux_part(container, stream, size, range(part * n_each, (part + 1) * n_each), ticks)
    return path


def _mux_part(
    container: av.container.OutputContainer,
    stream: av.VideoStream,
    size: tuple[int, int],
    numbers: range,
    ticks: list[int],
) -> None:
    encoder = av.CodecContext.create("libx264", "w")
    if not isinstance(encoder, av.VideoCodecContext):
        raise TypeError("libx264 is no video encoder here")
    encoder.height, encoder.width = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = MILLISECOND
    encoder.framerate = Fraction(25)
    encoder.options = {"bf": "0"}  # with them an uneven rate would not join at a change of size
    for number in [*numbers, None]:
        frame = None
        if number is not None:
            frame = av.VideoFrame.from_ndarray(paint_number(number, size), format="rgb24")
            frame.pts, frame.time_base = ticks[number], MILLISECOND
        for packet in encoder.encode(frame):
            packet.stream, packet.time_base = stream, MILLISECOND
            container.mux(packet)


def _add_sound(container: av.container.OutputContainer) -> av.AudioStream:
    return container.add_stream("aac", rate=8000, layout="mono")


def _mux_silence(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    for index in range(8):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), "fltp", "mono")
        frame.rate, frame.pts = 8000, index * 1000
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
