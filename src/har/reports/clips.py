"""The report on clips, of one evaluation or of a cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from har.dataset.baseline import ShortcutBaseline
from har.dataset.index import StoredClip
from har.dataset.store import Store
from har.metrics.breakdown import find_worst_errors
from har.metrics.calibration import ReliabilityBin, compute_reliability
from har.metrics.clips import METRICS, ClipMetrics, compute_clip_metrics
from har.metrics.intervals import Interval, warn_few_groups
from har.reports import breakdown
from har.reports.limits import SYNTHETIC, list_limits
from har.reports.page import (
    Facts,
    Figure,
    Headline,
    Page,
    Part,
    Points,
    Section,
    Strips,
    Table,
    Text,
    format_figure,
)

NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "auc": "AUC"}
_MOST_ERRORS = 12
_NOTICEABLE = 0.03
_PROTOCOLS = {
    "grouped": "groups are never divided between training and test",
    "random": "clips of one group are in training and test",
}


@dataclass(frozen=True)
class ClipReport:
    """The content of a report on N clips.

    Attributes:
        kind: What was done.
        title: Its heading.
        protocol: How the figures were measured, in a sentence.
        labels: K names in the model's order.
        clips: N clips.
        truth: (N,) int, indices into ``labels``.
        probs: (S, N, K) probabilities of S seeds; one for a single evaluation.
        intervals: The headline figures, by names of `har.metrics.clips.METRICS`.
        baseline: What file format alone (size, rate, length) reaches; None where not measured.
        warnings: Sentences that a reader must see, such as that a protocol leaks.
        is_synthetic: The clips are synthetic, not filmed; marked beside every heading.
        bins: The reliability of calibrated probabilities; None for that of ``probs``.
        histories: Loss and accuracy by stage, as far as known.
        crossval: Figures of `har crossval` by protocol, as far as known.
        per_fold: Seed, fold, clips and figures of each fold; empty for none.
        facts: Where data and model are from, by name.
        recipe: All training settings; empty where not known.
        command: Makes the page again.
    """

    kind: str
    title: str
    protocol: str
    labels: tuple[str, ...]
    clips: Sequence[StoredClip]
    truth: np.ndarray
    probs: np.ndarray
    intervals: Mapping[str, Interval]
    baseline: ShortcutBaseline | None = None
    warnings: tuple[str, ...] = ()
    is_synthetic: bool = False
    bins: tuple[ReliabilityBin, ...] | None = None
    histories: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    crossval: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    per_fold: Sequence[Mapping[str, Any]] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""

    @property
    def n_seeds(self) -> int:
        """Repetitions."""
        return len(self.probs)

    @cached_property
    def groups(self) -> list[str]:
        """Of each clip."""
        return [clip.group for clip in self.clips]

    @cached_property
    def metrics(self) -> ClipMetrics:
        """Of the predictions of all seeds together."""
        merged = self.probs.reshape(-1, len(self.labels))
        return compute_clip_metrics(self.labels, np.tile(self.truth, self.n_seeds), merged)


def build_clip_page(
    report: ClipReport,
    store: Store | None = None,
    read_frames: breakdown.FrameReader = breakdown.read_stored,
) -> Page:
    """Return the page of a report.

    Args:
        report: All text in it may hold any character.
        store: Has the clips: frames of the worst errors are shown; None shows none.
        read_frames: Gives the frames of a clip.

    Raises:
        StoreError: Frames are missing or damaged.
    """
    mean = report.probs.mean(axis=0)
    worst = find_worst_errors(report.truth, mean, _MOST_ERRORS)
    errors = breakdown.describe_errors(report.labels, report.clips, mean, worst)
    if store is not None and worst:
        strips = breakdown.draw_strips(store, report.labels, report.clips, mean, worst, read_frames)
        errors.append(Strips(strips))
    merged, everyone = report.probs.reshape(-1, len(report.labels)), report.metrics
    bins = report.bins or compute_reliability(np.tile(report.truth, report.n_seeds), merged)
    thresholds = breakdown.describe_thresholds(report.labels, report.truth, report.probs)
    groups = breakdown.describe_groups(report.truth, report.probs, report.groups)
    limits = [Points(list_limits(report.labels))]
    sections = [
        Section("Result", [_build_headline(report)]),
        Section("By class", [breakdown.describe_classes(everyone)]),
        Section("Confusion", [breakdown.describe_confusion(everyone, report.n_seeds)]),
        Section("Thresholds", thresholds),
        Section("Reliability", [breakdown.describe_reliability(bins)]),
        Section("Training", breakdown.describe_history(report.histories)),
        Section("Cross-validation", _describe_crossval(report)),
        Section("Chance level from file format", _describe_baseline(report)),
        Section("By group", groups),
        Section("Worst errors", errors),
        Section("Data and recipe", _describe_data(report)),
        Section("Limits", limits),
    ]
    synthetic = (SYNTHETIC,) if report.is_synthetic else ()
    few = warn_few_groups(len(set(report.groups)))
    return Page(
        kind=report.kind,
        title=report.title,
        lead=report.protocol,
        sections=sections,
        notes=tuple(filter(None, (*synthetic, *report.warnings, few))),
        badge="synthetic" if report.is_synthetic else "",
    )


def _build_headline(report: ClipReport) -> Part:
    baseline = report.baseline
    chance = {} if baseline is None else {"accuracy": baseline.accuracy, "auc": baseline.auc}
    meanings = {
        "accuracy": _explain_accuracy(report.intervals.get("accuracy")),
        "macro_f1": _explain_macro(report.metrics),
        "auc": _explain_auc(report),
    }
    return Headline(
        tuple(
            Figure(NAMES[name], report.intervals[name], meanings[name], chance.get(name))
            for name in METRICS
            if name in report.intervals
        )
    )


def _explain_accuracy(interval: Interval | None) -> str:
    if interval is None or interval.mean is None:
        return "Not defined."
    text = f"Of 100 such clips about {100 * interval.mean:.0f} are called what they are"
    if interval.low is None or interval.high is None:
        return f"{text}. How far this would move with other groups cannot be said."
    return (
        f"{text}; with other groups of the same kind, {100 * interval.low:.0f} to "
        f"{100 * interval.high:.0f} would be no surprise."
    )


def _explain_macro(metrics: ClipMetrics) -> str:
    gap = metrics.accuracy - metrics.macro_f1
    text = "The mean over classes of how well each is found without being called too often. "
    if gap > _NOTICEABLE:
        return f"{text}It is below the accuracy: the rarer classes do worse."
    return f"{text}It is close to the accuracy: no class is left far behind."


def _explain_auc(report: ClipReport) -> str:
    interval, labels = report.intervals["auc"], report.labels
    if interval.mean is None:
        return "Not defined: a class has no clip."
    pair = (
        f"one {labels[1]} and one {labels[0]}" if len(labels) == 2 else "one of a class and another"
    )
    each = "" if len(labels) == 2 else ", averaged over classes"
    return (
        f"Of 100 pairs of clips, {pair}, about {100 * interval.mean:.0f} are put in the right "
        f"order by their probability{each}."
    )


def _describe_baseline(report: ClipReport) -> list[Part]:
    baseline, interval = report.baseline, report.intervals.get("accuracy")
    if baseline is None:
        return []
    rows = [
        ("Always the commonest class", format_figure(baseline.majority), "n/a"),
        (
            "Size, rate and length of the file",
            *map(format_figure, (baseline.accuracy, baseline.auc)),
        ),
        ("This model", *(format_figure(report.intervals[k].mean) for k in ("accuracy", "auc"))),
    ]
    least = None if interval is None else interval.low
    verdict = (
        "The interval of the accuracy lies above both: the pictures tell the model something."
        if least is not None and least > max(baseline.accuracy, baseline.majority)
        else "The interval of the accuracy does not lie above both: this is no sign that actions "
        "are recognized."
    )
    return [
        Table(
            ("guess by", "accuracy", "AUC"),
            rows,
            "Chance level",
            "The chance level from file format (shortcut baseline) guesses the label without any "
            f"picture, from width, height, frame rate, number of frames and length. {verdict}",
        )
    ]


def _describe_crossval(report: ClipReport) -> list[Part]:
    parts: list[Part] = []
    if report.crossval:
        parts.append(_compare_protocols(report.crossval))
    if report.per_fold:
        rows = [
            [
                f"seed {fold['seed']}, fold {fold['fold'] + 1}",
                *(format_figure(fold[name]) for name in METRICS),
                fold["n_clips"],
            ]
            for fold in sorted(report.per_fold, key=lambda fold: fold["accuracy"])
        ]
        header = ("fold", *(NAMES[name] for name in METRICS), "clips")
        lowest = min(fold["accuracy"] for fold in report.per_fold)
        highest = max(fold["accuracy"] for fold in report.per_fold)
        parts.append(
            Text(
                f"From fold to fold the accuracy goes from {lowest:.3f} to {highest:.3f}: that is "
                "what one lucky or unlucky split would have shown."
            )
        )
        parts.append(Table(header, rows, "Folds, worst first", fold="Every fold, worst first"))
    return parts


def _compare_protocols(found: Mapping[str, Mapping[str, Any]]) -> Part:
    rows = []
    for protocol, values in found.items():
        cells = []
        for name in METRICS:
            figure, limits = values[name]["mean"], values[name]["ci95"]
            between = "" if limits is None else " [{:.3f}, {:.3f}]".format(*limits)
            cells.append(f"{format_figure(figure)}{between}")
        rows.append([protocol, *cells])
    kinds = " ".join(f"{name.capitalize()}: {_PROTOCOLS[name]}." for name in found)
    gap = None
    if {"grouped", "random"} <= set(found):
        gap = found["random"]["accuracy"]["mean"] - found["grouped"]["accuracy"]["mean"]
    meaning = (
        "Figures of the recipe, each clip tested by a model that has not learned from it. "
        if gap is None
        else f"Random splits differ by {gap:+.3f} in accuracy: they test on people and places that "
        "were learned from. Only the grouped figures tell what to expect of new ones. "
    )
    return Table(
        ("protocol", *(NAMES[name] for name in METRICS)),
        rows,
        "Grouped against random",
        f"{meaning}In brackets: 95 % intervals over groups. {kinds}",
    )


def _describe_data(report: ClipReport) -> list[Part]:
    parts: list[Part] = [Facts(report.facts, report.command)]
    if report.recipe:
        parts.append(Facts(dict(_flatten(report.recipe)), fold="Every training setting"))
    return parts


def _flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _flatten(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", str(value)))
    return rows
