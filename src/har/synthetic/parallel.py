"""Runs independent tasks in several processes, in order and with a progress bar."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import cv2
from tqdm import tqdm

Task = TypeVar("Task")
Result = TypeVar("Result")


def run_jobs(
    work: Callable[[Task], Result], tasks: list[Task], jobs: int, progress: bool, title: str
) -> list[Result]:
    """Gives the results of all tasks in the tasks' order.

    Args:
        work: A function at the top of a module, so that new processes find it.
        tasks: What to call it with.
        jobs: Processes; 0 means one a core, 1 works in this process.
        progress: Show a bar on standard error.
        title: Stands before the bar.

    An error of one task ends the run and is raised here.
    """
    n_jobs = min(jobs or os.cpu_count() or 1, len(tasks))
    bar = {"total": len(tasks), "desc": title, "disable": not progress, "unit": "file"}
    if n_jobs <= 1:
        return list(tqdm(map(work, tasks), **bar))
    context = multiprocessing.get_context("spawn")
    chunk = max(1, min(8, len(tasks) // (4 * n_jobs)))
    with ProcessPoolExecutor(n_jobs, mp_context=context, initializer=_use_one_thread) as pool:
        return list(tqdm(pool.map(work, tasks, chunksize=chunk), **bar))


def _use_one_thread() -> None:
    cv2.setNumThreads(1)
