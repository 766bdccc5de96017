"""What single graphs cost in each engine that is installed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from har.bundle import CNN_GRAPH_FILE, POSE_GRAPH_FILE, TEMPORAL_GRAPH_FILE, load_info
from har.config import Engine
from har.export.int8 import quantize_graph
from har.inference.detector import GRAPH
from har.inference.engines import Graph, list_engines
from har.parallel import count_cores
from har.pose.features import N_FEATURES

_ROUNDS, _LOADS = 30, 3
_BATCHES, _WINDOWS = (1, 2, 4, 16), (1, 8, 32)


@dataclass(frozen=True)
class Case:
    """A graph with what it is given.

    Attributes:
        name: What the table calls it.
        path: The graph.
        values: A batch.
        int8: The graph in 8-bit integers, None where there is none.
    """

    name: str
    path: Path
    values: np.ndarray
    int8: Path | None = None

    def open(self, engine: Engine, n_threads: int) -> Graph:
        """Load it in an engine."""
        path = self.int8 if engine == "onnxruntime-int8" else self.path
        return Graph(path or self.path, n_threads, engine)

    @property
    def engines(self) -> list[Engine]:
        """Those that are installed."""
        return [e for e in list_engines("fast") if e != "onnxruntime-int8" or self.int8]


def measure_graphs(bundle: Path, work: Path, n_rounds: int = _ROUNDS) -> list[dict[str, Any]]:
    """Return milliseconds an item of each graph, batch and number of threads, engine by engine.

    With several callers each has a batch of its own at the same time, on one thread. The engines
    take turns, so that other work on the machine slows all of them alike; of each the median of
    rounds counts.
    """
    found, n_cores = [], count_cores()
    for case in _list_cases(bundle, work):
        for n_threads, n_callers in dict.fromkeys([(1, 1), (1, n_cores), (n_cores, 1)]):
            with ThreadPoolExecutor(n_callers) as pool:
                graphs = {engine: case.open(engine, n_threads) for engine in case.engines}
                runs: dict[Engine, Callable[[], object]] = {
                    engine: partial(_call, pool, graph, case.values, n_callers)
                    for engine, graph in graphs.items()
                }
                spent_s = _take_turns(runs, n_rounds)
            n_items = len(case.values) * n_callers
            row = {"graph": case.name, "batch": len(case.values)}
            row |= {"threads": n_threads, "callers": n_callers}
            row["ms"] = {e: round(1e3 * median(s) / n_items, 3) for e, s in spent_s.items()}
            found.append(row | {"apart": _compare(graphs, case.values)})
    return found


def _call(pool: ThreadPoolExecutor, graph: Graph, values: np.ndarray, n_callers: int) -> None:
    list(pool.map(graph.run, [values] * n_callers))


def measure_loading(bundle: Path, work: Path) -> list[dict[str, Any]]:
    """Return the milliseconds until each graph is ready, of the fastest of some times."""
    found = []
    for name, case in {case.name: case for case in _list_cases(bundle, work)}.items():
        ways = {engine: partial(case.open, engine, 1) for engine in case.engines}
        spent_s = _take_turns(ways, _LOADS)
        ms = {engine: round(1e3 * min(seconds)) for engine, seconds in spent_s.items()}
        found.append({"graph": name, "ms": ms})
    return found


def _list_cases(bundle: Path, work: Path) -> list[Case]:
    """Return graphs with batches for each."""
    info = load_info(bundle)
    rng = np.random.default_rng(0)
    height, width = info.pictures.size
    motion = info.require_motion()
    shape = (max(_BATCHES), height, width, motion.spec.n_channels)
    stacks = rng.integers(0, 256, shape, dtype=np.uint8)
    shape = (max(_WINDOWS), motion.spec.n_steps, motion.n_features)
    windows = rng.normal(size=shape).astype(np.float32)
    cnn, int8 = bundle / CNN_GRAPH_FILE, work / "frame_cnn_int8.onnx"
    if not int8.is_file():
        quantize_graph(cnn, iter(stacks[:, None]), int8)  # of noise: its time is that of any
    pictures = rng.integers(0, 256, (1, height, width, 3)).astype(np.int32)
    cases = [Case("frame CNN", cnn, stacks[:n], int8) for n in _BATCHES]
    cases += [Case("temporal head", bundle / TEMPORAL_GRAPH_FILE, windows[:n]) for n in _WINDOWS]
    cases.append(Case("pose CNN", GRAPH, pictures))
    if info.pose is not None:
        people = rng.normal(size=(max(_WINDOWS), info.pose.spec.n_steps, N_FEATURES))
        head = bundle / POSE_GRAPH_FILE
        cases += [Case("pose head", head, people[:n].astype(np.float32)) for n in _WINDOWS]
    return cases


def _take_turns(
    ways: dict[Engine, Callable[[], object]], n_rounds: int
) -> dict[Engine, list[float]]:
    """Return the seconds of each run of each way, after one that does not count."""
    for run in ways.values():
        run()
    spent_s: dict[Engine, list[float]] = {engine: [] for engine in ways}
    for _ in range(n_rounds):
        for engine, run in ways.items():
            start_s = time.perf_counter()
            run()
            spent_s[engine].append(time.perf_counter() - start_s)
    return spent_s


def _compare(graphs: dict[Engine, Graph], values: np.ndarray) -> dict[str, float]:
    """Return the largest difference of each engine's output from the first one's."""
    outputs = {engine: graph.run(values) for engine, graph in graphs.items()}
    first = next(iter(outputs.values()))
    return {engine: float(np.abs(found - first).max()) for engine, found in outputs.items()}
