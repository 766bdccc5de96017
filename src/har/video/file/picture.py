"""Decoded YUV planes to letterboxed gray or RGB pictures, with as little converting as possible.

What costs is converting and resizing full pictures. So planes are resized first, and brightness
range, color matrix and rotation are applied to the small picture. Formats other than planar
8-bit YUV and gray take FFmpeg's own conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from av.error import FFmpegError

from har.errors import VideoDecodeError
from har.types import Color
from har.video.geometry import Letterbox, Orientation, compute_letterbox

if TYPE_CHECKING:
    import av

_LUMA_FIRST = ("yuv420p", "yuv422p", "yuv440p", "yuv444p", "yuv411p", "yuv410p", "nv12", "nv21")
_FULL_RANGE = ("yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p", "yuvj411p", "gray")
_NOT_PLANAR_COLOR = ("nv12", "nv21", "gray")
_RANGE_FULL = 2
_LINEAR_UP_TO = 1.5
_SPACE_BT709 = 1
_SPACE_BT2020 = (9, 10)


def _limited_range_table() -> np.ndarray:
    levels = (np.arange(256) - 16.0) * (255.0 / 219.0)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


_LIMITED_TO_FULL = _limited_range_table()


def downsample(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize without aliasing: halves by area, then the rest by area or, if it is little, linear.

    From 720 rows this takes a twentieth of the time of OpenCV's area averaging at once.

    Args:
        plane: (H, W) uint8; a last odd row or column is left out while halving.
        height: Rows wanted, at least 1.
        width: Columns wanted, at least 1.

    Returns:
        (height, width) uint8; the plane itself if it has that shape.
    """
    while plane.shape[0] >= 2 * height and plane.shape[1] >= 2 * width:
        rows, columns = plane.shape[0] // 2, plane.shape[1] // 2
        even = plane[: rows * 2, : columns * 2]
        plane = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
    if plane.shape == (height, width):
        return plane
    ratio = max(plane.shape[0] / height, plane.shape[1] / width)
    how = cv2.INTER_LINEAR if ratio <= _LINEAR_UP_TO else cv2.INTER_AREA
    return cv2.resize(plane, (width, height), interpolation=how)


class PictureMaker:
    """Makes the pictures of one video.

    Args:
        size: (H, W) of every picture, or None for each frame's own pixels.
        color: ``gray`` or ``rgb``.
        orientation: How stored pictures are turned and mirrored.
        pixel_aspect: Width of one pixel over its height; used when ``size`` is given.
    """

    def __init__(
        self,
        size: tuple[int, int] | None,
        color: Color,
        orientation: Orientation,
        pixel_aspect: float,
    ) -> None:
        self._size = size
        self._color = color
        self._orientation = orientation
        self._is_sideways = orientation.is_sideways
        self._pixel_aspect = pixel_aspect

    def make_picture(self, frame: av.VideoFrame) -> np.ndarray:
        """Return the frame as uint8 (H, W) or (H, W, 3), black bars where it does not reach.

        The array is the caller's own: nothing of the decoder's memory is kept.

        Raises:
            VideoDecodeError: FFmpeg cannot convert such pictures.
        """
        target, box = self.find_place(frame.height, frame.width)
        height, width = (box.width, box.height) if self._is_sideways else (box.height, box.width)
        make = _make_gray if self._color == "gray" else _make_rgb
        try:
            content = _orient(make(frame, height, width), self._orientation)
        except (FFmpegError, cv2.error, ValueError) as error:
            raise VideoDecodeError(
                f"Pictures of the pixel format {frame.format.name} and {frame.width}x{frame.height}"
                f" cannot be converted: {error}"
            ) from error
        if (box.height, box.width) == target:
            return content
        picture = np.zeros((*target, *content.shape[2:]), np.uint8)
        picture[box.rows, box.columns] = content
        return picture

    def find_place(self, height: int, width: int) -> tuple[tuple[int, int], Letterbox]:
        """Return the (H, W) of the picture of a frame, and where in it the frame is seen.

        Args:
            height: Rows of the frame as it is stored, before it is turned.
            width: Its columns.
        """
        if self._size is None:
            shown = (width, height) if self._is_sideways else (height, width)
            return shown, Letterbox(0, 0, *shown)
        seen_width = max(round(width * self._pixel_aspect), 1)
        shown = (seen_width, height) if self._is_sideways else (height, seen_width)
        return self._size, compute_letterbox(shown, self._size)


def _orient(content: np.ndarray, orientation: Orientation) -> np.ndarray:
    if orientation.is_sideways:
        content = cv2.transpose(content)
    if orientation.flips_x and orientation.flips_y:
        return cv2.flip(content, -1)
    if orientation.flips_x or orientation.flips_y:
        return cv2.flip(content, 1 if orientation.flips_x else 0)
    return content


def _is_bottom_up(frame: av.VideoFrame) -> bool:
    """Tell whether lines go backward in memory, of which PyAV's planes show another part."""
    return any(plane.line_size < 0 for plane in frame.planes)


def _make_gray(frame: av.VideoFrame, height: int, width: int) -> np.ndarray:
    name = frame.format.name
    if _is_bottom_up(frame):  # a conversion to the same format would convert nothing
        name = "yuvj444p" if name == "gray" else "gray"
        frame = frame.reformat(format=name)
    elif name not in _LUMA_FIRST and name not in _FULL_RANGE:
        frame, name = frame.reformat(format="gray"), "gray"
    small = downsample(_view_plane(frame, 0), height, width)
    if _is_full_range(frame, name):
        return np.array(small)
    return cv2.LUT(small, _LIMITED_TO_FULL)


def _make_rgb(frame: av.VideoFrame, height: int, width: int) -> np.ndarray:
    name = frame.format.name
    is_yuv = name in _LUMA_FIRST or name in _FULL_RANGE
    if not is_yuv or name in _NOT_PLANAR_COLOR or _is_bottom_up(frame):
        return _make_rgb_by_ffmpeg(frame, height, width)
    planes = [downsample(_view_plane(frame, index), height, width) for index in range(3)]
    matrix = _rgb_matrix(frame.colorspace, _is_full_range(frame, name))
    return cv2.transform(cv2.merge(planes), matrix)


def _make_rgb_by_ffmpeg(frame: av.VideoFrame, height: int, width: int) -> np.ndarray:
    if frame.format.name == "rgb24" and _is_bottom_up(frame):
        whole = frame.to_ndarray(format="bgr24")[..., ::-1]
    else:
        whole = frame.to_ndarray(format="rgb24")
    return cv2.merge([downsample(np.ascontiguousarray(c), height, width) for c in cv2.split(whole)])


def _view_plane(frame: av.VideoFrame, index: int) -> np.ndarray:
    plane = frame.planes[index]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    return rows[: plane.height, : plane.width]


def _is_full_range(frame: av.VideoFrame, name: str) -> bool:
    return name in _FULL_RANGE or frame.color_range == _RANGE_FULL


def _rgb_matrix(colorspace: int, is_full: bool) -> np.ndarray:
    """Return the (3, 4) matrix from (Y, Cb, Cr, 1) to RGB in 0..255.

    Source: ITU-R BT.601, BT.709 and BT.2020; an unnamed space is read as BT.601, as FFmpeg does.
    """
    red, blue = (0.299, 0.114)
    if colorspace == _SPACE_BT709:
        red, blue = (0.2126, 0.0722)
    elif colorspace in _SPACE_BT2020:
        red, blue = (0.2627, 0.0593)
    green = 1.0 - red - blue
    luma, chroma, black = (1.0, 1.0, 0.0) if is_full else (255 / 219, 255 / 224, 16.0)
    from_cr, from_cb = 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    linear = np.array(
        [
            [luma, 0.0, from_cr],
            [luma, -from_cb * blue / green, -from_cr * red / green],
            [luma, from_cb, 0.0],
        ]
    )
    offset = -linear @ np.array([black, 128.0, 128.0])
    return np.column_stack([linear, offset])
