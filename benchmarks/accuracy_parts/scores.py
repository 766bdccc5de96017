"""Out-of-fold probabilities of a method, kept fold by fold so that a run can go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from accuracy_parts.methods import Method
from accuracy_parts.protocols import Stores, Task
from har.files import replacing
from har.training.crossval import Learner
from har.training.run import Run


def save(path: Path, probs: np.ndarray) -> None:
    """Write probabilities in one step, as float32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, part.open("wb") as file:
        np.save(file, probs.astype(np.float32))


class Scorer:
    """Scores methods on tasks; what is in the folder is not computed again."""

    def __init__(self, stores: Stores, out: Path) -> None:
        self._stores, self._out = stores, out
        self._learners: dict[tuple[str, str], Learner] = {}

    def score(self, task: Task, method: Method, n_seeds: int) -> np.ndarray:
        """Return (S, N, K) probabilities; missing folds are trained now."""
        store = self._stores.load(task.clips, method.color)
        probs = np.zeros((n_seeds, len(store.clips), len(store.labels)), dtype=np.float32)
        todo = list(np.ndindex(n_seeds, task.n_folds))
        for seed, fold in tqdm(todo, f"{task.name}: {method.name}", unit="fold"):
            is_test = task.build_folds(store, seed) == fold
            test = np.flatnonzero(is_test)
            path = self._place(task, method) / f"seed{seed}.fold{fold}.npy"
            if not path.is_file():
                learner = self._find_learner(task, method)
                save(path, learner.compute_probs(np.flatnonzero(~is_test), test, seed))
            probs[seed, test] = np.load(path, allow_pickle=False)
        return probs

    def is_scored(self, task: Task, method: Method, n_seeds: int) -> bool:
        """Return whether all folds are there already."""
        return all(
            (self._place(task, method) / f"seed{seed}.fold{fold}.npy").is_file()
            for seed, fold in np.ndindex(n_seeds, task.n_folds)
        )

    def _place(self, task: Task, method: Method) -> Path:
        return self._out / "scores" / task.name / method.name

    def _find_learner(self, task: Task, method: Method) -> Learner:
        """Return the learner of a set of clips; only the last one is kept in memory."""
        key = (task.clips, method.name)
        if key not in self._learners:
            folder = self._out / "work" / task.clips / method.name
            run = Run(folder / "bundle", folder, progress=False)
            store = self._stores.load(task.clips, method.color)
            self._learners = {key: method.build(store, run)}
        return self._learners[key]
