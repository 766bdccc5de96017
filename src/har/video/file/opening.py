"""Opening of containers: which formats, protocols and sizes are let in.

A file that is handed over may be anything. Only its own protocol is open to it, formats that name
other files are kept apart, and pictures over a stated size are refused before memory is taken.
"""

from __future__ import annotations

import errno
import re
import stat
from functools import cache
from pathlib import Path
from typing import IO, Any

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition

from har.config import MAX_PICTURE_PIXELS
from har.errors import NoVideoStreamError, VideoError, VideoNotFoundError, VideoOpenError
from har.files import show_path

_NAME_OTHERS = frozenset(
    {"avisynth", "concat", "dash", "hls", "imf", "image2", "lavfi", "rtp", "rtsp", "sap", "sdp"}
    | {"vapoursynth", "vobsub", "webm_dash_manifest"}
)
"""Formats that open what their text or their name points to."""

ODD_METADATA: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Lets in metadata that are not UTF-8; PyAV takes them by itself from version 19 on."""
_HEAD_BYTES = 1 << 20
_CODEC_MARKS = (
    rb"strh.{4}vids(....)",  # AVI: the stream's header
    rb"stsd.{12}([\x20-\x7e]{4})",  # MP4 and MOV: the first sample description
    rb"(V_[\x20-\x7e]+)",  # Matroska: the codec's id
)
_HLS_FILE = re.compile(rb"^\s*([^#\s][^\r\n]*)|URI=\"([^\"]+)\"", re.MULTILINE)
_CONCAT_FILE = re.compile(rb"^\s*file\s+[\"']?([^\"'\r\n]+)", re.MULTILINE)


def open_container(path: Path) -> InputContainer:
    """Open a file; a playlist (HLS, concat) may name files in its own folder and nothing else.

    Raises:
        VideoNotFoundError: There is no such file.
        VideoOpenError: It is empty, unreadable, not a video, or names what lies elsewhere.
    """
    shown = show_path(path)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise VideoOpenError(f"{shown} is a folder or device; give a video file")
        if found.st_size == 0:
            raise VideoOpenError(f"{shown} cannot be read as a video: the file is empty")
        return _open_file(path)
    except VideoError:
        raise
    except FileNotFoundError as error:
        raise VideoNotFoundError(
            f"There is no video {shown}; check the name and the folder"
        ) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoOpenError(f"{shown} cannot be read as a video; FFmpeg: {reason}") from error


def build_options(protocols: str) -> dict[str, str]:
    """Return what every container is opened with.

    Args:
        protocols: Comma-separated; what it names is opened by no other.
    """
    return {"protocol_whitelist": protocols, "max_pixels": str(MAX_PICTURE_PIXELS)}


def _open_file(path: Path) -> InputContainer:
    try:
        return _open_as(path, _plain_formats())
    except av.error.ArgumentError as error:  # FFmpeg gives it for a format that is not let in
        head = _read_head(path)
        if b"#EXTM3U" in head[:1024]:
            _check_names(path, [a or b for a, b in _HLS_FILE.findall(head)])
            return _open_hls(path)
        if b"ffconcat" in head[:1024]:
            _check_names(path, _CONCAT_FILE.findall(head))
            return _open_as(path, f"concat,{_plain_formats()}")
        if b"<MPD" in head or b"<AssetMap" in head:
            raise VideoOpenError(
                f"{show_path(path)} is a list of other files; give the videos themselves"
            ) from error
        raise


def _open_as(path: Path, formats: str, **options: Any) -> InputContainer:
    return av.open(
        f"file:{path}",
        options=build_options("file") | {"format_whitelist": formats},
        **ODD_METADATA,
        **options,
    )


@cache
def _plain_formats() -> str:
    """Return the names of all formats that open no other file, separated by commas."""
    found = (name for name in av.formats_available if not _NAME_OTHERS & set(name.split(",")))
    return ",".join(sorted(found))


def _open_hls(path: Path) -> InputContainer:
    """Open a list whose own lists are followed too; each file is checked when it is opened."""
    folder = path.resolve().parent
    outside: list[str] = []
    opened: list[IO[bytes]] = []

    def open_inside(url: str, flags: int, options: dict[str, str]) -> IO[bytes]:
        named = Path(url.removeprefix("file:"))
        if not named.resolve().is_relative_to(folder):
            outside.append(url.removeprefix("file:"))
            raise PermissionError(errno.EPERM, "outside the playlist's folder")
        opened.append(named.open("rb"))
        return opened[-1]

    try:
        container = _open_as(path, f"hls,{_plain_formats()}", io_open=open_inside)
    except (av.error.FFmpegError, OSError):
        if outside:
            raise _refuse_outside(path, outside[0]) from None
        raise
    finally:
        for file in opened[:1]:  # the playlist itself, which has been read; PyAV closes the others
            file.close()
    if outside:
        container.close()
        raise _refuse_outside(path, outside[0])
    return container


def _check_names(path: Path, names: list[bytes]) -> None:
    """Refuse a playlist as a whole for what is not in its folder, also by a link."""
    folder = path.resolve().parent
    for name in names:
        named = name.decode("utf-8", "surrogateescape").strip()
        if not (folder / named.removeprefix("file:")).resolve().is_relative_to(folder):
            raise _refuse_outside(path, named)


def _refuse_outside(path: Path, named: str) -> VideoOpenError:
    return VideoOpenError(
        f"{show_path(path)} is a playlist that names {show_path(named)}, which is not in its own"
        " folder; put the files beside the playlist, or give the videos themselves"
    )


def _read_head(path: Path) -> bytes:
    with path.open("rb") as content:
        return content.read(_HEAD_BYTES)


def find_stream(container: InputContainer, name: str, path: Path | None = None) -> av.VideoStream:
    """Return the first stream of moving pictures that can be decoded.

    Args:
        container: Is closed where there is none.
        name: What messages call it.
        path: The file, where it is one: its header says which codec is missing.

    Raises:
        NoVideoStreamError: There is none.
        VideoOpenError: No decoder is there for it, or its pictures are too large.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic  # the cover of a song
    ]
    for stream in streams:
        if stream.codec_context is not None:
            try:
                _limit_size(stream, name)
            except VideoError:
                container.close()
                raise
            return stream
    container.close()
    if streams:
        codec = "" if path is None else _find_codec(path)
        raise VideoOpenError(
            f"{name} is coded with {codec or 'a codec'} that FFmpeg has no decoder for here;"
            " convert it to H.264 with the program or recorder that it is from"
        )
    raise NoVideoStreamError(
        f"{name} holds no moving pictures, only sound or data; give a file with video"
    )


def _limit_size(stream: av.VideoStream, name: str) -> None:
    context = stream.codec_context
    if context.width * context.height > MAX_PICTURE_PIXELS:
        raise VideoOpenError(
            f"{name} has pictures of {context.width}x{context.height}, which is {explain_limit()}"
        )
    context.options = {"max_pixels": str(MAX_PICTURE_PIXELS)}


def explain_limit() -> str:
    """Return in words which pictures are too large."""
    return (
        f"over the {MAX_PICTURE_PIXELS:,} pixels that are taken; make the video smaller, such as"
        " 1920x1080"
    )


def _find_codec(path: Path) -> str:
    """Return what the header calls a codec that FFmpeg does not know, or nothing."""
    try:
        with path.open("rb") as content:
            head = content.read(_HEAD_BYTES)
            content.seek(max(path.stat().st_size - _HEAD_BYTES, 0))
            text = head + content.read()
    except OSError:
        return ""
    for mark in _CODEC_MARKS:
        if found := re.search(mark, text, re.DOTALL):
            return f"the codec {show_path(found[1].decode('latin-1').strip())!r}"
    return ""
