"""What there is to count in the codings of several observers, for `har.metrics.observers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from har.config import AgreeConfig
from har.metrics.agreement import F1_FIGURES, ObservedRecording
from har.metrics.events import EventMetrics
from har.metrics.ioa import IOA_FIGURES, compute_ioa, count_onsets
from har.metrics.kappa import (
    compute_alpha,
    compute_edit_score,
    compute_kappa,
    count_coincidences,
    count_table,
    sample_bins,
)

Codes = tuple[list[np.ndarray], int]
"""An (M, N) int64 array a recording of the codes that M observers gave to N bins, and how many
different codes there are."""


@dataclass(frozen=True)
class PairCounts:
    """What there is to count for P pairs of observers, L labels and R recordings.

    The first of the L + 1 rows is of all labels.

    Attributes:
        shares: (P, L + 1, S, R) figures that are means over recordings, NaN where not defined.
        tables: L + 1 arrays (P, R, C, C): codes of bins by both observers.
        steps: L + 1 arrays (P, R, M, M): counts of intervals by both observers.
        n_events: (P, L + 1, R) events of both observers.
        n_pairs: (P, L + 1, len(F1_FIGURES), R) events that match.
    """

    shares: np.ndarray
    tables: list[np.ndarray]
    steps: list[np.ndarray]
    n_events: np.ndarray
    n_pairs: np.ndarray

    def compute(self, weights: np.ndarray) -> np.ndarray:
        """Return (P, L + 1, len(MEAN_FIGURES)), each recording counted ``weights`` times."""
        *means, edit = np.moveaxis(mean_defined(self.shares, weights), -1, 0)
        tables = [np.tensordot(table, weights, (1, 0)) for table in self.tables]
        steps = [np.tensordot(table, weights, (1, 0)) for table in self.steps]
        chance = [
            np.stack([compute_kappa(table) for table in tables], axis=1),
            np.stack([compute_kappa(table, "linear") for table in steps], axis=1),
            np.stack([compute_kappa(table, "quadratic") for table in steps], axis=1),
            np.stack(
                [compute_alpha(table + np.swapaxes(table, -1, -2)) for table in tables], axis=1
            ),
        ]
        n_events = self.n_events @ weights
        n_pairs = np.moveaxis(self.n_pairs @ weights, -1, 0)
        f1 = [np.where(n_events > 0, 2 * n / np.maximum(n_events, 1), np.nan) for n in n_pairs]
        return np.stack([*means, *chance, *f1, edit], axis=-1)


def mean_defined(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean over the last axis of what is defined, NaN where nothing is."""
    is_defined = np.isfinite(values)
    total = is_defined @ weights.astype(np.float64)
    summed = np.where(is_defined, values, 0.0) @ weights.astype(np.float64)
    return np.where(total > 0, summed / np.where(total > 0, total, 1.0), np.nan)


def count_pairs(
    pairs: Sequence[tuple[int, int]],
    labels: Sequence[str],
    recordings: Sequence[ObservedRecording],
    by_pair: Sequence[EventMetrics],
    codes: Sequence[Codes],
    config: AgreeConfig,
) -> PairCounts:
    """Count all that figures of pairs are computed from.

    Args:
        pairs: P places of two observers.
        labels: L of them.
        recordings: R of them.
        by_pair: The matched events of each pair.
        codes: Those of bins, of all labels together and of each.
        config: How time is divided.
    """
    onsets = [_count_steps(label, recordings, config) for label in labels]
    n_steps = 1 + max(int(item.max()) for row in onsets for item in row)
    steps = [_build_tables(pairs, row, n_steps) for row in onsets]
    shape = (len(pairs), len(recordings), len(labels))
    counted = [[item.n_true + item.n_found for item in one.per_recording] for one in by_pair]
    paired = [[item.n_pairs for item in one.per_recording] for one in by_pair]
    n_events = np.moveaxis(np.array(counted).reshape(shape), 2, 1)
    n_pairs = np.moveaxis(np.array(paired).reshape(*shape, len(F1_FIGURES)), 1, 3)
    return PairCounts(
        shares=np.array([_share_pair(pair, labels, recordings, config) for pair in pairs]),
        tables=[_build_tables(pairs, *row) for row in codes],
        steps=[np.sum(steps, axis=0), *steps],
        n_events=np.concatenate([n_events.sum(axis=1, keepdims=True), n_events], axis=1),
        n_pairs=np.concatenate([n_pairs.sum(axis=1, keepdims=True), n_pairs], axis=1),
    )


def _share_pair(
    pair: tuple[int, int],
    labels: Sequence[str],
    recordings: Sequence[ObservedRecording],
    config: AgreeConfig,
) -> np.ndarray:
    """Return (L + 1, len(IOA_FIGURES) + 1, R): interobserver agreement, and the edit score."""
    values = np.full((len(labels) + 1, len(IOA_FIGURES) + 1, len(recordings)), np.nan)
    for column, recording in enumerate(recordings):
        for row, label in enumerate(labels, start=1):
            first, second = (recording.select(place, label) for place in pair)
            values[row, :-1, column] = compute_ioa(
                first, second, recording.duration_s, config.interval_s
            )
        orders = [
            [event.label for event in recording.select(place, "") if event.label in labels]
            for place in pair
        ]
        values[0, -1, column] = compute_edit_score(*orders)
    by_label = np.moveaxis(values[1:, :-1], 0, -1)
    values[0, :-1] = mean_defined(by_label, np.ones(len(labels)))
    return values


def sample_codes(
    label: str, recordings: Sequence[ObservedRecording], config: AgreeConfig
) -> list[np.ndarray]:
    """Return an (M, N) int64 array a recording: whether each observer has the label in a bin."""
    return [
        np.array(
            [
                sample_bins(recording.select(place, label), recording.duration_s, config.bin_s)
                for place in range(len(recording.codings))
            ],
            dtype=np.int64,
        )
        for recording in recordings
    ]


def join_codes(by_label: Sequence[Sequence[np.ndarray]]) -> Codes:
    """Return one code for what is there together in each bin, and how many codes there are."""
    shapes = [item.shape for item in by_label[0]]
    present = np.stack([np.concatenate([item.ravel() for item in row]) for row in by_label], -1)
    _, codes = np.unique(present, axis=0, return_inverse=True)
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    parts = np.split(codes.ravel(), ends)
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)], int(
        codes.max()
    ) + 1


def _count_steps(
    label: str, recordings: Sequence[ObservedRecording], config: AgreeConfig
) -> list[np.ndarray]:
    """Return an (M, I) int64 array a recording: events that begin in each of I intervals."""
    return [
        np.array(
            [
                count_onsets(
                    recording.select(place, label), recording.duration_s, config.interval_s
                )
                for place in range(len(recording.codings))
            ]
        )
        for recording in recordings
    ]


def _build_tables(
    pairs: Sequence[tuple[int, int]], codes: Sequence[np.ndarray], n_codes: int
) -> np.ndarray:
    """Return (P, R, C, C) tables of codes of both observers of each pair."""
    return np.array(
        [
            [count_table(item[first], item[second], n_codes) for item in codes]
            for first, second in pairs
        ]
    )


def count_set(members: tuple[int, ...], codes: Sequence[np.ndarray], n_codes: int) -> np.ndarray:
    """Return (R, C, C) coincidences of some observers."""
    return np.array([count_coincidences(item[list(members)], n_codes) for item in codes])


def compute_set_alpha(coincidences: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return (L + 1,) alphas."""
    return np.array([compute_alpha(np.tensordot(weights, one, 1)) for one in coincidences])
