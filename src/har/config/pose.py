"""Settings of the pose stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from har.config.bounds import check, check_range
from har.config.fit import FitConfig
from har.types import PeopleRule, PoseSpec

SINGLE_PERSON_LABELS = ("hitting_self", "self_hitting", "self_injury", "self_injurious")
"""Labels of acts that involve one body alone."""


@dataclass(frozen=True)
class PoseConfig:
    """The pose stream: keypoints of people, tracked, and a recurrent head that sees one at a time.

    Attributes:
        rate_hz: Time steps a second.
        n_steps: Time steps in one window.
        people: How the people of a window become one answer, see `PoseSpec`; ``auto`` takes ``any``
            where a label involves one body alone, else ``mean``.
        single_person_labels: Labels of acts that involve one body alone.
        min_confidence: Where nobody's keypoints are as confident as this, the stream is uncertain.
        weight: Of the pose logits where a bundle takes both streams.
        units: Width of the recurrent layers that see the own body and the pair.
        self_units: Width of the one for single-person labels.
        linear: Add a linear branch from each step's features to the former logits; where there is
            no single-person label, also from how far they have spread.
        linear_shrinkage: Of the discriminant that the linear branch is then set to: the share of
            the features' covariance that is replaced by their mean variance.
        narrow: Give the pair's branch only how limbs move against the other's body; the own body is
            then an input only where there is no single-person label.
        scores: Give the head keypoint scores, too; without them they only say which joints to
            believe, and it carries over better to keypoints of another detector.
        dropout: Before and after the recurrent layers.
        windows_per_clip: Windows drawn from a clip in an epoch.
        jitter: Noise on the features in training, in their standard deviations.
        fit: The optimization of a head without a solved linear branch.
        solved_fit: The optimization beside one, which leaves less to learn. Its result is kept only
            if it validates better than the solution alone.
    """

    rate_hz: float = 10.0
    n_steps: int = 25
    people: PeopleRule | Literal["auto"] = "auto"
    single_person_labels: tuple[str, ...] = SINGLE_PERSON_LABELS
    min_confidence: float = 0.2
    weight: float = 2.0
    units: int = 24
    self_units: int = 64
    linear: bool = True
    linear_shrinkage: float = 0.3
    narrow: bool = False
    scores: bool = False
    dropout: float = 0.4
    windows_per_clip: int = 4
    jitter: float = 0.1
    fit: FitConfig = field(default_factory=lambda: FitConfig(40, 40, 2e-3, 1e-2, 16))
    solved_fit: FitConfig = field(default_factory=lambda: FitConfig(12, 12, 4e-3, 1e-2, 64))

    def __post_init__(self) -> None:
        check_range(
            self,
            rate_hz=(2.0, 60.0),
            n_steps=(1, 512),
            min_confidence=(0.0, 1.0),
            weight=(0.0, 100.0),
            units=(1, 4096),
            self_units=(1, 4096),
            linear_shrinkage=(0.0, 1.0),
            dropout=(0.0, 0.9),
            windows_per_clip=(1, 64),
            jitter=(0.0, 2.0),
        )
        check(
            self.people in ("auto", "mean", "any"), "people", self.people, "'auto', 'mean' or 'any'"
        )

    def pose_spec(self, labels: tuple[str, ...], background: str, detector: str) -> PoseSpec:
        """Return the full input contract for some labels."""
        people = self.people
        own = tuple(label for label in labels if label in self.single_person_labels)
        if people == "auto":
            people = "any" if background and own else "mean"
        return PoseSpec(self.rate_hz, self.n_steps, detector, people, own, self.min_confidence)
