"""Where nothing moves there is nothing to encode: steps whose pictures differ by noise alone.

Most of a recording is a room in which nothing happens. A step is still where no square of the
picture differs from the ones that it is compared with by more than noise does. How strong noise is
comes from the recording itself: half of all squares differ less than the median, and where the
whole picture moves, the least median of the moments before counts. All of it is known at the step,
so clips, recordings and cameras have the same still steps.

Source: docs/decisions/031-stillness.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

CELL_PX = 8
"""Pictures are compared by squares of this side."""

_LEAST, _TIMES_NOISE = 2.0, 2.0
"""A square has moved where it differs by more gray levels than this, and this many times noise."""
_MOST_NOISE = 4.0
"""Gray levels; where half of the picture differs by more, it is no noise."""
_RISE, _RISE_LEVELS = 1.01, 0.005
"""How fast noise may rise again from step to step, as when the light is switched off."""
_REFRESH_S = 2.0
"""A still picture is looked at again after this long."""
RULE = {
    "cell_px": CELL_PX,
    "least": _LEAST,
    "times_noise": _TIMES_NOISE,
    "most_noise": _MOST_NOISE,
    "rise": _RISE,
    "rise_levels": _RISE_LEVELS,
    "refresh_s": _REFRESH_S,
}
"""All numbers of the rule, for files that outlast it."""


def average_cells(values: np.ndarray) -> np.ndarray:
    """Return the means of squares of `CELL_PX`: (h, w) float32 of (H, W) float32."""
    height, width = values.shape
    cells = (width // CELL_PX, height // CELL_PX)
    return cv2.resize(values, cells, interpolation=cv2.INTER_AREA)


class NoiseGate:
    """Decide step by step whether anything has moved, by how strong noise is.

    Attributes:
        threshold: Gray levels by which a square may differ, as of the last step.
    """

    def __init__(self) -> None:
        """Start before the first step."""
        self.threshold = _LEAST
        self._noise: float | None = None

    def push(self, cells: np.ndarray) -> bool:
        """Take the next step and return whether it is still.

        Args:
            cells: (h, w) float32: mean absolute difference of each square, in gray levels.

        >>> gate, cells = NoiseGate(), np.full((24, 40), 0.5, np.float32)
        >>> gate.push(cells), gate.threshold
        (True, 3.0)
        >>> cells[20, 30] = 3.5
        >>> gate.push(cells)
        False
        """
        level = min(float(np.median(cells)), _MOST_NOISE)
        risen = level if self._noise is None else self._noise * _RISE + _RISE_LEVELS
        self._noise = min(level, risen)
        self.threshold = _LEAST + _TIMES_NOISE * self._noise
        return float(cells.max()) <= self.threshold


class StepGate:
    """Decide which steps may take the features of the step that was encoded last.

    The first still step is encoded, so that what stands for those after it is this camera's own
    stillness, and again every two seconds.
    """

    def __init__(self, rate_hz: float) -> None:
        """Start before the first of ``rate_hz`` steps a second."""
        self._noise = NoiseGate()
        self._n_most = max(round(rate_hz * _REFRESH_S), 1)
        self._n_skipped = 0
        self._is_known = False

    @property
    def threshold(self) -> float:
        """As of `NoiseGate`."""
        return self._noise.threshold

    def push(self, cells: np.ndarray) -> bool:
        """Take the next step, as `NoiseGate` does, and return whether it need not be encoded."""
        is_still = self._noise.push(cells)
        skips = is_still and self._is_known and self._n_skipped < self._n_most
        self._n_skipped = self._n_skipped + 1 if skips else 0
        self._is_known = is_still
        return skips


class PictureGate:
    """Decide which pictures of a stream show what the one that was encoded last shows.

    Attributes:
        corner: Of the part of the picture that is given: it is given whole.
        is_still: Whether the last picture need not be encoded.
    """

    corner = (0, 0)

    def __init__(self, rate_hz: float) -> None:
        """Wait for the first picture; ``rate_hz`` come a second."""
        self.is_still = False
        self._noise = NoiseGate()
        self._n_most = max(round(rate_hz * _REFRESH_S), 1)
        self._n_skipped = 0
        self._seen: np.ndarray | None = None

    @property
    def threshold(self) -> float:
        """As of `NoiseGate`."""
        return self._noise.threshold

    def push(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Take the picture of the next step and return it.

        Args:
            frames: One, (H, W) gray or (H, W, 3) RGB uint8, not altered.

        Returns:
            (H, W, 1) or (H, W, 3) uint8.
        """
        image = frames[0]
        plain = image if image.ndim == 2 else image[..., 1]
        self.is_still = self._compare(plain) and self._n_skipped < self._n_most
        if self.is_still:
            self._n_skipped += 1
        else:
            self._seen, self._n_skipped = plain, 0
        return image if image.ndim == 3 else image[..., None]

    def _compare(self, plain: np.ndarray) -> bool:
        if self._seen is None:
            return False
        change = cv2.absdiff(plain, self._seen).astype(np.float32)
        return self._noise.push(average_cells(change))
