"""Each third of the sources left out in turn: what a recipe says of it, and figures of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from har.config import PrepareConfig, TrainConfig
from har.dataset.prepare import prepare
from har.dataset.splits import build_folds
from har.files import replacing
from har.metrics.calibration import (
    apply_temperature,
    compute_ece,
    compute_reliability,
    find_best_accuracy,
    fit_temperature,
)
from har.metrics.clips import bootstrap_metrics, compute_clip_metrics
from har.training.crossval import ALONE, FoldLearner, build_learner
from har.training.run import Run

N_THIRDS = 3


class Thirds:
    """The clips, and the divisions of their sources."""

    def __init__(self, clips: Path, out: Path, n_seeds: int, n_inner: int) -> None:
        """Prepare the clips of a folder with a manifest; the store is kept in ``out``."""
        manifest = clips / "manifest.csv"
        self._store = prepare(manifest, out / "store", PrepareConfig(), progress=True).store
        self._out, self._n_inner = out, n_inner
        clips_of = self._store.clips
        self._divisions = [build_folds(clips_of, N_THIRDS, seed) for seed in range(n_seeds)]

    def measure(self, name: str, config: TrainConfig) -> dict[str, Any]:
        """Return a row for the streams of a recipe together, and for each by itself."""
        run = Run(self._out / name / "bundle", self._out / name)
        learner = build_learner(config, self._store, run)
        streams = (config.streams, *ALONE[config.streams])
        shape = (len(streams), len(self._divisions), len(self._store.clips), 2)
        probs, temperatures = np.zeros(shape), np.ones((*shape[:2], N_THIRDS))
        todo = list(np.ndindex(len(self._divisions), N_THIRDS))
        for seed, third in tqdm(todo, name, unit="third"):
            is_test = self._divisions[seed] == third
            rest, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
            folder = run.results_dir / f"seed{seed}" / f"third{third}"
            parts = _load_or(folder / "left_out.npy", learner, rest, test, seed)
            found = self._fit_temperatures(learner, rest, seed, folder)
            for row, temperature in enumerate(found):
                probs[row, seed, test] = apply_temperature(parts[row], temperature)
                temperatures[row, seed, third] = temperature
        rows = [
            {"streams": stream, **self._judge(probs[row]), "temperature": temperatures[row].mean()}
            for row, stream in enumerate(streams)
        ]
        n_sources = len({clip.group for clip in self._store.clips})
        return {"clips": shape[2], "sources": n_sources, "seeds": shape[1], "rows": rows}

    def _fit_temperatures(
        self, learner: FoldLearner, rest: np.ndarray, seed: int, folder: Path
    ) -> list[float]:
        """Return those of inner grouped folds of the clips that are learned from."""
        if self._n_inner == 0:
            return [1.0, 1.0, 1.0]
        folds = build_folds([self._store.clips[clip] for clip in rest], self._n_inner, seed)
        parts = []
        for fold in range(self._n_inner):
            inner, held = rest[folds != fold], rest[folds == fold]
            path = folder / f"inner{fold}of{self._n_inner}.npy"
            parts.append((held, _load_or(path, learner, inner, held, seed)))
        order = np.concatenate([held for held, _ in parts])
        truth = self._store.label_indices[order]
        joined = np.concatenate([probs for _, probs in parts], axis=1)
        return [fit_temperature(truth, one) for one in joined]

    def _judge(self, probs: np.ndarray) -> dict[str, Any]:
        """Return the figures of (S, N, 2) probabilities."""
        truth, groups = self._store.label_indices, [clip.group for clip in self._store.clips]
        found = bootstrap_metrics(truth, probs, groups)
        best = float(np.mean([find_best_accuracy(truth, one) for one in probs]))
        everyone = np.tile(truth, len(probs))
        ece = compute_ece(compute_reliability(everyone, probs.reshape(-1, 2)))
        by_third = [
            compute_clip_metrics(self._store.labels, truth[own], one[own]).auc
            for one, division in zip(probs, self._divisions, strict=True)
            for own in (division == third for third in range(N_THIRDS))
        ]
        return {
            "auc": found["auc"].to_json(),
            "accuracy": found["accuracy"].to_json(),
            "best_threshold": best,
            "ece": ece,
            "auc_by_third": by_third,
        }


def _load_or(
    path: Path, learner: FoldLearner, train: np.ndarray, test: np.ndarray, seed: int
) -> np.ndarray:
    """Return (P, n_test, 2) probabilities; they are kept."""
    if path.is_file():
        return np.load(path, allow_pickle=False)
    parts = learner.compute_parts(train, test, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, part.open("wb") as file:
        np.save(file, parts)
    return parts
