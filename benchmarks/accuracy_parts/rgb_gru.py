# pyright: reportArgumentType=false, reportCallIssue=false
"""A frozen CNN on color frames and two small GRUs: the shape of the well-known Keras example.

The CNN is the one that har ships, at the pictures of the store; 20 frames are spread over the clip
where the example takes the first 20, which leave a long clip's act out.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from tqdm import tqdm

from accuracy_parts.frames import N_FRAMES, load_frames
from har.config import InputConfig
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.network.temporal_head import build_cnn
from har.training.run import set_seed

_EPOCHS = 30
_INNER_FOLDS = 4


class RgbGruFolds:
    """Trains the GRUs on some clips and says something of others."""

    def __init__(self, store: Store) -> None:
        """Take a store in color; every clip's features are computed once."""
        self._store = store
        spec = InputConfig(input="rgb").window_spec(store.size, store.max_rate_hz)
        cnn = build_cnn("lite0", spec, pooling="avg")
        everyone = tqdm(range(len(store.clips)), "color features", unit="clip")
        features = [cnn(load_frames(store, clip)) for clip in everyone]
        self._features = np.stack([keras.ops.convert_to_numpy(item) for item in features])

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Return (n_test, K) probabilities; the epoch with the lowest validation loss counts."""
        set_seed(seed)
        store = self._store
        inner = build_folds([store.clips[clip] for clip in train], _INNER_FOLDS, seed)
        model = _build(self._features.shape[-1], len(store.labels))
        model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
        best = keras.callbacks.EarlyStopping(patience=_EPOCHS, restore_best_weights=True)
        model.fit(
            *self._load(train[inner != 0]),
            validation_data=self._load(train[inner == 0]),
            epochs=_EPOCHS,
            callbacks=[best],
            verbose=0,
        )
        return np.asarray(model.predict(self._load(test)[0], verbose=0))

    def _load(self, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._features[clips], self._store.label_indices[clips]


def _build(n_features: int, n_labels: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((N_FRAMES, n_features)),
            layers.GRU(16, return_sequences=True),
            layers.GRU(8),
            layers.Dropout(0.4),
            layers.Dense(8, activation="relu"),
            layers.Dense(n_labels, activation="softmax"),
        ],
        name="rgb_gru",
    )
