"""Runs one ONNX graph: a small interface over ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

from har.errors import BundleIntegrityError, BundleMismatchError


class Graph:
    """One ONNX graph with one input and one output."""

    def __init__(self, path: Path, n_threads: int = 0) -> None:
        """Loads the graph.

        Args:
            path: The ``.onnx`` file.
            n_threads: Threads it may use; 0 leaves it to the engine.

        Raises:
            BundleIntegrityError: The file is no graph that the engine can run.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise BundleIntegrityError(f"{path} cannot be run as an ONNX graph: {error}") from error
        self._input = self._session.get_inputs()[0].name
        self._path = path

    def run(self, values: np.ndarray) -> np.ndarray:
        """Gives the graph's output, float32, for a batch.

        Raises:
            BundleMismatchError: The batch has another shape or dtype than the graph takes.
        """
        try:
            return np.asarray(self._session.run(None, {self._input: values})[0])
        except Exception as error:
            raise BundleMismatchError(
                f"{self._path} does not take an input of shape {values.shape}, {values.dtype}: "
                f"{error}"
            ) from error
