"""The plainest use of frozen motion features: a logistic regression on a clip's mean."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from har.config import TrainConfig
from har.dataset.store import Store
from har.inference.engines import Graph
from har.network.saving import export_graph
from har.network.temporal_head import build_cnn
from har.training.features import FeatureCache, compute_model_hash
from har.training.run import Run

_STRENGTH = 3e-3
"""Inverse of the penalty; figures are the same within 0.01 from a tenth of it to ten times it."""


class ProbeFolds:
    """Fits the regression on some clips and says something of others."""

    def __init__(self, config: TrainConfig, store: Store, run: Run) -> None:
        """Take the recipe, whose CNN and input count, and a store in gray."""
        self._labels, self._n_labels = store.label_indices, len(store.labels)
        spec = config.input.window_spec(store.size, store.max_rate_hz)
        cnn = build_cnn(
            config.cnn.backbone, spec, pooling=config.cnn.pooling, downsample=config.cnn.downsample
        )
        run.results_dir.mkdir(parents=True, exist_ok=True)
        path = run.results_dir / "frame_cnn.onnx"
        export_graph(cnn, np.zeros((1, *spec.size, spec.n_channels), np.uint8), path)
        model_hash = compute_model_hash(cnn)
        cache = FeatureCache(store, spec, Graph(path).run, model_hash, config.augment, run.progress)
        variants = cache.load_variants(range(len(store.clips)), 1)
        self._means = np.stack([clip[0].astype(np.float32).mean(axis=0) for clip in variants])

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Return (n_test, K) probabilities; nothing is drawn, so the seed changes nothing."""
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=_STRENGTH, max_iter=500, random_state=seed)
        )
        model.fit(self._means[train], self._labels[train])
        probs = np.zeros((len(test), self._n_labels), dtype=np.float32)
        probs[:, model.classes_] = model.predict_proba(self._means[test])
        return probs
