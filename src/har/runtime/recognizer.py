"""A loaded bundle, ready to recognise: frame stacks to features to logits to probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from har import contract
from har.contract import BundleInfo
from har.runtime.engine import Graph


class Recognizer:
    """The exported graphs of a bundle, with its contract.

    Attributes:
        info: The bundle's contract; labels, window and thresholds are read from there.
    """

    def __init__(self, bundle_dir: Path, n_threads: int = 0) -> None:
        """Loads and verifies a bundle's graphs.

        Raises:
            BundleNotFoundError: There is no bundle in the folder.
            BundleIntegrityError: A file is missing, altered or unusable.
        """
        self.info: BundleInfo = contract.load_info(bundle_dir)
        self._cnn, self._temporal = (
            Graph(contract.find_verified(bundle_dir, self.info, name), n_threads)
            for name in (contract.CNN_GRAPH_FILE, contract.TEMPORAL_GRAPH_FILE)
        )

    def compute_features(self, stacks: np.ndarray) -> np.ndarray:
        """Gives one feature vector a time step.

        Args:
            stacks: (N, H, W, C) uint8, the frames that each step compares.

        Returns:
            (N, D) float32.
        """
        return self._cnn.run(stacks)

    def compute_logits(self, features: np.ndarray) -> np.ndarray:
        """Gives the logits of every step of each window.

        Args:
            features: (B, T, D) float32. The head is causal: padding at the end changes nothing
                before it.

        Returns:
            (B, T, K) float32.
        """
        return self._temporal.run(np.ascontiguousarray(features, dtype=np.float32))

    def compute_probs(self, logits: np.ndarray) -> np.ndarray:
        """Gives calibrated probabilities.

        Args:
            logits: (..., K).

        Returns:
            (..., K) float32, the last axis sums to 1.
        """
        return compute_softmax(np.asarray(logits) / self.info.temperature)


def compute_softmax(logits: np.ndarray) -> np.ndarray:
    """Gives probabilities, float32, that sum to 1 along the last axis.

    >>> compute_softmax(np.array([0.0, np.log(3.0)])).tolist()
    [0.25, 0.75]
    """
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)
