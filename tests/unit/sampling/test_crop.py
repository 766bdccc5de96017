"""The view follows motion, never looks ahead, and is the same for clips and for streams."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har.sampling.crop import MotionCrop, count_remembered_steps, find_crop, gather_crops
from har.sampling.stillness import StepGate
from har.sampling.times import (
    compute_nearest_indices,
    compute_stack_indices,
    compute_step_times,
    gather_stacks,
)
from har.types import WindowSpec

SPEC = WindowSpec((64, 96), 8.0, 4, "motion", ((0.0, -0.04), (0.16, -0.16)), 30.0, 2)
TIMES_S = np.arange(60) / 25
"""Long enough for the view to settle where something moves."""


def make_film(places: list[tuple[int, int]]) -> np.ndarray:
    """Return gray frames with a square of 8 px at each frame's (y, x), ever brighter."""
    frames = np.full((len(places), *SPEC.size), 90, np.uint8)
    for number, (y, x) in enumerate(places):
        frames[number, y : y + 8, x : x + 8] = 4 * number
    return frames


def look_at(frames: np.ndarray, spec: WindowSpec = SPEC) -> np.ndarray:
    steps = compute_step_times(len(frames) / 25, spec.rate_hz)
    rows = compute_stack_indices(TIMES_S[: len(frames)], steps, spec.offsets_s)
    return gather_crops(frames, rows, spec)


def test_the_view_is_where_something_moves_and_each_of_its_pixels_is_four():
    frames = make_film([(48, 80)] * 60)
    views = look_at(frames)
    assert views.shape == (19, 64, 96, 4)
    small = views[:, ::2, ::2]
    for dy, dx in ((0, 1), (1, 0), (1, 1)):
        assert np.array_equal(views[:, dy::2, dx::2], small)
    center = SPEC.offsets_s.index(0.0)
    seen = compute_nearest_indices(TIMES_S, compute_step_times(2.4, 8.0))
    assert np.array_equal(small[..., center], frames[seen, 32:, 48:])


def test_without_zoom_and_in_color_all_of_the_picture_is_seen():
    frames = make_film([(48, 80)] * 60)
    whole = replace(SPEC, motion_crop=1)
    steps = compute_step_times(2.4, 8.0)
    rows = compute_stack_indices(TIMES_S, steps, whole.offsets_s)
    assert np.array_equal(look_at(frames, whole), gather_stacks(frames, rows))
    picture = np.zeros((*SPEC.size, 3), np.uint8)
    assert MotionCrop(WindowSpec(SPEC.size, 8.0, 4, "rgb", (), 30.0)).push([picture]) is picture


def test_the_view_moves_on_only_when_motion_stays_elsewhere():
    one, long = [(8, 8)], [(48, 80)]
    blink = look_at(make_film(one * 25 + long * 2 + one * 33))
    assert np.array_equal(blink[-1], look_at(make_film(one * 60))[-1])
    away = look_at(make_film(one * 10 + long * 50))
    assert np.array_equal(away[-1], look_at(make_film(long * 60))[-1])


def test_a_still_picture_is_seen_in_its_middle():
    frames = np.tile(np.arange(96, dtype=np.uint8), (4, 64, 1))
    view = MotionCrop(SPEC).push(list(frames))
    assert view[0, ::2, 0].tolist() == list(range(24, 72))


def test_what_comes_later_changes_nothing():
    places = [(8, 8)] * 30 + [(48, 80)] * 30
    later = make_film(places)
    n_seen = len(look_at(later[:30])) - 2  # the last steps look 0.16 s ahead
    assert np.array_equal(look_at(later)[:n_seen], look_at(later[:30])[:n_seen])


def test_equal_frames_move_nothing():
    moving, still = make_film([(8, 8)] * 4), make_film([(48, 80)] * 4)
    once, often = MotionCrop(SPEC), MotionCrop(SPEC)
    once.push(list(moving))
    once.push(list(still))
    for frames in (moving, still, still, still):
        view = often.push(list(frames))
    assert np.array_equal(once.push(list(moving[::-1])), often.push(list(moving[::-1])))
    assert view.shape == (*SPEC.size, 4)


def test_equal_frames_are_still_where_there_is_a_gate_even_after_motion():
    moving = make_film([(8, 8), (48, 80), (8, 8), (48, 80)])
    gated, exact = MotionCrop(SPEC, StepGate(SPEC.rate_hz)), MotionCrop(SPEC)
    still = []
    for crop in (gated, exact):
        first = crop.push(list(moving))
        still.append(crop.is_still)
        assert crop.push(list(moving.copy())) is first
        still.append(crop.is_still)
    assert still == [False, True, False, False]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(1, 50), st.integers(1, 8), st.integers(0, 2**31))
def test_the_view_is_inside_and_holds_the_most_or_its_middle(height, width, motion_crop, seed):
    motion = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    y, x = find_crop(motion, motion_crop)
    h, w = max(height // motion_crop, 1), max(width // motion_crop, 1)
    assert 0 <= y <= height - h
    assert 0 <= x <= width - w


@pytest.mark.parametrize(("size", "motion_crop"), [((8, 8), 8), ((8, 2048), 2), ((9, 15), 3)])
def test_the_smallest_pictures_that_a_contract_may_ask_for(size, motion_crop):
    frames = np.random.default_rng(0).integers(0, 255, (30, *size), np.uint8)
    spec = replace(SPEC, size=size, motion_crop=motion_crop)
    assert look_at(frames, spec).shape[1:3] == size


def test_hand_computed_view():
    motion = np.zeros((8, 12), np.float32)
    motion[3, 2], motion[3, 6] = 1.0, 3.0  # both in 4x6; their middle is row 3, column 5
    assert find_crop(motion, 2) == (2, 2)


@pytest.mark.parametrize(("motion_crop", "expected"), [(1, 0), (2, 48)])
def test_steps_that_are_remembered(motion_crop, expected):
    assert count_remembered_steps(replace(SPEC, motion_crop=motion_crop)) == expected
