"""A loaded bundle, ready to recognize: its streams, and logits to probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import partial
from pathlib import Path

import numpy as np

from har.bundle import (
    CNN_GRAPH_FILE,
    INT8_GRAPH_FILE,
    POSE_GRAPH_FILE,
    TEMPORAL_GRAPH_FILE,
    BundleInfo,
    load_info,
)
from har.bundle_files import find_verified
from har.config.engine import ENGINE, Engine, Precision
from har.errors import BundleIntegrityError, BundleMismatchError
from har.graph_hash import compute_graph_hash
from har.inference.detector import GRAPH, PoseDetector, compute_detector_hash
from har.inference.engines import Graph, Run, describe_engine, find_named_engine
from har.inference.streams import MotionStream, PoseStream, Stream
from har.inference.trial import Network, choose_engine
from har.pose.features import N_FEATURES
from har.types import Streams


class Recognizer:
    """The exported graphs of a bundle, with its contract.

    Attributes:
        info: The bundle's contract; labels, window and thresholds are read from there.
        engines: The engine of each of its networks, by the name of its file.
        graphs: What runs each graph, by the name of its file.
        motion: The stream of motion in the picture; None for a bundle without it.
        pose: The stream of people's keypoints; None for a bundle without it.
        is_exact: Whether steps at which nothing moves are encoded, too.
        folder: Of the bundle.
    """

    def __init__(
        self,
        bundle_dir: Path,
        n_threads: int = 0,
        engine: Engine | Mapping[str, Engine] | None = None,
        exact: bool = False,
        streams: Streams | None = None,
        precision: Precision | None = None,
    ) -> None:
        """Load and verify a bundle's graphs.

        Args:
            bundle_dir: The bundle.
            n_threads: Threads of one call of a graph; 0 means one a core.
            engine: What runs them all, or each by the name of its file, as in ``engines`` of
                another recognizer; see `har.inference.engines.Graph`.
            exact: Encode steps at which nothing moves, too.
            streams: Which of its streams are used; all when None.
            precision: Where no engine is named, here or by ``HAR_ENGINE``: the CNNs run in the
                engine that is fastest here in this precision, as of `har.inference.trial` (the pose
                network always in full: in bfloat16 it costs more than a point of accuracy), and the
                heads, which cost nearly nothing, in the default one; all do when None.

        Raises:
            BundleNotFoundError: There is no bundle in the folder.
            BundleIntegrityError: A file is missing, altered or unusable.
            BundleMismatchError: It has learned the keypoints of another pose network, or lacks one
                of the streams.
            ConfigError: ``HAR_ENGINE`` names no engine.
            MissingDependencyError: The engine is not installed.
        """
        info = load_info(bundle_dir)
        self.info: BundleInfo = info if streams is None else info.take_streams(streams)
        _check_detector(self.info, bundle_dir)
        self.engines = self._choose_engines(bundle_dir, n_threads, engine, precision)
        self.graphs: dict[str, Run] = {
            name: Graph(self._find_graph(bundle_dir, name), n_threads, self.engines[name]).run
            for name in self.info.graph_names
        }
        self._open_detector = partial(PoseDetector, n_threads, self.engines.get(GRAPH.name))
        self.is_exact, self.folder = exact, bundle_dir
        self._build_streams()
        self._check_outputs(bundle_dir)

    def _choose_engines(
        self,
        bundle_dir: Path,
        n_threads: int,
        engine: Engine | Mapping[str, Engine] | None,
        precision: Precision | None,
    ) -> dict[str, Engine]:
        """Return the engine of each network by the name of its file."""
        names = [*self.info.graph_names, *([GRAPH.name] if self.info.pose is not None else [])]
        if isinstance(engine, Mapping):
            return {name: engine[name] for name in names}
        fixed = engine or find_named_engine()
        found: dict[str, Engine] = dict.fromkeys(names, fixed or ENGINE)
        if fixed is None and precision is not None:
            for network in self._list_networks(bundle_dir):
                own: Precision = "full" if network.path == GRAPH else precision  # it costs accuracy
                found[network.path.name] = choose_engine(network, n_threads, own)
        if fixed == "onnxruntime-int8":
            has_one = INT8_GRAPH_FILE in self.info.files
            found = dict.fromkeys(names, ENGINE)
            found |= {CNN_GRAPH_FILE: fixed} if has_one and CNN_GRAPH_FILE in names else {}
        return found

    def _list_networks(self, bundle_dir: Path) -> list[Network]:
        """Return the networks that look at pictures, each with a picture of noise."""
        rng, info, found = np.random.default_rng(0), self.info, list[Network]()

        def draw(*shape: int) -> np.ndarray:
            return rng.normal(128.0, 32.0, (1, *shape)).clip(0, 255)

        if info.motion is not None:
            stack = draw(*info.motion.spec.size, info.motion.spec.n_channels).astype(np.uint8)
            has_int8 = INT8_GRAPH_FILE in info.files
            int8 = find_verified(bundle_dir, info, INT8_GRAPH_FILE) if has_int8 else None
            found.append(Network(find_verified(bundle_dir, info, CNN_GRAPH_FILE), stack, int8))
        if info.pose is not None:
            found.append(Network(GRAPH, draw(*info.pose.pictures.size, 3).astype(np.int32)))
        return found

    def _find_graph(self, bundle_dir: Path, name: str) -> Path:
        file = INT8_GRAPH_FILE if self.engines[name] == "onnxruntime-int8" else name
        return find_verified(bundle_dir, self.info, file)

    def describe_engines(self) -> dict[str, str]:
        """Return what runs each network and in which precision, as results tell it."""
        return {Path(name).stem: describe_engine(engine) for name, engine in self.engines.items()}

    def _check_outputs(self, bundle_dir: Path) -> None:
        """Run each graph once on nothing: the contract must say of it what it gives."""
        n_labels, motion, pose = len(self.info.labels), self.info.motion, self.info.pose
        runs: list[tuple[str, np.ndarray, tuple[int, ...]]] = []
        if motion is not None:
            spec, n_features = motion.spec, motion.n_features
            picture = np.zeros((1, *spec.size, spec.n_channels), np.uint8)
            window = np.zeros((1, spec.n_steps, n_features), np.float32)
            runs.append((CNN_GRAPH_FILE, picture, (1, n_features)))
            runs.append((TEMPORAL_GRAPH_FILE, window, (1, spec.n_steps, n_labels)))
        if pose is not None:
            window = np.zeros((1, pose.spec.n_steps, N_FEATURES), np.float32)
            runs.append((POSE_GRAPH_FILE, window, (1, pose.spec.n_steps, n_labels)))
        for name, values, expected in runs:
            try:
                found: object = self.graphs[name](values).shape
            except BundleMismatchError:
                found = "an error"
            if found != expected:
                raise BundleIntegrityError(
                    f"The contract of {bundle_dir} does not fit its {name}: of {values.shape} it "
                    f"makes {found}, where {expected} is due with {n_labels} labels; copy or train "
                    "the bundle again"
                )

    def _build_streams(self) -> None:
        motion, pose = self.info.motion, self.info.pose
        exact, graphs = self.is_exact, self.graphs
        self.motion = None if motion is None else MotionStream(motion, graphs, exact)
        self.pose = (
            None
            if pose is None
            else PoseStream(pose, self.info, graphs, self._open_detector, exact)
        )

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Its streams, one or two; the first sets the time steps of scores."""
        return tuple(stream for stream in (self.motion, self.pose) if stream is not None)

    def compute_cnn_hash(self) -> str:
        """Return a hash of what the frame CNN computes, whatever its file calls the parts."""
        return compute_graph_hash(self.folder / CNN_GRAPH_FILE)

    def replace(self, graphs: Mapping[str, Run]) -> Recognizer:
        """Return a twin that runs other forms of some graphs, by the names of their files.

        So that an exported or quantized model is measured by the very path that recognizes.
        """
        twin = copy(self)
        twin.graphs = {**self.graphs, **graphs}
        twin._build_streams()
        return twin

    @property
    def lags_s(self) -> list[float]:
        """How far apart in time the pictures are that the streams compare."""
        if self.info.motion is not None:
            return [abs(a - b) for a, b in self.info.motion.spec.lags_s]
        return [2 / self.info.require_pose().spec.rate_hz]

    def take_pose(self) -> Recognizer:
        """Return a twin with the pose stream alone.

        Raises:
            BundleMismatchError: There is none.
        """
        twin = copy(self)
        twin.info = self.info.take_streams("pose")
        twin.engines = {POSE_GRAPH_FILE: self.engines[POSE_GRAPH_FILE]}  # keypoints are there
        twin.motion = None
        return twin

    def compute_probs(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities.

        Args:
            logits: (..., K).

        Returns:
            (..., K) float32, the last axis sums to 1.
        """
        scaled = np.asarray(logits) / self.info.temperature
        return compute_softmax(scaled + np.array(self.info.bias) if self.info.bias else scaled)


def _check_detector(info: BundleInfo, bundle_dir: Path) -> None:
    if info.pose is not None and info.pose.spec.detector != compute_detector_hash():
        raise BundleMismatchError(
            f"The bundle {bundle_dir} has learned the keypoints of another pose network than this "
            f"har ships; train it again, or use the har version it was made with "
            f"({info.versions.get('har', 'unknown')})"
        )


def compute_softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float32, that sum to 1 along the last axis.

    >>> compute_softmax(np.array([0.0, np.log(3.0)])).tolist()
    [0.25, 0.75]
    """
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)
