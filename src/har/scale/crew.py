"""Workers of a Ray cluster: as many as it has room for, jobs tried again, bad machines rested."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from har.config import ScaleConfig
from har.errors import WorkerError
from har.parallel import Closing, Lost
from har.progress import format_duration
from har.scale import ray_cluster
from har.scale.ray_cluster import Died, Refused

_log = logging.getLogger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")

_WAIT_S, _IDLE_S = 0.5, 0.1
_RESIZE_EVERY_S = 10.0
_REST_S, _MOST_REST_S = 10.0, 300.0
_MOST_STARTS = 5
"""Workers that may die one after the other before any has begun to work."""
_GONE_S = 60.0
"""Of a cluster without any machine; a head that is started again is another cluster."""


@dataclass(frozen=True, eq=False)
class _Try:
    """A job with what became of it so far.

    Attributes:
        n_failed: Workers that were lost to it, or could not do it.
        places: Numbers and machines of those workers.
    """

    job: Any
    n_failed: int = 0
    places: frozenset[int | str] = frozenset()


@dataclass(eq=False)
class _Worker:
    """One process of the cluster.

    Attributes:
        handle: For `har.scale.ray_cluster`.
        call: What it is at: its start, then jobs; None while it waits.
        machine: Its name; empty until it has started.
        under_way: The job that it is at.
        until_s: When that must be done.
        n_refused: Jobs in a row that its machine could not do.
        rests_until_s: It gets no job before.
    """

    number: int
    handle: Any
    call: Any
    machine: str = ""
    under_way: _Try | None = None
    until_s: float = 0.0
    n_refused: int = 0
    rests_until_s: float = 0.0

    @property
    def places(self) -> set[int | str]:
        return {self.number, self.machine}


@dataclass
class RayCrew(Closing):
    """Does jobs on a cluster that was joined; see `har.parallel.Crew`.

    A job whose worker is lost, or that takes too long, is done again by another, and after
    ``config.tries`` of them it is `Lost`. A worker whose machine refuses a job (a full disk) rests
    for a while, and others do it; where all of them refuse, that error is raised.

    Attributes:
        config: How many workers, how often, how long.
        check: Raises a `HarError` where a worker's machine does not fit.
        on_wait: Is called about twice a second.
        on_lost: Is told of each job that is lost.
    """

    config: ScaleConfig
    check: Callable[[], None]
    on_wait: Callable[[], None]
    on_lost: Callable[[Any, Lost, int], None] = lambda job, lost, n_tries: None
    _workers: list[_Worker] = field(default_factory=list, init=False)
    _n_started: int = field(default=0, init=False)
    _n_died_early: int = field(default=0, init=False)
    _misfits: list[str] = field(default_factory=list, init=False)
    _n_room: int = field(default=0, init=False)
    _sized_s: float = field(default=float("-inf"), init=False)
    _refusal: OSError | None = field(default=None, init=False)
    _alive_s: float = field(default_factory=time.monotonic, init=False)

    def close(self) -> None:
        """End all workers, whatever they are at."""
        for worker in list(self._workers):
            self._end(worker)

    def run(
        self, function: Callable[[Job], Result], jobs: Sequence[Job]
    ) -> Iterator[tuple[Job, Result | Lost]]:
        """Yield each job once with its result as soon as there is one, in no fixed order.

        Raises:
            WorkerError: The cluster is lost, or no machine of it can take part.
            OSError: No machine can do a job: the disk that all share is full, say.
        """
        waiting = deque(_Try(job) for job in jobs)
        while waiting or any(worker.under_way for worker in self._workers):
            n_busy = sum(worker.under_way is not None for worker in self._workers)
            self._resize(len(waiting) + n_busy)
            self._assign(function, waiting)
            for worker in self._wait():
                yield from self._take(worker, waiting)
            yield from self._stop_late(waiting)
            self.on_wait()

    def _resize(self, n_jobs: int) -> None:
        """Start workers that there is work for, and end those that there is none for."""
        now_s = time.monotonic()
        if now_s - self._sized_s >= _RESIZE_EVERY_S:
            self._require_machines(now_s)
            room = self.config.n_workers or ray_cluster.count_processors()
            self._n_room, self._sized_s = max(room, 1) - len(self._misfits), now_s
        if self._n_room <= 0 and not self._workers:
            raise WorkerError(f"No machine of the cluster can take part: {self._misfits[-1]}")
        n_wanted = min(self._n_room, n_jobs)
        while len(self._workers) < n_wanted:
            self._n_started += 1
            handle, started = ray_cluster.start_worker(self.check)
            self._workers.append(_Worker(self._n_started, handle, started))
        for worker in _find_spare(self._workers, n_wanted):
            self._end(worker)

    def _require_machines(self, now_s: float) -> None:
        """End a run of which no machine is left: no call would be answered any more."""
        if ray_cluster.has_machines():
            self._alive_s = now_s
        elif now_s - self._alive_s > _GONE_S:
            raise WorkerError(
                f"No machine of the cluster has been alive for {_GONE_S:g} s. Videos that are done "
                "stay; start the cluster again, then run the same command to go on"
            )

    def _assign(self, function: Callable[[Any], Any], waiting: deque[_Try]) -> None:
        now_s = time.monotonic()
        started = [worker for worker in self._workers if worker.machine]
        able = [worker for worker in started if worker.rests_until_s <= now_s]
        if not able and self._refusal is not None and self._is_refused_by_all(started):
            raise self._refusal
        for worker in able:
            chosen = None if worker.call else _choose(waiting, worker, len(able) == 1)
            if chosen is not None:
                waiting.remove(chosen)
                worker.under_way, worker.until_s = chosen, now_s + self.config.limit_s
                worker.call = ray_cluster.call(worker.handle, function, chosen.job)

    def _is_refused_by_all(self, started: Sequence[_Worker]) -> bool:
        """Return whether nobody is left to try: others that are about to start get their turn."""
        most = 1 if len(started) == len(self._workers) else 2
        return bool(started) and all(
            worker.under_way is None and worker.n_refused >= most for worker in started
        )

    def _wait(self) -> list[_Worker]:
        by_call = {worker.call: worker for worker in self._workers if worker.call}
        if not by_call:
            time.sleep(_IDLE_S)
            return []
        return [by_call[call] for call in ray_cluster.wait_for(list(by_call), _WAIT_S)]

    def _take(self, worker: _Worker, waiting: deque[_Try]) -> Iterator[tuple[Any, Any]]:
        """Take what a worker answers to its start or a job."""
        call, worker.call = worker.call, None
        under_way, worker.under_way = worker.under_way, None
        try:
            answer = ray_cluster.take(call)
        except Died as death:
            self._workers.remove(worker)
            if under_way is None:
                self._count_early_death()
            else:
                why = f"the process that worked on it on {worker.machine} was killed"
                n_failed = under_way.n_failed + (not death.was_taken)
                yield from self._fail(under_way, worker, why, n_failed, waiting)
            return
        if under_way is None:
            self._begin(worker, *answer)
        elif isinstance(answer, Refused):
            worker.n_refused += 1
            rest_s = min(_REST_S * 2 ** (worker.n_refused - 1), _MOST_REST_S)
            worker.rests_until_s, self._refusal = time.monotonic() + rest_s, answer.error
            _log.warning("%s rests for %g s: %s", worker.machine, rest_s, answer.error)
            n_failed = under_way.n_failed + 1
            yield from self._fail(under_way, worker, str(answer.error), n_failed, waiting)
        else:
            worker.n_refused = self._n_died_early = 0
            yield under_way.job, answer

    def _begin(self, worker: _Worker, machine: str, misfit: str) -> None:
        worker.machine = machine
        if misfit:
            self._misfits.append(f"{machine}: {misfit}")
            _log.warning("%s takes no part: %s", machine, misfit)
            self._end(worker)
            self._n_room -= 1

    def _count_early_death(self) -> None:
        self._n_died_early += 1
        if self._n_died_early >= _MOST_STARTS:
            raise WorkerError(
                f"{_MOST_STARTS} workers of the cluster ended before they began; see Ray's log on "
                "its machines. Each needs the same har as this one, with its extra 'scale'"
            )

    def _stop_late(self, waiting: deque[_Try]) -> Iterator[tuple[Any, Any]]:
        """End the workers whose job takes longer than it may."""
        now_s, limit_s = time.monotonic(), self.config.limit_s
        late = [worker for worker in self._workers if worker.under_way and worker.until_s < now_s]
        for worker in late:
            job, worker.under_way = worker.under_way, None
            self._end(worker)
            why = f"it was not done after {format_duration(limit_s)} on {worker.machine}"
            if job is not None:
                yield from self._fail(job, worker, why, job.n_failed + 1, waiting)

    def _fail(
        self, failed: _Try, worker: _Worker, why: str, n_failed: int, waiting: deque[_Try]
    ) -> Iterator[tuple[Any, Lost]]:
        _log.info("%s: %s", failed.job, why)
        if n_failed >= self.config.tries:
            lost = Lost(f"{why}; so ended {n_failed} of {n_failed} tries")
            self.on_lost(failed.job, lost, n_failed)
            yield failed.job, lost
        else:
            waiting.append(replace(failed, n_failed=n_failed, places=failed.places | worker.places))

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        ray_cluster.end_worker(worker.handle)


def _find_spare(workers: Sequence[_Worker], n_wanted: int) -> list[_Worker]:
    """Return those without work that are more than wanted, first whose machine has refused jobs."""
    idle = [worker for worker in workers if worker.under_way is None and not worker.call]
    idle.sort(key=lambda worker: -worker.n_refused)
    return idle[: max(len(workers) - n_wanted, 0)]


def _choose(waiting: deque[_Try], worker: _Worker, is_only: bool) -> _Try | None:
    """Return the first job that a worker's machine has not failed at, else that it has not itself.

    One that it has failed at itself it gets only where there is no other worker.
    """
    own = next((each for each in waiting if not each.places & worker.places), None)
    if own is None:
        own = next((each for each in waiting if worker.number not in each.places), None)
    return own or (waiting[0] if waiting and is_only else None)
