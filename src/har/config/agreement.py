"""How codings of several observers are compared."""

from __future__ import annotations

from dataclasses import dataclass

from har.config.bounds import check_range


@dataclass(frozen=True)
class AgreeConfig:
    """How `har agree` divides time.

    Attributes:
        interval_s: Length of the intervals of interval agreement, in seconds.
        bin_s: Length of the bins of kappa and alpha, in seconds.
        point_s: Length in figures of time of an event of which only the moment was coded.
    """

    interval_s: float = 10.0
    bin_s: float = 1.0
    point_s: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, interval_s=(0.1, 3600.0), bin_s=(0.01, 3600.0), point_s=(0.001, 60.0))
