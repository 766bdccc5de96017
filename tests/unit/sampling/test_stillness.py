"""What is taken for still, by hand: noise of the picture passes, a hand that moves does not."""

import numpy as np
import pytest

from har.sampling.stillness import NoiseGate, PictureGate, StepGate


def _cells(level: float, most: float | None = None) -> np.ndarray:
    cells = np.full((24, 40), level, np.float32)
    cells[3, 4] = level if most is None else most
    return cells


@pytest.mark.parametrize(
    ("noise", "threshold"), [(0.0, 2.0), (0.5, 3.0), (3.0, 8.0), (4.0, 10.0), (60.0, 10.0)]
)
def test_the_threshold_follows_noise_up_to_a_limit(noise: float, threshold: float) -> None:
    gate = NoiseGate()
    gate.push(_cells(noise))
    assert gate.threshold == pytest.approx(threshold)


def test_a_picture_that_moves_everywhere_is_not_taken_for_noise() -> None:
    gate = NoiseGate()
    assert gate.push(_cells(0.5))
    assert not gate.push(_cells(30.0))
    assert gate.threshold == pytest.approx(2.0 + 2.0 * (0.5 * 1.01 + 0.005))


def test_one_square_that_moves_is_enough() -> None:
    gate = NoiseGate()
    assert [gate.push(_cells(0.5, most)) for most in (2.9, 3.1, 2.9)] == [True, False, True]


def test_the_first_still_step_is_encoded_and_one_every_two_seconds() -> None:
    gate = StepGate(rate_hz=4.0)
    skipped = [gate.push(_cells(0.5)) for _ in range(20)]
    assert skipped == [False, *[True] * 8, False, *[True] * 8, False, True]


def test_a_still_step_never_takes_the_features_of_one_that_moves() -> None:
    gate = StepGate(rate_hz=4.0)
    levels = [0.5, 0.5, 40.0, 0.5, 0.5]
    assert [gate.push(_cells(0.5, most)) for most in levels] == [False, True, False, False, True]


def test_pictures_are_compared_with_the_one_that_was_encoded() -> None:
    """What creeps by one gray level a step has moved once it is three levels away."""
    gate, picture = PictureGate(rate_hz=10.0), np.full((192, 320), 100, np.uint8)
    found = []
    for step in range(8):
        moved = picture.copy()
        moved[80:96, 160:176] += step
        gate.push([moved])
        found.append(gate.is_still)
    assert found == [False, True, True, False, True, True, False, True]


def test_a_color_picture_is_given_as_it_is() -> None:
    gate, picture = PictureGate(rate_hz=10.0), np.zeros((32, 48, 3), np.uint8)
    assert gate.push([picture]) is picture
    assert gate.push([picture]) is picture
    assert gate.is_still
