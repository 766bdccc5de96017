"""The motion crop: the part of the picture where motion has been, enlarged.

A camera over a room or a yard shows people small. A network that takes all of the picture spends
most of it on walls; one that takes the part where something moves gets the same people larger, at
the same cost. What has moved counts for about two seconds, so the crop follows people and does not
jump with every gesture. It never depends on frames after the step's own, so recordings, clips and
cameras get the same crops.

Source: docs/decisions/019-motion-crop.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from har.sampling.stillness import CELL_PX, StepGate, average_cells
from har.sampling.times import gather_stacks
from har.types import WindowSpec

_MEMORY_S = 2.0
"""After this long, motion counts 1/e of what it did."""


class MotionCrop:
    """Follows motion through the steps of one stream, from its first step on.

    Attributes:
        corner: (y, x) of the upper left pixel of the last crop.
        is_still: Whether the last step need not be encoded; never without a gate.
    """

    def __init__(self, spec: WindowSpec, gate: StepGate | None = None) -> None:
        """Start without motion.

        Args:
            spec: The input contract; with a ``motion_crop`` of 1 all of the picture is taken.
            gate: Says which steps need not be encoded; all are where None.
        """
        frame_of = {offset: index for index, offset in enumerate(spec.offsets_s)}
        self._pairs = [(frame_of[a], frame_of[b]) for a, b in spec.lags_s]
        self._motion_crop = spec.motion_crop
        self._fresh = 1.0 - float(np.exp(-1.0 / (spec.rate_hz * _MEMORY_S)))
        self.corner, self.is_still = (0, 0), False
        self._gate = gate
        self._motion: np.ndarray | None = None
        self._last: tuple[list[np.ndarray], np.ndarray] | None = None

    def push(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Take the frames that the next step compares and return the stack for the CNN.

        Frames that equal those of the step before are the same moment, and nothing has moved.

        Args:
            frames: C gray frames (H, W), or one of (H, W, 3) RGB; uint8, not altered.

        Returns:
            (H, W, C) uint8: where motion has been, 1/motion_crop of the height and of the width,
            each pixel repeated so that it fills the picture.
        """
        if frames[0].ndim == 3:
            return frames[0]
        if self._motion_crop == 1 and self._gate is None:
            return np.stack(frames, axis=-1)
        if self._last is not None and all(map(np.array_equal, frames, self._last[0])):
            self.is_still = self._gate is not None
            return self._last[1]
        motion = self._sum_motion(frames)
        if self._gate is not None:
            self.is_still = self._gate.push(motion / len(self._pairs))
        self._follow(motion)
        stack = self._cut(frames)
        self._last = (list(frames), stack)
        return stack

    @property
    def threshold(self) -> float:
        """Gray levels by which a square may differ where nothing moves; 0 without a gate."""
        return 0.0 if self._gate is None else self._gate.threshold

    def _follow(self, motion: np.ndarray) -> None:
        """Move the crop to where motion has been, this step's too."""
        if self._motion_crop == 1:
            return
        if self._motion is None:
            self._motion = motion
        self._motion = self._motion + self._fresh * (motion - self._motion)
        y, x = find_crop(self._motion, self._motion_crop)
        self.corner = (y * CELL_PX, x * CELL_PX)

    def _cut(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        if self._motion_crop == 1:
            return np.stack(frames, axis=-1)
        return _enlarge(frames, self.corner, self._motion_crop)

    def _sum_motion(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Return (h, w) float32: mean difference of the compared frames by squares."""
        height, width = frames[0].shape
        total = np.zeros((height, width), np.float32)
        for a, b in self._pairs:
            cv2.accumulate(cv2.absdiff(frames[a], frames[b]), total)
        return average_cells(total)


def find_crop(motion: np.ndarray, motion_crop: int) -> tuple[int, int]:
    """Return the place of the crop with most motion, moved so that the motion is in its middle.

    Args:
        motion: (h, w) how much has moved in each square of pixels.
        motion_crop: The crop has 1/motion_crop of the height and of the width.

    Returns:
        Its upper left square, (y, x); the middle of the picture where nothing has moved.

    >>> motion = np.zeros((8, 12), np.float32)
    >>> motion[6, 9] = 1.0
    >>> find_crop(motion, 2)
    (4, 6)
    """
    height, width = motion.shape
    h, w = max(height // motion_crop, 1), max(width // motion_crop, 1)
    sums = cv2.integral(motion, sdepth=cv2.CV_64F)
    inside = sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w]
    y, x = np.unravel_index(np.argmax(inside), inside.shape)
    part = motion[y : y + h, x : x + w].astype(np.float64)
    total = float(part.sum())
    if total <= 0.0:
        return (height - h) // 2, (width - w) // 2
    middle_y = y + float(part.sum(axis=1) @ np.arange(h)) / total
    middle_x = x + float(part.sum(axis=0) @ np.arange(w)) / total
    return (
        int(np.clip(np.rint(middle_y - (h - 1) / 2), 0, height - h)),
        int(np.clip(np.rint(middle_x - (w - 1) / 2), 0, width - w)),
    )


def count_remembered_steps(spec: WindowSpec) -> int:
    """Return the steps after which motion hardly moves a crop (it counts 5 % of what it did).

    >>> count_remembered_steps(WindowSpec((192, 320), 8.0, 16, "motion", ((0.0, -0.04),), 30.0, 2))
    48
    """
    return int(np.ceil(3 * _MEMORY_S * spec.rate_hz)) if spec.motion_crop > 1 else 0


def gather_crops(frames: np.ndarray, indices: np.ndarray, spec: WindowSpec) -> np.ndarray:
    """Return the stacks of consecutive steps for the CNN, from the first on.

    Args:
        frames: (F, H, W) gray or (F, H, W, 3) RGB, uint8.
        indices: (N, C) from `compute_stack_indices`.
        spec: The input contract.

    Returns:
        (N, H, W, C) uint8.
    """
    if spec.motion_crop == 1:
        return gather_stacks(frames, indices)
    crop = MotionCrop(spec)
    return np.stack([crop.push([frames[index] for index in row]) for row in indices])


def _enlarge(frames: Sequence[np.ndarray], corner: tuple[int, int], motion_crop: int) -> np.ndarray:
    height, width = frames[0].shape
    h, w = height // motion_crop, width // motion_crop
    y, x = min(corner[0], height - h), min(corner[1], width - w)
    part = np.stack([frame[y : y + h, x : x + w] for frame in frames], axis=-1)
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_NEAREST)
