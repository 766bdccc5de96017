"""Writes a network in the form of another engine, and runs it from there.

The ONNX graph is the source of the forms ``onnx`` and ``openvino``, the Keras model that of
``litert`` and ``saved_model``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from har.config.export import ExportFormat
from har.errors import ExportError
from har.export.parts import Part
from har.runtime.engine import Graph, Run, count_cores

ENDINGS: dict[ExportFormat, str] = {
    "onnx": ".onnx",
    "openvino": ".xml",
    "litert": ".tflite",
    "saved_model": "",
}
"""What follows a network's name; a SavedModel is a folder."""

Samples = Callable[[], Iterator[np.ndarray]]
"""Starts anew a stream of real batches of one item, for calibration."""


def write_form(
    form: ExportFormat, part: Part, graph: Path, folder: Path, samples: Samples | None
) -> Path:
    """Writes one network into a folder.

    Args:
        form: What to write.
        part: The network.
        graph: The ONNX file to start from: the part's own, or one in int8.
        folder: Where to.
        samples: For LiteRT in int8, what it is calibrated on; None for fp32.

    Returns:
        The file, or the folder of a SavedModel.

    Raises:
        ExportError: The converter cannot.
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
    """Gives what runs a network that `write_form` wrote, in its own engine.

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
    """Writes one item at a time and only LiteRT's own operations, so that no add-on is needed."""
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
