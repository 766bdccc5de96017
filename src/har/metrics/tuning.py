"""Chooses each label's detection settings for a rate of false alarms, on coded recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from har.config import DecodeConfig, LabelRule, TuneConfig
from har.errors import ConfigError
from har.metrics.alarms import ScoredRecording
from har.metrics.grid import RuleCounts, compute_budget, count_rules
from har.metrics.intervals import Interval, Rate, bootstrap_figures, warn_few_groups

_RULE_OF_THREE = 3.0
"""Where nothing was seen in n hours, up to about 3 / n an hour may be true, 95 times of 100.

Source: J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA
249(13), 1983.
"""


@dataclass(frozen=True)
class TunedLabel:
    """The settings chosen for a label, and what they give on the recordings that chose them.

    Attributes:
        label: Its name.
        rule: The chosen settings.
        n_true: Coded events.
        n_hits: Coded events that are found.
        n_false: False alarms.
    """

    label: str
    rule: LabelRule
    n_true: int
    n_hits: int
    n_false: int


@dataclass(frozen=True)
class TuneResult:
    """The chosen detection settings, and what may be expected of them.

    Attributes:
        decode: The settings of all labels, ready for use.
        target: The rate to stay within: false alarms per hour of all labels together.
        n_recordings: Recordings that it rests on.
        n_groups: Their groups.
        hours: Their length.
        per_label: Settings, and counts on the very recordings that chose them: optimistic.
        recall: Mean over the labels, on groups of recordings that were held out of the choice.
        false_alarms_per_hour: Likewise, of all labels together.
        warnings: For the user, in sentences.
    """

    decode: DecodeConfig
    target: float
    n_recordings: int
    n_groups: int
    hours: float
    per_label: tuple[TunedLabel, ...]
    recall: Interval
    false_alarms_per_hour: Interval
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        shared = ("target", "n_recordings", "n_groups", "hours")
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
    """Choose the settings of every label that was coded; the same input gives the same choice.

    Among settings that do as well, those nearest to ``base`` are taken. A label that nobody coded
    keeps its settings, and its alarms are not counted.

    Args:
        recordings: Scored by a model that was not trained on them; scores of the same labels.
        base: The settings so far; its background label makes no events.
        config: The target and the grid.
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
        target=config.false_alarms_per_hour,
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
            f"Expected a reference coding with some of the labels {labels}, received "
            f"{sorted(truth) or 'no event'}; check that it names the videos as the scores do"
        )
    return coded


def _list_groups(recordings: Sequence[ScoredRecording]) -> list[str]:
    return [recording.group or recording.name for recording in recordings]


def _expect(
    counts: RuleCounts, recordings: Sequence[ScoredRecording], rate: float
) -> tuple[Interval, Interval]:
    """Return recall and alarms where each group is scored with the choice of all the others."""
    groups = np.array(_list_groups(recordings))
    if len(set(groups)) < 2:
        reason = "there is only one recording or group, and it made the choice; give more"
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

    recall, alarms = bootstrap_figures(
        compute,
        groups.tolist(),
        "recordings",
        "no coded event was drawn",
        known={1: Rate(false.sum(axis=0), counts.hours)},
    )
    return recall, alarms


def _list_warnings(
    recordings: Sequence[ScoredRecording],
    base: DecodeConfig,
    config: TuneConfig,
    per_label: Sequence[TunedLabel],
) -> list[str]:
    hours, rate = sum(item.hours for item in recordings), config.false_alarms_per_hour
    few = warn_few_groups(len(set(_list_groups(recordings))), "groups of recordings")
    warnings = [few] if few else []
    if rate * hours < _RULE_OF_THREE:
        needed = f"at least {_format(_RULE_OF_THREE / rate)} h" if rate else "no length"
        most = _format(_RULE_OF_THREE / hours)
        warnings.append(
            f"{_format(hours)} h cannot support {rate:g} false alarms per hour: even without "
            f"a single one there could be {most} an hour (rule of three); "
            f"{needed} would be enough"
        )
    n_false = sum(item.n_false for item in per_label)
    if n_false > compute_budget(rate, hours):
        warnings.append(
            f"No settings that were tried give {rate:g} false alarms per hour or fewer: the "
            f"strictest give {_format(n_false / hours)}"
        )
    warnings += [
        f"The rules of {item.label} find none of its {item.n_true} coded events: no settings that "
        f"were tried do, within {rate:g} false alarms per hour. Allow more of them, or leave the "
        f"label out"
        for item in per_label
        if item.n_true and not item.n_hits
    ]
    tuned = {item.label for item in per_label}
    uncoded = [x for x in recordings[0].scores.labels if x not in tuned and x != base.background]
    if uncoded:
        warnings.append(
            f"Nobody coded {', '.join(uncoded)}: its settings stay, its alarms are left out"
        )
    return warnings


def _format(amount: float) -> str:
    return f"{amount:.2g}" if amount < _WHOLE_FROM else f"{amount:.0f}"


_WHOLE_FROM = 10.0
