from __future__ import annotations

import matplotlib.image
import numpy as np
import pytest

from har.metrics.breakdown import find_best_epoch
from har.reports.figures import write_history

BLUE, ORANGE = (0x2F, 0x6D, 0xB3), (0xD9, 0x70, 0x2B)


def read_png(path) -> np.ndarray:
    return np.round(matplotlib.image.imread(path)[..., :3] * 255).astype(int)


def count_pixels(picture: np.ndarray, color: tuple[int, int, int]) -> int:
    return int((np.abs(picture - color).max(axis=-1) <= 2).sum())


def test_history_draws_training_and_validation(tmp_path):
    history = {
        "loss": [1.0, 0.5, 0.3],
        "accuracy": [0.5, 0.7, 0.9],
        "val_loss": [1.1, 0.6, 0.8],
        "val_accuracy": [0.4, 0.6, 0.6],
    }
    write_history(tmp_path / "both.png", history)
    write_history(tmp_path / "train.png", {name: history[name] for name in ("loss", "accuracy")})
    both, train = read_png(tmp_path / "both.png"), read_png(tmp_path / "train.png")
    half = both.shape[1] // 2
    for part in (both[:, :half], both[:, half:]):
        assert count_pixels(part, BLUE) > 300
        assert count_pixels(part, ORANGE) > 300
    assert count_pixels(train, BLUE) > 600
    assert count_pixels(train, ORANGE) == 0


@pytest.mark.parametrize(
    "history",
    [
        {},
        {"loss": [0.7], "accuracy": [0.5], "val_loss": [0.7], "val_accuracy": [0.5]},
        {"loss": [float("nan")] * 2, "accuracy": [0.5] * 2, "val_loss": [float("nan")] * 2},
    ],
)
def test_history_of_no_epoch_one_epoch_or_a_diverged_run_is_drawn(tmp_path, history):
    write_history(tmp_path / "h.png", history)
    assert read_png(tmp_path / "h.png").std() > 5


@pytest.mark.parametrize(
    ("losses", "best"),
    [([], None), ([0.4], 0), ([0.4, 0.3, 0.3, 0.5], 2), ([float("nan"), 2.0], 1)],
)
def test_best_epoch_is_the_last_of_the_lowest(losses, best):
    assert find_best_epoch(losses) == best
