"""A bar for the recognition of videos: how much is done, how fast, and how long it still takes."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from har.inference.folder import Standing

_SHAPE = "{percentage:3.0f}%|{bar:20}| {desc}"


class SpeedBar:
    """Shows a run's standing on standard error, inside its ``with`` block."""

    def __enter__(self) -> SpeedBar:
        from tqdm import tqdm

        self._started_s = time.monotonic()
        self._bar = tqdm(total=1.0, bar_format=_SHAPE, leave=False, mininterval=0.5)
        return self

    def update(self, standing: Standing) -> None:
        """Moves the bar."""
        elapsed_s = time.monotonic() - self._started_s
        self._bar.set_description_str(format_standing(standing, elapsed_s), refresh=False)
        self._bar.update(standing.share - self._bar.n)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()


def format_standing(standing: Standing, elapsed_s: float) -> str:
    """Gives what a bar says beside itself.

    >>> from har.inference.folder import Standing
    >>> format_standing(Standing(done_s=600.0, share=0.25, n_done=1, n_videos=3), 30.0)
    '10:00 of video, 20.0x real time, 1:30 left, 1 of 3 videos'
    """
    parts = [f"{_format_time(standing.done_s)} of video"]
    if elapsed_s > 0:
        parts.append(f"{standing.done_s / elapsed_s:.1f}x real time")
    if standing.share > 0:
        parts.append(f"{_format_time(elapsed_s * (1 / standing.share - 1))} left")
    if standing.n_videos > 1:
        parts.append(f"{standing.n_done} of {standing.n_videos} videos")
    return ", ".join(parts)


def _format_time(time_s: float) -> str:
    minutes, seconds = divmod(round(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
