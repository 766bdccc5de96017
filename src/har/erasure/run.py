"""What is of a person, a recording or a time is removed below some folders, and said."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from har.bundle import BUNDLE_FILE
from har.erasure.holders import HOLDERS, Forget, find_in_review, forget_copies, forget_review
from har.erasure.target import Removed, Target, Trash
from har.errors import ConfigError

_DATABASE = "review.db"
_TEXTS = frozenset({".csv", ".json", ".jsonl", ".md", ".html", ".txt", ".vtt", ".tsv", ".toml"})
_MAX_TEXT_BYTES = 32_000_000


@dataclass(frozen=True)
class Forgotten:
    """What became of a request to forget.

    Attributes:
        removed: What is gone; with ``is_dry`` what would be.
        left: What is there still and may hold something of it: models that may have learned from
            it, and texts that name it.
        is_dry: Nothing was deleted.
    """

    removed: tuple[Removed, ...]
    left: tuple[Removed, ...]
    is_dry: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "dry_run": self.is_dry,
            "removed": [_to_values(item) for item in self.removed],
            "left": [_to_values(item) for item in self.left],
        }


def _to_values(item: Removed) -> dict[str, str]:
    return {"kind": item.kind, "path": str(item.path), "what": item.what}


def forget_all(
    folders: Sequence[Path], target: Target, is_dry: bool = False, database: str = ""
) -> Forgotten:
    """Remove what har has written of a target below some folders.

    Args:
        folders: Searched to their depth; links are not followed.
        target: What is to be forgotten.
        is_dry: Only say what would be removed.
        database: URL of a review's database that is no file below the folders.

    Raises:
        ConfigError: A folder is none.
        ReviewError: A review's database cannot be opened, or holds none; nothing is removed then.
        LockedError: A run writes to one of them.
        OutputError: A file cannot be deleted.
    """
    for folder in folders:
        if not folder.is_dir() or folder.is_symlink():
            raise ConfigError(f"Expected a folder, received {folder}; links are not followed")
    trashes = [(folder, Trash(folder, is_dry)) for folder in folders]
    reviews = [
        (f"sqlite:///{inner / _DATABASE}", trash)
        for folder, trash in trashes
        for inner in _walk(folder)
        if (inner / _DATABASE).is_file() and not (inner / _DATABASE).is_symlink()
    ]
    elsewhere = Trash(Path(), is_dry)
    reviews += [(database, elsewhere)] if database else []
    for url, _ in reviews:  # first: a database that is not there must stop it before it begins
        find_in_review(url, target)
    _forget(HOLDERS, trashes, target)
    for url, trash in reviews:
        forget_review(url, target, trash)
    _forget([forget_copies], trashes, target)
    removed = [
        item for trash in (*(trash for _, trash in trashes), elsewhere) for item in trash.removed
    ]
    gone = {item.path for item in removed if not item.what}
    left = [item for folder in folders for item in _find_left(folder, target, gone)]
    return Forgotten(tuple(removed), tuple(left), is_dry)


def _forget(
    holders: Iterable[Forget], trashes: Iterable[tuple[Path, Trash]], target: Target
) -> None:
    for forget in holders:
        for folder, trash in trashes:
            for inner in _walk(folder):
                forget(inner, target, trash)


def _walk(folder: Path) -> Iterator[Path]:
    for path, names, _ in os.walk(folder, followlinks=False):
        names[:] = sorted(name for name in names if not (Path(path) / name).is_symlink())
        yield Path(path)


def _find_left(folder: Path, target: Target, gone: set[Path]) -> Iterator[Removed]:
    words = {word for word in (target.subject, Path(target.video).name) if word}
    words |= {video.name for video in target.videos}
    for inner in _walk(folder):
        if (inner / BUNDLE_FILE).is_file():
            yield Removed("model", inner, "may have learned from it: train it again without")
        for path in sorted(inner.iterdir()):
            if path in gone or path.suffix not in _TEXTS or not path.is_file():
                continue
            if path.is_symlink() or path.stat().st_size > _MAX_TEXT_BYTES:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            if any(word in text for word in words):
                yield Removed("text", path, "names it")
