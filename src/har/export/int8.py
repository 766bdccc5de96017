"""The frame CNN in 8-bit integers, calibrated on real clips."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from har.bundle import CNN_GRAPH_FILE, INT8_GRAPH_FILE, BundleInfo, load_info, save_info
from har.bundle_files import find_verified
from har.config.export import ExportConfig
from har.dataset.store import Store
from har.errors import ExportError, SplitError
from har.files import compute_file_hash
from har.sampling.crop import gather_crops
from har.sampling.times import compute_span_s, compute_stack_indices, compute_step_times
from har.types import WindowSpec

_QUANTIZED = ["Conv", "Clip", "Relu"]
"""Convolutions and the activations that bound their outputs: without these the scale is spent on
values that are cut off, and features differ by more than twice as much."""
_FLOAT = 0.25
"""This share of the convolutions, the first ones, stays in fp32. They look at whole pictures, so
the way into integers and back costs more than they do, and their errors grow in all that follow:
with them features of other clips changed by 27 % and took 1.19 ms, without them by 9 % and 1.03.

Source: docs/experiments/engines.md.
"""


def iter_samples(store: Store, spec: WindowSpec, config: ExportConfig) -> Iterator[np.ndarray]:
    """Return stacks of clips that the bundle may have been trained on, never of test clips.

    Clips are spread evenly over the training part, or over the whole store where it has none, and
    steps evenly over each clip.

    Yields:
        (1, H, W, C) uint8.
    """
    try:
        clips = store.indices("train")
    except SplitError:
        clips = store.indices("all")
    for clip in clips[_spread(len(clips), config.n_calibration)]:
        clip_id = store.clips[clip].clip_id
        times_s = store.load_times(clip_id)
        steps = compute_step_times(compute_span_s(times_s), spec.rate_hz)
        rows = compute_stack_indices(times_s, steps, spec.offsets_s)
        stacks = gather_crops(store.open_frames(clip_id), rows, spec)
        for step in _spread(len(stacks), config.steps_per_clip):
            yield stacks[step][None]


def quantize_graph(graph: Path, samples: Iterator[np.ndarray], path: Path) -> None:
    """Write an ONNX graph with 8-bit weights and activations; it stays uint8 in, float32 out.

    Args:
        graph: In fp32.
        samples: Batches of its input.
        path: The file to write; a temporary one is beside it meanwhile.

    Raises:
        ExportError: The quantization failed.
    """
    plain = path.with_suffix(".plain.onnx")
    root = logging.getLogger()
    level = root.level
    root.setLevel(max(level, logging.ERROR))
    try:
        quant_pre_process(str(graph), str(plain), skip_symbolic_shape=True)
        quantize_static(
            str(plain),
            str(path),
            _Reader(graph, samples),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_QUANTIZED,
            nodes_to_exclude=_list_first(plain),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    except Exception as error:
        raise ExportError(f"{graph} cannot be written in int8: {error}") from error
    finally:
        root.setLevel(level)
        plain.unlink(missing_ok=True)


def add_int8(bundle_dir: Path, store: Store, config: ExportConfig) -> BundleInfo:
    """Put the frame CNN in 8-bit integers beside a bundle's own, for those who ask for speed.

    All else stays as it was, and so do the scores in full precision.

    Raises:
        BundleError: There is no bundle, its CNN was altered, or it has none.
        ExportError: The quantization failed.
    """
    info = load_info(bundle_dir)
    graph = find_verified(bundle_dir, info, CNN_GRAPH_FILE)
    path = bundle_dir / INT8_GRAPH_FILE
    quantize_graph(graph, iter_samples(store, info.require_motion().spec, config), path)
    added = replace(info, files={**info.files, path.name: compute_file_hash(path)})
    save_info(bundle_dir, added)
    return added


def _list_first(graph: Path) -> list[str]:
    """Return the names of the convolutions that stay in fp32."""
    import onnx

    nodes = onnx.load(graph, load_external_data=False).graph.node
    names = [node.name for node in nodes if node.op_type == "Conv"]
    return names[: round(_FLOAT * len(names))]


def _spread(n: int, n_most: int) -> np.ndarray:
    """Return at most so many indices, evenly spread over ``n``, both ends included."""
    return np.unique(np.linspace(0, n - 1, min(n, n_most)).round().astype(np.int64))


class _Reader(CalibrationDataReader):
    """Gives samples one by one to the calibration."""

    def __init__(self, graph: Path, samples: Iterator[np.ndarray]) -> None:
        import onnx

        self._name = onnx.load(graph, load_external_data=False).graph.input[0].name
        self._samples = samples

    def get_next(self) -> dict[str, np.ndarray] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the next sample by the input's name, or None at the end."""
        sample = next(self._samples, None)
        return None if sample is None else {self._name: sample}
