"""Settings of synthetic skeleton sequences, and of the bundle that learns from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from har.config import FitConfig, PoseConfig
from har.config.bounds import check, check_range

THREE_CLASS = PoseConfig(
    units=16, self_units=32, linear=False, narrow=True, scores=False, dropout=0.3
)
"""The head of the three-class bundle: one that sees more learns by heart how the generator hits
others, and one that sees keypoint scores learns the detector.

Source: docs/decisions/009-pose-stream.md, docs/decisions/025-what-carries-over.md.
"""


@dataclass(frozen=True)
class SequencesConfig:
    """How synthetic skeleton sequences are drawn (`write_sequences.py`).

    Attributes:
        n_sequences: Sequences in all.
        per_scene: Sequences that share place, camera and people: a group.
        length_s: Least and greatest seconds of one.
        rate_hz: Steps a second.
        shares: How often each class is drawn, in the order of `har.synthetic.motion.LABELS`:
            hitting others, hitting oneself, playing. Near misses outnumber hits.
        stature_px: Least and greatest height of the tallest person in pixels.
        variety: 0 the plainest scenes, 1 the full range of nuisances.
        seed: Same seed, same sequences.
    """

    n_sequences: int = 30_000
    per_scene: int = 6
    length_s: tuple[float, float] = (2.0, 5.0)
    rate_hz: float = 10.0
    shares: tuple[float, float, float] = (0.25, 0.25, 0.5)
    stature_px: tuple[float, float] = (60.0, 260.0)
    variety: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(
            self,
            n_sequences=(1, 10_000_000),
            per_scene=(1, 1000),
            rate_hz=(2.0, 60.0),
            variety=(0.0, 1.0),
        )
        least_s, most_s = self.length_s
        check(1.0 <= least_s <= most_s <= 30.0, "length_s", self.length_s, "from 1 to 30 s")
        least_px, most_px = self.stature_px
        check(8.0 <= least_px <= most_px <= 1000.0, "stature_px", self.stature_px, "8 to 1000 px")
        is_share = min(self.shares) >= 0.0 and abs(sum(self.shares) - 1.0) < 1e-6
        check(is_share, "shares", self.shares, "three shares of sum 1")


UNKNOWN = -1
"""Of a person in a window in which somebody hits others, and nobody says who."""


@dataclass(frozen=True)
class LearnConfig:
    """How a pose head learns from several domains at once.

    Attributes:
        n_sequences: Synthetic sequences that it learns from.
        variants: How often every window is changed as another detector and camera would see it.
        strength: Of these changes, from 0 to 1.
        jitter: Noise on the features in training, in their standard deviations.
        rounds: Epochs of each round; between them the one who hits is found anew.
        fit: The optimization; a batch is of people, its epochs are those of ``rounds``.
        seed: Of every draw but the synthetic sequences, which are the same for all seeds.
    """

    n_sequences: int = 12_000
    variants: int = 2
    strength: float = 1.0
    jitter: float = 0.1
    rounds: tuple[int, ...] = (3, 5)
    fit: FitConfig = field(default_factory=lambda: FitConfig(1, 1, 2e-3, 1e-2, 128, 0.02))
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(
            self,
            n_sequences=(3, 10_000_000),
            variants=(1, 16),
            strength=(0.0, 1.0),
            jitter=(0.0, 2.0),
            seed=(0, 2**31 - 1),
        )
