"""Sequences as windows of features, the own body's alone, and what single windows show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from har.pose.features import N_OWN, compute_window
from har.sampling.times import compute_window_starts
from self_hits_parts.samples import Sample

WINDOW_S, HOP_S = 2.5, 0.8
_SHOWS, _BESIDE = 0.5, 0.15


@dataclass(frozen=True)
class Windows:
    """N windows of S sequences of people.

    Attributes:
        features: (N, T, N_OWN) float16, zeros where there is no step.
        rows: (N,) which of the S each is of.
        is_shown: (N,) whether it shows enough of the act; of what is no hit, always.
        family, kind, domain, group, action, sequence: (S,) str, as in `Sample`.
        is_plain: (S,) bool.
    """

    features: np.ndarray
    rows: np.ndarray
    is_shown: np.ndarray
    family: np.ndarray
    kind: np.ndarray
    domain: np.ndarray
    group: np.ndarray
    action: np.ndarray
    sequence: np.ndarray
    is_plain: np.ndarray


def cut_windows(samples: Iterable[Sample], rate_hz: float) -> Windows:
    """Return the windows of people, as the product cuts recordings."""
    n_steps, hop = round(WINDOW_S * rate_hz), round(HOP_S * rate_hz)
    features, rows, shown, kept = [], [], [], []
    for sample in samples:
        before = len(features)
        for start in compute_window_starts(len(sample.points), n_steps, hop):
            points = sample.points[start : start + n_steps, None]
            window = compute_window(points, rate_hz)
            share = _compute_share(sample, start / rate_hz, len(points) / rate_hz)
            if not len(window.features) or (sample.kind == "hit" and _BESIDE <= share < _SHOWS):
                continue
            padded = np.zeros((n_steps, N_OWN), np.float16)
            padded[: len(points)] = window.features[0, :, :N_OWN]
            features.append(padded)
            rows.append(len(kept))
            shown.append(sample.kind != "hit" or share >= _SHOWS)
        if len(features) > before:
            kept.append(sample)
    names = ("family", "kind", "domain", "group", "action", "sequence", "is_plain")
    columns = {name: np.array([getattr(s, name) for s in kept]) for name in names}
    return Windows(np.stack(features), np.array(rows), np.array(shown), **columns)


def _compute_share(sample: Sample, left_s: float, length_s: float) -> float:
    begin_s, end_s = sample.span_s
    both_s = max(min(end_s, left_s + length_s) - max(begin_s, left_s), 0.0)
    return both_s / max(min(end_s - begin_s, length_s), 1e-6)


def save_windows(path: Path, windows: Windows) -> None:
    """Write windows to an ``.npz``."""
    np.savez(path, **vars(windows))


def load_windows(path: Path) -> Windows:
    """Read what `save_windows` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return Windows(**{item.name: file[item.name] for item in fields(Windows)})


def join_windows(parts: list[Windows]) -> Windows:
    """Return the windows of several sets as one."""
    shift = np.cumsum([0, *(len(part.family) for part in parts[:-1])])
    values = {
        item.name: np.concatenate([getattr(part, item.name) for part in parts])
        for item in fields(Windows)
        if item.name != "rows"
    }
    rows = np.concatenate([part.rows + at for part, at in zip(parts, shift, strict=True)])
    return Windows(rows=rows, **values)
