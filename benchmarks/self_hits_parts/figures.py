"""The figures: families left out, what may be shipped, and own clips."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from self_hits_parts.building import build_windows
from self_hits_parts.judge import (
    N_FOLDS,
    Fit,
    Pool,
    Setting,
    bootstrap_share,
    compute_weights,
    cross_score,
    decide,
    find_near_misses,
    find_threshold,
    list_families,
    measure_family,
    pool_windows,
)
from self_hits_parts.learners import Inputs, build_learners, compute_inputs
from self_hits_parts.windows import Windows

Figure = dict[str, Any]
CHILDREN = "kinder_gator children"
NEAR = frozenset({CHILDREN, "kinder_gator adults", "utkinect adults", "webcam_mit", "webcam"})
REAL = frozenset({*NEAR, "survfight", "ut"})
SYNTHETIC = frozenset({"synthetic"})
MAY_BE_LEARNT = frozenset({"webcam_mit", "survfight"})
ALL = Setting({"generator": SYNTHETIC, "arms": REAL, "strokes": REAL, "rhythm": REAL}, REAL)
"""Three families and all real people but those of the fold."""
SHIPPED = Setting({"generator": SYNTHETIC, "strokes": MAY_BE_LEARNT}, MAY_BE_LEARNT)
"""What a bundle that is shipped may learn from."""
MOST_CHILDREN = 0.01
TOGETHER = "all, logits averaged"
N_CLIPS = (0, 5, 10, 20)
_OWN_SHARE = 0.4
_SEED = 5


def compare_learners(windows: Windows, inputs: Inputs, out: Path, names: list[str]) -> Figure:
    """Return each learner's figures on each family that is left out, and the one chosen.

    A family's learner and pooling are those that do best on the other families when these are left
    out: the figure reported had no part in the choice.
    """
    figures: Figure = {}
    learners = build_learners(inputs)
    fits = {name: learners[name]() for name in names}
    for family in list_families(windows):
        found = {
            name: _score(windows, ALL, [family], fit, out / f"logits {name} {family}.npy")
            for name, fit in fits.items()
        }
        found[TOGETHER] = np.mean(list(found.values()), axis=0)
        for name, logits in found.items():
            for pool in get_args(Pool):
                said = decide(windows, pool_windows(windows, logits, pool), NEAR)
                figures[f"{name} | {pool} | {family}"] = measure_family(windows, family, said)
                _show(f"{name}, {pool}", family, figures[f"{name} | {pool} | {family}"])
    return {"by_learner": figures, "chosen": choose(figures, list_families(windows))}


def choose(figures: Figure, families: list[str]) -> Figure:
    """Return for each family the learner and pooling that are best on the other ones."""
    tried = sorted({key.rsplit(" | ", 1)[0] for key in figures})
    chosen: Figure = {}
    for family in families:
        others = [name for name in families if name != family]

        def rate(learner: str, others: list[str] = others) -> tuple[bool, float]:
            found = [figures[f"{learner} | {name}"] for name in others]
            children = float(np.mean([f["false_alarms"][CHILDREN][0] for f in found]))
            recall = float(np.mean([f["recall"][0] for f in found]))
            return children <= MOST_CHILDREN, recall

        best = max(tried, key=rate)
        chosen[family] = {"learner": best, **figures[f"{best} | {family}"]}
    recalls = [chosen[family]["recall"][0] for family in families]
    return {**chosen, "mean_recall": float(np.mean(recalls)), "worst_recall": min(recalls)}


def measure_shipped(windows: Windows, inputs: Inputs, out: Path, name: str, pool: Pool) -> Figure:
    """Return the figures of what may be shipped, at two thresholds.

    One is taken from near misses of those who may be learnt from, the other from all near misses of
    the other folds, of which nothing was learnt.
    """
    fit = build_learners(inputs)[name]()
    logits = _score(windows, SHIPPED, [], fit, out / f"logits shipped {name}.npy")
    scores = pool_windows(windows, logits, pool)
    figures: Figure = {"learner": name, "pool": pool}
    for title, domains in (
        ("own near misses", frozenset({"webcam_mit"})),
        ("all near misses", NEAR),
    ):
        said = decide(windows, scores, domains)
        figures[title] = {
            family: measure_family(windows, family, said) for family in ("arms", "rhythm")
        }
        for family in ("arms", "rhythm"):
            _show(f"shipped, {title}", family, figures[title][family])
    return figures


def measure_own(windows: Windows, inputs: Inputs, name: str, pool: Pool) -> Figure:
    """Return recall on people who recorded clips, and on others, by how many clips there were.

    What may be shipped is learnt together with clips of one person of Kinder-Gator: re-aimed hits,
    as many controls and twice as many of what they really do. Judged are hits of that person that
    come from other acts than those recorded, and hits of somebody else; the threshold is that of
    near misses of all others.
    """
    fit = build_learners(inputs)[name]()
    base = _base_rows(windows)
    groups = sorted({g for g in windows.group.tolist() if g.startswith("kinder_gator")})
    rng = np.random.default_rng(_SEED)
    rows: list[Figure] = []
    for turn, group in enumerate(groups):
        other = groups[(turn + 1) % len(groups)]
        order = _draw_order(windows, group, rng)
        for n in N_CLIPS:
            clips = order[:n]
            scores = _learn_with(windows, fit, base, clips, pool)
            rows.append({"person": group, "n": n, **_judge(windows, scores, group, other, order)})
    return {
        str(n): {
            key: bootstrap_share(
                np.concatenate([[r["person"]] * len(r[key]) for r in rows if r["n"] == n]),
                np.concatenate([r[key] for r in rows if r["n"] == n]),
            )
            for key in ("same person", "someone else", "children falsely", "near misses falsely")
        }
        for n in N_CLIPS
    }


def _base_rows(windows: Windows) -> np.ndarray:
    usable = np.isin(windows.domain, list(MAY_BE_LEARNT)) & np.isin(
        windows.family, ["real", "strokes"]
    )
    usable |= windows.family == "generator"
    return np.flatnonzero(usable[windows.rows] & windows.is_shown)


def _draw_order(windows: Windows, group: str, rng: np.random.Generator) -> np.ndarray:
    """Return a person's re-aimed hits that could be recorded, from half of their acts."""
    own = (windows.group == group) & (windows.family == "rhythm") & (windows.kind == "hit")
    acts = rng.permutation(np.unique(windows.action[own]))
    return rng.permutation(np.flatnonzero(own & np.isin(windows.action, acts[: len(acts) // 2])))


def _learn_with(
    windows: Windows, fit: Fit, base: np.ndarray, clips: np.ndarray, pool: Pool
) -> np.ndarray:
    """Return (S,) scores of everyone by what has learnt from recorded clips too."""
    own = np.zeros(len(windows.family), dtype=bool)
    if len(clips):
        group = windows.group[clips[0]]
        names = np.char.replace(windows.sequence[clips], " hit", " control")
        own[clips] = True
        own |= np.isin(windows.sequence, names)
        plain = np.flatnonzero((windows.group == group) & windows.is_plain)
        own[plain[:: max(len(plain) // (2 * len(clips)), 1)][: 2 * len(clips)]] = True
    added = np.flatnonzero(own[windows.rows] & windows.is_shown)
    rows = np.concatenate([base, added])
    labels = (windows.kind[windows.rows[rows]] == "hit").astype(np.float32)
    weights = compute_weights(windows, rows)
    is_own = np.arange(len(rows)) >= len(base)
    for label in (0.0, 1.0):
        part = labels == label
        if (part & is_own).any():
            whole = weights[part].sum()
            weights[part & is_own] *= _OWN_SHARE * whole / weights[part & is_own].sum()
            weights[part & ~is_own] *= (1.0 - _OWN_SHARE) * whole / weights[part & ~is_own].sum()
    predict = fit(rows, labels, weights)
    wanted = np.flatnonzero(np.char.startswith(windows.group, "kinder_gator")[windows.rows])
    wanted = np.union1d(wanted, np.flatnonzero(find_near_misses(windows)[windows.rows]))
    logits = np.full(len(windows.rows), -np.inf)
    logits[wanted] = predict(wanted)
    return pool_windows(windows, logits, pool)


def _judge(
    windows: Windows, scores: np.ndarray, group: str, other: str, order: np.ndarray
) -> dict[str, np.ndarray]:
    near = find_near_misses(windows) & np.isfinite(scores)
    children = windows.domain == CHILDREN
    chosen = (
        near & ~np.isin(windows.group, [group, other]) & ~np.isin(windows.domain, ["webcam_mit"])
    )
    held = np.zeros(len(scores), dtype=bool)
    held[np.flatnonzero(chosen)[::2]] = True
    threshold = find_threshold(scores[held], windows.domain[held])
    hits = (windows.family == "rhythm") & (windows.kind == "hit")
    acts = np.unique(windows.action[order])
    said = scores > threshold
    real = (windows.family == "real") & windows.is_plain & (windows.group != group)
    return {
        "same person": said[hits & (windows.group == group) & ~np.isin(windows.action, acts)],
        "someone else": said[hits & (windows.group == other)],
        "children falsely": said[real & children],
        "near misses falsely": said[chosen & ~held],
    }


def _score(
    windows: Windows, setting: Setting, left_out: list[str], fit: Fit, path: Path
) -> np.ndarray:
    """Return (N,) logits, computed once."""
    if path.exists():
        return np.load(path)
    began_s = time.perf_counter()
    logits = cross_score(windows, setting, left_out, fit)
    np.save(path, logits)
    took_s = time.perf_counter() - began_s
    print(f"{path.stem}: {N_FOLDS} folds in {took_s:.0f} s", file=sys.stderr, flush=True)
    return logits


def _show(what: str, family: str, figure: Figure) -> None:
    recall, low, high = figure["recall"]
    alarms = ", ".join(f"{k} {100 * v[0]:.1f}" for k, v in figure["false_alarms"].items())
    print(
        f"{what} | {family}: recall {recall:.3f} [{low:.3f}, {high:.3f}], controls said "
        f"{figure['controls_said']:.3f}, AUC against controls {figure['auc_controls']:.3f}, "
        f"against near misses {figure['auc_near_misses']:.3f}; false alarms a hundred: {alarms}",
        flush=True,
    )


def compare_rates(data_dir: Path, out: Path, rates_hz: Sequence[float]) -> Figure:
    """Return recall and AUC at several rates, on what Kinder-Gator's people did at thirty a second.

    Learnt is one of strokes and rhythm, tried the other.
    """
    found: Figure = {}
    for rate_hz in rates_hz:
        windows = build_windows(data_dir, out, rate_hz, "kinder_gator")
        fit = build_learners(compute_inputs(windows.features, rate_hz))["network"]()
        for family in list_families(windows):
            path = out / f"logits rate {rate_hz:g} {family}.npy"
            scores = pool_windows(windows, _score(windows, ALL, [family], fit, path), "mean")
            figure = measure_family(windows, family, decide(windows, scores, NEAR))
            found[f"{rate_hz:g} Hz | {family}"] = figure
            _show(f"{rate_hz:g} Hz", family, figure)
    return found
