"""Few real clips: from a bundle that has learnt from synthetic motion, against from nothing.

The clips of UT-Interaction's six classes come in ten sequences. A draw takes ``n`` sequences that
have all classes, and of each of them one clip a class; it is tested on all clips of the sequences
that it did not take. As ten clips a class would leave no sequence to test on, the last step leaves
one sequence out and learns from all others: eight to ten clips a class.

Both sides choose epochs and learning rate by the same rule: of the same settings, the one with the
best mean accuracy over draws that are not measured, of two sequences for one and two, of five for
more. They are other draws of the same clips, which flatters both sides alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from har.config import TrainConfig
from har.dataset.store import Store
from har.files import write_json
from har.training.crossval import HeadFolds
from har.training.run import Run, compute_fingerprint
from pose_parts.bench import UT, Bench
from pose_parts.bundle import describe_bundle
from pose_parts.intervals import Figure, compute_paired

TUNED_AT = {1: 2, 2: 2, 5: 5, 9: 5}
"""Sequences that are learnt from, nine leave one out; and with how many settings are chosen."""
SETTINGS = ((40, 2e-3), (80, 2e-3), (40, 5e-4), (8, 5e-4))
"""Epochs and learning rate to choose from."""
TUNING_SEED = 1000
SIDES = ("from_nothing", "from_bundle")
Setting = tuple[int, float]


@dataclass(frozen=True)
class Draw:
    """Clips to learn from and to test on, of different sequences."""

    train: np.ndarray
    test: np.ndarray
    seed: int


def measure_few(bench: Bench, n_draws: int = 5, n_tuning: int = 2) -> Figure:
    """Measure both sides on the same draws."""
    store = bench.load_store(UT)
    learner = _Learner(store, bench, bench.make_run("few", bench.bundle_dir))
    rows = []
    for shots, tuned_at in TUNED_AT.items():
        tuning = draw_pools(store, tuned_at, n_tuning, seed=TUNING_SEED)
        measured = draw_pools(store, shots, n_draws, seed=shots)
        chosen = {side: _choose(learner, side, tuning) for side in SIDES}
        accuracy = {
            side: [learner.measure(side, chosen[side], draw) for draw in measured] for side in SIDES
        }
        gained = np.subtract(accuracy["from_bundle"], accuracy["from_nothing"])
        rows.append(
            {
                "sequences": shots,
                "clips_a_class": _count_clips(store, measured),
                "draws": len(measured),
                "tested_clips": int(np.mean([len(draw.test) for draw in measured])),
                **{side: compute_paired(accuracy[side]) for side in SIDES},
                "gained": compute_paired(gained.tolist()),
                **{f"{side}_setting": list(chosen[side]) for side in SIDES},
            }
        )
    return {
        "bundle": describe_bundle(bench),
        "classes": list(store.labels),
        "intervals": "of Student's t over the draws, each of another seed",
        "tuning_draws": n_tuning,
        "few_clips": rows,
    }


def _choose(learner: _Learner, side: str, draws: list[Draw]) -> Setting:
    means = [np.mean([learner.measure(side, s, draw) for draw in draws]) for s in SETTINGS]
    return SETTINGS[int(np.argmax(means))]


def _count_clips(store: Store, draws: list[Draw]) -> str:
    counts = [np.bincount(store.label_indices[draw.train]) for draw in draws]
    low, high = int(np.min(counts)), int(np.max(counts))
    return str(low) if low == high else f"{low} to {high}"


def draw_pools(store: Store, shots: int, n: int, seed: int) -> list[Draw]:
    """Return ``n`` draws; no sequence is divided, and nine of ten leave out a new one each time."""
    groups = np.array([clip.group for clip in store.clips])
    names = np.unique(groups)
    if shots >= len(names) - 1:
        left_out = np.random.default_rng(seed).permutation(names)
        pools = [np.setdiff1d(names, left_out[draw % len(names)]) for draw in range(n)]
        return [_draw_all(groups, pool, draw) for draw, pool in enumerate(pools)]
    full = [
        name for name in names if len(set(store.label_indices[groups == name])) == len(store.labels)
    ]
    draws: list[Draw] = []
    for draw in range(n):
        rng = np.random.default_rng((seed, draw))
        pool = rng.permutation(full)[:shots]
        test = np.flatnonzero(~np.isin(groups, pool))
        draws.append(Draw(_draw_one_each(store, groups, pool, rng), test, draw))
    return draws


def _draw_all(groups: np.ndarray, pool: np.ndarray, seed: int) -> Draw:
    inside = np.isin(groups, pool)
    return Draw(np.flatnonzero(inside), np.flatnonzero(~inside), seed)


def _draw_one_each(
    store: Store, groups: np.ndarray, pool: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return one clip of each class of each sequence."""
    return np.array(
        [
            rng.choice(np.flatnonzero((groups == name) & (store.label_indices == label)))
            for name in pool
            for label in range(len(store.labels))
        ]
    )


class _Learner:
    """Trains and tests on draws; what was measured once is kept on disk."""

    def __init__(self, store: Store, bench: Bench, run: Run) -> None:
        self._store, self._run = store, run
        self._key = compute_fingerprint(TrainConfig(), store.data_hash, bench.bundle_hash)
        self._learners: dict[tuple[str, Setting], HeadFolds] = {}

    def measure(self, side: str, setting: Setting, draw: Draw) -> float:
        """Return the accuracy of one side with one setting on one draw."""
        parts = [draw.train.tolist(), draw.test.tolist(), draw.seed]
        name = compute_fingerprint(self._key, side, setting, *parts)
        path = self._run.results_dir / f"{name}.json"
        if path.is_file():
            return float(path.read_text(encoding="utf-8"))
        probs = self._load(side, setting).compute_probs(draw.train, draw.test, draw.seed)
        accuracy = float((probs.argmax(axis=1) == self._store.label_indices[draw.test]).mean())
        write_json(path, accuracy)
        return accuracy

    def _load(self, side: str, setting: Setting) -> HeadFolds:
        if (side, setting) not in self._learners:
            config = TrainConfig(streams="pose")
            fit = replace(config.pose.fit, epochs=setting[0], learning_rate=setting[1])
            config = replace(config, pose=replace(config.pose, fit=fit, solved_fit=fit))
            source = self._run.source if side == "from_bundle" else None
            run = replace(self._run, source=source)
            self._learners[side, setting] = HeadFolds(config, self._store, run)
        return self._learners[side, setting]
