import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.synthetic.curves import (
    compute_blow,
    compute_plateau,
    compute_pulse,
    compute_travel,
    draw_wander,
    ease_rebound,
    ease_smooth,
    ease_strike,
)

TIMES_S = np.linspace(0.0, 2.0, 201)


@pytest.mark.parametrize("ease", [ease_smooth, ease_strike, ease_rebound])
def test_eases_rise_from_zero_to_one(ease):
    course = ease(np.linspace(-0.5, 1.5, 401))
    assert course[0] == 0.0
    assert course[-1] == 1.0
    assert (np.diff(course) >= 0.0).all()


def test_a_smooth_course_rests_at_both_ends_and_a_strike_lands_fast():
    u = np.array([0.0, 1e-4, 1.0 - 1e-4, 1.0])
    smooth, strike = np.diff(ease_smooth(u))[[0, 2]] / 1e-4, np.diff(ease_strike(u))[[0, 2]] / 1e-4
    assert smooth == pytest.approx([0.0, 0.0], abs=1e-3)
    assert strike == pytest.approx([0.0, 2.0], abs=1e-3)


def test_travel_is_at_each_key_at_its_time():
    places = [np.tile(np.array([[x, 0.0, 1.0]]), (201, 1)) for x in (0.0, 3.0, 1.0)]
    eases = (ease_smooth, ease_strike, ease_smooth)
    keys = list(zip((0.5, 1.0, 1.5), places, eases, strict=True))
    way = compute_travel(TIMES_S, keys)
    assert way[[0, 50, 75, 100, 150, 200], 0] == pytest.approx([0.0, 0.0, 0.75, 3.0, 1.0, 1.0])
    assert (way[:, 2] == 1.0).all()


def test_travel_follows_a_moving_place():
    moving = np.stack([TIMES_S, TIMES_S, TIMES_S], axis=-1)
    way = compute_travel(TIMES_S, [(0.0, 0.0 * moving, ease_smooth), (1.0, moving, ease_smooth)])
    assert way[100:] == pytest.approx(moving[100:])


def test_a_plateau_too_short_for_its_ramps_still_reaches_one():
    assert compute_plateau(TIMES_S, 0.5, 0.7, 1.0).max() == pytest.approx(1.0)


@given(st.floats(0.2, 1.8), st.floats(0.1, 1.0))
def test_pulses_and_blows_peak_at_their_time(center_s, width_s):
    at = np.array([center_s])
    assert compute_pulse(at, center_s, width_s)[0] == pytest.approx(1.0)
    assert compute_blow(at, center_s, width_s)[0] == pytest.approx(1.0)
    far = np.array([center_s - 1.01 * width_s, center_s + 1.01 * width_s])
    assert compute_pulse(far, center_s, width_s).tolist() == pytest.approx([0.0, 0.0])
    assert compute_blow(far, center_s, width_s).tolist() == pytest.approx([0.0, 0.0])


def test_wandering_does_not_depend_on_the_frame_rate():
    slow = draw_wander(np.random.default_rng(3), TIMES_S[::2], 2.0, 2)
    fast = draw_wander(np.random.default_rng(3), TIMES_S, 2.0, 2)
    assert fast[::2] == pytest.approx(slow)
