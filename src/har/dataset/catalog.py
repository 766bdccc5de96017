"""Which clips there are: from one folder a class, or from a CSV manifest."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from har.addresses import refuse_addresses
from har.dataset.manifest import (
    check_split_column,
    has_header,
    make_clip,
    make_clip_id,
    read_manifest,
)
from har.errors import ManifestError, NoClipsError
from har.escaping import cut_line
from har.feature_files import FEATURES_ENDING, is_features
from har.files import show_path
from har.pose.adapters.json_files import OPENPOSE_ENDING
from har.pose.adapters.reading import is_plainly_poses, is_poses
from har.tables import Row
from har.types import Clip, explain_label

MANIFEST_NAME = "manifest.csv"
SCENES = "scenes"
"""Group source of a catalog whose groups are still to be found from the pictures."""
RECORDINGS = "recordings"
"""Group source of a catalog in which each recording is a group."""

_JUNK_NAMES = {"thumbs.db", "desktop.ini"}
_JUNK_SUFFIX = re.compile(
    r"\.(txt|csv|tsv|jsonl?|ya?ml|toml|xml|html?|md|rst|log|ini|db|py|ipynb|np[yz]|h5|hdf5|part|tmp"
    r"|pdf|docx?|xlsx?|parquet|ods|eaf|boris|srt|vtt|ass|sub|jpe?g|png|bmp|tiff?|svg|zip|tar|gz|7z|rar)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reject:
    """A clip, file or folder that is left out, and why; ``trace`` is for the log."""

    clip_id: str
    path: Path
    reason: str
    trace: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class Catalog:
    """The clips of a source.

    Attributes:
        clips: Sorted by path and start; every ``clip_id`` is unique and stays the same when other
            files come or go.
        rejects: What was left out.
        group_source: Where the groups are from: ``column NAME``, ``pattern REGEX``, `RECORDINGS` or
            `SCENES` (then they are still empty).
        notes: What had to be assumed of the manifest, in words for the user.
    """

    clips: tuple[Clip, ...]
    rejects: tuple[Reject, ...]
    group_source: str
    notes: tuple[str, ...] = ()


def scan(source: Path, group_by: str | None = None) -> Catalog:
    """List the clips of a folder or manifest.

    Args:
        source: A folder with one sub-folder a class (files at any depth below it), a folder that
            holds a ``manifest.csv``, or a CSV file with the columns ``path,label`` and, optionally,
            ``start_s,end_s,group,subject,split,origin`` (forms: see `har.tables`). Relative
            paths are relative to the manifest.
        group_by: Name of a manifest column, or a regular expression with one group that is
            searched in the path. None takes the column ``group`` where there is one.

    Raises:
        NoClipsError: There is no such source, or no clip, or only one class in it.
        ConfigError: It is an address.
        ManifestError: The manifest or ``group_by`` cannot be understood.
    """
    refuse_addresses([source], "a folder or a manifest")
    source = Path(os.path.abspath(source))  # noqa: PTH100  (keeps links, unlike resolve)
    manifest = _find_manifest(source)
    if manifest is None:
        clips, rejects, notes = *_scan_folders(source), ()
        columns: dict[str, list[str]] = {}
        root = source
    else:
        clips, rejects, columns, notes = _scan_manifest(manifest)
        root = manifest.parent
    clips, group_source = assign_groups(clips, columns, group_by, root)
    ordered = tuple(sorted(clips, key=lambda clip: (str(clip.path), clip.start_s, clip.clip_id)))
    check_classes(source, ordered, rejects)
    return Catalog(ordered, tuple(rejects), group_source, notes)


def check_classes(source: Path, clips: Sequence[Clip], rejects: Sequence[Reject]) -> None:
    """Refuse clips of fewer than two labels.

    Raises:
        NoClipsError: There is none, or one label only.
    """
    why = f"; {len(rejects)} were left out, the first: {rejects[0].reason}" if rejects else ""
    if not clips:
        raise NoClipsError(
            f"{source} holds no clip{why}. Put the videos into one folder a class, or give a CSV"
            " manifest with the columns path,label"
        )
    labels = {clip.label for clip in clips}
    for label in labels:
        if said := explain_label(label):
            raise NoClipsError(f"{source} has clips of the label {label[:40]!r}, which {said}")
    if len(labels) == 1:
        raise NoClipsError(
            f"{source} holds one class only, {labels.pop()[:40]!r}{why}. At least two are needed:"
            " add a folder of clips that show something else"
        )


def _find_manifest(source: Path) -> Path | None:
    try:
        if source.is_file():
            _check_table(source)
            return source
        if not source.is_dir():
            raise NoClipsError(f"There is no folder or manifest {source}; check the name")
        inside = source / MANIFEST_NAME
        return inside if inside.is_file() and has_header(inside) else None
    except PermissionError as error:
        raise NoClipsError(f"{source} cannot be read: {error.strerror}") from error


def _check_table(source: Path) -> None:
    """Refuse a file that is no table by its ending."""
    if source.suffix and not _JUNK_SUFFIX.fullmatch(source.suffix) and not has_header(source):
        raise NoClipsError(
            f"{source} is a video or another file, not a table: give a folder with a sub-folder of "
            "clips for each class, or a manifest (CSV with the columns path,label)"
        )


# Class folders


def _scan_folders(source: Path) -> tuple[list[Clip], list[Reject]]:
    clips: list[Clip] = []
    rejects: list[Reject] = []
    try:
        entries = sorted(source.iterdir())
    except OSError as error:
        raise NoClipsError(f"{source} cannot be read: {error.strerror}") from error
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
    return Clip(make_clip_id(path, source, 0.0, None), path, label.strip())


def iter_files(
    folder: Path, rejects: list[Reject], with_features: bool = False, without: Path | None = None
) -> Iterator[Path]:
    """Return the files that may be videos, following links, but each folder once.

    Keypoints are returned where nobody could take them for something else (`is_plainly_poses`), and
    so is a folder of OpenPose's files. Those that a tool wrote of a video and that lie beside it
    (``walk.mp4``, ``walk.keypoints.npz``, ``walkDLC_resnet50.csv``) are passed over. The same holds
    of files of features, if they are sought, and of keypoints beside those. A folder ``without``
    below this one is not searched.
    """
    top = os.path.realpath(folder)
    seen = {os.path.realpath(without)} - {top} if without else set[str]()

    def reject(error: OSError) -> None:
        where = Path(str(error.filename))
        rejects.append(Reject("", where, f"the folder {where} cannot be read: {error.strerror}"))

    for where, folders, names in os.walk(folder, onerror=reject, followlinks=True):
        real = os.path.realpath(where)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        listed = [Path(where) / name for name in sorted(names) if not _is_hidden(name)]
        found = []
        for path in listed:
            if not (why := _explain_no_file(path)):
                found.append(path)
            elif not _is_junk(path):
                rejects.append(Reject("", path, f"{show_path(path)} {why}"))
        videos = [path for path in found if not _is_poses_file(path) and not _is_junk(path)]
        of_videos = tuple(f"{path.stem}{mark}" for path in videos for mark in (".", "DLC"))
        others = [path for path in found if not path.name.startswith(of_videos)]
        features = [path for path in others if with_features and is_features(path)]
        of_features = tuple(path.name[: -len(FEATURES_ENDING)] + "." for path in features)
        poses = [
            path
            for path in others
            if _is_poses_file(path) and not path.name.startswith(of_features)
        ]
        if any(path.name.endswith(OPENPOSE_ENDING) for path in found):
            yield Path(where)
        yield from sorted([*videos, *features, *poses])


def _is_poses_file(path: Path) -> bool:
    return is_poses(path) and is_plainly_poses(path)


def _explain_no_file(path: Path) -> str:
    """Return why what a folder lists is no file; empty if it is one."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return ""
    except FileNotFoundError:
        return "is a link to what is not there"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "is a pipe or device, no file"


def may_be_video(path: Path) -> bool:
    """Return whether a file that nobody named may be a video, by its name alone.

    >>> may_be_video(Path("a/walk.mp4")), may_be_video(Path("a/notes.txt"))
    (True, False)
    """
    return not (any(map(_is_hidden, path.parts)) or _is_junk(path))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_junk(path: Path) -> bool:
    return path.name.lower() in _JUNK_NAMES or bool(_JUNK_SUFFIX.fullmatch(path.suffix))


# Manifests


def _scan_manifest(
    manifest: Path,
) -> tuple[list[Clip], list[Reject], dict[str, list[str]], tuple[str, ...]]:
    clips: list[Clip] = []
    rejects: list[Reject] = []
    table = read_manifest(manifest)
    columns: dict[str, list[str]] = {name: [] for name in table.names}
    seen: dict[str, Row] = {}
    for row in table.rows:
        made = make_clip(row, manifest.parent)
        if isinstance(made, Clip) and made.clip_id in seen:
            first = seen[made.clip_id]
            made = (
                f"the same clip is listed before, in line {first.line} as"
                f" {first.get('label')!r}; keep one of the two"
            )
        if isinstance(made, str):
            where = Path(row.get("path") or manifest)
            why = cut_line(f"line {row.line} of {manifest.name}: {made}")
            rejects.append(Reject("", where, why))
            continue
        seen[made.clip_id] = row
        clips.append(made)
        for name, values in columns.items():
            values.append(row.get(name))
    check_split_column(manifest, clips)
    return clips, rejects, columns, table.notes


# Groups


def assign_groups(
    clips: list[Clip], columns: dict[str, list[str]], group_by: str | None, root: Path
) -> tuple[list[Clip], str]:
    """Return clips with their groups, and where those are from, as of `Catalog`.

    Args:
        clips: Without groups.
        columns: Of the manifest, by name in lower case: a value for each clip.
        group_by: As of `scan`.
        root: Folder that a pattern does not see.

    Raises:
        ManifestError: ``group_by`` cannot be understood.
    """
    column = (group_by or "group").strip().lower()
    if column in columns:
        groups = columns[column]
        if not any(groups) and group_by is None:
            return clips, SCENES
        videos = [f"video {_inside(clip.path, root)}" for clip in clips]
        named = [group or video for group, video in zip(groups, videos, strict=True)]
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
            f"group_by={group_by!r} is no column of the manifest and, as a regular expression, has"
            f" {pattern.groups} groups; give a column's name or a pattern with one (group)"
        )
    groups = []
    for clip in clips:
        inside = _inside(clip.path, root)
        match = pattern.search(inside)
        if not match or not match[1]:
            raise ManifestError(
                f"group_by={group_by!r} finds nothing in the path {inside!r}; every clip needs a"
                " group"
            )
        groups.append(match[1])
    return groups


def _inside(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
