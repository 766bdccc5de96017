"""Compares an exported bundle with Keras, and measures the size and time of its networks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.bundle import CNN_GRAPH_FILE, POSE_GRAPH_FILE
from har.config import PredictConfig
from har.dataset.store import Store
from har.errors import BundleMismatchError, SplitError
from har.export.parts import Part
from har.inference.clips import recognize_clips
from har.inference.engines import Run
from har.inference.model import Recognizer
from har.types import SplitName

_N_PEOPLE = 8


@dataclass(frozen=True)
class Comparison:
    """Exported networks against Keras.

    Attributes:
        parity: Largest difference of a probability.
        split: The clips it was measured on: ``test``, ``all`` in a store without such a part, or
            ``drawn`` for noise where there is no store; then nothing is known of accuracy.
        n_clips: How many.
        keras_accuracy: Share of the clips that Keras classifies rightly.
        accuracy: The same of the exported networks.
    """

    parity: float
    split: str
    n_clips: int = 0
    keras_accuracy: float | None = None
    accuracy: float | None = None

    @property
    def accuracy_change(self) -> float | None:
        """Share of accuracy that is gained, negative where it is lost; None where unknown."""
        if self.accuracy is None or self.keras_accuracy is None:
            return None
        return self.accuracy - self.keras_accuracy


def compare_drawn(ours: Recognizer, keras: Recognizer, parts: Sequence[Part]) -> Comparison:
    """Compare on noise: one window of pictures, some of people."""
    difference = np.abs(_compute_drawn(ours, parts) - _compute_drawn(keras, parts))
    return Comparison(float(difference.max()), "drawn")


def compare_clips(ours: Recognizer, keras: Recognizer, store: Store, progress: bool) -> Comparison:
    """Compare on the test clips of a store, or on all where it has no such part.

    Raises:
        BundleMismatchError: The store has other labels or pictures than the bundle.
    """
    labels = ours.info.labels
    if not set(store.labels) <= set(labels):
        raise BundleMismatchError(
            f"The model (bundle) has the labels {labels}, the store {store.path} has "
            f"{store.labels}; give a store with the model's labels, or some of them"
        )
    split, clips = _find_clips(store)
    truth = np.array([labels.index(store.clips[clip].label) for clip in clips])
    probs, known = (recognize_clips(r, store, clips, progress).probs for r in (ours, keras))
    return Comparison(
        parity=float(np.abs(probs - known).max()),
        split=split,
        n_clips=len(clips),
        keras_accuracy=float((known.argmax(axis=1) == truth).mean()),
        accuracy=float((probs.argmax(axis=1) == truth).mean()),
    )


def time_run(run: Run, part: Part, n_timed: int) -> float:
    """Return the milliseconds of one item, the fastest of some runs, on all cores.

    An item is a frame of the CNN, which comes in batches as in a recording, or a head's window.
    """
    batch = part.draw_input(PredictConfig().batch_steps if part.is_cnn else 1)
    run(batch)
    spent_s = []
    for _ in range(n_timed):
        start_s = time.perf_counter()
        run(batch)
        spent_s.append(time.perf_counter() - start_s)
    return min(spent_s) * 1e3 / len(batch)


def measure_bytes(path: Path) -> int:
    """Return the size of a network: a folder, or a file with the weights beside it."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    weights = path.with_suffix(".bin")
    beside = weights.stat().st_size if path.suffix == ".xml" and weights.is_file() else 0
    return path.stat().st_size + beside


def _find_clips(store: Store) -> tuple[str, list[int]]:
    part: SplitName = "test"
    try:
        return part, store.indices(part).tolist()
    except SplitError:
        return "all", store.indices("all").tolist()


def _compute_drawn(recognizer: Recognizer, parts: Sequence[Part]) -> np.ndarray:
    """Return (N, K) probabilities, one row a step."""
    known = {part.graph.name: part for part in parts}
    found = []
    motion = recognizer.motion
    if motion is not None:
        stacks = known[CNN_GRAPH_FILE].draw_input(motion.spec.n_steps)
        found.append(motion.compute_logits(motion.compute_features(stacks)[None])[0])
    if recognizer.pose is not None:
        people = known[POSE_GRAPH_FILE].draw_input(_N_PEOPLE)
        found.append(np.concatenate(recognizer.graphs[POSE_GRAPH_FILE](people)))
    return recognizer.compute_probs(np.concatenate(found))
