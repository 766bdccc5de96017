"""The networks of a bundle, each as Keras has it and as the graph that recognition runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from har.bundle import CNN_GRAPH_FILE, POSE_GRAPH_FILE, TEMPORAL_GRAPH_FILE, BundleInfo, load_info
from har.bundle_files import find_verified
from har.config.export import ExportFormat
from har.errors import ExportError
from har.inference.engines import Graph, Run
from har.network.saving import load_models, load_pose
from har.parallel import count_cores
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
        return self.graph.name == CNN_GRAPH_FILE

    def run_keras(self, values: np.ndarray) -> np.ndarray:
        """Return the output of Keras for a batch."""
        return np.asarray(self.model.predict_on_batch(values))

    def draw_input(self, n: int) -> np.ndarray:
        """Return a batch of ``n`` items of noise, the first without any, the last with most.

        Noise of one strength would drive every network into a corner where all forms agree.
        """
        rng = np.random.default_rng(0)
        strength = np.linspace(0.0, 1.0, n).reshape(-1, *(1 for _ in self.shape))
        noise = strength * rng.normal(size=(n, *self.shape))
        if self.dtype == "uint8":
            return np.clip(128.0 + _NOISE_LEVELS * noise, 0, 255).astype(np.uint8)
        return noise.astype(np.float32)


def load_parts(bundle_dir: Path) -> tuple[BundleInfo, list[Part]]:
    """Read the networks of a bundle, in the order of its `graph_names`.

    Raises:
        BundleNotFoundError: There is no bundle in the folder.
        BundleIntegrityError: A file is missing, altered, or unsafe to load.
    """
    info = load_info(bundle_dir)
    known: dict[str, tuple[keras.Model, tuple[int, ...], str]] = {}
    if info.motion is not None:
        _, cnn, head = load_models(bundle_dir)
        spec = info.motion.spec
        known[CNN_GRAPH_FILE] = (cnn, (*spec.size, spec.n_channels), "uint8")
        known[TEMPORAL_GRAPH_FILE] = (head, (spec.n_steps, info.motion.n_features), "float32")
    if info.pose is not None:
        _, pose = load_pose(bundle_dir)
        known[POSE_GRAPH_FILE] = (pose, (info.pose.spec.n_steps, N_FEATURES), "float32")
    return info, [
        Part(find_verified(bundle_dir, info, name), *known[name]) for name in info.graph_names
    ]


ENDINGS: dict[ExportFormat, str] = {
    "onnx": ".onnx",
    "openvino": ".xml",
    "litert": ".tflite",
    "saved_model": "",
}
"""What follows a network's name; a SavedModel is a folder."""

Samples = Callable[[], Iterator[np.ndarray]]
"""Starts a new stream of real batches of one item, for calibration."""


def write_form(
    form: ExportFormat, part: Part, graph: Path, folder: Path, samples: Samples | None
) -> Path:
    """Write one network into a folder.

    Args:
        form: What to write.
        part: The network.
        graph: The ONNX file to start from: the part's own, or one in int8.
        folder: Where to.
        samples: For LiteRT in int8, what it is calibrated on; None for fp32.

    Returns:
        The file, or the folder of a SavedModel.

    Raises:
        ExportError: The conversion failed.
        ModuleNotFoundError: A package of that form is not installed.
    """
    path = folder / f"{part.name}{ENDINGS[form]}"
    try:
        if form == "onnx":
            shutil.copyfile(graph, path)
        elif form == "openvino":
            _write_openvino(graph, path)
        elif form == "litert":
            _write_litert(part, path, samples)
        else:
            part.model.export(path, format="tf_saved_model", verbose=False)
    except (ModuleNotFoundError, OSError):
        raise
    except Exception as error:
        raise ExportError(
            f"The {part.name} of this bundle ({type(error).__name__}) cannot be written as {form}: "
            f"{error}\nTry --format onnx, which every bundle has"
        ) from error
    return path


def open_form(form: ExportFormat, path: Path) -> Run:
    """Return a function that runs a network written by `write_form`, in its own engine.

    Raises:
        BundleIntegrityError: The engine cannot run it.
        ModuleNotFoundError: The engine is not installed.
    """
    if form == "onnx":
        return Graph(path, engine="onnxruntime").run
    if form == "openvino":
        return Graph(path, engine="openvino").run
    if form == "litert":
        return _open_litert(path)
    layer = keras.layers.TFSMLayer(path, call_endpoint="serve")
    return lambda values: np.asarray(keras.ops.convert_to_numpy(layer(values)))


def _write_openvino(graph: Path, path: Path) -> None:
    import openvino as ov

    ov.save_model(ov.Core().read_model(graph), path, compress_to_fp16=False)


def _write_litert(part: Part, path: Path, samples: Samples | None) -> None:
    """Write one item at a time and only LiteRT's own operations, so that no add-on is needed."""
    import tensorflow as tf

    settings: dict[str, Any] = {}
    if samples is not None:
        settings["optimizations"] = [tf.lite.Optimize.DEFAULT]
        settings["representative_dataset"] = lambda: ([batch] for batch in samples())
    part.model.export(
        path,
        format="litert",
        verbose=False,
        input_signature=[keras.InputSpec(shape=(1, *part.shape), dtype=part.dtype)],
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
        **settings,
    )


def _open_litert(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=count_cores())
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def run(values: np.ndarray) -> np.ndarray:
        found = []
        for row in range(len(values)):
            interpreter.set_tensor(source, values[row : row + 1])
            interpreter.invoke()
            found.append(interpreter.get_tensor(target))
        return np.concatenate(found)

    return run
