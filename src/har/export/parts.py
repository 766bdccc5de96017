"""The networks of a bundle, each as Keras has it and as the graph that recognition runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from har import contract
from har.contract import BundleInfo
from har.network.bundle import load_models, load_pose
from har.pose.features import N_FEATURES

_NOISE_LEVELS = 32.0
"""Gray levels of the strongest noise, one standard deviation."""


@dataclass(frozen=True)
class Part:
    """One network of a bundle.

    Attributes:
        graph: Its ONNX file.
        model: The same in Keras, one input and one output.
        shape: Of one item of its input: (H, W, C) of a stack, (T, D) of a window.
        dtype: ``uint8`` for stacks, else ``float32``.
    """

    graph: Path
    model: keras.Model
    shape: tuple[int, ...]
    dtype: str

    @property
    def name(self) -> str:
        """The graph's name without its ending, such as ``frame_cnn``."""
        return self.graph.stem

    @property
    def is_cnn(self) -> bool:
        """Whether it is the frame CNN."""
        return self.graph.name == contract.CNN_GRAPH_FILE

    def run_keras(self, values: np.ndarray) -> np.ndarray:
        """Gives what Keras says to a batch."""
        return np.asarray(self.model.predict_on_batch(values))

    def draw_input(self, n: int, seed: int = 0) -> np.ndarray:
        """Gives a batch of ``n`` items of noise, the first without any, the last with most.

        Even noise would drive every network into a corner where all forms agree.
        """
        rng = np.random.default_rng(seed)
        strength = np.linspace(0.0, 1.0, n).reshape(-1, *(1 for _ in self.shape))
        noise = strength * rng.normal(size=(n, *self.shape))
        if self.dtype == "uint8":
            return np.clip(128.0 + _NOISE_LEVELS * noise, 0, 255).astype(np.uint8)
        return noise.astype(np.float32)


def load_parts(bundle_dir: Path) -> tuple[BundleInfo, list[Part]]:
    """Reads the networks of a bundle, in the order of `contract.find_graph_names`.

    Raises:
        BundleNotFoundError: There is no bundle in the folder.
        BundleIntegrityError: A file is missing, altered, or unsafe to load.
    """
    info = contract.load_info(bundle_dir)
    known: dict[str, tuple[keras.Model, tuple[int, ...], str]] = {}
    if info.streams != "pose":
        _, cnn, head = load_models(bundle_dir)
        spec = info.spec
        known[contract.CNN_GRAPH_FILE] = (cnn, (*spec.size, spec.n_channels), "uint8")
        known[contract.TEMPORAL_GRAPH_FILE] = (head, (spec.n_steps, info.n_features), "float32")
    if info.pose is not None:
        _, pose = load_pose(bundle_dir)
        known[contract.POSE_GRAPH_FILE] = (pose, (info.pose.n_steps, N_FEATURES), "float32")
    return info, [
        Part(contract.find_verified(bundle_dir, info, name), *known[name])
        for name in contract.find_graph_names(info)
    ]
