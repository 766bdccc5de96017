"""Who or what is to be forgotten, and the deletion of it, which never leaves a folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from har.errors import ConfigError, OutputError


@dataclass
class Target:
    """What is to be forgotten; one of the three.

    Attributes:
        subject: A person, as prepared clips, takes and codings name them.
        video: A recording: its path, or only its name.
        before: What was written, or raised, before this moment.
        videos: Recordings that were found to be of it.
        sidecars: Files of features and keypoints of them.
    """

    subject: str = ""
    video: str = ""
    before: datetime | None = None
    videos: set[Path] = field(default_factory=set)
    sidecars: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Refuse none and several.

        Raises:
            ConfigError: Not one of the three is given.
        """
        given = [bool(self.subject), bool(self.video), self.before is not None]
        if sum(given) != 1:
            raise ConfigError(
                "Expected one of subject, video and before, received "
                f"{sum(given)} of them; run it once for each"
            )
        if self.before is not None and self.before.utcoffset() is None:
            self.before = self.before.astimezone()

    def is_video(self, video: Path, written: Path | None = None) -> bool:
        """Return whether a recording is meant.

        Args:
            video: Its path.
            written: A file that was written of it, for its age.
        """
        if self.video:
            named = Path(self.video)
            if named.name == self.video:
                return video.name == self.video
            return _settle(video) == _settle(named)
        if self.before is not None:
            return written is not None and self.is_old(written)
        return _settle(video) in self.videos

    def is_old(self, written: Path) -> bool:
        """Return whether a file was written before the moment."""
        if self.before is None or not written.is_file():
            return False
        return datetime.fromtimestamp(written.stat().st_mtime, UTC) < self.before

    def add_video(self, video: Path) -> None:
        """Note that a recording is of the person, or as old."""
        self.videos.add(_settle(video))

    def holds(self, video: Path) -> bool:
        """Return whether a recording was noted."""
        return _settle(video) in self.videos


def _settle(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


@dataclass(frozen=True)
class Removed:
    """One thing that is gone, or would be.

    Attributes:
        kind: What it was, such as ``results``.
        path: The file, or the one that it was a part of.
        what: What of it, where it is not the whole file.
    """

    kind: str
    path: Path
    what: str = ""


class Trash:
    """Deletes files inside one folder, and remembers what it has deleted."""

    def __init__(self, root: Path, is_dry: bool) -> None:
        """Delete nothing yet.

        Args:
            root: Nothing out of this folder is deleted, and no link is followed.
            is_dry: Only remember what would be deleted.
        """
        self.is_dry = is_dry
        self.removed: list[Removed] = []
        self._root = root.resolve()

    def delete(self, path: Path, kind: str) -> None:
        """Delete a file or a folder, if it is there.

        Raises:
            OutputError: The system refused.
        """
        if path.is_symlink() or not path.exists():
            return
        if not path.resolve().is_relative_to(self._root):
            return
        self.removed.append(Removed(kind, path))
        if self.is_dry:
            return
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            raise OutputError(
                f"{path} could not be deleted: {error.strerror}. What went before it stays gone; "
                "mend its permissions and run it again"
            ) from error

    def note(self, kind: str, path: Path, what: str) -> None:
        """Remember a part of a file that is gone, or would be."""
        self.removed.append(Removed(kind, path, what))
