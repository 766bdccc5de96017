# pyright: reportArgumentType=false
"""The notebook's two networks: LRCN and ConvLSTM on 20 color frames of 64 by 64.

Their layers, batch of 4, Adam, a fifth of the training clips for validation and early stopping on
its loss are those of the tutorial that the notebook follows; only that the validation clips are of
groups of their own, which can but help on groups never seen.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from accuracy_parts.frames import N_FRAMES, load_frames
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.training.run import set_seed

SIDE = 64
_INNER_FOLDS = 5
_BATCH = 4

Build = Callable[[int], keras.Model]


def build_lrcn(n_labels: int) -> keras.Model:
    """Build four small convolutions on each frame and an LSTM of 16 over them."""
    model = keras.Sequential([keras.Input((N_FRAMES, SIDE, SIDE, 3))], name="lrcn")
    for filters, pool, dropout in ((16, 4, 0.25), (32, 4, 0.25), (64, 2, 0.25), (64, 2, 0.0)):
        convolution = layers.Conv2D(filters, 3, padding="same", activation="relu")
        model.add(layers.TimeDistributed(convolution))
        model.add(layers.TimeDistributed(layers.MaxPooling2D(pool)))
        model.add(layers.TimeDistributed(layers.Dropout(dropout)))
    model.add(layers.TimeDistributed(layers.Flatten()))
    model.add(layers.LSTM(16))
    model.add(layers.Dense(n_labels, activation="softmax"))
    return model


def build_convlstm(n_labels: int) -> keras.Model:
    """Build four convolutional LSTMs of 4 to 16 filters."""
    model = keras.Sequential([keras.Input((N_FRAMES, SIDE, SIDE, 3))], name="convlstm")
    for filters, dropout in ((4, 0.2), (8, 0.2), (14, 0.2), (16, 0.0)):
        model.add(layers.ConvLSTM2D(filters, 3, recurrent_dropout=0.2, return_sequences=True))
        model.add(layers.MaxPooling3D((1, 2, 2), padding="same"))
        model.add(layers.TimeDistributed(layers.Dropout(dropout)))
    model.add(layers.Flatten())
    model.add(layers.Dense(n_labels, activation="softmax"))
    return model


class NotebookFolds:
    """Trains one of the two on some clips and says something of others."""

    def __init__(self, store: Store, build: Build, epochs: int, patience: int) -> None:
        """Take a store in color, the network and its schedule."""
        self._store, self._build = store, build
        self._epochs, self._patience = epochs, patience
        frames = [load_frames(store, clip, (SIDE, SIDE)) for clip in range(len(store.clips))]
        self._frames = np.stack(frames)

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Return (n_test, K) probabilities."""
        set_seed(seed)
        store = self._store
        inner = build_folds([store.clips[clip] for clip in train], _INNER_FOLDS, seed)
        model = self._build(len(store.labels))
        model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
        model.fit(
            *self._load(train[inner != 0]),
            validation_data=self._load(train[inner == 0]),
            epochs=self._epochs,
            batch_size=_BATCH,
            callbacks=[
                keras.callbacks.EarlyStopping(
                    patience=self._patience, restore_best_weights=True, monitor="val_loss"
                )
            ],
            verbose=0,
        )
        return np.asarray(model.predict(self._load(test)[0], batch_size=_BATCH, verbose=0))

    def _load(self, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._frames[clips].astype(np.float32) / 255.0, self._store.label_indices[clips]
