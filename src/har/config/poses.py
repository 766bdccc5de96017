"""What files of keypoints do not say themselves (`har predict`, `har prepare`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from har.config.bounds import check
from har.config.video import FPS_BOUNDS

_MAX_SIDE_PX = 65_535


@dataclass(frozen=True)
class PosesConfig:
    """How a file of keypoints of another tool is read.

    Attributes:
        fps: Pictures a second, where the file has none.
        size: (H, W) of the picture in pixels, where coordinates are shares of it and the file does
            not say how large it was. Only its shape matters.
        joints: Names of joints in the file to keypoints of the model, or to an empty text for none;
            they go before the table of names.
    """

    fps: float | None = None
    size: tuple[int, int] | None = None
    joints: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        low, high = FPS_BOUNDS
        check(
            self.fps is None or low <= self.fps <= high,
            "fps",
            self.fps,
            f"from {low:g} to {high:g} frames a second",
        )
        for side in self.size or ():
            check(1 <= side <= _MAX_SIDE_PX, "size", self.size, f"from 1 to {_MAX_SIDE_PX} pixels")
