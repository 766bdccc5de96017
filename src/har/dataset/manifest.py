"""Clips from a CSV manifest: its header, its rows, and what may be wrong with them."""

from __future__ import annotations

import hashlib
import math
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from har.errors import ManifestError, TableError
from har.tables import Row, Table, begins_like, parse_time_s, read_table
from har.types import OLD_ORIGIN, SYNTHETIC, Clip, SplitName

_NEEDED = ("path", "label")
_SPLITS: dict[str, SplitName] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


def has_header(manifest: Path) -> bool:
    """Return whether a file begins like a manifest."""
    return begins_like(manifest, _NEEDED)


def read_manifest(manifest: Path) -> Table:
    """Return the table of a manifest.

    Raises:
        ManifestError: The file cannot be read, or lacks a column.
        MissingDependencyError: It is a workbook, and the extra ``excel`` is not installed.
    """
    try:
        table = read_table(manifest)
    except TableError as error:
        raise ManifestError(f"The manifest cannot be used: {error}") from error
    missing = [name for name in _NEEDED if name not in table.names]
    if missing:
        raise ManifestError(
            f"{manifest} needs the columns {', '.join(_NEEDED)}; missing: {', '.join(missing)}; "
            f"its first line has: {', '.join(table.names)[:200]}"
        )
    return table


def make_clip(row: Row, folder: Path) -> Clip | str:
    """Return the row's clip, or what is wrong with the row."""
    if not row.get("path") or not row.get("label"):
        return "path or label is empty"
    if "\0" in row.get("path"):
        return "the path holds a null byte"
    path = find_file(folder / row.get("path").replace("\\", "/"))
    try:
        start_s = parse_time_s(row.get("start_s") or "0")
        end_s = parse_time_s(row.get("end_s")) if row.get("end_s") else None
    except ValueError as error:
        return f"start_s and end_s are times: {error}"
    if not 0 <= start_s < (math.inf if end_s is None else end_s) or end_s == math.inf:
        return f"expected 0 <= start_s < end_s, received start_s={start_s:g}, end_s={end_s}"
    if row.get("split") and row.get("split").lower() not in _SPLITS:
        return f"split is train, val or test, received {row.get('split')!r}"
    return Clip(
        clip_id=make_clip_id(path, folder, start_s, end_s),
        path=path,
        label=row.get("label"),
        subject=row.get("subject"),
        start_s=start_s,
        end_s=end_s,
        split=_SPLITS.get(row.get("split").lower()),
        origin=SYNTHETIC if row.get("origin") == OLD_ORIGIN else row.get("origin"),
    )


def check_split_column(manifest: Path, clips: Sequence[Clip]) -> None:
    """Refuse a column ``split`` that is filled for some clips only.

    Raises:
        ManifestError: It is.
    """
    n_given = sum(clip.split is not None for clip in clips)
    if 0 < n_given < len(clips):
        raise ManifestError(
            f"The column split of {manifest} is filled for {n_given} of {len(clips)} clips; fill"
            " it for all of them, or for none"
        )


def make_clip_id(path: Path, root: Path, start_s: float, end_s: float | None) -> str:
    """Return a readable name that the same clip always has and no other.

    The digest is over the path relative to the source, so two files of one name differ and a
    moved data folder keeps its ids.
    """
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    key = f"{inside.as_posix()}|{start_s!r}|{end_s!r}"
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:10]
    readable = re.sub(r"[^A-Za-z0-9_]+", "-", path.stem).strip("-")[:40]
    return f"{readable}-{digest}" if readable else digest


def find_file(path: Path) -> Path:
    """Return a path without ``..``, by the name that the disk has for it.

    Macs store accents as letter and mark (NFD), other systems as one letter (NFC): where there is
    no such file but one whose name differs in that alone, it is that one.
    """
    given = Path(os.path.normpath(path))
    if _is_there(given):
        return given
    for form in ("NFC", "NFD"):
        other = Path(unicodedata.normalize(form, str(given)))
        if _is_there(other):
            return other
    return given


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its name is too long, which the reader says
        return False
