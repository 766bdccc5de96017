"""A plan for a very large corpus: its arithmetic, and a simulation that checks it."""

from __future__ import annotations

import heapq
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_TB = 1e6
"""Megabytes."""

_OVERHEAD_S = 0.25
"""Of a video, where it was not measured."""


@dataclass(frozen=True)
class Rates:
    """What was measured on one core; see `scale_parts.measure.measure_rates`."""

    hours_a_core_hour: float
    files_mb_an_hour: float
    scores_parquet_mb_an_hour: float
    events_parquet_mb_an_hour: float
    features_mb_an_hour: float
    head_hours_a_core_hour: float
    overhead_s: float


@dataclass(frozen=True)
class Assumed:
    """What nobody here can measure: replace it by your own.

    Attributes:
        hours: Of the corpus.
        mean_h, sigma: Lengths of recordings: log-normal, of this mean and this deviation of the
            logarithm.
        n_workers: Cores at work.
        losses_a_day: How often a day a worker is lost: cheap machines that may be taken away.
        back_s: Until it is replaced.
        poison: Share of videos that end their worker, each time half-way.
        tries: Before such a video is set aside.
        core_hour: Price of a core for an hour.
        tb_month: Price of a terabyte of object storage for a month.
        fetch_mb_s: At which a worker's machine fetches, for each worker.
        video_mb_an_hour: Of the corpus.
    """

    hours: float = 10e6
    mean_h: float = 0.5
    sigma: float = 1.0
    n_workers: int = 4000
    losses_a_day: float = 1.0
    back_s: float = 120.0
    poison: float = 1e-4
    tries: int = 3
    core_hour: float = 0.02
    tb_month: float = 20.0
    fetch_mb_s: float = 25.0
    video_mb_an_hour: float = 450.0


def read_rates(path: Path) -> Rates:
    """Return the rates of a file that the benchmark wrote.

    A machine that is not quiet gives an overhead that is too high, and `_OVERHEAD_S` stands for
    one that was not measured.
    """
    found = json.loads(path.read_text())
    overhead = [row["overhead_ms"] for row in found["short"] if row["way"].startswith("Ray")]
    values = {name: found["rates"][name] for name in Rates.__annotations__ if name != "overhead_s"}
    return Rates(**values, overhead_s=max(overhead[0], 0.0) / 1000 if overhead else _OVERHEAD_S)


def check_plan(rates: Rates, assumed: Assumed, n_simulated: int = 100_000) -> dict[str, Any]:
    """Return the plan, and the simulation of a part of it beside the same arithmetic."""
    part_hours = n_simulated * assumed.mean_h
    n_workers = max(round(assumed.n_workers * part_hours / assumed.hours), 50)
    expected_h = compute_core_hours(rates, assumed, part_hours)
    simulated = simulate(rates, assumed, n_simulated, n_workers)
    makespan_h = expected_h / n_workers
    return {
        "assumed": {name: getattr(assumed, name) for name in Assumed.__annotations__},
        "plan": compute_plan(rates, assumed),
        "simulated": {
            "videos": n_simulated,
            "workers": n_workers,
            "core_hours_by_arithmetic": expected_h,
            **simulated,
            "core_hours_ratio": simulated["core_hours"] / expected_h,
            "makespan_ratio": simulated["makespan_h"] / makespan_h,
        },
    }


def compute_seconds(rates: Rates, assumed: Assumed, hours: np.ndarray) -> np.ndarray:
    """Return the seconds that a worker which is never lost is at videos of some lengths."""
    work_s = 3600 * hours / rates.hours_a_core_hour
    return work_s + rates.overhead_s + hours * assumed.video_mb_an_hour / assumed.fetch_mb_s


def draw_lengths(assumed: Assumed, count: int, seed: int = 0) -> np.ndarray:
    """Return (count,) lengths of recordings in hours."""
    middle = math.log(assumed.mean_h) - assumed.sigma**2 / 2
    return np.random.default_rng(seed).lognormal(middle, assumed.sigma, count)


def compute_core_hours(rates: Rates, assumed: Assumed, hours: float) -> float:
    """Return the expected core hours, losses and poisoned videos included.

    A job of t seconds that starts anew after each loss, at a rate of losses r, takes
    (exp(r t) - 1) / r seconds of work on the mean, and as many losses as that times r; each costs
    the wait for another worker. A poisoned video takes half of its time, so often as it is tried.
    The mean over lengths is taken over a million that are drawn.

    Source: the mean time to finish with restarts, as in S. M. Ross, Introduction to Probability
    Models, on renewal processes.
    """
    seconds = compute_seconds(rates, assumed, draw_lengths(assumed, 1_000_000, seed=1))
    rate = assumed.losses_a_day / 86400
    work_s = np.expm1(rate * seconds) / rate if rate else seconds
    each_s = work_s + work_s * rate * assumed.back_s
    mean_s = (1 - assumed.poison) * each_s.mean() + assumed.poison * assumed.tries * (
        seconds.mean() / 2 + assumed.back_s
    )
    return float(hours / assumed.mean_h * mean_s / 3600)


def compute_plan(rates: Rates, assumed: Assumed) -> dict[str, Any]:
    """Return core hours, days, prices and terabytes of the whole corpus."""
    core_hours = compute_core_hours(rates, assumed, assumed.hours)
    plain_h = assumed.hours / rates.hours_a_core_hour
    read_h = assumed.hours * rates.features_mb_an_hour / assumed.fetch_mb_s / 3600
    again_h = assumed.hours / rates.head_hours_a_core_hour + read_h
    stored = {
        "files": rates.files_mb_an_hour,
        "scores as Parquet": rates.scores_parquet_mb_an_hour,
        "events as Parquet": rates.events_parquet_mb_an_hour,
        "features, 16 bits": rates.features_mb_an_hour,
        "the videos themselves": assumed.video_mb_an_hour,
    }
    return {
        "videos": round(assumed.hours / assumed.mean_h),
        "core_hours": round(core_hours),
        "of_which_lost_or_overhead": round(1 - plain_h / core_hours, 4),
        "days_on_workers": round(core_hours / assumed.n_workers / 24, 1),
        "price": round(core_hours * assumed.core_hour),
        "set_aside": round(assumed.poison * assumed.hours / assumed.mean_h),
        "rescoring_core_hours": round(again_h),
        "of_which_reading": round(read_h / again_h, 3),
        "rescoring_price": round(again_h * assumed.core_hour),
        "storage": [
            {
                "what": what,
                "mb_an_hour": round(mb, 2),
                "tb": round(assumed.hours * mb / _TB, 1),
                "price_a_month": round(assumed.hours * mb / _TB * assumed.tb_month),
            }
            for what, mb in stored.items()
        ],
    }


def simulate(rates: Rates, assumed: Assumed, n_videos: int, n_workers: int) -> dict[str, float]:
    """Run videos through workers that are lost at random, the longest first as the code does.

    Returns:
        Core hours in all, hours until the last is done, losses, and videos set aside.
    """
    random = np.random.default_rng(2)
    seconds = compute_seconds(rates, assumed, np.sort(draw_lengths(assumed, n_videos))[::-1])
    is_poisoned = random.random(n_videos) < assumed.poison
    waiting = [(-s, index, 0) for index, s in enumerate(seconds)]  # a heap: the longest first
    heapq.heapify(waiting)
    free = [(0.0, worker) for worker in range(n_workers)]
    heapq.heapify(free)
    rate = assumed.losses_a_day / 86400
    until_loss = random.exponential(1 / rate, n_workers) if rate else np.full(n_workers, np.inf)
    spent_s = end_s = 0.0
    n_lost = n_aside = 0
    while waiting:
        now_s, worker = heapq.heappop(free)
        need, index, n_failed = heapq.heappop(waiting)
        need_s = -need / 2 if is_poisoned[index] else -need
        is_lost = until_loss[worker] < need_s
        used_s = min(need_s, until_loss[worker])
        until_loss[worker] -= used_s
        done_s = now_s + used_s
        pause_s = 0.0
        if is_lost:
            n_lost, pause_s = n_lost + 1, assumed.back_s
            until_loss[worker] = random.exponential(1 / rate)
            heapq.heappush(waiting, (need, index, n_failed))
        elif is_poisoned[index]:
            pause_s = assumed.back_s
            if n_failed + 1 < assumed.tries:
                heapq.heappush(waiting, (need, index, n_failed + 1))
            else:
                n_aside += 1
        spent_s += used_s + pause_s
        end_s = max(end_s, done_s)
        heapq.heappush(free, (done_s + pause_s, worker))
    return {
        "core_hours": spent_s / 3600,
        "makespan_h": end_s / 3600,
        "losses": n_lost,
        "set_aside": n_aside,
    }
