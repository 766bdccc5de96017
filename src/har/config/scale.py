"""How a run goes over many machines, and how files of an object store are fetched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from har.config.bounds import check, check_range

_DAY_S = 86400.0


@dataclass(frozen=True)
class ScaleConfig:
    """How a run goes over a cluster (`har predict --on`).

    Attributes:
        on: ``ray`` for the cluster that this machine is part of, or this machine alone where there
            is none; ``ray://HOST`` or ``ray://HOST:PORT`` for another.
        n_workers: Videos at once, each on one processor core; 0 means one for each core that the
            cluster has, more when it grows. A cluster that grows on demand grows up to it.
        tries: So many times a video may end its worker or exceed the limit before it is set aside.
        limit_s: Seconds that one try may take.
    """

    on: str = "ray"
    n_workers: int = 0
    tries: int = 3
    limit_s: float = 6 * 3600.0

    def __post_init__(self) -> None:
        is_known = self.on == "ray" or (self.on.startswith("ray://") and len(self.on) > 6)
        check(is_known, "on", self.on, "'ray', or the address of a cluster such as 'ray://HOST'")
        check_range(self, n_workers=(0, 100_000), tries=(1, 100), limit_s=(0.1, 7 * _DAY_S))


@dataclass(frozen=True)
class FetchConfig:
    """How a video of an object store comes to the machine that recognizes it.

    Attributes:
        scratch: Folder in which it lies meanwhile; the system's own for such files when None.
        max_gb: A larger file is left out.
    """

    scratch: Path | None = None
    max_gb: float = 50.0

    def __post_init__(self) -> None:
        check_range(self, max_gb=(1e-6, 1e6))
