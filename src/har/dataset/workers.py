"""Runs jobs in worker processes so that no job, not even one that crashes, stops the others."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import cv2

Job = TypeVar("Job")
Result = TypeVar("Result")

_AHEAD = 2


def run_jobs(
    function: Callable[[Job], Result], jobs: Sequence[Job], n_workers: int
) -> Iterator[tuple[Job, Result | None]]:
    """Gives each job with its result as soon as there is one, in no fixed order.

    Args:
        function: A module's function; what it raises is raised here.
        jobs: Picklable values.
        n_workers: Processes at once. With one worker or one job all runs in this process.

    Yields:
        ``(job, result)``; the result is None for a job during which its process died.
    """
    if n_workers <= 1 or len(jobs) <= 1:
        yield from ((job, function(job)) for job in jobs)
        return
    waiting = list(reversed(jobs))
    while waiting:
        under_way: dict[Future[Result], Job] = {}
        try:
            with _start_pool(min(n_workers, len(waiting))) as pool:
                while waiting or under_way:
                    while waiting and len(under_way) < n_workers * _AHEAD:
                        job = waiting[-1]
                        under_way[pool.submit(function, job)] = job
                        waiting.pop()
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        result = future.result()
                        yield under_way.pop(future), result
        except BrokenProcessPool:
            for job in under_way.values():
                yield job, _run_alone(function, job)


def _run_alone(function: Callable[[Job], Result], job: Job) -> Result | None:
    """Tries a job again that may have been under way beside the one that died."""
    try:
        with _start_pool(1) as pool:
            return pool.submit(function, job).result()
    except BrokenProcessPool:
        return None


def _start_pool(n_workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n_workers, context, initializer=cv2.setNumThreads, initargs=(1,))
