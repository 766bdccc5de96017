"""What single graphs cost in each engine that is installed."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np

from har.bundle import CNN_GRAPH_FILE, POSE_GRAPH_FILE, TEMPORAL_GRAPH_FILE, load_info
from har.config import Engine
from har.inference.detector import GRAPH
from har.inference.engines import Graph
from har.parallel import count_cores
from har.pose.features import N_FEATURES

_ROUNDS, _LOADS = 30, 3
_BATCH = 16


def find_engines() -> list[Engine]:
    """Return the engines that are installed."""
    return [name for name in get_args(Engine) if importlib.util.find_spec(name) is not None]


def measure_graphs(bundle: Path, n_rounds: int = _ROUNDS) -> list[dict[str, Any]]:
    """Return milliseconds an item of each graph, batch and number of threads, engine by engine.

    The engines take turns, so that other work on the machine slows all of them alike; of each the
    fastest round counts.
    """
    found = []
    for name, path, values in _list_cases(bundle):
        for n_threads in sorted({1, count_cores()}):
            graphs = {engine: Graph(path, n_threads, engine) for engine in find_engines()}
            spent_s = _take_turns(
                {engine: partial(graph.run, values) for engine, graph in graphs.items()},
                n_rounds,
            )
            ms = {engine: round(1e3 * s / len(values), 3) for engine, s in spent_s.items()}
            row = {"graph": name, "batch": len(values), "threads": n_threads, "ms": ms}
            found.append(row | {"apart": _compare(graphs, values)})
    return found


def measure_loading(bundle: Path) -> list[dict[str, Any]]:
    """Return the milliseconds until each graph is ready, of the fastest of some times."""
    found = []
    for name, path in {name: path for name, path, _ in _list_cases(bundle)}.items():
        ways = {engine: partial(Graph, path, 1, engine) for engine in find_engines()}
        spent_s = _take_turns(ways, _LOADS)
        ms = {engine: round(1e3 * seconds) for engine, seconds in spent_s.items()}
        found.append({"graph": name, "ms": ms})
    return found


def _list_cases(bundle: Path) -> list[tuple[str, Path, np.ndarray]]:
    """Return graphs with a batch for each: a name, the file, and its input."""
    info = load_info(bundle)
    rng = np.random.default_rng(0)
    height, width = info.pictures.size
    motion = info.require_motion()
    shape = (_BATCH, height, width, motion.spec.n_channels)
    stacks = rng.integers(0, 256, shape, dtype=np.uint8)
    windows = rng.normal(size=(8, motion.spec.n_steps, motion.n_features)).astype(np.float32)
    cases = [
        ("frame CNN", bundle / CNN_GRAPH_FILE, stacks[:1]),
        ("frame CNN", bundle / CNN_GRAPH_FILE, stacks),
        ("temporal head", bundle / TEMPORAL_GRAPH_FILE, windows[:1]),
        ("temporal head", bundle / TEMPORAL_GRAPH_FILE, windows),
        ("pose CNN", GRAPH, rng.integers(0, 256, (1, height, width, 3)).astype(np.int32)),
    ]
    if info.pose is not None:
        people = rng.normal(size=(2, info.pose.spec.n_steps, N_FEATURES)).astype(np.float32)
        cases.append(("pose head", bundle / POSE_GRAPH_FILE, people))
    return cases


def _take_turns(ways: dict[Engine, Callable[[], object]], n_rounds: int) -> dict[Engine, float]:
    """Return the seconds of the fastest run of each way, after one that does not count."""
    for run in ways.values():
        run()
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(n_rounds):
        for engine, run in ways.items():
            start_s = time.perf_counter()
            run()
            best[engine] = min(best[engine], time.perf_counter() - start_s)
    return best


def _compare(graphs: dict[Engine, Graph], values: np.ndarray) -> float:
    """Return the largest difference between the engines' outputs."""
    outputs = [graph.run(values) for graph in graphs.values()]
    return max(float(np.abs(output - outputs[0]).max()) for output in outputs)
