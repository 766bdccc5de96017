"""Chooses each label's rule for a number of false alarms per hour, on recordings with a truth."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from har.config import DecodeConfig, LabelRule, TuneConfig
from har.errors import ConfigError
from har.events.decoder import decode_events
from har.events.matching import compute_ious, match_events
from har.metrics.alarms import ScoredRecording
from har.metrics.events import MATCH_IOU
from har.metrics.intervals import Interval, bootstrap_figures
from har.progress import ProgressBar
from har.types import TIME_EPS_S


@dataclass(frozen=True)
class RuleCounts:
    """What each of C rules gives for each of K labels in each of R recordings.

    Attributes:
        rules: C rows of K rules, those first that are nearest to the rules so far.
        hits: (C, K, R) int.
        false: (C, K, R) int.
        n_true: (K, R) int.
        hours: (R,).
    """

    rules: tuple[tuple[LabelRule, ...], ...]
    hits: np.ndarray
    false: np.ndarray
    n_true: np.ndarray
    hours: np.ndarray

    def choose(self, inside: np.ndarray, rate: float) -> list[int]:
        """Return each label's rule by the recordings that are ``inside``, (R,) bool."""
        budget = compute_budget(rate, float(self.hours[inside].sum()))
        n_true = np.maximum(self.n_true[:, inside].sum(axis=1), 1)
        recalls = self.hits[:, :, inside].sum(axis=2) / n_true
        return choose_rules(recalls, self.false[:, :, inside].sum(axis=2), budget)

    def take(self, chosen: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return (K, R) hits and as many false alarms of one rule a label."""
        places = np.arange(len(chosen))
        return self.hits[chosen, places], self.false[chosen, places]


def count_rules(
    recordings: Sequence[ScoredRecording],
    labels: Sequence[str],
    base: DecodeConfig,
    config: TuneConfig,
    progress: bool = False,
) -> RuleCounts:
    """Try every rule of a grid on every recording.

    Args:
        recordings: R recordings.
        labels: K labels that count.
        base: The rules so far: what the grid does not name stays as it is there.
        config: The grid.
        progress: Show a bar on standard error.
    """
    bases = [base.rule(label) for label in labels]
    rules, n_lengths = _list_rules(config, bases), len(config.min_s)
    hits = np.zeros((len(rules), len(labels), len(recordings)), dtype=np.int64)
    false = np.zeros_like(hits)
    with ProgressBar(hits[::n_lengths, 0].size, "rules", "rule", progress) as bar:
        for place in range(0, len(rules), n_lengths):
            named = {label: asdict(rule) for label, rule in zip(labels, rules[place], strict=True)}
            decode = replace(base, labels={**base.labels, **named})
            rows = slice(place, place + n_lengths)
            for column, recording in enumerate(recordings):
                counts = _count_lengths(recording, labels, decode, config.min_s)
                hits[rows, :, column], false[rows, :, column] = counts
                bar.update()
    n_true = np.array(
        [[sum(e.label == label for e in item.truth) for item in recordings] for label in labels]
    )
    order = sorted(range(len(rules)), key=lambda place: _compute_distance(rules[place], bases))
    hours = np.array([recording.hours for recording in recordings])
    return RuleCounts(tuple(rules[k] for k in order), hits[order], false[order], n_true, hours)


def _list_rules(config: TuneConfig, bases: Sequence[LabelRule]) -> list[tuple[LabelRule, ...]]:
    """Return the grid; rules that differ in their shortest event alone follow each other."""
    grid = itertools.product(
        config.onsets, config.offset_ratios, config.merge_gap_s, config.smooth_s, config.min_s
    )
    return [
        tuple(
            replace(
                base,
                onset=onset,
                offset=round(onset * ratio, 4),
                min_s=min_s,
                merge_gap_s=gap_s,
                smooth_s=smooth_s,
            )
            for base in bases
        )
        for onset, ratio, gap_s, smooth_s, min_s in grid
    ]


def _compute_distance(rules: Sequence[LabelRule], bases: Sequence[LabelRule]) -> float:
    pairs = [(asdict(rule), asdict(base)) for rule, base in zip(rules, bases, strict=True)]
    return sum(abs(ours[name] - theirs[name]) for ours, theirs in pairs for name in ours)


def _count_lengths(
    recording: ScoredRecording, labels: Sequence[str], decode: DecodeConfig, min_s: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return (n_lengths, K) hits and as many false alarms of a rule with several shortest events.

    The scores are cut once: dropping short events is the last thing that a rule does.
    """
    events = decode_events(recording.scores, decode)
    hits = np.zeros((len(min_s), len(labels)), dtype=np.int64)
    n_found = np.zeros_like(hits)
    for k, label in enumerate(labels):
        found = [event for event in events if event.label == label]
        truth = [event for event in recording.truth if event.label == label]
        ious = compute_ious(found, truth)
        spans_s = np.array([event.offset_s - event.onset_s for event in found])
        for row, shortest_s in enumerate(min_s):
            kept = ious[spans_s >= shortest_s - TIME_EPS_S]
            n_found[row, k], hits[row, k] = len(kept), len(match_events(kept, MATCH_IOU))
    return hits, n_found - hits


def compute_budget(rate: float, hours: float) -> int:
    """Return how many false alarms a rate per hour allows.

    >>> compute_budget(2.0, 1.9)
    3
    """
    return int(np.floor(rate * hours + 1e-6))


def choose_rules(recalls: np.ndarray, false: np.ndarray, budget: int) -> list[int]:
    """Return each label its rule: greatest sum of recalls within a number of false alarms.

    An exact knapsack over the number of false alarms. Of choices as good the one with the fewest
    false alarms is taken, then the earliest rule. Where no choice is within the budget, every
    label takes its fewest.

    Args:
        recalls: (C, K).
        false: (C, K) int.
        budget: At most as many false alarms.

    >>> recalls = np.array([[0.9, 0.8], [0.5, 0.7]])
    >>> choose_rules(recalls, np.array([[3, 3], [0, 0]]), 4)
    [0, 1]
    """
    fewest = false.min(axis=0)
    if fewest.sum() > budget:
        return [int(rule) for rule in false.argmin(axis=0)]
    best = np.full(budget + 1, -np.inf)
    best[0] = 0.0
    steps: list[tuple[np.ndarray, np.ndarray]] = []
    for k in range(recalls.shape[1]):
        cost, value, rule = _find_front(recalls[:, k], false[:, k], budget)
        totals = np.full((len(cost), budget + 1), -np.inf)
        for row, (n, gain) in enumerate(zip(cost, value, strict=True)):
            totals[row, n:] = best[: budget + 1 - n] + gain
        rows = totals.argmax(axis=0)
        best = totals[rows, np.arange(budget + 1)]
        steps.append((cost[rows], rule[rows]))
    left = int(best.argmax())
    chosen: list[int] = []
    for cost, rule in reversed(steps):
        chosen.append(int(rule[left]))
        left -= int(cost[left])
    return chosen[::-1]


def _find_front(
    recalls: np.ndarray, false: np.ndarray, budget: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return false alarms, recalls and rules of those that no cheaper rule equals."""
    order = np.lexsort((np.arange(len(recalls)), -recalls, false))
    order = order[false[order] <= budget]
    before = np.maximum.accumulate(np.concatenate([[-1.0], recalls[order][:-1]]))
    order = order[recalls[order] > before]
    return false[order], recalls[order], order


_RULE_OF_THREE = 3.0
"""Where nothing was seen in n hours, up to about 3 / n an hour may be true, 95 times of 100.

Source: J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA
249(13), 1983.
"""


@dataclass(frozen=True)
class TunedLabel:
    """What was chosen for a label, and what it gives on the recordings that chose it.

    Attributes:
        label: Whose.
        rule: The chosen one.
        n_true: Acts that a person coded.
        n_hits: Those that are found.
        n_false: False alarms.
    """

    label: str
    rule: LabelRule
    n_true: int
    n_hits: int
    n_false: int


@dataclass(frozen=True)
class TuneResult:
    """The chosen rules, and what may be expected of them.

    Attributes:
        decode: All rules, ready for use.
        asked: False alarms per hour that were asked for, of all labels together.
        n_recordings: On which it rests.
        n_groups: Groups that they are of.
        hours: Their length.
        per_label: What was chosen, and counts on the very recordings that chose it: too good.
        recall: Mean over the labels, on groups of recordings that had no part in the choice.
        false_alarms_per_hour: Likewise, of all labels together.
        warnings: What the user must not miss.
    """

    decode: DecodeConfig
    asked: float
    n_recordings: int
    n_groups: int
    hours: float
    per_label: tuple[TunedLabel, ...]
    recall: Interval
    false_alarms_per_hour: Interval
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        shared = ("asked", "n_recordings", "n_groups", "hours")
        return {
            **{name: getattr(self, name) for name in shared},
            "recall": self.recall.to_json(),
            "false_alarms_per_hour": self.false_alarms_per_hour.to_json(),
            "per_label": [asdict(item) for item in self.per_label],
            "warnings": list(self.warnings),
            "decode": asdict(self.decode),
        }


def tune_decode(
    recordings: Sequence[ScoredRecording],
    base: DecodeConfig,
    config: TuneConfig,
    progress: bool = False,
) -> TuneResult:
    """Choose the rule of every label that was coded; the same input gives the same choice.

    Among rules that do as well, the one that is nearest to ``base`` is taken. A label that nobody
    coded keeps its rule, and its alarms are not counted.

    Args:
        recordings: Scored by a model that has not learnt from them; scores of the same labels.
        base: The rules so far; its background label makes no events.
        config: What is asked for and what is tried.
        progress: Show a bar on standard error.

    Raises:
        ConfigError: There is no recording, their labels differ, or no label was coded.
    """
    labels = _find_coded(recordings, base)
    counts = count_rules(recordings, labels, base, config, progress)
    everything = np.ones(len(recordings), dtype=bool)
    chosen = counts.choose(everything, config.false_alarms_per_hour)
    hits, false = counts.take(chosen)
    per_label = tuple(
        TunedLabel(label, counts.rules[rule][k], int(n), int(hits[k].sum()), int(false[k].sum()))
        for k, (label, rule, n) in enumerate(
            zip(labels, chosen, counts.n_true.sum(axis=1), strict=True)
        )
    )
    named = {**base.labels, **{item.label: asdict(item.rule) for item in per_label}}
    recall, rate = _expect(counts, recordings, config.false_alarms_per_hour)
    return TuneResult(
        decode=replace(base, labels=named),
        asked=config.false_alarms_per_hour,
        n_recordings=len(recordings),
        n_groups=len(set(_list_groups(recordings))),
        hours=float(counts.hours.sum()),
        per_label=per_label,
        recall=recall,
        false_alarms_per_hour=rate,
        warnings=tuple(_list_warnings(recordings, base, config, per_label)),
    )


def _find_coded(recordings: Sequence[ScoredRecording], base: DecodeConfig) -> list[str]:
    if not recordings:
        raise ConfigError("Expected at least one scored recording to tune on, received none")
    labels = recordings[0].scores.labels
    for recording in recordings:
        if recording.scores.labels != labels:
            raise ConfigError(
                f"Expected scores of one model, received labels {labels} for "
                f"{recordings[0].name} and {recording.scores.labels} for {recording.name}"
            )
    truth = {event.label for recording in recordings for event in recording.truth}
    coded = [label for label in labels if label in truth and label != base.background]
    if not coded:
        raise ConfigError(
            f"Expected a truth with some of the labels {labels}, received "
            f"{sorted(truth) or 'no event'}; see that it names the videos as the scores do"
        )
    return coded


def _list_groups(recordings: Sequence[ScoredRecording]) -> list[str]:
    return [recording.group or recording.name for recording in recordings]


def _expect(
    counts: RuleCounts, recordings: Sequence[ScoredRecording], rate: float
) -> tuple[Interval, Interval]:
    """Return recall and alarms where each group is judged by the choice of all the others."""
    groups = np.array(_list_groups(recordings))
    if len(set(groups)) < 2:
        reason = "there is one recording or group only, and it made the choice; give more"
        return Interval(None, None, None, reason=reason), Interval(None, None, None, reason=reason)
    hits, false = np.zeros_like(counts.n_true), np.zeros_like(counts.n_true)
    for group in np.unique(groups):
        held_out = groups == group
        taken = counts.take(counts.choose(~held_out, rate))
        hits[:, held_out], false[:, held_out] = taken[0][:, held_out], taken[1][:, held_out]

    def compute(weights: np.ndarray) -> np.ndarray:
        n_true = counts.n_true @ weights
        seen = n_true > 0
        recall = np.mean((hits @ weights)[seen] / n_true[seen]) if seen.any() else np.nan
        return np.array([recall, (false @ weights).sum() / (counts.hours @ weights)])

    recall, alarms = bootstrap_figures(compute, groups.tolist(), "recordings", "no act was drawn")
    return recall, alarms


def _list_warnings(
    recordings: Sequence[ScoredRecording],
    base: DecodeConfig,
    config: TuneConfig,
    per_label: Sequence[TunedLabel],
) -> list[str]:
    hours, rate = sum(item.hours for item in recordings), config.false_alarms_per_hour
    warnings = []
    if rate * hours < _RULE_OF_THREE:
        needed = f"at least {_RULE_OF_THREE / rate:.2g} h" if rate else "no length"
        warnings.append(
            f"{hours:.2g} h cannot support {rate:g} false alarms per hour: even without a single "
            f"one there could be {_RULE_OF_THREE / hours:.2g} an hour (rule of three); {needed} "
            f"would be enough"
        )
    n_false = sum(item.n_false for item in per_label)
    if n_false > compute_budget(rate, hours):
        warnings.append(
            f"No rule that was tried has {rate:g} false alarms per hour or fewer: the strictest "
            f"has {n_false / hours:.2g}"
        )
    tuned = {item.label for item in per_label}
    kept = [x for x in recordings[0].scores.labels if x not in tuned and x != base.background]
    if kept:
        warnings.append(f"Nobody coded {', '.join(kept)}: its rule stays, its alarms are left out")
    return warnings
