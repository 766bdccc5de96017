"""Counts how often a 95 % interval over few groups holds the true value.

    python benchmarks/intervals.py [--samples 1500]

Groups are drawn from laws whose mean is known: normal, skewed (exponential), and shares of ten
clips a group whose difficulty varies. Prints a table: of 100 intervals, how many hold the true
mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from har.metrics.intervals import bootstrap_figures

_N_GROUPS = (5, 8, 10, 30)
_LAWS: dict[str, tuple[float, Callable[[np.random.Generator, int], np.ndarray]]] = {
    "normal": (0.0, lambda rng, n: rng.normal(size=n)),
    "skewed": (1.0, lambda rng, n: rng.exponential(size=n)),
    "shares": (0.8, lambda rng, n: rng.binomial(10, rng.beta(8, 2, size=n)) / 10),
}


def compute_coverage(law: str, n_groups: int, n_samples: int) -> float:
    """Return the share of intervals that hold the true mean."""
    true, draw = _LAWS[law]
    rng = np.random.default_rng(n_groups)
    groups = [str(number) for number in range(n_groups)]
    n_held = 0
    for _ in range(n_samples):
        values = draw(rng, n_groups)
        (found,) = bootstrap_figures(
            lambda counts, values=values: np.array([counts @ values / counts.sum()]),
            groups,
            "groups",
            "",
        )
        if found.low is not None and found.high is not None:
            n_held += found.low <= true <= found.high
    return n_held / n_samples


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1500)
    n_samples = parser.parse_args().samples
    print("| groups | " + " | ".join(_LAWS) + " |")
    print("| --- |" + " ---: |" * len(_LAWS))
    for n_groups in _N_GROUPS:
        cells = [f"{100 * compute_coverage(law, n_groups, n_samples):.0f}" for law in _LAWS]
        print(f"| {n_groups} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
