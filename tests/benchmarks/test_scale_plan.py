"""The plan for a large corpus: its arithmetic by hand, and the simulation beside it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from scale_parts.plan import (
    Assumed,
    Rates,
    compute_core_hours,
    compute_plan,
    compute_seconds,
    simulate,
)

RATES = Rates(20.0, 2.0, 0.5, 0.1, 72.0, 4000.0, overhead_s=1.0)
PLAIN = Assumed(hours=1000.0, mean_h=0.5, sigma=0.0, n_workers=50, losses_a_day=0.0, poison=0.0)


def test_seconds_of_a_video_by_hand() -> None:
    # half an hour: 1800 s / 20 of work, 1 s more, 225 MB at 25 MB a second
    assert compute_seconds(RATES, PLAIN, np.array([0.5])) == pytest.approx([90 + 1 + 9])


def test_core_hours_by_hand() -> None:
    assert compute_core_hours(RATES, PLAIN, 1000.0) == pytest.approx(2000 * 100 / 3600)
    lost = replace(PLAIN, losses_a_day=86.4, back_s=10.0)  # one in 1000 s
    each_s = 1000 * math.expm1(0.1) + math.expm1(0.1) * 10
    assert compute_core_hours(RATES, lost, 1000.0) == pytest.approx(2000 * each_s / 3600)
    poisoned = replace(PLAIN, poison=0.5, back_s=10.0)
    both_s = 0.5 * 100 + 0.5 * 3 * (50 + 10)
    assert compute_core_hours(RATES, poisoned, 1000.0) == pytest.approx(2000 * both_s / 3600)


def test_storage_and_new_heads_by_hand() -> None:
    plan = compute_plan(RATES, replace(PLAIN, hours=1e6))
    rows = {row["what"]: row["tb"] for row in plan["storage"]}
    assert rows["scores as Parquet"] == 0.5
    assert rows["features, 16 bits"] == 72.0
    assert plan["rescoring_core_hours"] == 250 + 800  # 1e6 / 4000, and 72 TB at 25 MB a second


def test_the_simulation_agrees_with_the_arithmetic() -> None:
    assumed = Assumed(losses_a_day=20.0, poison=1e-3)
    n_videos, n_workers = 20_000, 100
    found = simulate(RATES, assumed, n_videos, n_workers)
    expected = compute_core_hours(RATES, assumed, n_videos * assumed.mean_h)
    assert found["core_hours"] == pytest.approx(expected, rel=0.03)
    assert found["makespan_h"] == pytest.approx(expected / n_workers, rel=0.05)
    assert found["losses"] > 100
    assert 5 < found["set_aside"] < 40  # 20 of 20,000
