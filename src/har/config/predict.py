"""How a video is recognized, and what is written of it (`har predict`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

from har.config.bounds import check, check_range
from har.config.engine import PRECISION, Precision
from har.config.poses import PosesConfig
from har.config.privacy import PrivacyConfig


@dataclass(frozen=True)
class PredictConfig:
    """How a video is recognized (`har predict`).

    Attributes:
        n_overlap: Windows that cover each step, away from the ends.
        batch_steps: Time steps that go through the CNN together.
        keep_places: Keep where every person was at every step, and which part of the picture the
            CNN saw, which takes memory: about 10 MB for an hour of one person.
        jobs: Cores that are used: so many pictures of one video go through the networks at once, or
            so many videos of several; 0 means all.
        n_ahead: Frames that are decoded ahead of the networks.
        poses: How files of keypoints are read.
        exact: Encode every step; by default those at which nothing moves are taken for still.
        precision: Of the networks: ``full``, or ``fast`` for bfloat16 and 8-bit integers, too,
            where this machine and the model have them and they are faster.
        find_people: Find people for the sake of hiding them, also where the model follows some: it
            sees fewer.
    """

    n_overlap: int = 4
    batch_steps: int = 16
    keep_places: bool = False
    jobs: int = 0
    n_ahead: int = 64
    poses: PosesConfig = field(default_factory=PosesConfig)
    exact: bool = False
    precision: Precision = PRECISION
    find_people: bool = False

    def __post_init__(self) -> None:
        check_range(
            self, n_overlap=(1, 64), batch_steps=(1, 1024), jobs=(0, 256), n_ahead=(1, 4096)
        )
        known = get_args(Precision)
        check(self.precision in known, "precision", self.precision, f"one of {', '.join(known)}")

    def hop(self, n_steps: int) -> int:
        """Return the steps from one window's start to the next, for windows of ``n_steps``.

        >>> PredictConfig().hop(16), PredictConfig().hop(3)
        (4, 1)
        """
        return max(n_steps // self.n_overlap, 1)


@dataclass(frozen=True)
class OutputsConfig:
    """What is written of a video beyond its scores, events and timeline (`har predict`).

    Attributes:
        annotate: The video again, with what was found drawn in.
        thumbnails: A picture of each event.
        keypoints: People's keypoints, which show nobody's face.
        privacy: What is hidden of people in videos and pictures.
        guard: Cells of tables that a spreadsheet would take for a formula are made safe.
    """

    annotate: bool = False
    thumbnails: bool = False
    keypoints: bool = False
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    guard: bool = field(default=True, repr=False, compare=False)
