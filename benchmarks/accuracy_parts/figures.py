"""The tables: each method's figures on a task, its calibration, and the learning curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from accuracy_parts.curve import measure_curve
from accuracy_parts.methods import METHODS, NAMES, Method
from accuracy_parts.protocols import SURVFIGHT, TASKS, Stores, Task, find_own_origin
from accuracy_parts.scores import Scorer
from har.dataset.baseline import compute_shortcut_baseline
from har.dataset.store import Store
from har.errors import ConfigError
from har.metrics.calibration import calibrate_folds
from har.metrics.clips import bootstrap_metrics
from har.reports.breakdown import describe_reliability

Row = dict[str, Any]
_CURVE_METHOD = "probe"
"""The cheapest one: its shape is what counts, and hundreds of fits are needed."""


class Bench:
    """All that is measured, from one folder of data into one of results."""

    def __init__(self, data_dir: Path, out: Path, n_seeds: int, methods: tuple[str, ...]) -> None:
        """Take the names of the methods, empty for all.

        Raises:
            ConfigError: A name is unknown.
        """
        unknown = set(methods) - set(NAMES)
        if unknown:
            raise ConfigError(
                f"Expected methods of {', '.join(NAMES)}, received {', '.join(sorted(unknown))}"
            )
        self._methods = [item for item in METHODS if not methods or item.name in methods]
        self._stores, self._out, self._n_seeds = Stores(data_dir, out), out, n_seeds
        self._scorer = Scorer(self._stores, out)

    def measure_table(self, name: str) -> Row:
        """Return a row a method, and the baseline that the clips' format sets."""
        task = next(task for task in TASKS.values() if task.name == name)
        store = self._stores.load(task.clips, "gray")
        baseline = compute_shortcut_baseline(store.clips, task.build_folds(store, 0))
        return {
            "protocol": task.about,
            "clips": len(store.clips),
            "groups": len({clip.group for clip in store.clips}),
            "seeds": self._n_seeds,
            "baseline": {"accuracy": baseline.accuracy, "auc": baseline.auc},
            "methods": [self._build_row(task, store, method) for method in self._methods],
        }

    def _build_row(self, task: Task, store: Store, method: Method) -> Row:
        probs = self._scorer.score(task, method, self._n_seeds)
        everyone = np.ones(len(store.clips), dtype=bool)
        row: Row = {"method": method.about, "streams": method.streams}
        row |= _compute_figures(store, probs, everyone)
        if task.clips == SURVFIGHT:
            others = _compute_figures(store, probs, find_own_origin(store))
            row |= {f"{name}_without_30": value for name, value in others.items()}
        truth = store.label_indices
        return row | {"by_seed": [float((one.argmax(1) == truth).mean()) for one in probs]}

    def measure_calibration(self) -> Row:
        """Return a row for each method of har that was scored on grouped folds."""
        task = TASKS["survfight"]
        store = self._stores.load(task.clips, "gray")
        folds = np.stack([task.build_folds(store, seed) for seed in range(self._n_seeds)])
        rows = []
        for method in self._methods:
            if not self._scorer.is_scored(task, method, self._n_seeds):
                continue
            probs = self._scorer.score(task, method, self._n_seeds)
            found = calibrate_folds(store.label_indices, probs, folds)
            chart = describe_reliability(found.bins)
            chart.svg.write(self._out / f"reliability_{method.name}.svg")
            values = found.to_json()
            del values["bins"]
            rows.append({"method": method.about, "streams": method.streams, **values})
        return {"protocol": task.about, "seeds": self._n_seeds, "methods": rows}

    def measure_curve(self) -> Row:
        """Return the figures for fewer clips and fewer groups."""
        task = TASKS["survfight"]
        method = next(item for item in METHODS if item.name == _CURVE_METHOD)
        rows = measure_curve(
            self._stores, task, method, self._out / "scores" / "curve", self._n_seeds
        )
        return {"protocol": task.about, "method": method.about, "parts": rows}


def _compute_figures(store: Store, probs: np.ndarray, chosen: np.ndarray) -> Row:
    """Return accuracy and AUC with intervals over groups, of some clips."""
    groups = [clip.group for clip, kept in zip(store.clips, chosen, strict=True) if kept]
    found = bootstrap_metrics(store.label_indices[chosen], probs[:, chosen], groups)
    return {name: found[name].to_json() for name in ("accuracy", "auc")}
