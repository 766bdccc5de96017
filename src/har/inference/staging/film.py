"""A stretch of filming: its frames, what some of them show, and the clip they become."""

from __future__ import annotations

from pathlib import Path

import cv2

from har.inference.staging.checks import LOOK_RATE_HZ, Look, Looker
from har.types import Frame
from har.video.writer import open_writer
from har.windows import is_kept

_LONG_SIDE_PX = 640
_CRF = 20


class Stretch:
    """Frames as they come; ten a second are looked at.

    Attributes:
        frames: Those so far in the size of a clip, or none where they are not kept.
        looks: What was seen, in order.
    """

    def __init__(self, looker: Looker, *, keeps_frames: bool) -> None:
        self.frames: list[Frame] = []
        self.looks: list[Look] = []
        self._looker = looker
        self._keeps_frames = keeps_frames
        self._looked_s: float | None = None

    def push(self, frame: Frame) -> bool:
        """Takes the next RGB frame; says whether it was looked at."""
        if self._keeps_frames:
            self.frames.append(_shrink(frame))
        if not is_kept(frame.time_s, self._looked_s, LOOK_RATE_HZ):
            return False
        self._looked_s = frame.time_s
        self.looks.append(self._looker.look(frame.image))
        return True


def compute_clip_size(height: int, width: int) -> tuple[int, int]:
    """Gives the even (H, W) of a clip: at most 640 pixels long, never larger than what was filmed.

    >>> compute_clip_size(1080, 1920), compute_clip_size(241, 321)
    ((360, 640), (240, 320))
    """
    scale = min(_LONG_SIDE_PX / max(height, width), 1.0)
    rows, columns = (max(int(side * scale) // 2 * 2, 2) for side in (height, width))
    return rows, columns


def write_clip(path: Path, frames: list[Frame]) -> None:
    """Writes frames of one even size, two or more, as H.264; the first one is at 0 s.

    Raises:
        VideoWriteError: It cannot be written.
    """
    height, width = frames[0].image.shape[:2]
    start_s = frames[0].time_s
    rate_hz = (len(frames) - 1) / (frames[-1].time_s - start_s)
    with open_writer(path, (height, width), rate_hz, _CRF) as writer:
        for frame in frames:
            writer.write(frame.image, frame.time_s - start_s)


def _shrink(frame: Frame) -> Frame:
    height, width = compute_clip_size(*frame.image.shape[:2])
    if frame.image.shape[:2] == (height, width):
        return frame
    image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
    return Frame(frame.index, frame.time_s, image)
