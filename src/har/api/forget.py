"""Removing a person or a recording from all that har has written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from har.api.settings import StrPath, extra, list_paths
from har.errors import ConfigError

if TYPE_CHECKING:
    from har.erasure.run import Forgotten


def forget(
    folders: StrPath | Iterable[StrPath],
    *,
    subject: str = "",
    video: StrPath = "",
    before: datetime | str | None = None,
    dry_run: bool = False,
    database: str | None = None,
) -> Forgotten:
    """Remove a person's or a recording's pictures, keypoints, scores, events and verdicts.

    Prepared clips, results of `har.predict`, takes of `har.record`, alerts of `har.watch` and
    reviews are found everywhere below the folders; links are not followed. What a person is known
    by there are the subject and the group of prepared clips and codings; results of the recordings
    that are found so go as a whole. Videos that har has not written stay, and so do models: what
    may have learned from it, and what names it still, is in ``left``.

    Args:
        folders: One or several, searched to their depth.
        subject: A person; one of the three is needed, and only one.
        video: A recording, by its path, or by its name alone.
        before: What was written before this day or moment (ISO 8601, local time), and alerts that
            were raised before it.
        dry_run: Remove nothing; say what would be.
        database: URL of a review's database that is not below the folders.

    Raises:
        ConfigError: Not one of the three is given, or a folder is none.
        ReviewError: A review's database cannot be opened, or holds none; nothing is removed then.
        LockedError: A run writes to one of the folders.
        OutputError: A file cannot be deleted; what is gone before it stays gone.
        MissingDependencyError: There is a review, and the extra ``review`` is not installed.

    Example:
        >>> import har
        >>> done = har.forget(["data", "results"], subject="p7", dry_run=True)  # doctest: +SKIP
        >>> [item.path for item in done.removed]  # doctest: +SKIP
    """
    from har.erasure.run import forget_all
    from har.erasure.target import Target

    named = list_paths(folders)
    if not named:
        raise ConfigError("Name at least one folder below which is to be forgotten")
    moment = _parse_moment(before) if isinstance(before, str) else before
    target = Target(subject, str(video), moment)
    with extra("review"):
        return forget_all([Path(path) for path in named], target, dry_run, database or "")


def _parse_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"Expected a day or moment such as 2025-07-01 or 2025-07-01T14:30, received {text!r}"
        ) from error
