"""How videos become a store of frames (`har prepare`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from har.config.bounds import check, check_range
from har.config.poses import PosesConfig
from har.types import Color


@dataclass(frozen=True)
class PrepareConfig:
    """How videos become a store of frames (`har prepare`).

    Attributes:
        long_side: Pixels of the stored picture's longer side; a multiple of 32.
        size: (H, W), or None to take the shape that fits the clips best at ``long_side``.
        color: ``gray`` for the motion input, ``rgb`` for the RGB input.
        max_rate_hz: Faster videos are thinned to this many frames a second.
        min_frames: Clips with fewer frames are rejected.
        n_folds: Parts of the cross-validation that are laid down in ``splits.json``.
        group_by: A manifest column, or a regular expression with one group on the file's path.
        seed: Draws the splits.
        jobs: Videos decoded at once; 0 means one a core.
        poses: How files of keypoints are read.
    """

    long_side: int = 320
    size: tuple[int, int] | None = None
    color: Color = "gray"
    max_rate_hz: float = 30.0
    min_frames: int = 5
    n_folds: int = 5
    group_by: str | None = None
    seed: int = 0
    jobs: int = 0
    poses: PosesConfig = field(default_factory=PosesConfig)

    def __post_init__(self) -> None:
        check_range(
            self,
            long_side=(32, 1024),
            max_rate_hz=(1.0, 240.0),
            min_frames=(2, 10_000),
            n_folds=(2, 100),
            jobs=(0, 256),
        )
        check(self.long_side % 32 == 0, "long_side", self.long_side, "a multiple of 32")
        check(self.color in ("gray", "rgb"), "color", self.color, "'gray' or 'rgb'")
        for side in self.size or ():
            ok = 32 <= side <= 1024 and side % 32 == 0
            check(ok, "size", self.size, "two multiples of 32 from 32 to 1024")
