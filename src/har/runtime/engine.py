"""Runs one ONNX graph in either of two engines, behind one small interface."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from har.config.engine import ENGINE, Engine
from har.errors import (
    BundleIntegrityError,
    BundleMismatchError,
    ConfigError,
    MissingDependencyError,
)

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
        """Loads the graph.

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

    def run(self, values: np.ndarray) -> np.ndarray:
        """Gives the graph's output, float32, for a batch; the array is the caller's own.

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
    """Gives the engine that is asked for, by the caller, by ``HAR_ENGINE``, or else the default.

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


def count_cores() -> int:
    """Gives the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _find_opener(engine: Engine) -> Callable[[Path, int], Run]:
    if engine == "onnxruntime":
        from har.runtime.onnxruntime import open_graph as open_onnxruntime

        return open_onnxruntime
    try:
        from har.runtime.openvino import open_graph
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"The engine {engine} needs the package {error.name}, which is not installed; run: "
            f"pip install 'human-action-recognition[openvino]', or unset {ENGINE_VARIABLE}"
        ) from error
    return partial(open_graph, bfloat16=engine == "openvino-bf16")
