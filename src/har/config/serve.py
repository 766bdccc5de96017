"""Limits of the service that recognizes videos over HTTP (`har serve`)."""

from __future__ import annotations

from dataclasses import dataclass

from har.config.bounds import check_range


@dataclass(frozen=True)
class ServeConfig:
    """What `har serve` takes, and how much of it.

    Attributes:
        max_mb: Size of one upload.
        max_stored_mb: Of all uploads that are on the disk at once.
        max_uploads: Uploads that may come at the same time.
        max_waiting: Jobs that wait or run; another one is refused until there is room.
        max_results: Jobs that are over and whose results are kept; the oldest are forgotten.
        keep_s: Results are forgotten after so long.
        max_video_s: Of longer videos nothing is recognized.
        head_s: Longest time in which the head of a request must have come.
        upload_s: Longest time that an upload may take.
        max_wait_s: Longest time that a request may wait for its result.
    """

    max_mb: int = 512
    max_stored_mb: int = 4096
    max_uploads: int = 8
    max_waiting: int = 100
    max_results: int = 1000
    keep_s: float = 86_400.0
    max_video_s: float = 14_400.0
    head_s: float = 20.0
    upload_s: float = 600.0
    max_wait_s: float = 60.0

    def __post_init__(self) -> None:
        check_range(
            self,
            max_mb=(1, 1_000_000),
            max_stored_mb=(1, 10_000_000),
            max_uploads=(1, 1000),
            max_waiting=(1, 100_000),
            max_results=(1, 100_000),
            keep_s=(1.0, 31_536_000.0),
            max_video_s=(1.0, 864_000.0),
            head_s=(0.1, 3600.0),
            upload_s=(1.0, 86_400.0),
            max_wait_s=(0.0, 3600.0),
        )
