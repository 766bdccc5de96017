"""Tables of keypoints: DeepLabCut's CSV, and one line a frame or one line a joint of others."""

from __future__ import annotations

import csv
import itertools
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from har.pose.adapters.names import BY_COUNT, simplify
from har.pose.adapters.raw import (
    MAX_JOINTS,
    MAX_PEOPLE_READ,
    RawPoses,
    build_error,
    check_bytes,
    check_shape,
)

_CONFIDENCE = ("likelihood", "confidence", "visibility", "score", "conf", "v", "c", "s")
_AXES = ("x", "y", *_CONFIDENCE)
_JOINT_COLUMNS = ("joint", "keypoint", "landmark", "bodypart", "landmarkname", "landmarkid", "name")
_FRAME_COLUMNS = ("frame", "frameindex", "frameidx", "framenumber", "index")
_PERSON_COLUMNS = ("person", "individual", "track", "personid", "trackid", "id")
_TIME_COLUMNS = ("times", "time", "timestamps", "timestamp", "seconds")
_OTHER_TABLES = {"label", "behavior", "behaviour", "start_s", "onset_s", "start", "step_s"}
_MAX_FRAME = 2.0**52
_GAP = 2.5
"""Steps between times that are longer, in frames, lack frames; shorter ones are jitter."""
_MAX_COLUMNS = 3 * MAX_JOINTS * 8


def read_csv(path: Path) -> RawPoses:
    """Read a table of keypoints.

    - DeepLabCut's, whose first lines are scorer, perhaps individuals, bodyparts and coords;
    - one line a frame, with the columns JOINT_x, JOINT_y and perhaps JOINT_likelihood, confidence,
      visibility or score; or x1, y1, z1, v1 and so on for MediaPipe's 33 landmarks;
    - one line a joint, with the columns frame, joint (or landmark), x, y, perhaps visibility and
      person.

    A column ``time_s`` gives the frames a second.

    Raises:
        PoseFileError: It is none of them.
    """
    check_bytes(path)
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = csv.reader(file)
            first = next(rows, [])
            if not first or len(first) > _MAX_COLUMNS:
                raise build_error(
                    path,
                    f"its first line has {len(first)} cells; a table of keypoints has a "
                    "header with a few for each joint",
                )
            if first[0].strip().lower() == "scorer":
                return _read_deeplabcut(path, first, rows)
            names = [simplify(cell) for cell in first]
            if {"x", "y"} <= set(names):
                return _read_long(path, names, rows)
            return _read_wide(path, first, rows)
    except (OSError, csv.Error) as error:
        raise build_error(path, str(error)) from error


def _read_deeplabcut(path: Path, first: list[str], rows: Iterator[list[str]]) -> RawPoses:
    levels: dict[str, list[str]] = {}
    for row in itertools.islice(rows, 3):
        levels[row[0].strip().lower() if row else ""] = row[1:]
        if "coords" in levels:
            break
    if not {"bodyparts", "coords"} <= set(levels):
        raise build_error(
            path, "of DeepLabCut's header the lines 'bodyparts' and 'coords' are missing"
        )
    people = levels.get("individuals", ["" for _ in first[1:]])
    columns = list(zip(people, levels["bodyparts"], levels["coords"], strict=False))
    values = _read_numbers(path, rows, len(first))
    if not _are_numbers(values[:, 0]).all():
        raise build_error(
            path,
            "its lines are named after pictures: it is a table of labels to train DeepLabCut "
            "with, not one of a video; take the one that analyze_videos wrote",
        )
    return build_columns(path, columns, values[:, 1:], values[:, 0].astype(np.int64))


def build_columns(
    path: Path,
    columns: Sequence[tuple[str, str, str]],
    values: np.ndarray,
    frames: np.ndarray,
) -> RawPoses:
    """Return what DeepLabCut's columns hold.

    Args:
        path: The file, for errors.
        columns: C of individual, body part and coordinate (x, y or likelihood).
        values: (T, C).
        frames: (T,) numbers of the frames.
    """
    people = {name: row for row, name in enumerate(dict.fromkeys(item[0] for item in columns))}
    joints = {name: row for row, name in enumerate(dict.fromkeys(item[1] for item in columns))}
    check_shape(path, len(values), len(people), len(joints), 3)
    points = np.full((len(values), len(people), len(joints), 3), np.nan, dtype=np.float32)
    points[..., 2] = 1.0
    for column, (person, joint, axis) in enumerate(columns[: values.shape[1]]):
        place = {"x": 0, "y": 1, "likelihood": 2}.get(axis.strip().lower())
        if place is not None:
            points[:, people[person], joints[joint], place] = values[:, column]
    return RawPoses(spread_frames(path, points, frames), tuple(joints), units="pixels")


def _read_wide(path: Path, header: list[str], rows: Iterator[list[str]]) -> RawPoses:
    found: dict[str, dict[str, int]] = {}
    for column, cell in enumerate(header):
        joint, axis = _split_axis(cell.strip())
        if axis:
            found.setdefault(joint, {}).setdefault(axis, column)
    joints = [joint for joint, axes in found.items() if {"x", "y"} <= set(axes)]
    if not joints:
        raise build_error(
            path,
            "expected the header of DeepLabCut, or columns such as nose_x, nose_y, or frame, "
            f"joint, x, y; received: {', '.join(header)[:200]}{_advise(header)}",
        )
    values = _read_numbers(path, rows, len(header))
    check_shape(path, len(values), len(joints), 3)
    points = np.ones((len(values), 1, len(joints), 3), dtype=np.float32)
    for place, joint in enumerate(joints):
        axes = found[joint]
        points[:, 0, place, 0], points[:, 0, place, 1] = values[:, axes["x"]], values[:, axes["y"]]
        confidence = next((axes[name] for name in _CONFIDENCE if name in axes), None)
        if confidence is not None:
            points[:, 0, place, 2] = values[:, confidence]
    names = [simplify(cell) for cell in header]
    fps = _find_fps(names, values)
    joints = _name_numbers(path, joints)
    units = "shares" if len(joints) == len(BY_COUNT[33]) else ""
    points = spread_frames(path, points, *_number_frames(names, values, fps))
    return RawPoses(points, tuple(joints), fps, units=units)


def _advise(header: Sequence[str]) -> str:
    """Return what to do with a table of events or scores, which some take for a recording."""
    names = {part.strip().lower() for cell in header for part in re.split("[;\t,]", cell)}
    if not names & _OTHER_TABLES:
        return ""
    return (
        ". It looks like a table of events or scores: 'har predict' takes recordings; 'har "
        "convert', 'har score-events' and 'har agree' take tables of events"
    )


def _split_axis(cell: str) -> tuple[str, str]:
    """Return joint and axis of a column's name, an empty axis for another column.

    >>> _split_axis("left_wrist_x"), _split_axis("y12"), _split_axis("RIGHT_HIP.visibility")
    (('left_wrist', 'x'), ('12', 'y'), ('RIGHT_HIP', 'visibility'))
    """
    for mark in ("_", ".", " ", "-", ":"):
        joint, _, axis = cell.rpartition(mark)
        if joint and axis.lower() in _AXES:
            return joint, axis.lower()
    if cell[:1].lower() in ("x", "y", "v") and cell[1:].lstrip("_").isdigit():
        return cell[1:].lstrip("_"), cell[0].lower()
    return "", ""


def _name_numbers(path: Path, joints: list[str]) -> list[str]:
    """Return the names of joints that are only numbered, from 0 or 1."""
    if not all(joint.isdecimal() for joint in joints):
        return joints
    numbers = [int(joint) for joint in joints]
    names = BY_COUNT.get(len(set(numbers)))
    if names is None or max(numbers) - min(numbers) != len(names) - 1:
        raise build_error(
            path, f"its {len(joints)} joints are numbered, not named; give columns their names"
        )
    return [names[number - min(numbers)] for number in numbers]


def _read_long(path: Path, names: list[str], rows: Iterator[list[str]]) -> RawPoses:
    columns = {name: column for column, name in reversed(list(enumerate(names)))}
    joint_at = next((columns[name] for name in _JOINT_COLUMNS if name in columns), None)
    frame_at = next((columns[name] for name in _FRAME_COLUMNS if name in columns), None)
    person_at = next((columns[name] for name in _PERSON_COLUMNS if name in columns), None)
    if joint_at is None or frame_at is None:
        raise build_error(
            path, "a table with the columns x and y needs frame and joint beside them"
        )
    confidence_at = next((columns[name] for name in _CONFIDENCE if name in columns), None)
    joints: dict[str, int] = {}
    people: dict[str, int] = {}
    cells = array("d")
    for row in rows:
        if len(row) < len(names):
            continue
        joint = joints.setdefault(row[joint_at].strip(), len(joints))
        person = people.setdefault("" if person_at is None else row[person_at], len(people))
        score = 1.0 if confidence_at is None else _parse(row[confidence_at])
        frame = _parse(row[frame_at])
        x, y = _parse(row[columns["x"]]), _parse(row[columns["y"]])
        cells.extend((frame, person, joint, x, y, score))
        check_shape(path, len(cells))
    table = np.frombuffer(cells, dtype=np.float64).reshape(-1, 6)
    table = table[_are_numbers(table[:, 0])]
    if len(joints) > MAX_JOINTS or len(people) > MAX_PEOPLE_READ:
        raise build_error(
            path, f"it has {len(joints)} joints and {len(people)} people, which is too many"
        )
    numbers, rows_of = np.unique(table[:, 0].astype(np.int64), return_inverse=True)
    check_shape(path, len(numbers), max(len(people), 1), max(len(joints), 1), 3)
    points = np.full((len(numbers), len(people), len(joints), 3), np.nan, dtype=np.float32)
    points[rows_of, table[:, 1].astype(int), table[:, 2].astype(int)] = table[:, 3:]
    named = tuple(_name_numbers(path, list(joints)))
    units = "shares" if len(named) == len(BY_COUNT[33]) else ""
    return RawPoses(spread_frames(path, points, numbers), named, units=units)


def spread_frames(
    path: Path, points: np.ndarray, numbers: np.ndarray, first: int | None = 0
) -> np.ndarray:
    """Return points at their frames; nobody is seen in frames that are not named.

    Args:
        path: The file, for errors.
        points: (N, P, J, 3).
        numbers: (N,) of the frames, in any order, none twice.
        first: Number of the first frame, from which one that counts from 1 may differ; the least
            number when None.
    """
    if not len(numbers):
        return points
    least = int(numbers.min())
    first = least if first is None or least - first in (0, 1) else first
    n_frames = int(numbers.max()) - first + 1
    if least < first or len(np.unique(numbers)) != len(numbers):
        raise build_error(path, "a frame is named more than once, or has a number below 0")
    if n_frames == len(numbers) and (np.diff(numbers) == 1).all():
        return points
    check_shape(path, n_frames, *points.shape[1:])
    spread = np.full((n_frames, *points.shape[1:]), np.nan, dtype=np.float32)
    spread[numbers - first] = points
    return spread


def _read_numbers(path: Path, rows: Iterator[list[str]], n_columns: int) -> np.ndarray:
    """Return (T, n_columns) float64; what is no number is NaN."""
    cells, n_rows = array("d"), 0
    for row in rows:
        if row:
            padded = row[:n_columns] + [""] * (n_columns - len(row))
            cells.extend(map(_parse, padded))
            n_rows += 1
            check_shape(path, n_rows, n_columns)
    return np.frombuffer(cells, dtype=np.float64).reshape(n_rows, n_columns)


def _number_frames(
    names: Sequence[str], values: np.ndarray, fps: float | None
) -> tuple[np.ndarray, int | None]:
    """Return the frame of each line, so that lines that are missing shift no other, and the first.

    Without a column of frames they follow from times between which some are missing.
    """
    column = next((names.index(name) for name in _FRAME_COLUMNS if name in names), None)
    if column is not None and _are_numbers(values[:, column]).all():
        return values[:, column].astype(np.int64), 0
    column = next((names.index(name) for name in _TIME_COLUMNS if name in names), None)
    if column is not None and fps and _are_numbers(values[:, column] * fps).all():
        steps = np.diff(values[:, column], prepend=values[:1, column]) * fps
        if steps.min() >= 0 and steps.max() >= _GAP:
            counts = np.where(steps >= _GAP, np.round(steps), np.arange(len(steps)) > 0)
            return np.cumsum(counts).astype(np.int64), None
    return np.arange(len(values)), None


def _are_numbers(frames: np.ndarray) -> np.ndarray:
    """Return which numbers of frames can be some."""
    return np.isfinite(frames) & (np.abs(frames) < _MAX_FRAME)


def _parse(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _find_fps(names: Sequence[str], values: np.ndarray) -> float | None:
    column = next((names.index(name) for name in _TIME_COLUMNS if name in names), None)
    if column is None or len(values) < 2:
        return None
    step_s = float(np.median(np.diff(values[:, column])))
    return 1.0 / step_s if step_s > 0 else None
