"""The pose network: a CNN that gives the body keypoints of up to six people in one picture.

MoveNet MultiPose Lightning by Google (Apache-2.0), shipped as an ONNX graph with fp16 weights;
`scripts/convert_movenet.py` makes it, docs/models/movenet_multipose.md describes it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from har.config.engine import Engine
from har.errors import BundleMismatchError
from har.files import compute_file_hash
from har.inference.engines import Graph
from har.pose.keypoints import MAX_PEOPLE, N_KEYPOINTS

GRAPH = Path(__file__).parent / "weights" / "movenet_multipose_fp16.onnx"
_STRIDE = 32


@cache
def compute_detector_hash() -> str:
    """Return the SHA-256 of the shipped network: keypoints of another one are other features."""
    return compute_file_hash(GRAPH)


class PoseDetector:
    """Finds people in pictures, one picture at a time."""

    def __init__(self, n_threads: int = 0, engine: Engine | None = None) -> None:
        """Load the shipped network.

        Args:
            n_threads: Threads of one call; 0 means one a core.
            engine: What runs it; see `har.inference.engines.Graph`.

        Raises:
            ConfigError: ``HAR_ENGINE`` names no engine.
            MissingDependencyError: The engine is not installed.
        """
        self._graph = Graph(GRAPH, n_threads, engine)

    def detect(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the people in one picture, the most confident first.

        Args:
            image: (H, W) gray or (H, W, 3) RGB, uint8, sides multiples of 32.

        Returns:
            (6, 17, 3) float32 x, y in pixels and score of each keypoint, and (6,) float32 scores of
            the people, as in `har.pose.keypoints.Detections`.

        Raises:
            BundleMismatchError: The picture's sides are not multiples of 32.
        """
        height, width = image.shape[:2]
        if height % _STRIDE or width % _STRIDE:
            raise BundleMismatchError(
                f"The pose network takes pictures whose sides are multiples of {_STRIDE}, received "
                f"{height}x{width}; prepare the clips with another --size"
            )
        colors = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)
        found = self._graph.run(colors[None].astype(np.int32)).reshape(MAX_PEOPLE, -1)
        points = found[:, : 3 * N_KEYPOINTS].reshape(MAX_PEOPLE, N_KEYPOINTS, 3)[..., [1, 0, 2]]
        points = points * np.array([width, height, 1.0], dtype=np.float32)
        scores = found[:, -1]
        order = np.argsort(-scores, kind="stable")
        return points[order], scores[order]
