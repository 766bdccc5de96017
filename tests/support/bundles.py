"""Tiny real bundles: of motion, of people, of both.

Motion: two ONNX graphs that tell a moving picture from a still one.

The frame CNN gives, for each channel of a stack, the mean absolute difference to the first one,
in gray levels. The temporal head is linear in that difference and, weakly, in its sum since the
window's start, so that it is causal and has a state as an LSTM has.

People: a graph that tells whether one person's hands are above the middle of the trunk.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import parser

from har.bundle import (
    CNN_GRAPH_FILE,
    POSE_GRAPH_FILE,
    TEMPORAL_GRAPH_FILE,
    BundleInfo,
    MotionContract,
    PoseContract,
    save_info,
)
from har.config import DecodeConfig
from har.files import compute_file_hash
from har.inference.detector import compute_detector_hash
from har.pose.features import JOINTS, N_FEATURES
from har.types import PoseSpec, Streams, WindowSpec

SPEC = WindowSpec(
    size=(32, 48),
    rate_hz=8.0,
    n_steps=8,
    input="motion",
    lags_s=((0.0, -0.04), (0.16, -0.16)),
    max_rate_hz=30.0,
)
RGB_SPEC = WindowSpec((32, 48), 8.0, 8, "rgb", (), 30.0)
PEOPLE_SPEC = WindowSpec((192, 256), 8.0, 8, "motion", ((0.0, -0.04), (0.16, -0.16)), 30.0)
POSE_SPEC = PoseSpec(10.0, 10, compute_detector_hash(), "any", (), 0.2)
LABELS = ("still", "active")

_MOVING_LEVELS = 2.0
"""Mean difference in gray levels from which a picture counts as moving."""

_CNN = """
<ir_version: 10, opset_import: ["" : 18]>
frame_cnn (uint8[N, H, W, C] stacks) => (float[N, C] features)
<int64[1] zero = {0}, int64[1] one = {1}, int64[1] last = {3}, int64[2] picture = {1, 2}>
{
    levels = Cast <to = 1> (stacks)
    first = Slice (levels, zero, one, last)
    difference = Sub (levels, first)
    size = Abs (difference)
    features = ReduceMean <keepdims = 0> (size, picture)
}
"""

_CNN_FAILS_ON_WHITE = _CNN.replace(
    "<int64[1] zero",
    "<float limit = {240}, float[1] nothing = {0}, int64[1] zero",
).replace(
    "features = ReduceMean <keepdims = 0> (size, picture)",
    """brightest = ReduceMax <keepdims = 0> (levels)
    is_white = Greater (brightest, limit)
    row = Cast <to = 7> (is_white)
    none = Gather (nothing, row)
    means = ReduceMean <keepdims = 0> (size, picture)
    features = Add (means, none)""",
)
"""Reads past the end of a tensor where a pixel is white."""

_TEMPORAL = """
<ir_version: 10, opset_import: ["" : 18]>
temporal (float[B, T, C] features) => (float[B, T, K] logits)
<int64 time = {1}>
{
    sum = CumSum (features, time)
    now = MatMul (features, weights)
    before = MatMul (sum, state)
    both = Add (now, before)
    logits = Add (both, bias)
}
"""

_POSE = """
<ir_version: 10, opset_import: ["" : 18]>
pose (float[B, T, P] features) => (float[B, T, K] logits)
{
    height = MatMul (features, weights)
    logits = Add (height, bias)
}
"""


def make_bundle(
    folder: Path,
    labels: tuple[str, ...] = LABELS,
    spec: WindowSpec = SPEC,
    decode: DecodeConfig | None = None,
    fails_on_white: bool = False,
) -> Path:
    """Write a bundle: the first label is said of still pictures, the second of moving ones.

    Further labels are never said. With ``fails_on_white`` the frame CNN cannot take white pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _save_motion(folder, len(labels), spec)
    if fails_on_white:
        _save_graph(folder / CNN_GRAPH_FILE, _CNN_FAILS_ON_WHITE, {})
    return _save_info(folder, labels, spec, "motion", None, decode)


def make_people_bundle(
    folder: Path,
    streams: Streams = "pose",
    pose: PoseSpec = POSE_SPEC,
    decode: DecodeConfig | None = None,
    spec: WindowSpec = PEOPLE_SPEC,
) -> Path:
    """Write a bundle: the first label is said where hands hang, the second where they are up.

    With ``both`` the second is also said of pictures that move.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if streams == "both":
        _save_motion(folder, len(LABELS), spec)
    weights = np.zeros((N_FEATURES, len(LABELS)), dtype=np.float32)
    for wrist in ("left_wrist", "right_wrist"):
        weights[2 * JOINTS.index(wrist) + 1, 1] = 4.0  # y in trunks, upwards
    tensors = {"weights": weights, "bias": np.zeros(len(LABELS), dtype=np.float32)}
    _save_graph(folder / POSE_GRAPH_FILE, _POSE, tensors)
    decode = decode or DecodeConfig(background=LABELS[0])
    return _save_info(folder, LABELS, spec, streams, pose, decode)


def _save_motion(folder: Path, n_labels: int, spec: WindowSpec) -> None:
    weights = np.zeros((spec.n_channels, n_labels), dtype=np.float32)
    weights[1:, 1] = 1.5 / max(spec.n_channels - 1, 1)
    bias = np.full(n_labels, -6.0, dtype=np.float32)
    bias[:2] = 0.0, -1.5 * _MOVING_LEVELS
    tensors = {"weights": weights, "state": weights * np.float32(0.01), "bias": bias}
    _save_graph(folder / CNN_GRAPH_FILE, _CNN, {})
    _save_graph(folder / TEMPORAL_GRAPH_FILE, _TEMPORAL, tensors)


def _save_info(
    folder: Path,
    labels: tuple[str, ...],
    spec: WindowSpec,
    streams: Streams,
    pose: PoseSpec | None,
    decode: DecodeConfig | None,
) -> Path:
    motion = MotionContract(spec, spec.n_channels, "difference", "sum")
    info = BundleInfo(
        stage="system",
        labels=labels,
        motion=None if streams == "pose" else motion,
        pose=None if pose is None else PoseContract(pose, spec.pictures, weight=1.0),
        decode=decode or DecodeConfig(),
        files={path.name: compute_file_hash(path) for path in folder.glob("*.onnx")},
    )
    save_info(folder, info)
    return folder


def _save_graph(path: Path, text: str, tensors: dict[str, np.ndarray]) -> None:
    model = parser.parse_model(text)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(value, name) for name, value in tensors.items()
    )
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
