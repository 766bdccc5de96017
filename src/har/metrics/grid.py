"""What each of a grid of detection settings (decode rules) gives, and the best within a budget."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from har.config import DecodeConfig, LabelRule, TuneConfig
from har.events.decoder import decode_events
from har.events.matching import compute_ious, match_events
from har.metrics.alarms import ScoredRecording
from har.metrics.events import MATCH_IOU
from har.progress import ProgressBar
from har.types import TIME_EPS_S


@dataclass(frozen=True)
class RuleCounts:
    """What each of C rules gives for each of K labels in each of R recordings.

    Attributes:
        rules: C rows of K rules, the nearest to the rules so far first.
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
        base: The rules so far; what the grid does not name stays as it is.
        config: The grid.
        progress: Show a bar on standard error.
    """
    bases = [base.rule(label) for label in labels]
    rules, n_lengths = _list_rules(config, bases), len(config.min_s)
    hits = np.zeros((len(rules), len(labels), len(recordings)), dtype=np.int64)
    false = np.zeros_like(hits)
    with ProgressBar(hits[::n_lengths, 0].size, "settings", "set", progress) as bar:
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
            long = ious[spans_s >= shortest_s - TIME_EPS_S]
            n_found[row, k], hits[row, k] = len(long), len(match_events(long, MATCH_IOU))
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
