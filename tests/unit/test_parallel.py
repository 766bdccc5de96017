import pytest
from jobs import double, exit_on_seven, raise_on_three

from har.parallel import Lost, Workers


@pytest.mark.parametrize("n_workers", [1, 2])
def test_every_job_has_its_result(n_workers):
    with Workers(n_workers) as workers:
        assert dict(workers.run(double, list(range(20)))) == {i: 2 * i for i in range(20)}


def test_no_jobs():
    with Workers(2) as workers:
        assert list(workers.run(double, [])) == []


def test_a_job_whose_process_dies_has_no_result_and_the_others_have():
    with Workers(2) as workers:
        results = dict(workers.run(exit_on_seven, list(range(12))))
        assert results == {i: Lost() if i == 7 else i for i in range(12)}
        assert dict(workers.run(double, [1, 2])) == {1: 2, 2: 4}


@pytest.mark.parametrize("n_workers", [1, 2])
def test_what_a_job_raises_is_raised_here(n_workers):
    with Workers(n_workers) as workers, pytest.raises(OSError, match="no space"):
        list(workers.run(raise_on_three, list(range(6))))
