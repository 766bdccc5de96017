"""Windows' logits spread over the steps that they cover."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from har.inference.fusion import compute_step_logits, find_strongest
from har.sampling.times import compute_window_starts


def test_steps_get_the_mean_of_their_windows() -> None:
    logits = np.array([[0.0, 8.0], [4.0, 0.0], [2.0, 1.0]])
    found = compute_step_logits(logits, np.array([0, 2, 3]), 4, 7)
    # Steps 0-1: window 0. Step 2: 0 and 1. Step 3: all. Steps 4-5: 1 and 2. Step 6: window 2.
    expected = [[0, 8], [0, 8], [2, 4], [2, 3], [3, 0.5], [3, 0.5], [2, 1]]
    np.testing.assert_allclose(found, expected)


def test_a_short_video_has_the_logits_of_its_one_window() -> None:
    found = compute_step_logits(np.array([[3.0, 1.0]]), np.array([0]), 5, 5)
    np.testing.assert_allclose(found, np.tile([3.0, 1.0], (5, 1)))


@given(n=st.integers(1, 100), n_steps=st.integers(1, 16), data=st.data())
def test_it_is_the_plain_loop(n: int, n_steps: int, data: st.DataObject) -> None:
    hop = data.draw(st.integers(1, n_steps))
    starts = compute_window_starts(n, n_steps, hop)
    logits = np.random.default_rng(n).normal(size=(len(starts), 2))
    found = compute_step_logits(logits, starts, min(n_steps, n), n)
    for step in range(n):
        covering = [
            row
            for start, row in zip(starts, logits, strict=True)
            if start <= step < start + n_steps
        ]
        np.testing.assert_allclose(found[step], np.mean(covering, axis=0), atol=1e-9)


@given(n=st.integers(1, 60), n_steps=st.integers(1, 16), data=st.data())
def test_the_strongest_window_is_that_of_the_plain_loop(
    n: int, n_steps: int, data: st.DataObject
) -> None:
    hop = data.draw(st.integers(1, n_steps))
    starts = compute_window_starts(n, n_steps, hop)
    strengths = np.random.default_rng(n).choice([0.0, 0.2, 0.5, 0.9], (len(starts), 3))
    found = find_strongest(strengths, starts, n_steps, n)
    for step in range(n):
        over = [row for row, start in enumerate(starts) if start <= step < start + n_steps]
        for label in range(3):
            best = max(over, key=lambda row: strengths[row, label])
            assert found[step, label] == (best if strengths[best, label] else -1)
