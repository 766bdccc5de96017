"""Windows of a clip, one by one, as the batches of a head are compared with."""

import numpy as np

from har.sampling.times import cut_windows


def slice_windows(steps: np.ndarray, n_steps: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a clip's steps into windows.

    Args:
        steps: (N, ...) values of N >= 1 steps.
        n_steps: T, steps in a window.
        hop: Steps from one window's start to the next.

    Returns:
        (W, T, ...) windows, padded with zeros at the end of a clip shorter than one, and their
        (W,) numbers of real steps.
    """
    windows = cut_windows(steps, n_steps, hop)
    out = np.zeros((len(windows), n_steps, *steps.shape[1:]), dtype=steps.dtype)
    for row, window in zip(out, windows, strict=True):
        row[: len(window.steps)] = window.steps
    return out, np.array([len(window.steps) for window in windows])
