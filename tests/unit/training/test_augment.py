"""Changes are drawn once a clip and leave still things still."""

import numpy as np
import pytest

from har.config import AugmentConfig
from har.training.batches import NO_CHANGE, Change, apply_change, draw_change

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 255, (3, 32, 48), dtype=np.uint8)


def test_no_change_gives_the_frames_themselves():
    assert apply_change(FRAMES, NO_CHANGE) is FRAMES


def test_flip_mirrors_left_and_right():
    assert (apply_change(FRAMES, Change(flip=True)) == FRAMES[:, :, ::-1]).all()


def test_contrast_spreads_around_the_middle():
    gray = np.array([[[128, 138, 118, 250]]], np.uint8)
    changed = apply_change(gray, Change(contrast=2.0, brightness=5.0))
    assert changed[0, 0].tolist() == [133, 153, 113, 255]


def test_crop_keeps_the_part_it_names():
    frames = np.zeros((1, 32, 32), np.uint8)
    frames[0, :16, :16] = 200
    changed = apply_change(frames, Change(scale=0.5, center=(0.0, 0.0)))
    assert changed[0, :30, :30].min() == 200


def test_erasing_blackens_the_same_box_in_all_frames():
    changed = apply_change(FRAMES, Change(erase=(0.0, 0.0, 0.5, 0.5)))
    assert changed[:, :16, :24].max() == 0
    assert (changed[:, 16:] == FRAMES[:, 16:]).all()


@pytest.mark.parametrize("shape", [(4, 32, 48), (4, 32, 48, 3)])
def test_what_does_not_move_still_does_not(shape):
    frames = np.broadcast_to(RNG.integers(0, 255, shape[1:], dtype=np.uint8), shape)
    change = draw_change(AugmentConfig(noise=0.0, erase=1.0), np.random.default_rng(3))
    changed = apply_change(frames, change)
    assert changed.shape == shape
    assert (changed == changed[:1]).all()


def test_noise_differs_between_frames_and_repeats_with_the_seed():
    change = Change(noise=8.0, seed=5)
    still = np.full((2, 32, 48), 128, np.uint8)
    noisy = apply_change(still, change)
    assert (noisy[0] != noisy[1]).any()
    assert abs(float(noisy.std()) - 8.0) < 1.0
    assert (apply_change(still, change) == noisy).all()


def test_draws_stay_within_their_bounds():
    config = AugmentConfig(crop=0.3, shift_s=0.1, speed=0.2, flip=False, erase=0.0)
    rng = np.random.default_rng(0)
    for _ in range(200):
        change = draw_change(config, rng)
        assert 0.7 <= change.scale <= 1.0
        assert abs(change.shift_s) <= 0.1
        assert np.exp(-0.2) <= change.speed <= np.exp(0.2)
        assert not change.flip
        assert change.erase is None
