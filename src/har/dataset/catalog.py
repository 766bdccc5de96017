"""Which clips there are: from one folder a class, or from a CSV manifest.

Nothing is decoded here. What cannot be a clip becomes a `Reject` with its reason; only a source
that gives nothing to work with is an error.
"""

from __future__ import annotations

import csv
import hashlib
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from har.errors import ManifestError, NoClipsError
from har.types import Clip, SplitName

MANIFEST_NAME = "manifest.csv"
SCENES = "scenes"
"""Group source of a catalog whose groups are still to be found by look."""

_NEEDED = ("path", "label")
_SPLITS: dict[str, SplitName] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}
_JUNK_NAMES = {"thumbs.db", "desktop.ini"}
_JUNK_SUFFIX = re.compile(
    r"\.(txt|csv|tsv|jsonl?|ya?ml|toml|xml|html?|md|rst|log|ini|db|py|ipynb|np[yz]|h5|part|tmp"
    r"|pdf|docx?|xlsx?|ods|eaf|boris|srt|vtt|ass|sub|jpe?g|png|bmp|tiff?|svg|zip|tar|gz|7z|rar)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reject:
    """A clip, file or folder that is left out, and why."""

    clip_id: str
    path: Path
    reason: str


@dataclass(frozen=True)
class Catalog:
    """What a source holds.

    Attributes:
        clips: Sorted by path and start; every ``clip_id`` is unique and stays the same when other
            files come or go.
        rejects: What was left out.
        group_source: Where the groups are from: ``column NAME``, ``pattern REGEX`` or `SCENES`
            (then they are still empty).
    """

    clips: tuple[Clip, ...]
    rejects: tuple[Reject, ...]
    group_source: str


@dataclass(frozen=True)
class _Row:
    """One line of a manifest: its number and its cells by lower-case column name."""

    line: int
    cells: dict[str, str]

    def get(self, column: str) -> str:
        return self.cells.get(column, "")


def scan(source: Path, group_by: str | None = None) -> Catalog:
    """Lists the clips of a folder or manifest.

    Args:
        source: A folder with one sub-folder a class (files at any depth below it), a folder that
            holds a ``manifest.csv``, or a CSV file with the columns ``path,label`` and, if wanted,
            ``start_s,end_s,group,subject,split``. Relative paths are relative to the manifest and
            stay below its folder.
        group_by: Name of a manifest column, or a regular expression with one group that is
            searched in the path. None takes the column ``group`` where there is one.

    Raises:
        NoClipsError: There is no such source, or no clip, or only one class in it.
        ManifestError: The manifest or ``group_by`` cannot be understood.
    """
    manifest = _find_manifest(source)
    if manifest is None:
        clips, rejects = _scan_folders(source)
        columns: dict[str, list[str]] = {}
        root = source
    else:
        clips, rejects, columns = _scan_manifest(manifest)
        root = manifest.parent
    clips, group_source = _assign_groups(clips, columns, group_by, root)
    ordered = tuple(sorted(clips, key=lambda clip: (str(clip.path), clip.start_s, clip.clip_id)))
    _check_classes(source, ordered, rejects)
    return Catalog(ordered, tuple(rejects), group_source)


def _check_classes(source: Path, clips: tuple[Clip, ...], rejects: list[Reject]) -> None:
    why = f"; {len(rejects)} were left out, the first: {rejects[0].reason}" if rejects else ""
    if not clips:
        raise NoClipsError(
            f"{source} holds no clip{why}. Put the videos into one folder a class, or give a CSV"
            " manifest with the columns path,label"
        )
    labels = {clip.label for clip in clips}
    if len(labels) == 1:
        raise NoClipsError(
            f"{source} holds one class only, {labels.pop()!r}{why}. At least two are needed: add a"
            " folder of clips that show something else"
        )


def _find_manifest(source: Path) -> Path | None:
    try:
        if source.is_file():
            return source
        if not source.is_dir():
            raise NoClipsError(f"There is no folder or manifest {source}; check the name")
        inside = source / MANIFEST_NAME
        return inside if inside.is_file() and _has_header(inside) else None
    except PermissionError as error:
        raise NoClipsError(f"{source} may not be read: {error.strerror}") from error


def _has_header(manifest: Path) -> bool:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as lines:
            header = lines.readline().lower()
    except (OSError, UnicodeDecodeError):
        return False
    return all(name in header for name in _NEEDED)


# Class folders


def _scan_folders(source: Path) -> tuple[list[Clip], list[Reject]]:
    clips: list[Clip] = []
    rejects: list[Reject] = []
    try:
        entries = sorted(source.iterdir())
    except OSError as error:
        raise NoClipsError(f"{source} may not be read: {error.strerror}") from error
    for entry in entries:
        if _is_hidden(entry.name):
            continue
        if entry.is_dir():
            found = list(iter_files(entry, rejects))
            clips += [_folder_clip(path, source, entry.name) for path in found]
            if not found:
                rejects.append(Reject("", entry, f"the class folder {entry.name!r} has no video"))
        elif entry.suffix and not _is_junk(entry):
            rejects.append(Reject("", entry, f"{entry.name} is in no class folder"))
    return clips, rejects


def _folder_clip(path: Path, source: Path, label: str) -> Clip:
    return Clip(_clip_id(path, source, 0.0, None), path, label.strip())


def iter_files(folder: Path, rejects: list[Reject]) -> Iterator[Path]:
    """Gives the files that may be videos, following links but no circle of them."""
    seen: set[str] = set()

    def reject(error: OSError) -> None:
        where = Path(str(error.filename))
        rejects.append(Reject("", where, f"the folder {where} may not be read: {error.strerror}"))

    for where, folders, names in os.walk(folder, onerror=reject, followlinks=True):
        real = os.path.realpath(where)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(names):
            path = Path(where) / name
            if not _is_hidden(name) and not _is_junk(path) and path.is_file():
                yield path


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_junk(path: Path) -> bool:
    return path.name.lower() in _JUNK_NAMES or bool(_JUNK_SUFFIX.fullmatch(path.suffix))


# Manifests


def _scan_manifest(manifest: Path) -> tuple[list[Clip], list[Reject], dict[str, list[str]]]:
    clips: list[Clip] = []
    rejects: list[Reject] = []
    rows = _read_rows(manifest)
    columns: dict[str, list[str]] = {name: [] for name in (rows[0].cells if rows else ())}
    seen: dict[str, _Row] = {}
    for row in rows:
        made = _row_clip(row, manifest.parent)
        if isinstance(made, Clip) and made.clip_id in seen:
            first = seen[made.clip_id]
            made = (
                f"the same stretch is listed before, in line {first.line} as"
                f" {first.get('label')!r}; keep one of the two"
            )
        if isinstance(made, str):
            where = Path(row.get("path") or manifest)
            rejects.append(Reject("", where, f"line {row.line} of {manifest.name}: {made}"))
            continue
        seen[made.clip_id] = row
        clips.append(made)
        for name, values in columns.items():
            values.append(row.get(name))
    _check_split_column(manifest, clips)
    return clips, rejects, columns


def _read_rows(manifest: Path) -> list[_Row]:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as lines:
            header = lines.readline()
            delimiter = max(",;\t", key=header.count)
            lines.seek(0)
            reader = csv.reader(lines, delimiter=delimiter)
            names = [name.strip().lower() for name in next(reader, [])]
            _check_header(manifest, names)
            return [
                _Row(reader.line_num, {n: c.strip() for n, c in zip(names, cells, strict=False)})
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


def _row_clip(row: _Row, folder: Path) -> Clip | str:
    """Gives the row's clip, or what is wrong with the row."""
    if not row.get("path") or not row.get("label"):
        return "path or label is empty"
    given = row.get("path").replace("\\", "/")
    if not Path(given).is_absolute() and os.path.normpath(given).startswith(".."):
        return f"the path {given!r} leads out of the manifest's folder; give it as absolute"
    try:
        start_s = float(row.get("start_s") or 0.0)
        end_s = float(row.get("end_s")) if row.get("end_s") else None
    except ValueError as error:
        return f"start_s and end_s are seconds: {error}"
    if not (0 <= start_s < (math.inf if end_s is None else end_s)) or end_s == math.inf:
        return f"expected 0 <= start_s < end_s, received start_s={start_s:g}, end_s={end_s}"
    if row.get("split") and row.get("split").lower() not in _SPLITS:
        return f"split is train, val or test, received {row.get('split')!r}"
    path = folder / os.path.normpath(given)
    return Clip(
        clip_id=_clip_id(path, folder, start_s, end_s),
        path=path,
        label=row.get("label"),
        subject=row.get("subject"),
        start_s=start_s,
        end_s=end_s,
        split=_SPLITS.get(row.get("split").lower()),
    )


def _check_split_column(manifest: Path, clips: list[Clip]) -> None:
    n_given = sum(clip.split is not None for clip in clips)
    if 0 < n_given < len(clips):
        raise ManifestError(
            f"The column split of {manifest} is filled for {n_given} of {len(clips)} clips; fill"
            " it for all of them, or for none"
        )


# Ids and groups


def _clip_id(path: Path, root: Path, start_s: float, end_s: float | None) -> str:
    """Gives a readable name that the same stretch always has and no other.

    The digest is over the path relative to the source, so two files of one name differ and a
    moved data folder keeps its ids.
    """
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    key = f"{inside.as_posix()}|{start_s!r}|{end_s!r}"
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:10]
    readable = re.sub(r"[^A-Za-z0-9_]+", "-", path.stem).strip("-")[:40]
    return f"{readable}-{digest}" if readable else digest


def _assign_groups(
    clips: list[Clip], columns: dict[str, list[str]], group_by: str | None, root: Path
) -> tuple[list[Clip], str]:
    column = (group_by or "group").strip().lower()
    if column in columns:
        groups = columns[column]
        if not any(groups) and group_by is None:
            return clips, SCENES
        named = [
            group or f"video {clip.path.name}" for clip, group in zip(clips, groups, strict=True)
        ]
        return _with_groups(clips, named), f"column {column}"
    if group_by is None:
        return clips, SCENES
    return _with_groups(clips, _match_groups(clips, group_by, root)), f"pattern {group_by}"


def _with_groups(clips: list[Clip], groups: list[str]) -> list[Clip]:
    return [replace(clip, group=group) for clip, group in zip(clips, groups, strict=True)]


def _match_groups(clips: list[Clip], group_by: str, root: Path) -> list[str]:
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise ManifestError(f"group_by={group_by!r} is no regular expression: {error}") from error
    if pattern.groups != 1:
        raise ManifestError(
            f"group_by={group_by!r} is no column of a manifest and, as a regular expression, has"
            f" {pattern.groups} groups; give a column's name or a pattern with one (group)"
        )
    groups = []
    for clip in clips:
        inside = clip.path.relative_to(root) if clip.path.is_relative_to(root) else clip.path
        match = pattern.search(inside.as_posix())
        if not match or not match[1]:
            raise ManifestError(
                f"group_by={group_by!r} finds nothing in the path {inside.as_posix()!r}; every"
                " clip needs a group"
            )
        groups.append(match[1])
    return groups
