"""Which videos are done by one of many jobs that know nothing of each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from har.addresses import ObjectPath
from har.errors import ConfigError


@dataclass(frozen=True)
class Shard:
    """One of ``count`` parts of a list of videos; a video is in the same one wherever it lies.

    Attributes:
        number: From 1.
        count: Of all parts.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ConfigError(
                f"Expected a shard such as 3/100, received {self.number}/{self.count}; shards are "
                "counted from 1"
            )
        if not 1 <= self.number <= self.count:
            raise ConfigError(
                f"Expected a shard from 1/{self.count} to {self.count}/{self.count}, received "
                f"{self.number}/{self.count}; shards are counted from 1"
            )

    def has(self, name: str) -> bool:
        """Return whether a video of this name is in it.

        >>> [number for number in (1, 2, 3) if Shard(number, 3).has("day1/a.mp4")]
        [3]
        """
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1


def name_videos(videos: Iterable[Path], sources: Sequence[Path]) -> list[str]:
    """Return what a video is called below the folder that was given, or as it was given itself.

    So machines that see the same folder at different places agree on the shards.

    Args:
        videos: Of `har.inference.video.find_videos`.
        sources: As they were given.

    >>> name_videos([Path("x/a.mp4"), Path("b.mp4")], [Path("b.mp4")])
    ['x/a.mp4', 'b.mp4']
    """
    folders = [each for each in sources if isinstance(each, ObjectPath) or each.is_dir()]

    def name(video: Path) -> str:
        above = next((each for each in folders if each in video.parents), None)
        return (video if above is None else video.relative_to(above)).as_posix()

    return [name(video) for video in videos]
