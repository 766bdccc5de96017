"""HDF5 of keypoints: what DeepLabCut and SLEAP save, read as plain numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from har.errors import MissingDependencyError, PoseFileError
from har.pose.adapters.raw import (
    MAX_BYTES,
    MAX_PEOPLE_READ,
    RawPoses,
    build_error,
    check_bytes,
    check_shape,
    join_confidence,
)
from har.pose.adapters.tables import build_columns, spread_frames

_BLOCK = re.compile(r"values_block_\d+")
_FIXED_BLOCK = re.compile(r"(block\d+)_values")
_OPS = re.compile(rb"[VSgpI][^\n]*\n|.", re.DOTALL)
"""The operations of a list of texts as DeepLabCut's columns are saved (pickle's protocol 0)."""


def read_hdf5(path: Path) -> RawPoses:
    """Read DeepLabCut's .h5, SLEAP's .slp or SLEAP's analysis file; nothing in it is executed.

    Raises:
        PoseFileError: It is none of them.
        MissingDependencyError: The extra ``poses`` is not installed.
    """
    check_bytes(path)
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{path} is HDF5, which needs the package h5py; run: pip install "
            "'human-action-recognition[poses]', or save it as CSV"
        ) from error
    try:
        with h5py.File(path, "r") as file:
            if "tracks" in file and "node_names" in file:
                return _read_analysis(path, file)
            if "instances" in file and "frames" in file:
                return _read_slp(path, file)
            for name in file:
                if isinstance(file.get(name, getlink=True), h5py.HardLink):
                    found = _read_deeplabcut(path, file[name])
                    if found is not None:
                        return found
    except PoseFileError:
        raise
    except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
        raise build_error(
            path, f"it is no HDF5 of DeepLabCut or SLEAP, or damaged ({error})"
        ) from error
    raise build_error(
        path,
        "it is HDF5, but neither of DeepLabCut (df_with_missing) nor of SLEAP (tracks, or "
        "instances); save it as har's .npz",
    )


def _read_array(path: Path, group: Any, name: str) -> np.ndarray:
    """Return a dataset that lies in this very file and fits in memory."""
    import h5py

    found = group.get(name)
    is_here = isinstance(group.get(name, getlink=True), h5py.HardLink)
    if not isinstance(found, h5py.Dataset) or not is_here or found.external or found.is_virtual:
        raise build_error(path, f"its part {name} is missing or lies in another file")
    check_shape(path, *found.shape, 1)
    if found.size * found.dtype.itemsize > 2 * MAX_BYTES:
        raise build_error(path, f"its part {name} is too large")
    return found[()]


def _texts(values: np.ndarray) -> tuple[str, ...]:
    return tuple(
        item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)
        for item in values.ravel().tolist()
    )


# DeepLabCut


def _read_deeplabcut(path: Path, group: Any) -> RawPoses | None:
    """Return what a saved table of pandas holds, in either of its two forms."""
    if not hasattr(group, "keys"):
        return None
    blocks = []
    if "table" in group:
        table = _read_array(path, group, "table")
        for name in filter(_BLOCK.fullmatch, table.dtype.names or ()):
            saved = bytes(group["table"].attrs[f"{name}_kind"])
            blocks.append((parse_columns(saved), table[name]))
        frames = table["index"]
    elif "block0_values" in group:
        found = [match for match in map(_FIXED_BLOCK.fullmatch, sorted(group)) if match]
        blocks += [
            (_read_levels(path, group, match[1]), _read_array(path, group, match[0]))
            for match in found
        ]
        frames = _read_array(path, group, "axis1")
    else:
        return None
    columns = [column for own, _ in blocks for column in own]
    values = np.concatenate([own for _, own in blocks], axis=1)
    if len(columns) != values.shape[1] or frames.dtype.kind not in "iu":
        raise build_error(path, "its columns are not those of each frame of a video")
    if not all(3 <= len(item) <= 4 for item in columns):
        raise build_error(path, "its columns are not scorer, individual, body part and coordinate")
    named = [("".join(item[1:-2]), item[-2], item[-1]) for item in columns]
    return build_columns(path, named, values, frames.astype(np.int64))


def _read_levels(path: Path, group: Any, block: str) -> list[tuple[str, ...]]:
    """Return the columns of a block: an index into the names of each level."""
    n_levels = sum(name.startswith(f"{block}_items_level") for name in group)
    levels = []
    for level in range(n_levels):
        names = _texts(_read_array(path, group, f"{block}_items_level{level}"))
        places = _read_array(path, group, f"{block}_items_label{level}")
        levels.append([names[place] for place in places.tolist()])
    return list(zip(*levels, strict=True))


def parse_columns(data: bytes) -> list[tuple[str, ...]]:
    r"""Return the tuples of texts that a list of columns was saved from.

    It is the text form of Python's pickle, of which only texts, references to them and the ends of
    tuples are looked at. Whatever else it says is passed over; nothing is ever called.

    >>> parse_columns(b"(lp0\n(Vnose\np1\nVx\np2\ntp3\na(g1\nVy\np4\ntp5\na.")
    [('nose', 'x'), ('nose', 'y')]
    """
    memory: dict[bytes, str] = {}
    columns: list[tuple[str, ...]] = []
    texts: list[str] = []
    last = ""
    for match in _OPS.finditer(data):
        kind, rest = match[0][:1], match[0][1:].strip()
        if kind in b"VS":
            last = rest.strip(b"'\"").decode("raw_unicode_escape", "replace")
            texts.append(last)
        elif kind == b"p":
            memory[rest] = last
        elif kind == b"g":
            texts.append(memory.get(rest, ""))
        elif kind == b"(":
            texts = []
        elif kind == b"t":
            columns.append(tuple(texts))
            texts, last = [], ""
    return columns


# SLEAP


def _read_analysis(path: Path, file: Any) -> RawPoses:
    """Read SLEAP's analysis export: tracks (people, 2, nodes, frames)."""
    tracks = _read_array(path, file, "tracks")
    joints = _texts(_read_array(path, file, "node_names"))
    if tracks.ndim != 4 or tracks.shape[1:3] != (2, len(joints)):
        raise build_error(
            path, f"expected tracks (people, 2, {len(joints)}, frames), received {tracks.shape}"
        )
    places = tracks.transpose(3, 0, 2, 1)
    scores = _read_array(path, file, "point_scores") if "point_scores" in file else None
    if scores is not None and scores.shape != tracks.shape[:1] + tracks.shape[2:]:
        raise build_error(path, f"its point_scores {scores.shape} are not those of its tracks")
    scores = None if scores is None else scores.transpose(2, 0, 1)
    return RawPoses(join_confidence(places, scores), joints, units="pixels")


def _read_slp(path: Path, file: Any) -> RawPoses:
    """Read SLEAP's own file: frames point to instances, instances to points."""
    metadata = json.loads(_texts(np.array(file["metadata"].attrs["json"]))[0])
    joints = _find_nodes(metadata)
    frames, instances, given, predicted = (
        _read_array(path, file, name) for name in ("frames", "instances", "points", "pred_points")
    )
    numbers = frames["frame_idx"].astype(np.int64)
    if len(np.unique(frames["video"])) > 1:
        raise build_error(path, "it has several videos; export each as an analysis file")
    counts = np.array(frames["instance_id_end"] - frames["instance_id_start"], dtype=np.int64)
    n_people = int(np.clip(counts.max(initial=1), 1, MAX_PEOPLE_READ))
    check_shape(path, len(frames), n_people, len(joints), 3)
    points = np.full((len(frames), n_people, len(joints), 3), np.nan, dtype=np.float32)
    spans = zip(*(frames[f"instance_id_{end}"].tolist() for end in ("start", "end")), strict=True)
    for row, (start, end) in enumerate(spans):
        own = instances[start:end]
        for place, item in enumerate(own[:n_people]):
            source = predicted if item["instance_type"] == 1 else given
            part = source[int(item["point_id_start"]) : int(item["point_id_end"])][: len(joints)]
            at = np.flatnonzero(part["visible"])
            for axis, name in enumerate(("x", "y")):
                points[row, place, at, axis] = part[name][at]
            points[row, place, at, 2] = part["score"][at] if source is predicted else 1.0
    return RawPoses(spread_frames(path, points, numbers), joints, units="pixels")


def _find_nodes(metadata: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of a skeleton's nodes in its order."""
    names = [str(node["name"]) for node in metadata["nodes"]]
    nodes = metadata["skeletons"][0]["nodes"]
    return tuple(names[int(node["id"])] for node in nodes)
