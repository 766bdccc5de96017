"""How long to wait before a lost camera is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def iter_waits_s(first_s: float, most_s: float, random: Random) -> Iterator[float]:
    """Gives for ever the waits before each try: they double, and each is drawn around its mean.

    Cameras that were lost together, as with their switch, are then not tried together for ever.

    Args:
        first_s: Mean of the first wait.
        most_s: Mean that is not exceeded.
        random: Draws each wait between half of its mean and one and a half times it.

    Source: exponential back-off with jitter, M. Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015.

    >>> waits = iter_waits_s(1.0, 4.0, Random(0))
    >>> [round(next(waits), 2) for _ in range(4)]
    [1.34, 2.52, 3.68, 3.04]
    """
    mean_s = first_s
    while True:
        yield min(mean_s, most_s) * random.uniform(0.5, 1.5)
        mean_s = min(2 * mean_s, most_s)
