"""Protocols: which clips are learned from and tested on, and what a recipe then reaches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from har.config import PrepareConfig, TrainConfig
from har.dataset.prepare import prepare
from har.dataset.store import Store
from har.files import replacing
from har.training.crossval import HeadFolds
from har.training.run import Run, compute_fingerprint
from order_parts.sets import fold_by_pairs
from pose_parts.intervals import Figure, bootstrap_mean
from protocols_parts.stores import prepare_motion

UT = "ut_interaction_set1"
CURVE = {1: 3, 2: 2, 4: 1}
"""People that are learned from, and how many draws of them there are."""


@dataclass(frozen=True)
class Bench:
    """Where the data is, where results go, and how many seeds are run."""

    data_dir: Path
    out: Path
    n_seeds: int = 3


class Recipe:
    """Trains and tests the pose recipe on splits of a store; what was done is kept on disk."""

    def __init__(self, store: Store, config: TrainConfig, bench: Bench) -> None:
        self._store, self._config = store, config
        folder = bench.out / "work" / compute_fingerprint(config, store.data_hash)
        folder.mkdir(parents=True, exist_ok=True)
        self._run = Run(folder / "bundle", folder)
        self._folds: HeadFolds | None = None

    def score(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Return (n_test, K) probabilities of clips by a head that learned from others."""
        key = compute_fingerprint(train.tolist(), test.tolist(), seed)
        path = self._run.results_dir / f"{key}.npy"
        if path.is_file():
            return np.load(path, allow_pickle=False)
        if self._folds is None:
            self._folds = HeadFolds(self._config, self._store, self._run)
        probs = self._folds.compute_probs(train, test, seed)
        with replacing(path) as part, part.open("wb") as file:
            np.save(file, probs)
        return probs

    def score_folds(self, folds: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Return (S, N) whether each clip was recognized by a head that did not see its fold."""
        truth, right = self._store.label_indices, np.zeros((len(seeds), len(folds)))
        for row, seed in enumerate(seeds):
            for fold in range(int(folds.max()) + 1):
                train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
                right[row, test] = self.score(train, test, seed).argmax(axis=1) == truth[test]
        return right


def list_recipes() -> tuple[TrainConfig, TrainConfig]:
    """Return the pose recipe's linear branch alone, and the recipe."""
    config = TrainConfig(streams="pose")
    still = replace(config.pose.solved_fit, epochs=0)
    return replace(config, pose=replace(config.pose, solved_fit=still)), config


def measure_sbu(bench: Bench) -> Figure:
    """SBU Kinect Interaction: eight actions of two people, the five published folds."""
    store = prepare_motion("sbu_pairs", bench.data_dir, bench.out)
    return _measure_folds(bench, store, fold_by_pairs(_list_groups(store)))


def measure_ut(bench: Bench) -> Figure:
    """UT-Interaction set 1: six actions, each sequence left out in turn."""
    place = bench.out / "stores" / UT
    store = prepare(bench.data_dir / UT / "manifest.csv", place, PrepareConfig()).store
    return _measure_folds(bench, store, np.unique(_list_groups(store), return_inverse=True)[1])


def measure_kinder(bench: Bench) -> Figure:
    """Kinder-Gator: 58 actions, each person left out in turn, adults to children, and the curve."""
    store = prepare_motion("kinder_gator", bench.data_dir, bench.out)
    groups = _list_groups(store)
    bench = replace(bench, n_seeds=min(bench.n_seeds, 1))
    figures = _measure_folds(bench, store, np.unique(groups, return_inverse=True)[1])
    is_child = np.char.startswith(groups, "C:")
    recipe = Recipe(store, list_recipes()[bench.n_seeds], bench)
    figures["of_children"] = float(
        np.mean([value for name, value in figures["of_group"].items() if name.startswith("C:")])
    )
    figures["from_adults_to_children"] = _measure_split(recipe, store, is_child)
    figures["from_children_to_adults"] = _measure_split(recipe, store, ~is_child)
    figures["curve"] = list(_measure_curve(recipe, store, groups))
    return figures


def _measure_folds(bench: Bench, store: Store, folds: np.ndarray) -> Figure:
    groups = _list_groups(store)
    linear, config = list_recipes()
    before, found = _score(linear, bench, store, folds, 1)
    heads = [{"head": "linear branch alone", **found}]
    mean = before
    if bench.n_seeds:
        mean, found = _score(config, bench, store, folds, bench.n_seeds)
        gained = bootstrap_mean(groups.tolist(), mean - before)
        heads.append({"head": "recipe", **found, "gained": gained})
    of_group = {name: float(mean[groups == name].mean()) for name in np.unique(groups).tolist()}
    return {"labels": len(store.labels), "heads": heads, "of_group": of_group}


def _score(
    config: TrainConfig, bench: Bench, store: Store, folds: np.ndarray, n_seeds: int
) -> tuple[np.ndarray, Figure]:
    """Return the (N,) share of seeds by which each clip was recognized, and the figures."""
    began_s = time.process_time()
    right = Recipe(store, config, bench).score_folds(folds, range(n_seeds))
    mean = right.mean(axis=0)
    return mean, {
        "accuracy": bootstrap_mean(_list_groups(store).tolist(), mean),
        "by_seed": right.mean(axis=1).tolist(),
        "cpu_s": time.process_time() - began_s,
    }


def _measure_split(recipe: Recipe, store: Store, tested: np.ndarray) -> Figure:
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    right = recipe.score(train, test, 0).argmax(axis=1) == store.label_indices[test]
    return bootstrap_mean(_list_groups(store)[test].tolist(), right)


def _measure_curve(recipe: Recipe, store: Store, groups: np.ndarray) -> Iterator[Figure]:
    """Yield what some people teach about all others; draws mix adults and children."""
    names = np.unique(groups)
    for n_people, n_draws in CURVE.items():
        found, people = [], []
        for draw in range(n_draws):
            chosen = np.random.default_rng((n_people, draw)).permutation(names)[:n_people]
            learned = np.isin(groups, chosen)
            train, test = np.flatnonzero(learned), np.flatnonzero(~learned)
            right = recipe.score(train, test, draw).argmax(axis=1) == store.label_indices[test]
            found.append(right)
            people.append(groups[test])
        accuracy = bootstrap_mean(np.concatenate(people).tolist(), np.concatenate(found))
        yield {"people": n_people, "draws": n_draws, "accuracy": accuracy}


def _list_groups(store: Store) -> np.ndarray:
    return np.array([clip.group for clip in store.clips])
