"""A loaded bundle, ready to recognize: frame stacks to features to logits to probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from pathlib import Path

import numpy as np

from har.bundle import (
    CNN_GRAPH_FILE,
    POSE_GRAPH_FILE,
    TEMPORAL_GRAPH_FILE,
    BundleInfo,
    find_verified,
    load_info,
)
from har.config.engine import Engine
from har.errors import BundleMismatchError
from har.inference.detector import compute_detector_hash
from har.inference.engines import Graph, Run
from har.pose.features import SEEN_COLUMN, PoseWindow
from har.pose.pooling import pool_steps
from har.types import PoseSpec, WindowSpec


class Recognizer:
    """The exported graphs of a bundle, with its contract.

    Attributes:
        info: The bundle's contract; labels, window and thresholds are read from there.
        graphs: What runs each graph, by the name of its file.
    """

    def __init__(self, bundle_dir: Path, n_threads: int = 0, engine: Engine | None = None) -> None:
        """Load and verify a bundle's graphs.

        Args:
            bundle_dir: The bundle.
            n_threads: Threads of one call of a graph; 0 means one a core.
            engine: What runs them; see `har.inference.engines.Graph`.

        Raises:
            BundleNotFoundError: There is no bundle in the folder.
            BundleIntegrityError: A file is missing, altered or unusable.
            BundleMismatchError: It has learnt the keypoints of another pose network.
            ConfigError: ``HAR_ENGINE`` names no engine.
            MissingDependencyError: The engine is not installed.
        """
        self.info: BundleInfo = load_info(bundle_dir)
        self._dir = bundle_dir
        if self.has_pose:
            self._check_detector()
        self.graphs: dict[str, Run] = {
            name: Graph(find_verified(bundle_dir, self.info, name), n_threads, engine).run
            for name in self.info.graph_names
        }

    def replace(self, graphs: Mapping[str, Run]) -> Recognizer:
        """Return a twin that runs other forms of some graphs, by the names of their files.

        So that an exported or quantized model is measured by the very path that recognizes.
        """
        twin = copy(self)
        twin.graphs = {**self.graphs, **graphs}
        return twin

    def _check_detector(self) -> None:
        if self.pose_spec.detector != compute_detector_hash():
            raise BundleMismatchError(
                f"The bundle {self._dir} has learnt the keypoints of another pose network than "
                f"this har ships; train it again, or use the har version it was made with "
                f"({self.info.versions.get('har', 'unknown')})"
            )

    @property
    def has_motion(self) -> bool:
        """Whether the bundle looks at motion in the picture."""
        return self.info.motion is not None

    @property
    def has_pose(self) -> bool:
        """Whether the bundle looks at people's keypoints."""
        return self.info.pose is not None

    @property
    def pose_spec(self) -> PoseSpec:
        """The input contract of the pose stream.

        Raises:
            BundleMismatchError: The bundle has no pose stream.
        """
        return self.info.require_pose().spec

    @property
    def motion_spec(self) -> WindowSpec:
        """The input contract of the motion stream.

        Raises:
            BundleMismatchError: The bundle has no motion stream.
        """
        return self.info.require_motion().spec

    def compute_features(self, stacks: np.ndarray) -> np.ndarray:
        """Return one feature vector a time step.

        Args:
            stacks: (N, H, W, C) uint8, the frames that each step compares.

        Returns:
            (N, D) float32.
        """
        return self.graphs[CNN_GRAPH_FILE](stacks)

    def compute_logits(self, features: np.ndarray) -> np.ndarray:
        """Return the logits of every step of each window.

        Args:
            features: (B, T, D) float32. The head is causal: padding at the end changes nothing
                before it.

        Returns:
            (B, T, K) float32.
        """
        values = np.ascontiguousarray(features, dtype=np.float32)
        return self.graphs[TEMPORAL_GRAPH_FILE](values)

    @property
    def background(self) -> int:
        """Index of the background label, 0 where there is none."""
        return self.info.labels.index(self.info.decode.background or self.info.labels[0])

    def compute_people_logits(self, window: PoseWindow) -> np.ndarray:
        """Return (P, K): each person's logits over the steps at which they are seen."""
        n_people, n_steps, n_features = window.features.shape
        if n_people == 0:
            return np.zeros((0, len(self.info.labels)))
        padded = np.zeros((n_people, self.pose_spec.n_steps, n_features), dtype=np.float32)
        padded[:, :n_steps] = window.features
        logits = self.graphs[POSE_GRAPH_FILE](padded)[:, :n_steps]
        seen = window.features[:, :, SEEN_COLUMN]
        return pool_steps(logits, seen, self.pose_spec.people, self.background)

    def compute_probs(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities.

        Args:
            logits: (..., K).

        Returns:
            (..., K) float32, the last axis sums to 1.
        """
        scaled = np.asarray(logits) / self.info.temperature
        return compute_softmax(scaled + np.array(self.info.bias) if self.info.bias else scaled)


def compute_softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float32, that sum to 1 along the last axis.

    >>> compute_softmax(np.array([0.0, np.log(3.0)])).tolist()
    [0.25, 0.75]
    """
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)
