"""JSON of keypoints: OpenPose's folder of frames, COCO's keypoints, MediaPipe's landmarks."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from har.errors import PoseFileError
from har.pose.adapters.names import BY_COUNT
from har.pose.adapters.raw import (
    MAX_BYTES,
    MAX_PEOPLE_READ,
    RawPoses,
    Units,
    build_error,
    check_bytes,
    check_shape,
)
from har.pose.adapters.tables import spread_frames

OPENPOSE_ENDING = "_keypoints.json"
_MAX_JSON_BYTES = MAX_BYTES // 4
"""A tree of Python objects takes many times its text."""
_MAX_FILES = 1_000_000
_SPARSE = 20
"""Numbers of pictures that are farther apart than this, on average, are no numbers of frames."""
_OPENPOSE_POINTS = ("pose_keypoints_2d", "pose_keypoints")
_VISIBILITY = ("visibility", "score", "confidence", "presence", "likelihood", "v")
_LANDMARKS = ("pose_landmarks", "poseLandmarks", "landmarks", "keypoints", "landmark", "people")

Person = Sequence[Sequence[float]]
"""(x, y, confidence) of each joint."""


def find_openpose(folder: Path) -> list[Path]:
    """Return OpenPose's files of a folder in the order of their frames; often none."""
    try:
        found = [path for path in folder.iterdir() if path.name.endswith(OPENPOSE_ENDING)]
    except OSError:  # whoever looks for other files in it says what is wrong
        return []
    return sorted(found, key=lambda path: (_find_number(path.name, -1), path.name))


def read_openpose(folder: Path) -> RawPoses:
    """Read a folder with a file a frame, ``..._000000000012_keypoints.json``.

    Nobody is seen in frames between that have no file.

    Raises:
        PoseFileError: There is none, or one of them is no such file.
    """
    files = find_openpose(folder)
    if not files or len(files) > _MAX_FILES:
        raise build_error(folder, f"it has {len(files)} files that end in {OPENPOSE_ENDING}")
    frames = [_read_openpose_file(path) for path in files]
    numbers = [_find_number(path.name, place) for place, path in enumerate(files)]
    return _build(folder, frames, np.array(numbers), BY_COUNT, "", first=0)


def _read_openpose_file(path: Path) -> list[Person]:
    people = load_json(path)
    people = people.get("people") if isinstance(people, dict) else None
    if not isinstance(people, list):
        raise build_error(path, "it has no list of people; is it of another tool?")
    found = []
    for person in people[:MAX_PEOPLE_READ]:
        flat = next((person[key] for key in _OPENPOSE_POINTS if key in person), None)
        if isinstance(flat, list) and flat:
            found.append(_fold(path, flat))
    return found


def _find_number(name: str, default: int) -> int:
    """Return the last whole number in a name.

    >>> _find_number("take2_000000000012_keypoints.json", 0)
    12
    """
    numbers = re.findall(r"\d{1,15}", name.removesuffix(OPENPOSE_ENDING))
    return int(numbers[-1]) if numbers else default


def read_json_file(path: Path) -> RawPoses:
    """Read one file: COCO's keypoints (results or a data set), or MediaPipe's landmarks.

    Raises:
        PoseFileError: It is none of them.
    """
    values = load_json(path)
    try:
        if isinstance(values, dict) and "annotations" in values:
            return _read_coco(path, values["annotations"], values)
        if isinstance(values, list) and values and _has(values[0], "image_id", "keypoints"):
            return _read_coco(path, values, {})
        return _read_landmarks(path, values)
    except PoseFileError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise build_error(
            path, f"a part of it is not as expected ({type(error).__name__}: {error})"
        ) from error


def load_json(path: Path) -> Any:
    """Return what a file of JSON holds, within bounds of size and depth.

    Raises:
        PoseFileError: It is too large, nested too deeply, or no JSON.
    """
    check_bytes(path)
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise build_error(
                path,
                f"JSON of more than {_MAX_JSON_BYTES // 2**20} MiB is not read; save it "
                "as .npz or CSV",
            )
        return json.loads(path.read_bytes())
    except RecursionError as error:
        raise build_error(path, "it is nested too deeply") from error
    except PoseFileError:
        raise
    except (OSError, ValueError) as error:
        raise build_error(path, f"it is no JSON ({error})") from error


def _has(value: Any, *names: str) -> bool:
    return isinstance(value, dict) and all(name in value for name in names)


# COCO


def _read_coco(path: Path, annotations: list[Any], whole: dict[str, Any]) -> RawPoses:
    images = {item["id"]: item for item in whole.get("images", [])}
    ordered = sorted(images, key=lambda key: (_number_of(images[key].get("file_name", key)), key))
    order = {key: place for place, key in enumerate(ordered)}
    by_frame: dict[int, list[tuple[float, Person]]] = {}
    flagged = bool(whole) and not any("score" in item for item in annotations)
    for item in annotations:
        key, flat = item["image_id"], item.get("keypoints")
        frame = order[key] if order else _number_of(key)
        people = by_frame.setdefault(frame, [])
        if flat and len(people) < MAX_PEOPLE_READ:
            people.append((float(item.get("score", 1.0)), _fold(path, flat, flagged)))
    for frame in range(len(order)):
        by_frame.setdefault(frame, [])
    numbers = np.array(sorted(by_frame), dtype=np.int64)
    frames = [[person for _, person in by_frame[int(number)]] for number in numbers]
    notes: tuple[str, ...] = ()
    first = 0  # pictures in which nobody is are not listed, also before the first
    if len(numbers) and numbers[-1] >= _SPARSE * len(numbers):
        numbers = np.arange(len(numbers))
        notes = ("the ids of its pictures are no numbers of frames; they are taken in their order",)
    elif len(numbers) and numbers[0] > 1:
        notes = (f"its first picture is {numbers[0]}, so nobody is in as many frames before it",)
    names = next(
        (item["keypoints"] for item in whole.get("categories", []) if item.get("keypoints")), None
    )
    by_count = BY_COUNT if names is None else {len(names): tuple(map(str, names))}
    sizes = {(item.get("height"), item.get("width")) for item in images.values()}
    (size,) = sizes if len(sizes) == 1 else ((None, None),)
    size = _check_size(*size)
    return _build(path, frames, numbers, by_count, "pixels", size, notes=notes, first=first)


def _number_of(key: Any) -> int:
    return int(key) if isinstance(key, int | float) else _find_number(Path(str(key)).stem, 0)


def _fold(path: Path, flat: list[Any], flagged: bool = False) -> Person:
    """Return x, y and confidence of each joint of a flat list."""
    if len(flat) % 3:
        raise build_error(
            path, f"a person has {len(flat)} numbers; each joint has x, y and a third"
        )
    values = np.array(flat, dtype=np.float32).reshape(-1, 3)
    if flagged:  # 0 is not labeled, 1 is hidden, 2 is seen
        values[:, 2] /= 2
    return values.tolist()


# MediaPipe


def _read_landmarks(path: Path, values: Any) -> RawPoses:
    about = values if isinstance(values, dict) else {}
    frames = next((about[name] for name in ("frames", "results", "data") if name in about), None)
    if frames is None:
        frames = next((about[name] for name in _LANDMARKS if name in about), values)
    if not isinstance(frames, list):
        raise build_error(
            path,
            "expected a list of frames with 33 landmarks (x, y, visibility) each, COCO's "
            "keypoints, or a folder of OpenPose's files",
        )
    found = [_find_people(path, frame) for frame in frames]
    fps = about.get("fps") or about.get("frame_rate")
    size = _check_size(about.get("height"), about.get("width"))
    by_count = BY_COUNT
    if isinstance(about.get("joints"), list):
        by_count = {len(about["joints"]): tuple(map(str, about["joints"]))}
    units: Units = "shares" if any(len(p) == 33 for people in found for p in people) else ""
    numbers = np.arange(len(found))
    return _build(path, found, numbers, by_count, units, size, None if fps is None else float(fps))


def _find_people(path: Path, frame: Any) -> list[Person]:
    """Return the people of a frame, however deep its landmarks lie."""
    for _ in range(4):
        if isinstance(frame, dict) and not _is_point(frame):
            frame = next((frame[name] for name in _LANDMARKS if name in frame), None)
    if not frame:
        return []
    if not isinstance(frame, list):
        raise build_error(path, f"a frame has no list of landmarks but {type(frame).__name__}")
    if _is_point(frame[0]):
        return [[_read_point(point) for point in frame]]
    return [person for part in frame[:MAX_PEOPLE_READ] for person in _find_people(path, part)]


def _is_point(value: Any) -> bool:
    if isinstance(value, dict):
        return "x" in value and "y" in value
    return (
        isinstance(value, list) and 2 <= len(value) <= 4 and not isinstance(value[0], list | dict)
    )


def _read_point(point: Any) -> tuple[float, float, float]:
    if isinstance(point, dict):
        score = next((point[name] for name in _VISIBILITY if name in point), 1.0)
        return _number(point["x"]), _number(point["y"]), _number(score)
    return _number(point[0]), _number(point[1]), _number(point[-1]) if len(point) > 2 else 1.0


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _check_size(height: Any, width: Any) -> tuple[int, int] | None:
    return (int(height), int(width)) if height and width else None


def _build(
    path: Path,
    frames: Sequence[Sequence[Person]],
    numbers: np.ndarray,
    by_count: dict[int, tuple[str, ...]],
    units: Units,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    notes: Iterable[str] = (),
    first: int | None = None,
) -> RawPoses:
    """Put the people of each frame into one array."""
    counts = {len(person) for people in frames for person in people}
    if not counts:
        raise build_error(path, "nobody is in any of its frames")
    n_joints = counts.pop()
    if counts or n_joints not in by_count:
        raise build_error(
            path,
            f"people have {', '.join(map(str, sorted({n_joints, *counts})))} joints; expected one "
            f"of {', '.join(map(str, by_count))}",
        )
    n_people = max(map(len, frames))
    check_shape(path, len(frames), n_people, n_joints, 3)
    points = np.full((len(frames), n_people, n_joints, 3), np.nan, dtype=np.float32)
    for row, people in zip(points, frames, strict=True):
        for place, person in enumerate(people):
            row[place] = person
    points = spread_frames(path, points, numbers, first)
    return RawPoses(points, by_count[n_joints], fps, size, units, tuple(notes))
