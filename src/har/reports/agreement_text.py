"""Agreement as people read it: names and sentences of figures, and tables on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from har.escaping import guard_cell
from har.files import write_csv, write_json
from har.metrics.agreement import MEAN_FIGURES, Agreement, Budget, Ceiling, PairAgreement
from har.metrics.intervals import Interval
from har.metrics.ioa import IOA_FIGURES

NAMES = {
    "total_count": "Total count",
    "mean_count_per_interval": "Mean count-per-interval",
    "exact_count_per_interval": "Exact count-per-interval",
    "interval_by_interval": "Interval-by-interval",
    "scored_interval": "Scored-interval",
    "unscored_interval": "Unscored-interval",
    "total_duration": "Total duration",
    "mean_duration_per_occurrence": "Mean duration-per-occurrence",
    "kappa": "Cohen's kappa",
    "kappa_linear": "Weighted kappa of counts, linear",
    "kappa_quadratic": "Weighted kappa of counts, quadratic",
    "alpha": "Krippendorff's alpha",
    "f1@0.1": "F1 at overlap (tIoU) 0.1",
    "f1@0.25": "F1 at overlap 0.25",
    "f1@0.5": "F1 at overlap 0.5",
    "precision": "Precision",
    "recall": "Recall",
    "edit": "Order of events (edit score)",
    "onset_error_s": "Onset difference, median (s)",
    "onset_error_q1_s": "Onset difference, 1st quartile (s)",
    "onset_error_q3_s": "Onset difference, 3rd quartile (s)",
}
"""What analysts call each figure, in the order in which they are shown."""

PERCENT = frozenset((*IOA_FIGURES, "f1@0.1", "f1@0.25", "f1@0.5", "precision", "recall", "edit"))
"""Shares that are shown in percent."""

_SENTENCES = {
    "total_count": "In a recording the smaller number of events of a behavior is on average "
    "{value} of the larger one{range}. Which events they are does not count.",
    "mean_count_per_interval": "In intervals of {interval_s:g} s the smaller number of events is "
    "on average {value} of the larger one; intervals without any agree.",
    "exact_count_per_interval": "In {value} of the intervals both counted the same number.",
    "interval_by_interval": "In {value} of the intervals both or neither have the behavior. Where "
    "it is rare, this is high by itself.",
    "scored_interval": "Of the intervals in which at least one has the behavior, both have it in "
    "{value}: the strict figure for rare behaviors.",
    "unscored_interval": "Of the intervals in which at least one does not have the behavior, both "
    "do not in {value}: the strict figure for frequent behaviors.",
    "total_duration": "The shorter total time of a behavior is on average {value} of the longer "
    "one.",
    "mean_duration_per_occurrence": "Event by event the shorter one lasts on average {value} of "
    "the longer one; an event that one observer alone coded counts as 0 %.",
    "kappa": "{bins} {value} on a scale where 0 is what chance gives and 1 is perfect: how much "
    "of the agreement that chance does not give is there.",
    "kappa_linear": "The same scale for the number of events in an interval: {value}, if being off "
    "by two is twice as bad as by one.",
    "kappa_quadratic": "{value}, if being off by two is four times as bad.",
    "alpha": "{value} on the same scale, for any number of observers. By convention .800 and more "
    "is relied on, .667 to .800 for tentative conclusions only (Krippendorff, 2004).",
    "f1@0.1": "Of the events of both, {value} have a partner that they overlap by a tenth of the "
    "time that the two cover together.",
    "f1@0.25": "{value} have one that they overlap by a quarter.",
    "f1@0.5": "{value} have one that they overlap by half.",
    "precision": "{value} of the events of {second} are events of {first}, too (overlap 0.1).",
    "recall": "{value} of the events of {first} are events of {second}, too (overlap 0.1).",
    "edit": "{value} of the sequence of behaviors is the same, whenever the events are.",
    "onset_error_s": "Of events that both have, {second} begins them {when} (median).",
}


def format_value(name: str, value: float | None) -> str:
    """Return a figure as text: shares in percent, all else to two digits.

    >>> format_value("total_count", 0.853), format_value("kappa", -0.1), format_value("kappa", None)
    ('85 %', '-0.10', '-')
    """
    if value is None:
        return "-"
    return f"{100 * value:.0f} %" if name in PERCENT else f"{value:.2f}"


def format_figure(name: str, figure: Interval) -> str:
    """Return a figure with its interval as text.

    >>> format_figure("total_count", Interval(0.853, 0.7, 1.0))
    '85 % [70, 100]'
    """
    text = format_value(name, figure.mean)
    if figure.mean is None or figure.low is None or figure.high is None:
        return text
    low, high = (format_value(name, end).removesuffix(" %") for end in (figure.low, figure.high))
    return f"{text} [{low}, {high}]"


def explain_pair(agreement: Agreement, pair: PairAgreement) -> list[tuple[str, str]]:
    """Return for each figure of all labels what it means, in a sentence.

    Args:
        agreement: All of it.
        pair: One of its pairs.

    Returns:
        Names of figures that are defined, and their sentences.
    """
    found, bin_s = [], agreement.config.bin_s
    bins = "Second by second:" if bin_s == 1 else f"In bins of {bin_s:g} s:"
    for name, text in _SENTENCES.items():
        value = pair.overall.figures[name].mean
        if value is None:
            continue
        sentence = text.format(
            value=format_value(name, value),
            range=_find_range(agreement, pair, name),
            interval_s=agreement.config.interval_s,
            bins=bins,
            first=pair.first,
            second=pair.second,
            when=_say_when(value),
        )
        found.append((name, sentence))
    return found


def _find_range(agreement: Agreement, pair: PairAgreement, name: str) -> str:
    """Return the lowest and the highest recording of a pair, where there are several."""
    values = [
        item.figures.get(name)
        for item in agreement.per_recording
        if (item.first, item.second, item.label) == (pair.first, pair.second, "")
    ]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    ends = (format_value(name, end) for end in (min(known), max(known)))
    return " (recordings: {} to {})".format(*ends)


def _say_when(error_s: float) -> str:
    if abs(error_s) < 0.005:
        return "at the same time"
    return f"{abs(error_s):.2f} s {'later' if error_s > 0 else 'earlier'}"


def explain_ceiling(ceiling: Ceiling, name: str) -> str:
    """Return how the model stands to people in one figure, in a sentence; empty if not defined."""
    people, model, gap = (
        part[name] for part in (ceiling.people, ceiling.model, ceiling.difference)
    )
    if people.mean is None or model.mean is None or gap.mean is None:
        return ""
    if gap.low is None or gap.high is None:
        verdict = "there is no interval for the difference"
    elif gap.high < 0:
        verdict = "the model agrees less with people than people with each other"
    elif gap.low > 0:
        verdict = "the model agrees more with people than people with each other"
    else:
        verdict = "these recordings do not show that it agrees less than people do"
    return (
        f"{NAMES[name]}: people with each other {format_figure(name, people)}, the model with "
        f"people {format_figure(name, model)}: {verdict}."
    )


def write_agreement(folder: Path, agreement: Agreement) -> None:
    """Write ``metrics.json``, ``agreement.csv`` by recording and label, and ``budgets.csv``.

    Raises:
        OutputError: A file cannot be written.
    """
    write_json(folder / "metrics.json", agreement.to_json())
    header = ("recording", "group", "label", "first", "second", "n_first", "n_second")
    write_csv(folder / "agreement.csv", (*header, *MEAN_FIGURES), _iter_rows(agreement))
    columns = [field.name for field in fields(Budget)]
    write_csv(
        folder / "budgets.csv",
        columns,
        (_guard(getattr(item, name) for name in columns) for item in agreement.budgets),
    )


def _iter_rows(agreement: Agreement) -> Iterator[list[str]]:
    for item in agreement.per_recording:
        names = (item.recording, item.group, item.label, item.first, item.second)
        figures = (item.figures.get(name) for name in MEAN_FIGURES)
        yield [*_guard(names), *_guard((item.n_first, item.n_second, *figures))]


def _guard(cells: Iterable[object]) -> list[str]:
    """Return cells as text: numbers to six digits, names that no spreadsheet runs."""
    return [
        "" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else guard_cell(str(cell))
        for cell in cells
    ]
