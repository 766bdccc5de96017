"""Runs one ONNX graph in either of two engines, behind one small interface."""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from har.config.engine import ENGINE, Engine
from har.errors import (
    BundleIntegrityError,
    BundleMismatchError,
    ConfigError,
    MissingDependencyError,
)
from har.parallel import count_cores

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    import openvino as ov

ENGINE_VARIABLE = "HAR_ENGINE"
"""Environment variable that names the engine where the caller does not."""

Run = Callable[[np.ndarray], np.ndarray]
"""A batch in, the graph's only output for it out."""


class Graph:
    """One ONNX graph with one input and one output.

    Several threads may call `run` at once; each call then has its own threads.

    Attributes:
        engine: The one that runs it.
    """

    def __init__(self, path: Path, n_threads: int = 0, engine: Engine | None = None) -> None:
        """Load the graph.

        Args:
            path: The ``.onnx`` file.
            n_threads: Threads of one call; 0 means one a core.
            engine: None for what ``HAR_ENGINE`` names, else the default.

        Raises:
            BundleIntegrityError: The file is no graph that the engine can run.
            ConfigError: ``HAR_ENGINE`` names no engine.
            MissingDependencyError: The engine is not installed.
        """
        self.engine = find_engine(engine)
        self._path = path
        open_graph = _find_opener(self.engine)
        try:
            self._run = open_graph(path, n_threads or count_cores())
        except Exception as error:
            raise BundleIntegrityError(
                f"{path} cannot be run by {self.engine}: {error}\nCopy or train the bundle again, "
                f"or try the other engine with {ENGINE_VARIABLE}"
            ) from error
        _log.debug("%s runs on %s", path.name, self.engine)

    def run(self, values: np.ndarray) -> np.ndarray:
        """Return the graph's output, float32, for a batch; the array is the caller's own.

        Raises:
            BundleMismatchError: The batch has another shape or dtype than the graph takes.
        """
        try:
            return self._run(values)
        except Exception as error:
            raise BundleMismatchError(
                f"{self._path} does not take an input of shape {values.shape}, {values.dtype}: "
                f"{error}"
            ) from error


def find_engine(engine: Engine | None = None) -> Engine:
    """Return the engine that is asked for, by the caller, by ``HAR_ENGINE``, or else the default.

    Raises:
        ConfigError: ``HAR_ENGINE`` names no engine.
    """
    named = os.environ.get(ENGINE_VARIABLE, "")
    found = engine or named or ENGINE
    for known in get_args(Engine):
        if found == known:
            return known
    raise ConfigError(
        f"Expected {ENGINE_VARIABLE} to be one of {', '.join(get_args(Engine))}, received {found!r}"
    )


def _find_opener(engine: Engine) -> Callable[[Path, int], Run]:
    if engine == "onnxruntime":
        return _open_onnxruntime
    try:
        importlib.import_module("openvino")
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"The engine {engine} needs the package {error.name}, which is not installed; run: "
            f"pip install 'human-action-recognition[openvino]', or unset {ENGINE_VARIABLE}"
        ) from error
    return partial(_open_openvino, bfloat16=engine == "openvino-bf16")


_ONLY_FATAL = 4
"""Errors are raised as well."""


def _open_onnxruntime(path: Path, n_threads: int) -> Run:
    """Load a graph; call from several threads run side by side and share one pool.

    Threads that wait do so asleep: spinning gains a few percent on an idle machine and costs up to
    a core where decoding runs beside the network.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.log_severity_level = _ONLY_FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(values: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, {name: values})[0])

    return run


def _open_openvino(path: Path, n_threads: int, bfloat16: bool = False) -> Run:
    """Load a graph; every calling thread has its own request, and run in its own stream.

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
    import openvino as ov

    return ov.Core()
