"""Rules chosen on the other folds, and what they and the usual ones give on each fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from har.config import DecodeConfig, TuneConfig
from har.events.decoder import decode_events
from har.metrics.alarms import ScoredRecording, compute_curves
from har.metrics.events import CodedRecording, compute_event_metrics
from har.metrics.grid import count_rules
from har.reports.events import EventReport, build_event_page
from har.reports.page import write_page

_NEAR_S = 1.0
"""Rows as near as this to a cut between clips look at both sides of it."""


@dataclass(frozen=True)
class Judged:
    """A scored recording and what else is known of it.

    Attributes:
        recording: Scores and truth; its group is what the intervals are over.
        fold: Rules are never chosen on recordings of the same fold.
        cuts_s: Where clips were joined, but for the first; empty where there are none.
    """

    recording: ScoredRecording
    fold: str
    cuts_s: tuple[float, ...] = ()


def judge(
    items: Sequence[Judged], base: DecodeConfig, rates: Sequence[float], out: Path, title: str
) -> dict[str, Any]:
    """Return all figures of some recordings, and write a page for each rule.

    Args:
        items: Of two folds or more.
        base: The usual rule.
        rates: False alarms per hour, of all labels together, for which rules are chosen.
        out: Gets ``usual/`` and ``tuned_RATE/``, each with a page.
        title: Of the pages.
    """
    recordings = [item.recording for item in items]
    labels = _list_labels(recordings, base.background)
    curves = compute_curves(recordings, labels, base)
    found: dict[str, Any] = {
        "n_recordings": len(items),
        "hours": sum(item.hours for item in recordings),
        "n_acts": sum(curve.n_true for curve in curves),
        "cuts": _compare_cuts(items, base.background),
        "curve": [curve.to_json() for curve in curves],
    }
    rules = {"usual": [base] * len(items)}
    for rate, chosen in _choose(items, labels, base, rates).items():
        rules[f"tuned_{rate:g}"] = chosen
    for name, decodes in rules.items():
        coded = [_cut(item, rule) for item, rule in zip(recordings, decodes, strict=True)]
        metrics = compute_event_metrics(labels, coded)
        protocol = f"{name}: rules of a fold are chosen on the other folds"
        page = EventReport(title, protocol, metrics, curves=curves)
        write_page(out / name / "report.html", build_event_page(page))
        used = {item.fold: asdict(rule) for item, rule in zip(items, decodes, strict=True)}
        found[name] = {**metrics.to_json(), "rules": used}
    return found


def _list_labels(recordings: Sequence[ScoredRecording], background: str) -> list[str]:
    truth = {event.label for item in recordings for event in item.truth}
    return [x for x in recordings[0].scores.labels if x in truth and x != background]


def _cut(recording: ScoredRecording, decode: DecodeConfig) -> CodedRecording:
    events = decode_events(recording.scores, decode)
    return CodedRecording(
        recording.name, recording.truth, events, recording.hours * 3600.0, recording.group
    )


def _choose(
    items: Sequence[Judged], labels: Sequence[str], base: DecodeConfig, rates: Sequence[float]
) -> dict[float, list[DecodeConfig]]:
    """Return for each rate the rules of each recording, chosen without its fold."""
    recordings = [item.recording for item in items]
    counts = count_rules(recordings, labels, base, TuneConfig(), progress=True)
    folds = np.array([item.fold for item in items])
    chosen: dict[float, list[DecodeConfig]] = {}
    for rate in rates:
        chosen[rate] = []
        for fold in folds:
            places = counts.choose(folds != fold, rate)
            named = {
                label: asdict(counts.rules[place][k])
                for k, (label, place) in enumerate(zip(labels, places, strict=True))
            }
            chosen[rate].append(replace(base, labels={**base.labels, **named}))
    return chosen


def _compare_cuts(items: Sequence[Judged], background: str) -> dict[str, float] | None:
    """Return the mean score of any act in background, near joins of clips and far from them."""
    near, far = [], []
    for item in items:
        scores = item.recording.scores
        column = scores.labels.index(background)
        in_act = np.zeros(len(scores.times_s), dtype=bool)
        for event in item.recording.truth:
            reach = (event.onset_s - _NEAR_S, event.offset_s + _NEAR_S)
            in_act |= (scores.times_s >= reach[0]) & (scores.times_s < reach[1])
        cuts_s = np.array(item.cuts_s)
        if len(cuts_s) == 0:
            return None
        apart_s = np.abs(scores.times_s[:, None] - cuts_s[None, :]).min(axis=1)
        act = 1.0 - scores.values[:, column]
        near.append(act[~in_act & (apart_s < _NEAR_S / 4)])
        far.append(act[~in_act & (apart_s >= _NEAR_S)])
    return {
        "near": float(np.concatenate(near).mean()),
        "far": float(np.concatenate(far).mean()),
    }
