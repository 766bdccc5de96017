"""Which frames a time step has and which steps a window has: pure index and time arithmetic.

Training, recordings and live cameras all sample through these functions. An example with
frames at 0.00, 0.04, 0.08, ... s, ``rate_hz=8`` and offsets (-0.04, 0.0, 0.16):

    step k             0        1        2
    time (k+0.5)/8     0.0625   0.1875   0.3125
    its frame          2        5        8         nearest in time, the earlier of two as near
    stack of frames    1 2 6    4 5 9    7 8 12    nearest to the frame's own time + offset
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

import numpy as np

from har.errors import ConfigError
from har.types import TIME_EPS_S

_ENOUGH = 0.9
"""Of the frames that a lag takes; rates are not met to the last frame."""


def compute_step_times(duration_s: float, rate_hz: float) -> np.ndarray:
    """Return the times of all whole steps in ``[0, duration_s)``.

    Args:
        duration_s: Length in seconds.
        rate_hz: Steps a second.

    Returns:
        (N,) float64 seconds, the middle of each step; at least one, so less than a step is
        represented by its own middle.

    >>> compute_step_times(0.5, 8.0).tolist()
    [0.0625, 0.1875, 0.3125, 0.4375]
    >>> compute_step_times(0.06, 8.0).tolist()
    [0.03]
    """
    if rate_hz <= 0:
        raise ConfigError(f"Expected rate_hz > 0, received rate_hz={rate_hz}")
    n = int(np.floor(duration_s * rate_hz + TIME_EPS_S))
    if n < 1:
        return np.array([max(duration_s, 0.0) / 2])
    return (np.arange(n) + 0.5) / rate_hz


def compute_span_s(times_s: np.ndarray) -> float:
    """Return the length that frames stand for: each for a mean interval.

    Args:
        times_s: (F,) ascending seconds; one frame alone has length 0.

    >>> compute_span_s(np.array([0.0, 0.04, 0.08, 0.12]))
    0.16
    """
    if len(times_s) < 2:
        return 0.0
    extent = float(times_s[-1] - times_s[0])
    return extent * len(times_s) / (len(times_s) - 1)


def compute_nearest_indices(times_s: np.ndarray, query_s: np.ndarray) -> np.ndarray:
    """Return for each query the index of the frame nearest in time.

    Args:
        times_s: (F,) ascending frame times in seconds, F >= 1.
        query_s: Any shape, seconds.

    Returns:
        int64 array of the queries' shape; the earlier frame where two are equally near.

    >>> compute_nearest_indices(np.array([0.0, 0.1, 0.2]), np.array([-1.0, 0.05, 0.16])).tolist()
    [0, 0, 2]
    """
    right = np.clip(np.searchsorted(times_s, query_s), 1, max(len(times_s) - 1, 1))
    right = np.minimum(right, len(times_s) - 1)
    left = np.maximum(right - 1, 0)
    nearer_right = times_s[right] - query_s < query_s - times_s[left] - TIME_EPS_S
    return np.where(nearer_right, right, left)


def compute_stack_indices(
    times_s: np.ndarray, step_times_s: np.ndarray, offsets_s: tuple[float, ...]
) -> np.ndarray:
    """Return the frames that each time step compares.

    Args:
        times_s: (F,) ascending frame times in seconds, F >= 1.
        step_times_s: (N,) seconds.
        offsets_s: C offsets in seconds from the step's own frame.

    Returns:
        (N, C) int64. A non-zero offset never names the step's own frame while there is another on
        that side, so slow videos still show motion; past the first or last frame it is clamped.

    >>> times = np.arange(20) * 0.04
    >>> compute_stack_indices(times, np.array([0.0625, 0.1875]), (-0.04, 0.0, 0.16)).tolist()
    [[1, 2, 6], [4, 5, 9]]
    """
    center = compute_nearest_indices(times_s, np.asarray(step_times_s, dtype=np.float64))
    offsets = np.asarray(offsets_s, dtype=np.float64)
    targets_s = times_s[center][:, None] + offsets[None, :]
    found = compute_nearest_indices(times_s, targets_s)
    apart = center[:, None] + np.sign(offsets).astype(np.int64)[None, :]
    beyond = np.where(offsets > 0, np.maximum(found, apart), np.minimum(found, apart))
    chosen = np.where(offsets == 0, center[:, None], beyond)
    return np.clip(chosen, 0, len(times_s) - 1)


def gather_stacks(frames: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Put the frames of each step side by side as channels.

    Args:
        frames: (F, H, W) gray or (F, H, W, 3) RGB, uint8.
        indices: (N, C) from `compute_stack_indices`; C is 1 for RGB.

    Returns:
        (N, H, W, C) uint8 for gray, (N, H, W, 3) for RGB, contiguous.
    """
    if frames.ndim == 4:
        return np.ascontiguousarray(frames[indices[:, 0]])
    return np.stack([frames[column] for column in indices.T], axis=-1)


_Step = TypeVar("_Step")


@dataclass(frozen=True)
class Window(Generic[_Step]):
    """Consecutive time steps of one forward pass.

    Attributes:
        start: Index of its first step.
        steps: One value a step: as many as the head takes, but fewer in a stretch that is shorter.
    """

    start: int
    steps: list[_Step]


class WindowRing(Generic[_Step]):
    """The last steps of a stream, which gives a window every ``hop`` steps.

    Every step is in at least one window: the last one ends with the last step. All windows of
    training, clips, recordings and cameras come from here.
    """

    def __init__(self, n_steps: int, hop: int) -> None:
        """Start empty.

        Args:
            n_steps: Steps in a window.
            hop: Steps from one window's start to the next, at most ``n_steps``.
        """
        if not 1 <= hop <= n_steps:
            raise ConfigError(f"Expected 1 <= hop <= n_steps={n_steps}, received hop={hop}")
        self._hop, self._n_steps = hop, n_steps
        self._ring: deque[_Step] = deque(maxlen=n_steps)
        self._n_pushed = 0

    def push(self, step: _Step) -> Window[_Step] | None:
        """Take the next step and return the window that ends with it, if one is due."""
        self._ring.append(step)
        self._n_pushed += 1
        return self._cut() if self._is_due() else None

    def flush(self) -> Window[_Step] | None:
        """Return the last window, unless it was given before; the stream has ended."""
        return None if self._n_pushed == 0 or self._is_due() else self._cut()

    def _is_due(self) -> bool:
        start = self._n_pushed - self._n_steps
        return start >= 0 and start % self._hop == 0

    def _cut(self) -> Window[_Step]:
        return Window(max(self._n_pushed - self._n_steps, 0), list(self._ring))


def cut_windows(steps: Iterable[_Step], n_steps: int, hop: int) -> list[Window[_Step]]:
    """Return all windows of some steps.

    >>> [window.steps for window in cut_windows("abcdef", 4, 2)]
    [['a', 'b', 'c', 'd'], ['c', 'd', 'e', 'f']]
    """
    ring = WindowRing[_Step](n_steps, hop)
    found = [*(ring.push(step) for step in steps), ring.flush()]
    return [window for window in found if window is not None]


def compute_window_starts(n_total: int, n_steps: int, hop: int) -> np.ndarray:
    """Return the first step of each window of ``n_total`` steps, as `WindowRing` gives them.

    Returns:
        (W,) int64 ascending. Fewer steps than a window have one window that starts at 0 and is
        padded.

    >>> compute_window_starts(40, 16, 8).tolist()
    [0, 8, 16, 24]
    >>> compute_window_starts(42, 16, 8).tolist()
    [0, 8, 16, 24, 26]
    >>> compute_window_starts(5, 16, 8).tolist()
    [0]
    """
    windows = cut_windows(range(n_total), n_steps, hop)
    return np.array([window.start for window in windows], dtype=np.int64)


def compute_clip_logits(logits: np.ndarray, lengths: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the logits of a whole clip from those of its windows; each step counts alike.

    Windows overlap, so a mean over them would weigh the middle of a clip more than its ends.

    Args:
        logits: (W, T, K), one row a window.
        lengths: (W,) real steps in each window; the rest is padding.
        starts: (W,) the first step of each; together they cover every step.

    Returns:
        (K,) float64: the mean over steps of the mean over the windows that each step is in.

    >>> logits = np.array([[[1.0], [3.0]], [[5.0], [9.0]]])
    >>> compute_clip_logits(logits, np.array([2, 2]), np.array([0, 1])).tolist()
    [4.666666666666667]
    """
    within = np.arange(logits.shape[1])[None, :]
    real = within < np.asarray(lengths)[:, None]
    steps = (np.asarray(starts)[:, None] + within)[real]
    n_windows = np.bincount(steps)
    weights = 1.0 / n_windows[steps]
    return weights @ logits[real].astype(np.float64) / len(n_windows)


def explain_low_rate(rate_hz: float, lags_s: Sequence[float]) -> str:
    """Return what is to be known of frames that come too rarely for most lags, else nothing.

    Args:
        rate_hz: Frames a second, as measured.
        lags_s: How far apart in time the pictures are that a model compares.

    >>> explain_low_rate(25.0, [0.04, 0.12, 0.32])
    ''
    >>> explain_low_rate(1.0, [0.04, 0.12, 0.32])[:40]
    '1 frame(s) a second are too few: picture'
    """
    if not lags_s or rate_hz >= _ENOUGH / median(lags_s):
        return ""
    *others, last = [f"{lag_s:.2g}" for lag_s in sorted(lags_s)]
    lags = f"{', '.join(others)} and {last}" if others else last
    return (
        f"{rate_hz:.2g} frame(s) a second are too few: pictures {lags} s apart are compared, which"
        f" takes about {1 / median(lags_s):.0f} a second; what is said of faster movements is a"
        " guess"
    )


def is_due(time_s: float, last_s: float | None, max_rate_hz: float) -> bool:
    """Return whether a frame is the next one where a video is thinned to ``max_rate_hz``.

    A tolerance of a tenth of the interval takes every frame of a video whose own rate is the
    limit, whatever the rounding of its timestamps.

    >>> is_due(1 / 30, 0.0, 30.0), is_due(1 / 60, 0.0, 30.0), is_due(0.0, None, 30.0)
    (True, False, True)
    """
    return last_s is None or time_s - last_s >= 0.9 / max_rate_hz
