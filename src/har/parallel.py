"""Work beside each other: what ends with its ``with`` block, and worker processes.

Workers are started anew, go on past a job that crashes, and end with their parent, even if that is
killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from ctypes import Array, c_double
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

from har.errors import WorkerError
from har.progress import track


class Closing:
    """A context manager that is closed at the end of its ``with`` block, whatever ends it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything that was opened."""
        raise NotImplementedError


def _do_nothing() -> None:
    pass


_SHARED_FOLDER = Path("/dev/shm")  # noqa: S108, where the system keeps what processes share


def start_pool(n_workers: int, on_start: Callable[[], None] = _do_nothing) -> ProcessPoolExecutor:
    """Return a pool of spawned processes that use one thread each.

    A terminal sends Ctrl-C to every process of a command. Workers ignore it: the parent stops, lets
    what is under way end, and no worker dies while it holds the lock of a queue.

    Args:
        n_workers: Processes.
        on_start: Is called once in each; it may hold what processes can only inherit.

    Raises:
        WorkerError: The system does not let processes share memory.
    """
    end_if_starting()
    context = multiprocessing.get_context("spawn")
    with _translating():
        return ProcessPoolExecutor(
            n_workers, context, initializer=_start_worker, initargs=(on_start,)
        )


def share_numbers(count: int) -> Array[c_double]:
    """Return zeros in memory without a name, which a pool's ``on_start`` can hand to its processes.

    Raises:
        WorkerError: The system does not let processes share memory.
    """
    with _translating():
        return multiprocessing.get_context("spawn").RawArray(c_double, count)


def end_if_starting() -> None:
    """End a worker process that is still reading its script, silently; its parent says why.

    A script without a ``__main__`` guard would otherwise run a second time in each worker.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(1)


def describe_fault(error: Exception) -> str:
    """Return in words an error of one job that nobody has foreseen.

    >>> describe_fault(ValueError("no codec"))
    'unexpected ValueError: no codec; run again with --verbose to see where'
    """
    said = f": {error}" if str(error) else ""
    return f"unexpected {type(error).__name__}{said}; run again with --verbose to see where"


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except (OSError, ImportError, NotImplementedError) as error:
        where = f"{_SHARED_FOLDER} cannot be written: " if _SHARED_FOLDER.is_dir() else ""
        raise WorkerError(
            f"Worker processes cannot share memory: {where}{error}. Make it writable with some "
            "room (in a container --shm-size=256m), or work in one process with --jobs 1 (jobs=1)"
        ) from error


def _start_worker(on_start: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="har-parent", daemon=True).start()
    use_one_core()
    on_start()


def use_one_core() -> None:
    """Let this process, one of several that work beside each other, use one thread for pictures."""
    import cv2

    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def count_cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Lost:
    """Stands for the result of a job that ended its process, again and again.

    Attributes:
        reason: In words; empty where no more is known.
    """

    reason: str = ""


class Crew(Protocol):
    """Does jobs beside each other: `Workers` on this machine, others on a cluster."""

    def run(
        self, function: Callable[[Job], Result], jobs: Sequence[Job]
    ) -> Iterator[tuple[Job, Result | Lost]]:
        """Yield each job once with its result as soon as there is one, in no fixed order.

        Args:
            function: A module's function.
            jobs: Picklable values.
        """
        ...


StartCrew = Callable[[Callable[[], None]], AbstractContextManager[Crew]]
"""Starts a crew for a ``with`` block; it calls what it is given about twice a second."""

_AHEAD = 2
_WAIT_S = 0.5


class Workers(Closing):
    """Worker processes, started when first needed and stopped at the end of the ``with`` block.

    Args:
        n_workers: Processes at once; with one, or for a single job, all runs in this process.
        on_wait: Is called about twice a second while processes are at work.
        on_stop: Is called before jobs under way are waited for at the end, so that long ones can
            be made to end early.
        on_start: Is called once in each process.
    """

    def __init__(
        self,
        n_workers: int,
        on_wait: Callable[[], None] = _do_nothing,
        on_stop: Callable[[], None] = _do_nothing,
        on_start: Callable[[], None] = _do_nothing,
    ) -> None:
        self._n_workers = n_workers
        self._on_wait, self._on_stop, self._on_start = on_wait, on_stop, on_start
        self._has_worked = False
        self._pool: ProcessPoolExecutor | None = None

    def close(self) -> None:
        """Stop all processes once what is under way has ended."""
        self._on_stop()
        self._stop()

    def run(
        self, function: Callable[[Job], Result], jobs: Sequence[Job]
    ) -> Iterator[tuple[Job, Result | Lost]]:
        """Return each job with its result as soon as there is one, in no fixed order.

        Args:
            function: A module's function; what it raises is raised here.
            jobs: Picklable values.

        Yields:
            ``(job, result)``; the result is `Lost` for a job during which its process died.

        Raises:
            WorkerError: No process can be started.
        """
        if self._n_workers <= 1 or len(jobs) <= 1:
            yield from ((job, function(job)) for job in jobs)
            return
        waiting = list(reversed(jobs))
        under_way: dict[Future[Result], Job] = {}
        while waiting or under_way:
            try:
                while waiting and len(under_way) < self._n_workers * _AHEAD:
                    future = self._start().submit(function, waiting[-1])
                    under_way[future] = waiting.pop()
                done, _ = wait(under_way, _WAIT_S, FIRST_COMPLETED)
                self._on_wait()
                for future in done:
                    result = future.result()
                    self._has_worked = True
                    yield under_way.pop(future), result
            except BrokenProcessPool:
                self._stop()
                if not self._has_worked:
                    check_start()
                    self._has_worked = True
                for job in under_way.values():
                    yield job, self._run_alone(function, job)
                under_way.clear()

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = start_pool(self._n_workers, self._on_start)
        return self._pool

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _run_alone(self, function: Callable[[Job], Result], job: Job) -> Result | Lost:
        """Run a job again: it, or one that was under way beside it, made a process die."""
        with start_pool(1, self._on_start) as pool:
            try:
                future = pool.submit(function, job)
                while not wait([future], _WAIT_S).done:
                    self._on_wait()
                return future.result()
            except BrokenProcessPool:
                return Lost()
            except KeyboardInterrupt:
                self._on_stop()
                raise


def check_start() -> None:
    """Raise `WorkerError` if a process that does nothing cannot be started either."""
    try:
        with start_pool(1) as pool:
            pool.submit(_do_nothing).result()
    except BrokenProcessPool:
        raise WorkerError(
            "Worker processes end before they begin. In a script, call this below "
            '`if __name__ == "__main__":`, since each worker reads the script first; or work in '
            "one process with jobs=1 (--jobs 1)"
        ) from None


def run_jobs(
    work: Callable[[Job], Result], tasks: list[Job], jobs: int, progress: bool, title: str
) -> list[Result]:
    """Return the results of all tasks in the tasks' order.

    Args:
        work: A function at the top of a module, so that new processes find it.
        tasks: What to call it with.
        jobs: Processes; 0 means one a core, 1 works in this process.
        progress: Show a bar on standard error.
        title: Stands before the bar.

    An error of one task ends the run and is raised here.
    """
    n_jobs = min(jobs or count_cores(), len(tasks))
    if n_jobs <= 1:
        return list(track(map(work, tasks), title, "file", len(tasks), progress))
    chunk = max(1, min(8, len(tasks) // (4 * n_jobs)))
    try:
        with start_pool(n_jobs) as pool:
            done = pool.map(work, tasks, chunksize=chunk)
            return list(track(done, title, "file", len(tasks), progress))
    except BrokenProcessPool:
        check_start()
        raise WorkerError(
            f"A worker process was killed during {title}, by the system if memory ran out; work "
            "with fewer at once (--jobs 1)"
        ) from None
