"""Graphs in OpenVINO, an optional package; only `har.runtime.engine` uses this."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import openvino as ov

from har.runtime.engine import count_cores


def open_graph(
    path: Path, n_threads: int, bfloat16: bool = False
) -> Callable[[np.ndarray], np.ndarray]:
    """Loads a graph; every calling thread has its own request, and runs in its own stream.

    Where the processor has bfloat16 OpenVINO would use it by itself, which changes a frame's
    features by tenths: here it must be asked for, and where there is none fp32 is used.
    """
    n_streams = max(count_cores() // n_threads, 1)
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
        "NUM_STREAMS": n_streams,
        "INFERENCE_NUM_THREADS": n_threads * n_streams,
    }
    model = _core().compile_model(_core().read_model(path), "CPU", settings)
    dtype = np.dtype(model.input(0).element_type.to_dtype())
    own = threading.local()

    def run(values: np.ndarray) -> np.ndarray:
        if values.dtype != dtype:  # OpenVINO would convert it and say nothing
            raise TypeError(f"the graph takes {dtype}")
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()
        return np.array(own.request.infer([values], share_inputs=True)[0])

    return run


@cache
def _core() -> ov.Core:
    return ov.Core()
