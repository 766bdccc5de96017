"""A tiny real bundle: two ONNX graphs that tell a moving picture from a still one.

The frame CNN gives, for each channel of a stack, the mean absolute difference to the first one,
in gray levels. The temporal head is linear in that difference and, weakly, in its sum since the
window's start, so that it is causal and has a state as an LSTM has.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import parser

from har import contract
from har.config import DecodeConfig
from har.contract import BundleInfo
from har.types import WindowSpec

SPEC = WindowSpec(
    size=(32, 48),
    rate_hz=8.0,
    n_steps=8,
    input="motion",
    lags_s=((0.0, -0.04), (0.16, -0.16)),
    max_rate_hz=30.0,
)
RGB_SPEC = WindowSpec((32, 48), 8.0, 8, "rgb", (), 30.0)
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


def make_bundle(
    folder: Path,
    labels: tuple[str, ...] = LABELS,
    spec: WindowSpec = SPEC,
    decode: DecodeConfig | None = None,
) -> Path:
    """Writes a bundle: the first label is said of still pictures, the second of moving ones.

    Further labels are never said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = np.zeros((spec.n_channels, len(labels)), dtype=np.float32)
    weights[1:, 1] = 1.5 / max(spec.n_channels - 1, 1)
    bias = np.full(len(labels), -6.0, dtype=np.float32)
    bias[:2] = 0.0, -1.5 * _MOVING_LEVELS
    tensors = {"weights": weights, "state": weights * np.float32(0.01), "bias": bias}
    _save_graph(folder / contract.CNN_GRAPH_FILE, _CNN, {})
    _save_graph(folder / contract.TEMPORAL_GRAPH_FILE, _TEMPORAL, tensors)
    names = (contract.CNN_GRAPH_FILE, contract.TEMPORAL_GRAPH_FILE)
    info = BundleInfo(
        stage="system",
        labels=labels,
        spec=spec,
        n_features=spec.n_channels,
        backbone="difference",
        temporal="sum",
        decode=decode or DecodeConfig(),
        files={name: contract.compute_file_hash(folder / name) for name in names},
    )
    contract.save_info(folder, info)
    return folder


def _save_graph(path: Path, text: str, tensors: dict[str, np.ndarray]) -> None:
    model = parser.parse_model(text)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(value, name) for name, value in tensors.items()
    )
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
