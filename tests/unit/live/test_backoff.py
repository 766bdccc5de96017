"""Waits double up to a limit, and differ between cameras."""

import itertools
from collections.abc import Iterator
from random import Random

from har.live.sources import iter_waits_s


def _iter_waits_s(first_s: float, seed: int) -> Iterator[float]:
    return iter_waits_s(first_s, 5.0, Random(seed))  # noqa: S311


def test_waits_double_around_their_means_up_to_a_limit() -> None:
    means_s = [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    for seed in range(50):
        waits_s = list(itertools.islice(_iter_waits_s(0.5, seed), len(means_s)))
        for wait_s, mean_s in zip(waits_s, means_s, strict=True):
            assert 0.5 * mean_s <= wait_s <= 1.5 * mean_s


def test_cameras_that_were_lost_together_are_tried_apart() -> None:
    first = {next(_iter_waits_s(1.0, seed)) for seed in range(20)}
    assert len(first) == 20
