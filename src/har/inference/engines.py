"""Runs one ONNX graph in one of several engines, behind one small interface."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from har.config.engine import ENGINE, Engine, Precision
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
        self.engine = engine or find_engine()
        self._path = path
        check_engine(self.engine)
        try:
            self._run = _find_opener(self.engine)(path, n_threads or count_cores())
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


def find_named_engine() -> Engine | None:
    """Return the engine that ``HAR_ENGINE`` names; None where it is not set.

    Raises:
        ConfigError: It names no engine.
    """
    named = os.environ.get(ENGINE_VARIABLE, "")
    for known in get_args(Engine):
        if named == known:
            return known
    if not named:
        return None
    raise ConfigError(
        f"Expected {ENGINE_VARIABLE} to be one of {', '.join(get_args(Engine))}, received {named!r}"
    )


def find_engine() -> Engine:
    """Return the engine that ``HAR_ENGINE`` names, else the default.

    Raises:
        ConfigError: ``HAR_ENGINE`` names no engine.
    """
    return find_named_engine() or ENGINE


def list_engines(precision: Precision) -> list[Engine]:
    """Return the engines that are installed and allowed in a precision, `ENGINE` first.

    Whether one works on this machine shows when a graph is loaded.
    """
    import onnxruntime as ort

    offered = ort.get_available_providers()
    found: list[Engine] = [ENGINE]
    found.extend(engine for engine, (name, _) in _PROVIDERS.items() if name in offered)
    if importlib.util.find_spec("openvino") is not None:
        found.append("openvino")
        if precision == "fast":
            found.append("openvino-bf16")
    if precision == "fast":
        found.append("onnxruntime-int8")
    return found


def describe_engine(engine: Engine) -> str:
    """Return an engine with its precision, as results tell it.

    >>> describe_engine("openvino"), describe_engine("openvino-bf16")
    ('openvino fp32', 'openvino bf16')
    """
    name, _, precision = engine.rpartition("-")
    return f"{name} {precision}" if precision in ("bf16", "int8") else f"{engine} fp32"


def is_provider(engine: Engine) -> bool:
    """Return whether an engine is ONNX Runtime on a GPU, which its driver can take away."""
    return engine in _PROVIDERS


def check_engine(engine: Engine) -> None:
    """Refuse an engine that is not installed.

    Raises:
        MissingDependencyError: It is not.
    """
    remedy = f"or unset {ENGINE_VARIABLE}"
    if engine.startswith("openvino"):
        try:
            importlib.import_module("openvino")
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                f"The engine {engine} needs the package {error.name}, which is not installed; run: "
                f"pip install 'human-action-recognition[openvino]', {remedy}"
            ) from error
    elif engine in _PROVIDERS:
        import onnxruntime as ort

        name, package = _PROVIDERS[engine][0], _PACKAGES.get(engine, "onnxruntime")
        if name not in ort.get_available_providers():
            raise MissingDependencyError(
                f"The engine {engine} needs an ONNX Runtime with {name}; install {package} in the "
                f"place of onnxruntime, {remedy}"
            )


_PROVIDERS: dict[Engine, tuple[str, dict[str, Any]]] = {
    "onnxruntime-cuda": (
        "CUDAExecutionProvider",
        {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
    ),
    "onnxruntime-rocm": ("ROCMExecutionProvider", {}),
    "onnxruntime-migraphx": ("MIGraphXExecutionProvider", {}),
    "onnxruntime-directml": ("DmlExecutionProvider", {}),
    "onnxruntime-coreml": ("CoreMLExecutionProvider", {}),
}
"""What ONNX Runtime calls each, and its options: TF32 has 10 bits, and an exhaustive search takes
what was fastest by chance, so that scores would differ from run to run."""

_PACKAGES: dict[Engine, str] = {
    "onnxruntime-cuda": "onnxruntime-gpu",
    "onnxruntime-rocm": "onnxruntime-rocm",
    "onnxruntime-migraphx": "onnxruntime-migraphx",
    "onnxruntime-directml": "onnxruntime-directml",
}


def _find_opener(engine: Engine) -> Callable[[Path, int], Run]:
    if engine in _PROVIDERS:
        return partial(_open_provider, engine)
    if engine.startswith("openvino"):
        return partial(_open_openvino, bfloat16=engine == "openvino-bf16")
    return _open_onnxruntime


_ONLY_FATAL = 4
"""Errors are raised as well."""


def _open_onnxruntime(path: Path, n_threads: int) -> Run:
    """Load a graph; call from several threads run side by side and share one pool.

    Threads that wait do so asleep: spinning gains a few percent on an idle machine and costs up to
    a core where decoding runs beside the network. In graphs of 8-bit integers sums overflow on
    processors without VNNI, unless they are computed in a slower way.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.log_severity_level = _ONLY_FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wide_sums = "0" if "vnni" in read_processor() else "1"
    options.add_session_config_entry("session.x64quantprecision", wide_sums)
    return _run_session(ort.InferenceSession(str(path), options, providers=[_ON_PROCESSOR]))


@cache
def read_processor() -> str:
    """Return what the system tells of the processor, empty where it has no such file."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


_ON_PROCESSOR = "CPUExecutionProvider"


def _open_provider(engine: Engine, path: Path, n_threads: int) -> Run:
    """Load a graph for a GPU; what it has no operation for runs on the processor.

    Raises:
        RuntimeError: ONNX Runtime would run all of it on the processor and say nothing.
    """
    import onnxruntime as ort

    ort.set_default_logger_severity(_ONLY_FATAL)  # the reason why a library does not load
    provider = _PROVIDERS[engine]
    options = ort.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.log_severity_level = _ONLY_FATAL
    is_alone = engine == "onnxruntime-directml"
    if is_alone:  # its sessions take neither of the two
        options.enable_mem_pattern = False
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    session = ort.InferenceSession(str(path), options, providers=[provider, _ON_PROCESSOR])
    if provider[0] not in session.get_providers():
        raise RuntimeError(f"{provider[0]} could not be loaded; is there such a GPU, its driver?")
    return _take_turns(_run_session(session)) if is_alone else _run_session(session)


def _run_session(session: Any) -> Run:
    name = session.get_inputs()[0].name

    def run(values: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, {name: values})[0])

    return run


def _take_turns(run: Run) -> Run:
    """Return what lets one thread in at a time."""
    lock = threading.Lock()

    def run_alone(values: np.ndarray) -> np.ndarray:
        with lock:
            return run(values)

    return run_alone


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


def has_bfloat16() -> bool:
    """Return whether OpenVINO, which must be installed, finds a processor that has bfloat16."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
