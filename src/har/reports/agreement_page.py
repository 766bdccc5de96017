"""The report on codings of several observers: every figure with its sentence, each recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from har.metrics.agreement import Agreement, Budget, ObservedRecording, PairAgreement
from har.metrics.intervals import Interval
from har.progress import format_count
from har.render.svg import name_colors
from har.render.text import format_time
from har.render.timeline import Lane, draw_lanes, to_bar
from har.reports.agreement_text import (
    NAMES,
    PERCENT,
    explain_ceiling,
    explain_pair,
    format_figure,
    format_value,
)
from har.reports.facts import list_versions
from har.reports.limits import OF_INTERVALS, list_limits
from har.reports.page import (
    Cell,
    Chart,
    Facts,
    Figure,
    Headline,
    Page,
    Part,
    Points,
    Section,
    Table,
    Text,
    format_interval,
)

_MAIN = ("kappa", "interval_by_interval", "scored_interval", "f1@0.1")
"""Figures that are shown first and by label."""
_RANKED_BY = "scored_interval"
_MOST_TIMELINES = 12


@dataclass(frozen=True)
class AgreementReport:
    """The content of a report on agreement.

    Attributes:
        found: What was compared and how far it agrees.
        facts: Where the codings are from, by name.
        command: Makes the page again.
    """

    found: Agreement
    facts: Mapping[str, str] = field(default_factory=dict)
    command: str = ""


def build_agreement_page(report: AgreementReport) -> Page:
    """Return the page of a report; all text in it may hold any character."""
    found = report.found
    names = [observer.name for observer in found.observers]
    has_model = any(observer.is_model for observer in found.observers)
    limits = list_limits(found.labels) if has_model else [OF_INTERVALS]
    sections = [
        Section("Result", _build_headline(found)),
        Section("The model beside people", _describe_ceilings(found)),
        Section("All figures", [_list_pair(found, pair) for pair in found.pairs]),
        Section("By label", [_list_labels(pair) for pair in found.pairs if pair.per_label[1:]]),
        Section("Recordings", _list_recordings(found)),
        Section("Observers over time", _draw_recordings(found)),
        Section("How much each coded", [_list_budgets(found.budgets)]),
        Section("Data", [Facts({**report.facts, **list_versions()}, report.command)]),
        Section("Limits", [Points(limits)]),
    ]
    return Page(
        kind="Agreement of observers",
        title=", ".join(names),
        lead=(
            f"{format_count(found.n_recordings, 'recording')} in "
            f"{format_count(found.n_groups, 'group')}, {found.hours:.3g} h, "
            f"coded by each. Intervals of {found.config.interval_s:g} s; kappa and alpha in bins "
            f"of {found.config.bin_s:g} s. 95 % intervals are over groups drawn whole."
        ),
        sections=sections,
        notes=found.notes,
    )


def _build_headline(found: Agreement) -> list[Part]:
    """Return alpha of all observers where there are several, and figures of the first pair."""
    pair = found.pairs[0]
    sentences = dict(explain_pair(found, pair))
    figures = [
        Figure(
            f"Krippendorff's alpha: {', '.join(item.observers)}",
            item.overall,
            "How far all of them agree beyond chance: 0 is what chance gives, 1 is perfect.",
            is_share=False,
        )
        for item in found.alphas
        if item.overall.mean is not None
    ]
    of_pair = [
        Figure(NAMES[name], pair.overall.figures[name], sentences[name], is_share=name in PERCENT)
        for name in _MAIN
        if name in sentences
    ]
    parts: list[Part] = [Headline(tuple(figures))] if figures else []
    if figures:
        parts.append(Text(f"The first two, {pair.first} and {pair.second}:"))
    return [*parts, Headline(tuple(of_pair))]


def _list_pair(found: Agreement, pair: PairAgreement) -> Part:
    """Return all figures of a pair, each with what it means; open where it is the only one."""
    figures = pair.overall.figures
    rows: list[list[Cell]] = [
        [NAMES[name], *_show(name, figures[name]), sentence]
        for name, sentence in explain_pair(found, pair)
    ]
    who = f"{pair.first} and {pair.second}"
    header = ("figure", "value", "95 % interval", "which means")
    fold = "" if len(found.pairs) == 1 else f"All figures of {who}"
    return Table(header, rows, f"Agreement of {who}", fold=fold, n_open=len(rows), wraps=True)


def _show(name: str, figure: Interval) -> tuple[str, str]:
    if figure.low is None or figure.high is None or name not in PERCENT:
        limits = format_interval(figure)
    else:
        limits = f"{format_value(name, figure.low)} to {format_value(name, figure.high)}"
    return format_value(name, figure.mean), limits


def _list_labels(pair: PairAgreement) -> Part:
    rows: list[list[Cell]] = [
        [item.label, *(format_value(name, item.figures[name].mean) for name in _MAIN)]
        for item in sorted(pair.per_label, key=lambda item: item.figures["kappa"].mean or 0.0)
    ]
    who = f"{pair.first} and {pair.second}"
    meaning = f"{who}, the label with the lowest kappa first: that is the one to define better."
    header = ("label", *(NAMES[name] for name in _MAIN))
    return Table(header, rows, f"Labels, {who}", meaning)


def _describe_ceilings(found: Agreement) -> list[Part]:
    if not found.ceilings:
        return []
    overall = found.ceilings[0]
    rows: list[list[Cell]] = [
        [
            NAMES[name],
            format_value(name, overall.people[name].mean),
            format_value(name, overall.model[name].mean),
            format_figure(name, overall.difference[name]),
        ]
        for name in NAMES
        if name in overall.people
    ]
    header = ("figure", "people with each other", "model with people", "difference, 95 %")
    meaning = (
        "A model cannot be expected to agree more with people than they do with each other: that "
        "is the ceiling."
    )
    sentences = [explain_ceiling(overall, name) for name in _MAIN if name in overall.people]
    return [
        Table(header, rows, "The model beside people", meaning, n_open=len(rows)),
        Points([sentence for sentence in sentences if sentence]),
    ]


def _list_recordings(found: Agreement) -> list[Part]:
    """Return the figures of each recording and pair, the worst first."""
    items = sorted(
        (item for item in found.per_recording if not item.label),
        key=lambda item: (_rank(item.figures.get(_RANKED_BY)), item.recording),
    )
    if not items:
        return []
    rows: list[list[Cell]] = [
        [
            item.recording,
            f"{item.first}, {item.second}",
            item.n_first,
            item.n_second,
            *(format_value(name, item.figures.get(name)) for name in _MAIN if name in item.figures),
        ]
        for item in items
    ]
    shown = (NAMES[name] for name in _MAIN if name in items[0].figures)
    header = ("recording", "observers", "events, first", "events, second", *shown)
    meaning = (
        f"By the scored intervals, worst first. Least alike is {items[0].recording}, coded by "
        f"{items[0].first} and {items[0].second}."
    )
    return [Table(header, rows, "Recordings, worst first", meaning, n_text=2)]


def _rank(value: float | None) -> float:
    return 2.0 if value is None else value


def _draw_recordings(found: Agreement) -> list[Part]:
    """Return a timeline a recording with a lane an observer; those that agree least come first."""
    worst: dict[str, float] = {}
    for item in found.per_recording:
        if not item.label:
            value = _rank(item.figures.get(_RANKED_BY))
            worst[item.recording] = min(worst.get(item.recording, 2.0), value)
    ranked = sorted(found.recordings, key=lambda one: (worst.get(one.name, 2.0), one.name))
    drawn = [part for one in ranked[:_MOST_TIMELINES] if (part := _draw_recording(one, found))]
    if len(ranked) > _MOST_TIMELINES:
        drawn.append(Text(f"The {_MOST_TIMELINES} recordings that agree least are drawn."))
    return drawn


def _draw_recording(recording: ObservedRecording, found: Agreement) -> Part | None:
    colors = name_colors(found.labels)
    lanes, counts = [], []
    for observer, events in zip(found.observers, recording.codings, strict=True):
        n_events = sum(event.label in found.labels for event in events)
        counts.append(f"{observer.name} {n_events}")
    for label in found.labels:
        own = [[e for e in events if e.label == label] for events in recording.codings]
        if any(own):
            lanes += [
                Lane(label, colors[label], [to_bar(event) for event in events], observer.name)
                for observer, events in zip(found.observers, own, strict=True)
            ]
    if not lanes:
        return None
    summary = f"Events in {format_time(recording.duration_s)}: {', '.join(counts)}."
    title = f"{recording.name}: observers over time"
    svg = draw_lanes(title, summary, lanes, recording.duration_s)
    return Chart(svg, summary, recording.name, is_wide=True)


def _list_budgets(budgets: Sequence[Budget]) -> Part:
    rows: list[list[Cell]] = [
        [
            item.label,
            item.observer,
            item.n_events,
            f"{item.per_minute:.2f}",
            format_time(item.time_s, 1),
            f"{100 * item.time_share:.1f} %",
        ]
        for item in sorted(budgets, key=lambda item: item.label)
        if not item.recording
    ]
    header = ("label", "observer", "events", "a minute", "time", "of all time")
    meaning = (
        "Observers who differ here use a label differently, or one of them misses it: no figure of "
        "agreement can be high then."
    )
    return Table(header, rows, "Events and time of each observer", meaning, n_text=2)
