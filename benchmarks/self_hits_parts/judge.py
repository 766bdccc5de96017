"""Recall on the way of making that is left out, at one false alarm in a hundred near misses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from self_hits_parts.samples import FAMILIES, is_near_miss
from self_hits_parts.windows import Windows

N_FOLDS = 5
FALSE_SHARE = 0.01
NEVER = frozenset({"sbu"})
"""Real domains from which nothing is learnt and no threshold is taken, in any setting."""

_MOST = 15.0

Pool = Literal["mean", "most"]
Fit = Callable[[np.ndarray, np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]
"""From window rows, labels and weights to what gives logits of window rows."""


@dataclass(frozen=True)
class Setting:
    """What may be learnt from.

    Attributes:
        families: Ways of making, by the domains of their bodies.
        real: Domains of real people.
    """

    families: dict[str, frozenset[str]]
    real: frozenset[str]


def assign_folds(windows: Windows) -> np.ndarray:
    """Return (S,) the fold of each sequence; a group is in one, groups of a domain take turns."""
    folds = np.zeros(len(windows.group), dtype=np.int64)
    for turn, domain in enumerate(sorted(set(windows.domain))):
        own = windows.domain == domain
        names, rows = np.unique(windows.group[own], return_inverse=True)
        folds[own] = (rows + turn) % N_FOLDS if len(names) < N_FOLDS else rows % N_FOLDS
    return folds


def compute_weights(windows: Windows, chosen: np.ndarray) -> np.ndarray:
    """Return the weights of chosen windows: hits against the rest, families and domains alike.

    Of the rest, six tenths are real people and four are drawn.
    """
    rows = windows.rows[chosen]
    kind, family = windows.kind[rows], windows.family[rows]
    source = np.where(family == "real", windows.domain[rows], np.char.add(kind, family))
    share = np.where(kind == "hit", 1.0, np.where(family == "real", 0.6, 0.4))
    weights = np.zeros(len(rows))
    for part in ("hit", "real", "drawn"):
        own = {"hit": kind == "hit", "real": family == "real"}.get(
            part, (kind != "hit") & (family != "real")
        )
        names, counts = np.unique(source[own], return_counts=True)
        for name, count in zip(names, counts, strict=True):
            weights[own & (source == name)] = 1.0 / (len(names) * count)
    return weights * share * len(rows) / 2.0


def choose_rows(
    windows: Windows, folds: np.ndarray, setting: Setting, left_out: Sequence[str], fold: int
) -> np.ndarray:
    """Return the windows to learn from: not of the fold, not of the families left out."""
    family, domain = windows.family, windows.domain
    usable = np.zeros(len(family), dtype=bool)
    for name, domains in setting.families.items():
        if name not in left_out:
            usable |= (family == name) & np.isin(domain, list(domains))
    usable |= (family == "real") & np.isin(domain, list(setting.real - NEVER))
    usable &= folds != fold
    return np.flatnonzero(usable[windows.rows] & windows.is_shown)


def pool_windows(windows: Windows, logits: np.ndarray, pool: Pool) -> np.ndarray:
    """Return (S,) one score of each person's windows: their mean, as clips are judged, or most."""
    shown = windows.is_shown & np.isfinite(logits)
    rows, values = windows.rows[shown], np.clip(logits[shown], -_MOST, _MOST)
    n = len(windows.family)
    if pool == "most":
        scores = np.full(n, -np.inf)
        np.maximum.at(scores, rows, values)
        return scores
    counts = np.bincount(rows, minlength=n)
    means = np.bincount(rows, values, minlength=n) / np.maximum(counts, 1)
    return np.where(counts > 0, means, -np.inf)


def cross_score(
    windows: Windows, setting: Setting, left_out: Sequence[str], fit: Fit
) -> np.ndarray:
    """Return (N,) logits of windows by the model that has seen nobody of their fold."""
    folds = assign_folds(windows)
    logits = np.full(len(windows.rows), -np.inf)
    for fold in range(N_FOLDS):
        chosen = choose_rows(windows, folds, setting, left_out, fold)
        labels = windows.kind[windows.rows[chosen]] == "hit"
        predict = fit(chosen, labels.astype(np.float32), compute_weights(windows, chosen))
        held = np.flatnonzero((folds == fold)[windows.rows])
        logits[held] = predict(held)
    return logits


def find_threshold(scores: np.ndarray, domains: np.ndarray) -> float:
    """Return the score that one near miss in a hundred exceeds, every domain weighing the same."""
    order = np.argsort(-scores)
    names, rows, counts = np.unique(domains, return_inverse=True, return_counts=True)
    weights = 1.0 / (len(names) * counts[rows])
    above = np.cumsum(weights[order])
    at = int(np.searchsorted(above, FALSE_SHARE, side="right"))
    return float(scores[order[min(at, len(order) - 1)]])


@dataclass(frozen=True)
class Said:
    """Decisions on all sequences of people, each at the threshold of the other folds' near misses.

    Attributes:
        said: (S,) bool.
        thresholds: One a fold.
        margins: (S,) scores above the own fold's threshold.
    """

    said: np.ndarray
    thresholds: tuple[float, ...]
    margins: np.ndarray


def decide(windows: Windows, scores: np.ndarray, domains: frozenset[str]) -> Said:
    """Decide at the threshold that near misses of the other folds and of some domains give."""
    folds = assign_folds(windows)
    near = find_near_misses(windows) & np.isin(windows.domain, list(domains))
    thresholds = []
    for fold in range(N_FOLDS):
        chosen = near & (folds != fold) & np.isfinite(scores)
        thresholds.append(find_threshold(scores[chosen], windows.domain[chosen]))
    margins = scores - np.array(thresholds)[folds]
    return Said(margins > 0, tuple(thresholds), margins)


def find_near_misses(windows: Windows) -> np.ndarray:
    """Return (S,) which are real near misses."""
    pairs = zip(windows.domain.tolist(), windows.action.tolist(), strict=True)
    near = np.array([is_near_miss(domain, action) for domain, action in pairs])
    return near & (windows.family == "real")


def bootstrap_share(
    groups: np.ndarray, said: np.ndarray, n: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """Return the share of true values and its 95 % interval by bootstrap over groups."""
    names, rows = np.unique(groups, return_inverse=True)
    true, counts = np.bincount(rows, said.astype(float)), np.bincount(rows)
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(names), size=(n, len(names)))
    drawn = true[picks].sum(axis=1) / counts[picks].sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(said.mean()), float(low), float(high)


def list_families(windows: Windows) -> list[str]:
    """Return the families of which there are hits, in order."""
    return [n for n in FAMILIES if ((windows.family == n) & (windows.kind == "hit")).any()]


def measure_family(windows: Windows, family: str, said: Said) -> dict[str, Any]:
    """Return recall and false alarms of decisions that were made with one family left out."""
    own = windows.family == family
    drawn = {kind: own & (windows.kind == kind) for kind in ("hit", "control", "other")}
    real = (windows.family == "real") & windows.is_plain
    near = find_near_misses(windows)
    figures: dict[str, Any] = {
        "recall": bootstrap_share(windows.group[drawn["hit"]], said.said[drawn["hit"]]),
        "n_hits": int(drawn["hit"].sum()),
        "controls_said": _share(said.said, drawn["control"]),
        "other_gestures_said": _share(said.said, drawn["other"]),
        "auc_controls": compute_auc(said.margins[drawn["hit"]], said.margins[drawn["control"]]),
        "auc_near_misses": compute_auc(said.margins[drawn["hit"]], said.margins[near]),
        "recall_by_bodies": {
            str(name): _share(said.said, drawn["hit"] & (windows.domain == name))
            for name in sorted(set(windows.domain[drawn["hit"]]))
        },
        "false_alarms": {},
    }
    for domain in sorted(set(windows.domain[real])):
        rows = real & (windows.domain == domain)
        figures["false_alarms"][str(domain)] = sum_up_sequences(windows, rows, said.said)
    return figures


def sum_up_sequences(
    windows: Windows, rows: np.ndarray, said: np.ndarray
) -> tuple[float, float, float, int]:
    """Return the share of sequences of which it is said of anyone, its interval, their number."""
    names, first, inverse = np.unique(
        windows.sequence[rows], return_index=True, return_inverse=True
    )
    any_said = np.zeros(len(names), dtype=bool)
    np.logical_or.at(any_said, inverse, said[rows])
    return *bootstrap_share(windows.group[rows][first], any_said), len(names)


def _share(said: np.ndarray, rows: np.ndarray) -> float | None:
    return float(said[rows].mean()) if rows.any() else None


def compute_auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return how often a positive score is above a negative one, ties half."""
    positive, negative = positive[np.isfinite(positive)], np.sort(negative[np.isfinite(negative)])
    below = np.searchsorted(negative, positive, side="left")
    up_to = np.searchsorted(negative, positive, side="right")
    return float((0.5 * (below + up_to)).mean() / max(len(negative), 1))
