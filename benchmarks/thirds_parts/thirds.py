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
from har.metrics.calibration import calibrate_folds
from har.metrics.clips import bootstrap_metrics, compute_clip_metrics
from har.training.crossval import ALONE, FoldLearner, build_learner
from har.training.run import Run

N_THIRDS = 3


class Thirds:
    """The clips, and the divisions of their sources."""

    def __init__(self, clips: Path, out: Path, n_seeds: int) -> None:
        """Prepare the clips of a folder with a manifest; the store is kept in ``out``."""
        manifest = clips / "manifest.csv"
        self._store = prepare(manifest, out / "store", PrepareConfig(), progress=True).store
        self._out = out
        clips_of = self._store.clips
        self._divisions = np.stack([build_folds(clips_of, N_THIRDS, s) for s in range(n_seeds)])

    def measure(self, name: str, config: TrainConfig) -> dict[str, Any]:
        """Return a row for the streams of a recipe together, and for each by itself."""
        run = Run(self._out / name / "bundle", self._out / name)
        learner = build_learner(config, self._store, run)
        streams = (config.streams, *ALONE[config.streams])
        probs = np.zeros((len(streams), *self._divisions.shape, len(self._store.labels)))
        todo = list(np.ndindex(len(self._divisions), N_THIRDS))
        for seed, third in tqdm(todo, name, unit="third"):
            is_test = self._divisions[seed] == third
            rest, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
            path = run.results_dir / f"seed{seed}.third{third}.npy"
            probs[:, seed, test] = _load_or(path, learner, rest, test, seed)
        clips = self._store.clips
        rows = [{"streams": s, **self._judge(p)} for s, p in zip(streams, probs, strict=True)]
        return {
            "clips": len(clips),
            "sources": len({clip.group for clip in clips}),
            "seeds": len(self._divisions),
            "rows": rows,
        }

    def _judge(self, probs: np.ndarray) -> dict[str, Any]:
        """Return the figures of (S, N, 2) probabilities."""
        truth, groups = self._store.label_indices, [clip.group for clip in self._store.clips]
        found = bootstrap_metrics(truth, probs, groups)
        calibration = calibrate_folds(truth, probs, self._divisions)
        by_third = [
            compute_clip_metrics(self._store.labels, truth[own], one[own]).auc
            for one, division in zip(probs, self._divisions, strict=True)
            for own in (division == third for third in range(N_THIRDS))
        ]
        return {
            "auc": found["auc"].to_json(),
            "accuracy": found["accuracy"].to_json(),
            "best_threshold": calibration.best_accuracy,
            "ece": calibration.ece,
            "ece_before": calibration.ece_before,
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
