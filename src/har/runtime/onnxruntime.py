"""Graphs in ONNX Runtime; only `har.runtime.engine` uses this."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort

_ONLY_ERRORS = 3


def open_graph(path: Path, n_threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """Loads a graph; calls from several threads run side by side and share one pool.

    Threads that wait do so asleep: spinning gains a few percent on an idle machine and costs up to
    a core where decoding runs beside the network.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.log_severity_level = _ONLY_ERRORS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(values: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, {name: values})[0])

    return run
