"""Runs independent tasks in several processes, in order and with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from tqdm import tqdm

from har.processes import start_pool

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
    chunk = max(1, min(8, len(tasks) // (4 * n_jobs)))
    with start_pool(n_jobs) as pool:
        return list(tqdm(pool.map(work, tasks, chunksize=chunk), **bar))
