"""What the pose stream costs a window, beside the pose network itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from har.config import TrainConfig
from har.inference.engines import Graph
from har.network.pose_head import build_pose_head
from har.network.saving import export_graph
from har.pose.features import N_FEATURES, compute_window

_REPEATS = 200


def measure_speed(n_people: int, n_labels: int) -> dict[str, float]:
    """Return milliseconds of one window, on one thread: median of many.

    Args:
        n_people: In the window.
        n_labels: Of the head.
    """
    config = TrainConfig(streams="pose").pose
    labels = tuple(str(label) for label in range(n_labels))
    spec = config.pose_spec(labels, "", "any")
    head = build_pose_head(config, spec, labels)
    points = np.random.default_rng(0).uniform(50, 100, (spec.n_steps, n_people, 17, 3))
    points = points.astype(np.float32)
    points[..., 2] = 0.9
    values = np.zeros((n_people, spec.n_steps, N_FEATURES), np.float32)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "head.onnx"
        export_graph(head, values, path)
        graph = Graph(path, n_threads=1)
        return {
            "features_ms": _time(lambda: compute_window(points, spec.rate_hz)),
            "head_ms": _time(lambda: graph.run(values)),
        }


def _time(act: Callable[[], object]) -> float:
    act()
    took = []
    for _ in range(_REPEATS):
        began_s = time.perf_counter()
        act()
        took.append(time.perf_counter() - began_s)
    return 1e3 * float(np.median(took))
