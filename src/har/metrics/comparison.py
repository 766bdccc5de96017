"""Whether one of two evaluations of the same clips or recordings is better.

    difference      second less first, on the same resamples of whole groups (paired bootstrap)
    McNemar         of clips that only one of them has right: whether so uneven a division may be
                    chance

Sources: B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993; Q. McNemar, "Note on
the sampling error of the difference between correlated proportions or percentages", Psychometrika
12, 1947, in its exact form by the binomial distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import comb
from typing import Any, Literal

import numpy as np

from har.errors import ConfigError
from har.metrics.clips import METRICS, bootstrap_difference, bootstrap_metrics
from har.metrics.events import F1_IOUS, MATCH_IOU, RecordingLabelCounts
from har.metrics.intervals import Interval, bootstrap_figures, to_value

EVENT_DIFFERENCES = (
    *(f"f1@{iou:g}" for iou in F1_IOUS),
    "precision",
    "recall",
    "false_alarms_per_hour",
)
_UNDEFINED = "there is nothing to divide by in one of the two"


@dataclass(frozen=True)
class Difference:
    """A figure of two evaluations.

    Attributes:
        first: Of the first one.
        second: Of the second one.
        difference: Second less first, with its interval.
    """

    first: float | None
    second: float | None
    difference: Interval

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        values = {"first": self.first, "second": self.second}
        return {**values, "difference": self.difference.to_json()}


@dataclass(frozen=True)
class McNemar:
    """Clips that two evaluations have right or wrong.

    Attributes:
        n_both: Right in both.
        n_first: Right in the first alone.
        n_second: Right in the second alone.
        n_neither: Wrong in both.
        p: Chance of a division at least as uneven, if neither were better and clips independent.
    """

    n_both: int
    n_first: int
    n_second: int
    n_neither: int
    p: float


@dataclass(frozen=True)
class GroupDifference:
    """A figure of one group in two evaluations.

    Attributes:
        group: Its name.
        n: Clips, or coded events.
        first: Accuracy of clips, or F1 of events at an overlap of 0.1; None where not defined.
        second: Of the second evaluation.
    """

    group: str
    n: int
    first: float | None
    second: float | None


@dataclass(frozen=True)
class Comparison:
    """Two evaluations of the same clips or recordings.

    Attributes:
        kind: What was evaluated.
        first: Name of the first evaluation.
        second: Name of the second one.
        n: Clips or recordings that both have.
        n_groups: Groups over which the intervals are.
        figures: By name.
        mcnemar: For clips; None for events.
        per_group: By falling gain of the first, so that losses of the second come first.
        notes: For the user.
    """

    kind: Literal["clips", "events"]
    first: str
    second: str
    n: int
    n_groups: int
    figures: dict[str, Difference]
    mcnemar: McNemar | None
    per_group: tuple[GroupDifference, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields that ``har compare --json`` prints."""
        return {
            "kind": self.kind,
            "first": self.first,
            "second": self.second,
            "n": self.n,
            "n_groups": self.n_groups,
            "figures": {name: item.to_json() for name, item in self.figures.items()},
            "mcnemar": None if self.mcnemar is None else asdict(self.mcnemar),
            "per_group": [asdict(item) for item in self.per_group],
            "notes": list(self.notes),
        }


def compute_mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """Compare which of N clips two evaluations have right.

    Args:
        first: (N,) bool.
        second: (N,) bool.

    Source: McNemar, 1947; exact: twice the smaller tail of a binomial distribution of one half.

    >>> compute_mcnemar(np.array([False] * 8 + [True] * 2), np.array([True] * 8 + [False] * 2)).p
    0.109375
    """
    n_first, n_second = int((first & ~second).sum()), int((~first & second).sum())
    n = n_first + n_second
    tail = sum(comb(n, k) for k in range(min(n_first, n_second) + 1))
    p = min(1.0, 2 * tail / 2**n)
    return McNemar(int((first & second).sum()), n_first, n_second, int((~first & ~second).sum()), p)


def compare_clips(
    names: tuple[str, str],
    truth: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    groups: Sequence[str],
) -> Comparison:
    """Compare two sets of predictions of the same clips.

    Args:
        names: Of the two.
        truth: (N,) int class indices.
        first: (S, N, K) probabilities of S seeds.
        second: Likewise, of as many seeds or others.
        groups: N names.

    Raises:
        NoClipsError: N is 0.
        ConfigError: The arrays do not fit each other.
    """
    difference = bootstrap_difference(truth, first, second, groups)
    means = [bootstrap_metrics(truth, probs, groups, n_resamples=1) for probs in (first, second)]
    right = [probs.mean(axis=0).argmax(axis=1) == truth for probs in (first, second)]
    shares = [(probs.argmax(axis=2) == truth).mean(axis=0) for probs in (first, second)]
    own = np.asarray(groups)
    per_group = [
        GroupDifference(
            str(group),
            int((own == group).sum()),
            *(float(share[own == group].mean()) for share in shares),
        )
        for group in np.unique(own)
    ]
    return Comparison(
        kind="clips",
        first=names[0],
        second=names[1],
        n=len(truth),
        n_groups=len(per_group),
        figures={
            name: Difference(means[0][name].mean, means[1][name].mean, difference[name])
            for name in METRICS
        },
        mcnemar=compute_mcnemar(*right),
        per_group=_sort(per_group),
    )


def compare_events(
    names: tuple[str, str],
    first: Sequence[RecordingLabelCounts],
    second: Sequence[RecordingLabelCounts],
) -> Comparison:
    """Compare how well events of the same recordings and labels were found.

    Args:
        names: Of the two.
        first: Counts of each recording and label.
        second: Those of the second, in the same order.

    Raises:
        ConfigError: There is nothing to compare.
    """
    if not first:
        raise ConfigError(
            "Expected recordings and labels that both evaluations have, received none"
        )
    recordings = list(dict.fromkeys(item.name for item in first))
    group_of = {item.name: item.group for item in first}
    groups = [group_of[name] for name in recordings]
    both = [_stack(items, recordings) for items in (first, second)]

    def compute(weights: np.ndarray) -> np.ndarray:
        one, other = (_compute(counts @ weights) for counts in both)
        return np.concatenate([one, other, other - one])

    found = bootstrap_figures(compute, groups, "recordings", _UNDEFINED)
    n = len(EVENT_DIFFERENCES)
    own = np.asarray(groups)
    f1 = [[_compute(counts @ (own == group))[0] for counts in both] for group in np.unique(own)]
    n_true = [int((both[0] @ (own == group))[0]) for group in np.unique(own)]
    per_group = [
        GroupDifference(str(group), count, *map(to_value, values))
        for group, count, values in zip(np.unique(own), n_true, f1, strict=True)
    ]
    return Comparison(
        kind="events",
        first=names[0],
        second=names[1],
        n=len(recordings),
        n_groups=len(per_group),
        figures={
            name: Difference(found[k].mean, found[n + k].mean, found[2 * n + k])
            for k, name in enumerate(EVENT_DIFFERENCES)
        },
        mcnemar=None,
        per_group=_sort(per_group),
    )


def _stack(items: Sequence[RecordingLabelCounts], recordings: Sequence[str]) -> np.ndarray:
    """Return (3 + len(F1_IOUS), R): coded events, found ones, hours, and pairs at each overlap."""
    table = np.zeros((3 + len(F1_IOUS), len(recordings)))
    places = {name: place for place, name in enumerate(recordings)}
    for item in items:
        place = places[item.name]
        table[:2, place] += item.n_true, item.n_found
        table[2, place] = np.nan if item.duration_s is None else item.duration_s / 3600.0
        table[3:, place] += item.n_pairs
    return table


def _compute(counts: np.ndarray) -> np.ndarray:
    """Return the figures of `EVENT_DIFFERENCES` of weighted sums."""
    n_true, n_found, hours, *n_pairs = counts.tolist()
    n_matched = n_pairs[F1_IOUS.index(MATCH_IOU)]
    parts = [(2.0 * n, n_true + n_found) for n in n_pairs]
    parts += [(n_matched, n_found), (n_matched, n_true), (n_found - n_matched, hours)]
    return np.array([part / whole if whole else np.nan for part, whole in parts])


def _sort(groups: Sequence[GroupDifference]) -> tuple[GroupDifference, ...]:
    def gain(item: GroupDifference) -> float:
        return (item.second or 0.0) - (item.first or 0.0)

    return tuple(sorted(groups, key=lambda item: (gain(item), item.group)))
