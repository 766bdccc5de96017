"""Clips from a CSV manifest: its header, its rows, and what may be wrong with them."""

from __future__ import annotations

import csv
import hashlib
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from har.errors import ManifestError
from har.types import OLD_ORIGIN, SYNTHETIC, Clip, SplitName

_NEEDED = ("path", "label")
_SPLITS: dict[str, SplitName] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


@dataclass(frozen=True)
class ManifestRow:
    """One line of a manifest: its number and its cells by lower-case column name."""

    line: int
    cells: dict[str, str]

    def get(self, column: str) -> str:
        """Return a cell, empty where the row or the manifest has none."""
        return self.cells.get(column, "")


def has_header(manifest: Path) -> bool:
    """Return whether a file begins like a manifest."""
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as lines:
            header = lines.readline().lower()
    except (OSError, UnicodeDecodeError):
        return False
    return all(name in header for name in _NEEDED)


def read_rows(manifest: Path) -> list[ManifestRow]:
    """Return the rows that are not blank; cells may be parted by comma, semicolon or tab.

    Raises:
        ManifestError: The file cannot be read, or lacks a column.
    """
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as lines:
            header = lines.readline()
            delimiter = max(",;\t", key=header.count)
            lines.seek(0)
            reader = csv.reader(lines, delimiter=delimiter)
            names = [name.strip().lower() for name in next(reader, [])]
            _check_header(manifest, names)
            return [
                ManifestRow(
                    reader.line_num, {n: c.strip() for n, c in zip(names, cells, strict=False)}
                )
                for cells in reader
                if any(cell.strip() for cell in cells)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{manifest} cannot be read as a CSV manifest: {error}") from error


def _check_header(manifest: Path, names: list[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise ManifestError(
            f"{manifest} needs the columns {', '.join(_NEEDED)}; missing:"
            f" {', '.join(missing)}; its first line has: {', '.join(names)[:200] or 'nothing'}"
        )


def make_clip(row: ManifestRow, folder: Path) -> Clip | str:
    """Return the row's clip, or what is wrong with the row."""
    if not row.get("path") or not row.get("label"):
        return "path or label is empty"
    if "\0" in row.get("path"):
        return "the path holds a null byte"
    given = row.get("path").replace("\\", "/")
    path = folder / os.path.normpath(given)
    if not Path(given).is_absolute() and ".." in path.relative_to(folder).parts:
        return f"the path {given!r} leads out of the manifest's folder; give it as absolute"
    try:
        start_s = float(row.get("start_s") or 0.0)
        end_s = float(row.get("end_s")) if row.get("end_s") else None
    except ValueError as error:
        return f"start_s and end_s are seconds: {error}"
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
    """Return a readable name that the same stretch always has and no other.

    The digest is over the path relative to the source, so two files of one name differ and a
    moved data folder keeps its ids.
    """
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    key = f"{inside.as_posix()}|{start_s!r}|{end_s!r}"
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:10]
    readable = re.sub(r"[^A-Za-z0-9_]+", "-", path.stem).strip("-")[:40]
    return f"{readable}-{digest}" if readable else digest
