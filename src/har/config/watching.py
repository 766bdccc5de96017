"""Settings of live cameras: how they are read, when they count as frozen or lost, what may wait."""

from __future__ import annotations

from dataclasses import dataclass

from har.config.bounds import check, check_range


@dataclass(frozen=True)
class WatchConfig:
    """How live cameras are watched (`har watch`).

    Attributes:
        n_overlap: Windows that look at each step; at most the model's steps in a window, which
            means a window at every step, so that the newest frame is in the newest score.
        max_wait_s: Steps that wait longer for recognition are passed over, and counted; more waits
            out longer pauses of the machine, and makes scores come later.
        connect_s: A camera that does not answer within this is given up until the next try.
        frozen_s: A camera without a new frame for this long counts as frozen.
        lost_s: Without one for this long it is lost and connected anew.
        still_s: So long the very same picture counts as frozen too; noise keeps a real one moving.
        jump_s: A camera's clock that leaps by more than this has jumped.
        max_late_s: Frames that come later than this, because they could not be decoded in time, are
            passed over up to the next key frame.
        retry_first_s: About the wait before the first try to connect anew; it doubles with each.
        retry_most_s: About the longest.
        state_every_s: How often a camera's state is told when nothing happens.
        memory_s: Fps and latency are over this long.
    """

    n_overlap: int = 64
    max_wait_s: float = 0.6
    connect_s: float = 10.0
    frozen_s: float = 3.0
    lost_s: float = 10.0
    still_s: float = 30.0
    jump_s: float = 5.0
    max_late_s: float = 4.0
    retry_first_s: float = 0.5
    retry_most_s: float = 30.0
    state_every_s: float = 1.0
    memory_s: float = 5.0

    def __post_init__(self) -> None:
        check_range(
            self,
            n_overlap=(1, 512),
            max_wait_s=(0.05, 60.0),
            connect_s=(0.1, 300.0),
            frozen_s=(0.1, 600.0),
            lost_s=(0.2, 3600.0),
            still_s=(0.1, 86_400.0),
            jump_s=(0.5, 600.0),
            max_late_s=(0.1, 600.0),
            retry_first_s=(0.01, 60.0),
            retry_most_s=(0.01, 3600.0),
            state_every_s=(0.05, 60.0),
            memory_s=(0.5, 600.0),
        )
        check(self.lost_s >= self.frozen_s, "lost_s", self.lost_s, f"at least {self.frozen_s:g}")
        check(self.jump_s > self.max_late_s, "jump_s", self.jump_s, f"over {self.max_late_s:g}")
