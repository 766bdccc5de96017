"""The well-known Keras example, InceptionV3 and GRUs on 20 frames, over a whole recording.

python benchmarks/peers_parts/keras_example.py NAME VIDEO THREADS SECONDS

Its networks and sizes, with random weights: each frame of 224x224 through InceptionV3, whose 2048
numbers go through GRUs of 16 and 8, a layer of 8 and the classes. The frames of a clip go through
as one batch, which is faster than one by one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from peers_parts.clips import Taking, measure, tell

_TAKING = Taking(20, 0.0, 224)
_N_FEATURES, _N_CLASSES = 2048, 3


def main() -> None:
    """Measure and print a line of JSON."""
    import keras
    import tensorflow as tf

    video, n_threads, most_s = Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    tf.config.threading.set_intra_op_parallelism_threads(n_threads)
    shape = (_TAKING.size, _TAKING.size, 3)
    frames = keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg", input_shape=shape
    )
    layers = keras.layers
    features = keras.Input((_TAKING.n_frames, _N_FEATURES))
    is_there = keras.Input((_TAKING.n_frames,), dtype="bool")
    hidden = layers.GRU(16, return_sequences=True)(features, mask=is_there)
    hidden = layers.Dense(8, activation="relu")(layers.Dropout(0.4)(layers.GRU(8)(hidden)))
    head = keras.Model([features, is_there], layers.Dense(_N_CLASSES, "softmax")(hidden))
    mask = np.ones((1, _TAKING.n_frames), dtype=bool)

    def classify(images: np.ndarray) -> np.ndarray:
        scaled = images.astype(np.float32) / 127.5 - 1
        found = frames.predict(scaled, batch_size=_TAKING.n_frames, verbose=0)
        return head.predict([found[None], mask], verbose=0)

    weights = 4 * (frames.count_params() + head.count_params())
    tell(measure(video, _TAKING, n_threads, most_s, classify), weights)


if __name__ == "__main__":
    main()
