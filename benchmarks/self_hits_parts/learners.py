# pyright: reportArgumentType=false, reportCallIssue=false
"""What learns to tell hits to oneself from windows: lines, small networks, an LSTM."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from har.pose.features import SEEN_COLUMN
from self_hits_parts.features import (
    COLUMNS,
    compute_measures,
    mirror_features,
)
from self_hits_parts.judge import Fit

_LIMIT = 5.0
_N_SPREAD = 2 * len(COLUMNS)


@dataclass(frozen=True)
class Inputs:
    """What learners get of N windows, as seen and as in a mirror.

    Attributes:
        measures: Two (N, D) float32.
        steps: Two (N, T, d) float32, zeros where nobody is seen.
    """

    measures: tuple[np.ndarray, np.ndarray]
    steps: tuple[np.ndarray, np.ndarray]


def compute_inputs(features: np.ndarray, rate_hz: float) -> Inputs:
    """Return what learners get of (N, T, N_OWN) features."""
    plain = features.astype(np.float32)
    both = plain, mirror_features(plain).astype(np.float32)
    sample = plain[::7][..., COLUMNS][plain[::7][..., SEEN_COLUMN] > 0]
    mean, spread = sample.mean(axis=0), sample.std(axis=0) + 1e-6
    steps = [np.clip((v[..., COLUMNS] - mean) / spread, -_LIMIT, _LIMIT) for v in both]
    seen = plain[..., SEEN_COLUMN : SEEN_COLUMN + 1] > 0
    measures = [compute_measures(v, rate_hz) for v in both]
    return Inputs((measures[0], measures[1]), (steps[0] * seen, steps[1] * seen))


def build_linear(inputs: Inputs, *, only_spread: bool) -> Fit:
    """Return logistic regression of mean and spread alone, or of all measures."""
    tables = [m[:, :_N_SPREAD] if only_spread else m for m in inputs.measures]

    def train(table: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> _Score:
        model = LogisticRegression(C=0.05, max_iter=200, tol=1e-3)
        model.fit(table, labels, sample_weight=weights)
        return model.decision_function

    return _fit_tables(tables, [train])


def build_network(inputs: Inputs, units: tuple[int, ...], n_epochs: int, decay: float) -> Fit:
    """Return three small networks on all measures, their logits averaged."""

    def start(seed: int) -> _Train:
        def train(table: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> _Score:
            model = MLPClassifier(
                units,
                alpha=decay,
                batch_size=256,
                learning_rate_init=2e-3,
                max_iter=n_epochs,
                random_state=seed,
            )
            with warnings.catch_warnings():  # it is stopped early, and says so
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(table, labels, sample_weight=weights)
            return lambda rows: _to_logits(model.predict_proba(rows)[:, 1])

        return train

    return _fit_tables(list(inputs.measures), [start(seed) for seed in range(3)])


_Score = Callable[[np.ndarray], np.ndarray]
_Train = Callable[[np.ndarray, np.ndarray, np.ndarray], _Score]


def _to_logits(probs: np.ndarray) -> np.ndarray:
    probs = np.clip(probs, 1e-7, 1.0 - 1e-7)
    return np.log(probs / (1.0 - probs))


def _fit_tables(tables: list[np.ndarray], trains: list[_Train]) -> Fit:
    """Return what learns from windows and their mirror images, and averages over both."""

    def fit(rows: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> _Score:
        mean, spread = tables[0][rows].mean(axis=0), tables[0][rows].std(axis=0) + 1e-6

        def scale(table: np.ndarray) -> np.ndarray:
            return np.clip((table - mean) / spread, -_LIMIT, _LIMIT).astype(np.float32)

        joined = np.concatenate([scale(table[rows]) for table in tables])
        both = np.tile(labels, len(tables)), np.tile(weights, len(tables))
        scores = [train(joined, *both) for train in trains]

        def predict(wanted: np.ndarray) -> np.ndarray:
            views = [scale(table[wanted]) for table in tables]
            return np.mean([score(view) for score in scores for view in views], axis=0)

        return predict

    return fit


def build_lstm(inputs: Inputs, n_rows: int = 12_000, n_epochs: int = 5) -> Fit:
    """Return an LSTM on the steps; an epoch draws windows by their weights, half as in a mirror."""
    import keras
    from keras import layers

    def fit(rows: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> _Score:
        keras.utils.set_random_seed(0)
        rng = np.random.default_rng(0)
        steps = keras.Input(inputs.steps[0].shape[1:])
        x = layers.Dropout(0.2)(layers.GaussianNoise(0.1)(steps))
        x = layers.LSTM(48)(layers.Dense(48, activation="relu")(x))
        model = keras.Model(steps, layers.Dense(1)(layers.Dropout(0.3)(x)))
        optimizer = keras.optimizers.AdamW(2e-3, weight_decay=1e-2)
        model.compile(optimizer, keras.losses.BinaryCrossentropy(from_logits=True))
        for _ in range(n_epochs):
            drawn = rng.choice(len(rows), n_rows, p=weights / weights.sum())
            is_mirrored = (rng.random(n_rows) < 0.5)[:, None, None]
            chosen = rows[drawn]
            batch = np.where(is_mirrored, inputs.steps[1][chosen], inputs.steps[0][chosen])
            model.fit(batch, labels[drawn], batch_size=256, verbose=0)

        def predict(wanted: np.ndarray) -> np.ndarray:
            return np.mean(
                [model.predict(s[wanted], batch_size=2048, verbose=0)[:, 0] for s in inputs.steps],
                axis=0,
            )

        return predict

    return fit


def build_learners(inputs: Inputs) -> dict[str, Callable[[], Fit]]:
    """Return all that is compared, by name."""
    return {
        "line, mean and spread": lambda: build_linear(inputs, only_spread=True),
        "line, all measures": lambda: build_linear(inputs, only_spread=False),
        "network": lambda: build_network(inputs, (32,), 6, 0.3),
        "deeper network": lambda: build_network(inputs, (64, 32), 8, 1.0),
        "LSTM": lambda: build_lstm(inputs),
    }
