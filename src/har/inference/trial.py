"""Which engine runs a network on this machine: tried for a moment at first use, and remembered.

    one engine is installed (the usual install)    it runs, nothing is tried
    several                                        those whose answers agree with ONNX Runtime's
                                                   take turns, and the fastest is remembered

What is remembered holds for one graph, processor, setting of threads and version of the packages.
It lies in the user's cache folder, `find_memory`; without that folder there is a trial every time.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import numpy as np
from filelock import FileLock

from har.config.engine import ENGINE, FASTER, Engine, Precision
from har.errors import BundleMismatchError, HarError, OutputError
from har.files import compute_file_hash, write_json
from har.inference.engines import (
    Graph,
    Run,
    describe_engine,
    has_bfloat16,
    is_provider,
    list_engines,
    read_processor,
)
from har.parallel import count_cores

_log = logging.getLogger(__name__)

MOST_APART = 1e-3
"""Engines in fp32 must give a graph's output to within this share of its largest value, or of 1."""
_MOST_CHANGED = 0.5
"""Lower precision may change an output by this share on the mean: more is another network's. What
it costs in accuracy was measured: docs/benchmarks.md."""
_LEAST_TURNS, _TURNS_S = 5, 0.5
_WAIT_S = 15.0
_N_REMEMBERED = 200


@dataclass(frozen=True)
class Network:
    """A graph that an engine is chosen for.

    Attributes:
        path: In fp32.
        values: An input as recognition gives it: one picture.
        int8: The same network in 8-bit integers; None where there is none.
    """

    path: Path
    values: np.ndarray
    int8: Path | None = None

    def find_graph(self, engine: Engine) -> Path | None:
        """Return the file that an engine runs, None where there is none for it."""
        return self.int8 if engine == "onnxruntime-int8" else self.path


def choose_engine(network: Network, n_threads: int, precision: Precision) -> Engine:
    """Return the engine that runs a network: the only one, the remembered one, or the fastest.

    Args:
        network: The graph.
        n_threads: Threads of one call; 0 means one a core.
        precision: What the engine may cost: with ``full`` nothing but other last digits.
    """
    engines: list[Engine] = []
    engines.extend(name for name in list_engines(precision) if network.find_graph(name))
    if len(engines) == 1:
        return engines[0]
    key, memory = _describe(network, n_threads, precision), find_memory()
    known = _recall(memory, key, engines)
    if known is None:
        with _alone(memory):
            known = _recall(memory, key, engines)
            if known is None:
                spent_s = try_engines(network, engines, n_threads)
                known = choose_fastest(spent_s)
                _remember(memory, key, known, spent_s)
    elif is_provider(known):
        known = _check_provider(network, n_threads, known)
    return known


def choose_fastest(spent_s: Mapping[Engine, float]) -> Engine:
    """Return the fastest engine, or `ENGINE` if that is not at least a tenth slower.

    Args:
        spent_s: Seconds of each engine, among them `ENGINE`.

    >>> choose_fastest({"onnxruntime": 10.0, "openvino": 9.5, "openvino-bf16": 6.0})
    'openvino-bf16'
    >>> choose_fastest({"onnxruntime": 10.0, "openvino": 9.5})
    'onnxruntime'
    """
    fastest = min(spent_s, key=lambda engine: spent_s[engine])
    return fastest if spent_s[fastest] <= (1 - FASTER) * spent_s[ENGINE] else ENGINE


def try_engines(network: Network, engines: Sequence[Engine], n_threads: int) -> dict[Engine, float]:
    """Return the seconds that each engine takes that gives the same answer as `ENGINE`.

    One picture a call, as in recognition, where every core makes such calls by itself. Engines take
    turns, and of each the fastest counts: on a machine with other work medians of two callers took
    another engine one time in four.
    """
    runs: dict[Engine, Run] = {ENGINE: Graph(network.path, n_threads, ENGINE).run}
    try:
        expected = runs[ENGINE](network.values)
    except BundleMismatchError:  # whoever loads the bundle says what is wrong with it
        return {ENGINE: 0.0}
    for engine in engines:
        path = network.find_graph(engine)
        if engine == ENGINE or path is None:
            continue
        try:
            if engine == "openvino-bf16" and not has_bfloat16():
                continue
            run = Graph(path, n_threads, engine).run
            found = run(network.values)
        except (HarError, ImportError, RuntimeError) as error:
            _log.info("%s does not run %s: %s", engine, path.name, error)
            continue
        if agree(expected, found, engine):
            runs[engine] = run
        else:
            _log.info("%s is not taken for %s: its answer is another one", engine, path.name)
    if len(runs) == 1:
        return {ENGINE: 0.0}
    return _time(runs, network.values)


def agree(expected: np.ndarray, found: np.ndarray, engine: Engine) -> bool:
    """Return whether an engine's output is that of `ENGINE`, as far as its precision allows.

    >>> agree(np.array([2.0, 6.0]), np.array([2.0, 6.005]), "openvino")
    True
    >>> agree(np.array([2.0, 6.0]), np.array([2.0, 6.4]), "openvino")
    False
    >>> agree(np.array([2.0, 6.0]), np.array([2.0, 6.4]), "openvino-bf16")
    True
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        return False
    apart, size = np.abs(found - expected), np.abs(expected)
    if describe_engine(engine).endswith("fp32"):
        return float(apart.max()) <= MOST_APART * max(1.0, float(size.max()))
    return float(apart.mean()) <= _MOST_CHANGED * float(size.mean())


def _time(runs: Mapping[Engine, Run], values: np.ndarray) -> dict[Engine, float]:
    spent_s: dict[Engine, list[float]] = {engine: [] for engine in runs}
    began_s = time.perf_counter()
    while len(spent_s[ENGINE]) < _LEAST_TURNS or time.perf_counter() - began_s < _TURNS_S:
        for engine, run in runs.items():
            start_s = time.perf_counter()
            run(values)
            spent_s[engine].append(time.perf_counter() - start_s)
    return {engine: min(turns) for engine, turns in spent_s.items()}


def _check_provider(network: Network, n_threads: int, engine: Engine) -> Engine:
    """Return a GPU's engine if it still loads: a driver may have gone since it was tried."""
    try:
        Graph(network.path, n_threads, engine).run(network.values)
    except (HarError, RuntimeError) as error:
        _log.warning("%s runs %s, for %s fails: %s", ENGINE, network.path.name, engine, error)
        return ENGINE
    return engine


def _describe(network: Network, n_threads: int, precision: Precision) -> str:
    """Return all that decides which engine is fastest."""
    hashes = [compute_file_hash(path)[:16] for path in (network.path, network.int8) if path]
    shape = "x".join(str(side) for side in network.values.shape)
    parts = [network.path.name, *hashes, shape, precision, f"{n_threads} of {count_cores()} cores"]
    return ", ".join([*parts, find_processor(), *_list_versions()])


def _list_versions() -> list[str]:
    import onnxruntime as ort

    found = [f"onnxruntime {ort.__version__} for {' '.join(ort.get_available_providers())}"]
    with suppress(PackageNotFoundError):
        found.append(f"openvino {version('openvino')}")
    return found


def find_processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    for line in read_processor().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def find_memory() -> Path | None:
    """Return the file in which choices are remembered; None where the user has no such folder."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = home / "Library" / "Caches"
    else:
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        folder = named if named.is_absolute() else home / ".cache"  # as its specification says
    return folder / "har" / "engines.json"


def _recall(memory: Path | None, key: str, engines: Sequence[Engine]) -> Engine | None:
    found = _read(memory).get(key)
    name = cast("dict[str, Any]", found).get("engine") if isinstance(found, dict) else None
    return next((engine for engine in engines if engine == name), None)


def _read(memory: Path | None) -> dict[str, Any]:
    """Return what is remembered; nothing where the file is not there, or damaged."""
    if memory is None:
        return {}
    try:
        values = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", values) if isinstance(values, dict) else {}


def _remember(
    memory: Path | None, key: str, engine: Engine, spent_s: Mapping[Engine, float]
) -> None:
    ms = {name: round(1e3 * seconds, 3) for name, seconds in spent_s.items()}
    _log.info("%s is taken; milliseconds of a turn: %s", engine, ms)
    if memory is None:
        return
    known = {name: value for name, value in _read(memory).items() if name != key}
    kept = dict(list(known.items())[1 - _N_REMEMBERED :])
    try:
        write_json(memory, {**kept, key: {"engine": engine, "ms": ms}})
    except OutputError as error:
        _log.info("The engine is tried again next time: %s", error)


@contextmanager
def _alone(memory: Path | None) -> Iterator[None]:
    """Let one process try at a time, where the system can: others then recall what it found."""
    if memory is None:
        yield
        return
    lock = FileLock(f"{memory}.lock")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_WAIT_S)
    except (OSError, NotImplementedError) as error:  # a time-out is an OSError
        _log.debug("%s cannot be locked: %s", memory, error)
    try:
        yield
    finally:
        lock.release()
