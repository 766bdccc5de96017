"""Computes how far observers agree: what there is to count in each recording, and the figures.

What the figures are: see `har.metrics.agreement`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from har.config import AgreeConfig
from har.errors import ConfigError
from har.metrics.agreement import (
    EVENT_FIGURES,
    MEAN_FIGURES,
    Agreement,
    Budget,
    Ceiling,
    LabelAgreement,
    ObservedRecording,
    Observer,
    PairAgreement,
    PairKind,
    RecordingAgreement,
    SetAlpha,
)
from har.metrics.events import CodedRecording, EventMetrics, compute_event_metrics
from har.metrics.intervals import Interval, bootstrap_figures, to_value
from har.metrics.ioa import measure_time_s
from har.metrics.observer_counts import (
    PairCounts,
    compute_set_alpha,
    count_pairs,
    count_set,
    join_codes,
    mean_defined,
    sample_codes,
)

MAX_BINS = 50_000_000
"""More bins of all observers are refused: half a year of two observers, second by second."""
_UNDEFINED = "there is nothing to agree or disagree on"
_Row = list[Interval]


def compute_agreement(
    observers: Sequence[Observer],
    labels: Sequence[str],
    recordings: Sequence[ObservedRecording],
    config: AgreeConfig | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Compare what several observers coded in the same recordings.

    Args:
        observers: Two or more, in the order of each recording's codings.
        labels: Those that count; events of others are left out.
        recordings: Coded by all observers; those without any event count as well.
        config: How time is divided; the defaults when None.
        n_resamples: Resamples of whole groups of recordings for the intervals.
        seed: Same seed, same intervals.

    Raises:
        ConfigError: There are fewer than two observers, no recording or no label, or the recordings
            are too long for so short bins.

    >>> from har.types import Event
    >>> coded = (Event("hit", 1.0, 3.0, 1.0), Event("hit", 12.0, 13.0, 1.0))
    >>> film = ObservedRecording("a", 20.0, (coded, coded[:1]))
    >>> found = compute_agreement([Observer("Ann"), Observer("Ben")], ["hit"], [film])
    >>> figures = found.pairs[0].overall.figures
    >>> figures["total_count"].mean, figures["recall"].mean, figures["precision"].mean
    (0.5, 0.5, 1.0)
    """
    if len(observers) < 2 or not labels or not recordings:
        raise ConfigError(
            f"Expected two observers or more, a label and a recording that all of them coded, "
            f"received {len(observers)}, {len(labels)} and {len(recordings)}; check that the "
            "codings name the same videos"
        )
    config, labels = config or AgreeConfig(), tuple(labels)
    _check_size(len(observers), recordings, config)
    groups = [recording.group or recording.name for recording in recordings]
    pairs = list(combinations(range(len(observers)), 2))
    by_pair = [_compare_events(pair, labels, recordings, n_resamples, seed) for pair in pairs]
    bins = [sample_codes(label, recordings, config) for label in labels]
    codes = [join_codes(bins), *((row, 2) for row in bins)]
    counts = count_pairs(pairs, labels, recordings, by_pair, codes, config)
    sets = _list_sets(observers)
    coincidences = [[count_set(members, *row) for row in codes] for members in sets]
    layout = _Layout(observers, pairs, len(sets), len(labels) + 1)
    intervals = bootstrap_figures(
        lambda weights: layout.join(
            counts.compute(weights), [compute_set_alpha(item, weights) for item in coincidences]
        ),
        groups,
        "recordings",
        _UNDEFINED,
        n_resamples,
        seed,
    )
    by_row, alphas, ceilings = layout.split(intervals)
    rows = ("", *labels)
    return Agreement(
        observers=tuple(observers),
        labels=labels,
        n_recordings=len(recordings),
        recordings=tuple(recordings),
        n_groups=len(set(groups)),
        hours=sum(recording.duration_s for recording in recordings) / 3600.0,
        config=config,
        pairs=tuple(
            _describe_pair([observers[place] for place in pair], rows, figures, events)
            for pair, figures, events in zip(pairs, by_row, by_pair, strict=True)
        ),
        alphas=tuple(
            SetAlpha(
                tuple(observers[place].name for place in members),
                figures[0],
                dict(zip(labels, figures[1:], strict=True)),
            )
            for members, figures in zip(sets, alphas, strict=True)
        ),
        ceilings=tuple(
            Ceiling(label, *(_name(part, label) for part in parts))
            for label, *parts in (zip(rows, *ceilings, strict=True) if ceilings else ())
        ),
        per_recording=tuple(_list_recordings(observers, pairs, rows, recordings, counts)),
        budgets=tuple(_list_budgets(observers, labels, recordings)),
    )


def _check_size(n_observers: int, recordings: Sequence[ObservedRecording], c: AgreeConfig) -> None:
    total_s, part_s = sum(item.duration_s for item in recordings), min(c.bin_s, c.interval_s)
    if n_observers * total_s / part_s <= MAX_BINS:
        return
    longest = max(recordings, key=lambda item: item.duration_s)
    raise ConfigError(
        f"{len(recordings)} recordings of {total_s / 3600:.6g} h in all have too many bins of "
        f"{part_s:g} s for {n_observers} observers (at most {MAX_BINS:,}). The longest is "
        f"{longest.name} with {longest.duration_s:g} s: check that its times are seconds, or take "
        "longer bins (--bin)"
    )


def _list_sets(observers: Sequence[Observer]) -> list[tuple[int, ...]]:
    """Return the sets of more than two observers that get an alpha: all, and all people."""
    everyone = tuple(range(len(observers)))
    people = tuple(place for place in everyone if not observers[place].is_model)
    return [members for members in dict.fromkeys((everyone, people)) if len(members) > 2]


class _Layout:
    """Where each figure stands in the row of numbers that is drawn again and again."""

    def __init__(
        self,
        observers: Sequence[Observer],
        pairs: Sequence[tuple[int, int]],
        n_sets: int,
        n_rows: int,
    ) -> None:
        kinds = [_find_kind([observers[place] for place in pair]) for pair in pairs]
        self._people = [place for place, kind in enumerate(kinds) if kind == "people"]
        self._model = [place for place, kind in enumerate(kinds) if kind == "model"]
        self._n_sets, self._shape = n_sets, (len(pairs), n_rows, len(MEAN_FIGURES))

    def join(self, values: np.ndarray, alphas: Sequence[np.ndarray]) -> np.ndarray:
        """Return all figures in a row: (P, L + 1, F) of pairs, alphas, and means over pairs."""
        parts = [values.ravel(), *alphas]
        if self._people and self._model:
            people, model = (
                mean_defined(np.moveaxis(values[places], 0, -1), np.ones(len(places)))
                for places in (self._people, self._model)
            )
            parts += [item.ravel() for item in (people, model, model - people)]
        return np.concatenate(parts)

    def split(
        self, row: Sequence[Interval]
    ) -> tuple[list[list[_Row]], list[list[Interval]], list[list[_Row]]]:
        """Return the figures of each pair and label, the alphas of each set, and the means."""
        n_pairs, n_rows, n_figures = self._shape
        n_all = n_pairs * n_rows
        cells = [list(row[n : n + n_figures]) for n in range(0, n_all * n_figures, n_figures)]
        pairs = [cells[n : n + n_rows] for n in range(0, n_all, n_rows)]
        at = n_all * n_figures
        alphas = [list(row[at + n * n_rows :][:n_rows]) for n in range(self._n_sets)]
        at += self._n_sets * n_rows
        rest = [list(row[n : n + n_figures]) for n in range(at, len(row), n_figures)]
        return pairs, alphas, [rest[n : n + n_rows] for n in range(0, len(rest), n_rows)]


def _find_kind(pair: Sequence[Observer]) -> PairKind:
    n_models = sum(observer.is_model for observer in pair)
    return ("people", "model", "models")[n_models]


def _name(figures: Sequence[Interval], label: str) -> dict[str, Interval]:
    """Return figures by name; the edit score is of all labels together only."""
    named = dict(zip(MEAN_FIGURES, figures, strict=True))
    return {name: item for name, item in named.items() if not (label and name == "edit")}


def _compare_events(
    pair: tuple[int, int],
    labels: Sequence[str],
    recordings: Sequence[ObservedRecording],
    n_resamples: int,
    seed: int,
) -> EventMetrics:
    """Match the events of two observers; those of the first count as the true ones."""
    first, second = pair
    coded = [
        CodedRecording(
            item.name, item.codings[first], item.codings[second], item.duration_s, item.group
        )
        for item in recordings
    ]
    return compute_event_metrics(labels, coded, n_resamples, seed)


def _describe_pair(
    pair: Sequence[Observer], rows: Sequence[str], figures: Sequence[_Row], events: EventMetrics
) -> PairAgreement:
    overall, *per_label = (
        LabelAgreement(
            label, _name(row, label) | {name: item.figures[name] for name in EVENT_FIGURES}
        )
        for label, row, item in zip(rows, figures, (events.overall, *events.per_label), strict=True)
    )
    first, second = (observer.name for observer in pair)
    return PairAgreement(first, second, _find_kind(pair), overall, tuple(per_label))


def _list_recordings(
    observers: Sequence[Observer],
    pairs: Sequence[tuple[int, int]],
    rows: Sequence[str],
    recordings: Sequence[ObservedRecording],
    counts: PairCounts,
) -> Iterator[RecordingAgreement]:
    """Yield what each pair agrees on in each recording."""
    for place, recording in enumerate(recordings):
        values = counts.compute(np.eye(len(recordings), dtype=np.int64)[place])
        for number, (first, second) in enumerate(pairs):
            for row, label in enumerate(rows):
                wanted = (label,) if label else rows
                n_first, n_second = (
                    sum(event.label in wanted for event in recording.codings[one])
                    for one in (first, second)
                )
                named = dict(zip(MEAN_FIGURES, map(to_value, values[number, row]), strict=True))
                yield RecordingAgreement(
                    recording.name,
                    recording.group or recording.name,
                    label,
                    observers[first].name,
                    observers[second].name,
                    n_first,
                    n_second,
                    {name: item for name, item in named.items() if not (label and name == "edit")},
                )


def _list_budgets(
    observers: Sequence[Observer], labels: Sequence[str], recordings: Sequence[ObservedRecording]
) -> Iterator[Budget]:
    """Yield how often and how long each observer has each label, in all and in each recording."""
    for place, observer in enumerate(observers):
        for label in labels:
            found = [recording.select(place, label) for recording in recordings]
            amounts = [
                (item.name, len(events), measure_time_s(events), item.duration_s)
                for item, events in zip(recordings, found, strict=True)
            ]
            _, n_events, times_s, lengths_s = zip(*amounts, strict=True)
            total = ("", sum(n_events), sum(times_s), sum(lengths_s))
            for name, n, time_s, length_s in (total, *amounts):
                rate, share = n / (length_s / 60.0), time_s / length_s
                yield Budget(observer.name, name, label, n, rate, time_s, share)
