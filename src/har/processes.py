"""Worker processes that start anew and leave a stop from the keyboard to their parent."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor


def start_pool(n_workers: int) -> ProcessPoolExecutor:
    """Gives a pool of spawned processes that use one thread each.

    A terminal sends Ctrl-C to every process of a command. Workers ignore it: the parent stops, lets
    what is under way end, and no worker dies while it holds the lock of a queue.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n_workers, context, initializer=_start_worker)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import cv2

    cv2.setNumThreads(1)
