"""Who of a cluster's workers gets which job, and when all of them have refused."""

from collections import deque

from har.config import ScaleConfig
from har.scale.crew import RayCrew, _choose, _find_spare, _Try, _Worker


def _make_worker(number: int, machine: str, n_refused: int = 0) -> _Worker:
    return _Worker(number, handle=None, call=None, machine=machine, n_refused=n_refused)


def test_a_job_goes_to_another_machine_then_to_another_worker_then_to_the_only_one() -> None:
    worker = _make_worker(1, "a")
    here = _Try("here", 1, frozenset({1, "a"}))
    beside = _Try("beside", 1, frozenset({2, "a"}))
    fresh = _Try("fresh")
    assert _choose(deque([here, beside, fresh]), worker, is_only=False) is fresh
    assert _choose(deque([here, beside]), worker, is_only=False) is beside
    assert _choose(deque([here]), worker, is_only=False) is None
    assert _choose(deque([here]), worker, is_only=True) is here
    assert _choose(deque(), worker, is_only=True) is None


def test_a_worker_that_is_about_to_start_gets_its_turn_before_the_run_ends() -> None:
    crew = RayCrew(ScaleConfig(), lambda: None, lambda: None)
    full, starting = _make_worker(1, "a", n_refused=1), _make_worker(2, "")
    crew._workers = [full, starting]
    assert not crew._is_refused_by_all([full])
    full.n_refused = 2
    assert crew._is_refused_by_all([full]), "none starts in time"
    crew._workers, full.n_refused = [full], 1
    assert crew._is_refused_by_all([full])
    busy = _make_worker(3, "b")
    busy.under_way = _Try("job")
    crew._workers = [full, busy]
    assert not crew._is_refused_by_all([full, busy])
    assert not crew._is_refused_by_all([])


def test_of_workers_without_work_those_that_refuse_jobs_end_first() -> None:
    able, full, busy = _make_worker(1, "a"), _make_worker(2, "b", n_refused=1), _make_worker(3, "c")
    busy.under_way = _Try("job")
    assert _find_spare([able, full, busy], 2) == [full]
    assert _find_spare([able, full, busy], 1) == [full, able]
    assert _find_spare([able, full, busy], 0) == [full, able]
    assert _find_spare([able, full, busy], 3) == _find_spare([able, full], 5) == []
