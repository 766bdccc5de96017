"""Pictures that are in memory already: arrays of frames, and pictures with their times."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np

from har.config import FPS_BOUNDS
from har.errors import ConfigError, VideoDecodeError
from har.sampling.times import is_due
from har.types import Color, Frame, PictureSpec, VideoInfo
from har.video.file.picture import PictureMaker
from har.video.geometry import Letterbox, Orientation

_FORMATS = {2: "gray", 3: "rgb24"}
"""FFmpeg's names of pictures, by the number of their axes."""


def iter_frames(
    images: Iterable[tuple[float, np.ndarray]],
    size: tuple[int, int],
    color: Color,
    max_rate_hz: float = math.inf,
) -> Iterator[Frame]:
    """Yield pictures letterboxed to one size, as those of a file are; the first one is at 0 s.

    Args:
        images: Time in seconds, ascending, and picture: (H, W) gray or (H, W, 3) RGB, uint8.
        size: (H, W) of the frames.
        color: ``gray`` or ``rgb``.
        max_rate_hz: More frames a second than this are thinned out.

    Raises:
        ConfigError: A picture is of another shape or kind.
        VideoDecodeError: A time is not later than the one before.

    >>> picture = np.zeros((90, 160, 3), np.uint8)
    >>> [(frame.time_s, frame.image.shape)
    ...  for frame in iter_frames([(7.0, picture), (7.5, picture)], (32, 64), "gray")]
    [(0.0, (32, 64)), (0.5, (32, 64))]
    """
    maker = PictureMaker(size, color, Orientation(), 1.0)
    first_s = last_s = given_s = None
    counted = itertools.count()
    for time_s, image in images:
        if not math.isfinite(time_s):
            raise VideoDecodeError(f"Expected a time in seconds with a picture, received {time_s}")
        first_s = time_s if first_s is None else first_s
        if last_s is not None and not time_s > last_s:
            raise VideoDecodeError(
                f"Expected pictures with ascending times, received one at {time_s} s after one at "
                f"{last_s} s; leave it out, or sort them"
            )
        last_s, at_s = time_s, time_s - first_s
        if is_due(at_s, given_s, max_rate_hz):
            given_s = at_s
            yield Frame(next(counted), at_s, maker.make_picture(_wrap(image)))


def _wrap(image: np.ndarray) -> av.VideoFrame:
    """Return a picture as FFmpeg's frame, without copying it where that can be."""
    check_picture(image.shape, image.dtype)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=_FORMATS[image.ndim])


def check_fps(fps: float) -> None:
    """Refuse frames a second that can only be a slip.

    Raises:
        ConfigError: It is no number from 0.1 to 1000.
    """
    low, high = FPS_BOUNDS
    if not low <= fps <= high:
        raise ConfigError(
            f"Expected from {low:g} to {high:g} frames a second, received fps={fps!r}"
        )


def check_name(name: str) -> None:
    """Refuse what could not be the name of a file, as results are saved under it.

    Raises:
        ConfigError: It could not.
    """
    if Path(name).name in ("", "..") or "\0" in name:
        raise ConfigError(f"Expected a name that a file could have, received name={name!r}")


def check_picture(shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Refuse what is no picture.

    Raises:
        ConfigError: It is not (H, W) or (H, W, 3), or not uint8.
    """
    is_shaped = (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)) and min(shape[:2]) > 3
    if not is_shaped or dtype != np.uint8:
        raise ConfigError(
            f"Expected pictures of (H, W) gray or (H, W, 3) RGB, uint8 from 0 to 255, received "
            f"{shape} of {dtype}"
        )


class FrameArray:
    """A video whose frames are in memory; iterate it for what a model looks at.

    Attributes:
        info: What is known of it.
        letterbox: Where it is seen in the frames that are given out.
    """

    def __init__(self, frames: np.ndarray, fps: float, pictures: PictureSpec, name: str) -> None:
        """Take over frames at a constant rate.

        Args:
            frames: (N, H, W) gray or (N, H, W, 3) RGB, uint8.
            fps: Frames a second.
            pictures: Which pictures a model looks at.
            name: Stands in results where the name of a file does.

        Raises:
            ConfigError: The frames are of another shape or kind, or the rate is not above 0.
        """
        check_picture(frames.shape[1:], frames.dtype)
        check_fps(fps)
        check_name(name)
        self._frames, self._fps, self._pictures = frames, fps, pictures
        n_frames, height, width = frames.shape[:3]
        self.info = VideoInfo(
            Path(name), width, height, fps, n_frames / fps, n_frames, rotation_deg=0, codec=""
        )
        self.letterbox: Letterbox = PictureMaker(
            pictures.size, pictures.color, Orientation(), 1.0
        ).find_place(height, width)[1]

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames that are looked at, in order."""
        pictures = self._pictures
        timed = ((index / self._fps, image) for index, image in enumerate(self._frames))
        return iter_frames(timed, pictures.size, pictures.color, pictures.max_rate_hz)
