"""How the rules that make events of scores are chosen."""

from __future__ import annotations

from dataclasses import dataclass

from har.config.bounds import check, check_range

_LOW_ONSETS = tuple(round(0.05 * step, 2) for step in range(2, 19))
_HIGH_ONSETS = (0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 1.0)


@dataclass(frozen=True)
class TuneConfig:
    """How `har tune` chooses each label's rule: the values that it tries.

    Attributes:
        false_alarms_per_hour: At most as many, of all labels together.
        onsets: Ascending scores at which an event starts.
        offset_ratios: Scores under which it ends, as parts of the onset.
        min_s: Lengths under which events are dropped, ascending.
        merge_gap_s: Gaps under which events become one.
        smooth_s: Lengths over which scores are a mean.
    """

    false_alarms_per_hour: float = 2.0
    onsets: tuple[float, ...] = (*_LOW_ONSETS, *_HIGH_ONSETS)
    offset_ratios: tuple[float, ...] = (0.5, 0.75, 1.0)
    min_s: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)
    merge_gap_s: tuple[float, ...] = (0.5, 1.0, 2.0)
    smooth_s: tuple[float, ...] = (0.0, 0.5, 1.0)

    def __post_init__(self) -> None:
        check_range(self, false_alarms_per_hour=(0.0, 3600.0))
        for name in ("onsets", "offset_ratios", "min_s", "merge_gap_s", "smooth_s"):
            values = getattr(self, name)
            check(len(values) > 0, name, values, "a list of at least one value")
            check(
                list(values) == sorted(set(values)), name, values, "ascending without a value twice"
            )
        for name in ("onsets", "offset_ratios"):
            values = getattr(self, name)
            check(values[0] > 0.0 and values[-1] <= 1.0, name, values, "above 0, up to 1")
