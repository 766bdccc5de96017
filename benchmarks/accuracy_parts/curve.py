"""What more clips and more places buy: figures for parts of the training clips."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from accuracy_parts.methods import Method
from accuracy_parts.protocols import Stores, Task
from accuracy_parts.scores import save
from har.dataset.store import Store
from har.metrics.clips import bootstrap_metrics
from har.training.crossval import Learner
from har.training.run import Run

CLIPS_PER_CLASS = (5, 10, 20, 40, 80)
GROUPS = (3, 6, 12, 20)
"""About 23 groups are in the training part of a fold, in some folds fewer."""


def measure_curve(
    stores: Stores, task: Task, method: Method, out: Path, n_seeds: int
) -> list[dict[str, Any]]:
    """Return a row for each number of clips a class and of groups that the folds allow.

    Args:
        stores: The prepared clips.
        task: Its folds are tested; parts of their training clips are learnt from.
        method: A cheap one.
        out: Keeps what was computed, so that a run can go on.
        n_seeds: Repetitions, each with its own folds and draws.
    """
    store = stores.load(task.clips, method.color)
    learner = method.build(store, Run(out / "bundle", out, progress=False))
    groups = [clip.group for clip in store.clips]
    rows = []
    for cell in tqdm(list(itertools.product(CLIPS_PER_CLASS, GROUPS)), "learning curve"):
        scored = [_score(learner, store, task, cell, seed, out) for seed in range(n_seeds)]
        probs = [one for one in scored if one is not None]
        if len(probs) < n_seeds:
            continue
        figures = bootstrap_metrics(store.label_indices, np.stack(probs), groups)
        values = {name: figures[name].to_json() for name in ("accuracy", "auc")}
        rows.append({"clips_per_class": cell[0], "groups": cell[1], **values})
    return rows


def _score(
    learner: Learner, store: Store, task: Task, cell: tuple[int, int], seed: int, out: Path
) -> np.ndarray | None:
    """Return (N, K) out-of-fold, or None where a fold has too few clips or groups."""
    path = out / f"clips{cell[0]}.groups{cell[1]}.seed{seed}.npy"
    if path.is_file():
        return np.load(path, allow_pickle=False)
    probs = np.zeros((len(store.clips), len(store.labels)), dtype=np.float32)
    folds = task.build_folds(store, seed)
    for fold in range(task.n_folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        chosen = draw_part(store, train, cell, np.random.default_rng((seed, fold)))
        if chosen is None:
            return None
        probs[test] = learner.compute_probs(chosen, test, seed)
    save(path, probs)
    return probs


_N_TRIES = 300


def draw_part(
    store: Store, train: np.ndarray, cell: tuple[int, int], rng: np.random.Generator
) -> np.ndarray | None:
    """Draw groups, and from them as many clips of each class, spread over the groups.

    Args:
        store: Where the clips are.
        train: Clips to draw from.
        cell: Clips of each class, and groups.
        rng: Draws.

    Returns:
        Positions of the clips, or None where no draw of groups in 300 has enough clips of each.
    """
    n_clips, n_groups = cell
    names = np.array([store.clips[clip].group for clip in train])
    labels = store.label_indices[train]
    known = np.unique(names)
    if len(known) < n_groups:
        return None
    for _ in range(_N_TRIES):
        drawn = np.isin(names, rng.choice(known, n_groups, replace=False))
        if np.bincount(labels[drawn], minlength=len(store.labels)).min() >= n_clips:
            own = [np.flatnonzero(drawn & (labels == k)) for k in range(len(store.labels))]
            return train[np.concatenate([_spread(part, names, n_clips, rng) for part in own])]
    return None


def _spread(
    clips: np.ndarray, names: np.ndarray, n_clips: int, rng: np.random.Generator
) -> np.ndarray:
    """Return some clips, each group's first before any group's second."""
    clips = rng.permutation(clips)
    turn = np.array(
        [np.sum(names[clips[:place]] == names[clip]) for place, clip in enumerate(clips)]
    )
    return clips[np.argsort(turn, kind="stable")][:n_clips]
