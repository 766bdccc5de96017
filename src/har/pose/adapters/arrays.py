"""NumPy archives: har's own form, MediaPipe's landmarks, joints of depth cameras."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from har.archives import DAMAGED, read_header
from har.errors import PoseFileError
from har.pose.adapters.names import BY_COUNT, MEDIAPIPE, map_joints
from har.pose.adapters.raw import (
    MAX_BYTES,
    MAX_JOINTS,
    RawPoses,
    Units,
    build_error,
    check_bytes,
    check_shape,
    join_confidence,
)
from har.pose.keypoints import INDEX

POINTS = ("points", "keypoints", "landmarks", "pose_landmarks")
_JOINTS = ("joints", "joint_names", "keypoint_names", "names")
_METERS = "meters"
_UNITS = ("pixels", "shares", _METERS)

_FOCAL_PX, _PICTURE = 525.0, (480, 640)
"""The picture that a depth camera's joints are seen in.

Source: the nominal calibration of Kinect v1 and PrimeSense sensors, 640 x 480.
"""


def read_npz(path: Path) -> RawPoses:
    """Read an archive of arrays.

    ``points`` is (T, P, J, 2), x and y; (T, P, J, 3), with a confidence from 0 to 1, or in meters
    with the distance from the camera; (T, P, J, 4), with z and visibility as of MediaPipe. Without
    an axis of people there is one. ``joints`` are J names, ``fps`` and ``size`` (H, W) may follow,
    and so may ``confidence`` (T, P, J), ``units``: pixels, shares or meters, and ``followed``,
    which har writes: everybody in it was a person to its tracker.

    Raises:
        PoseFileError: It is no such archive.
    """
    check_bytes(path)
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _read_members(path, archive)
    except PoseFileError:
        raise
    except DAMAGED as error:
        raise build_error(path, f"it is no archive of plain numbers and texts ({error})") from error
    points = next((arrays[name] for name in POINTS if name in arrays), None)
    if points is None or points.dtype.kind not in "fiu":
        raise build_error(
            path, f"it needs an array of numbers 'points'; it has: {', '.join(arrays)[:200]}"
        )
    if "starts" in arrays and arrays["starts"].size > 2:
        raise build_error(
            path,
            f"it holds {arrays['starts'].size - 1} recordings; save each as a file of its own, "
            "points[starts[k]:starts[k + 1]]",
        )
    points = points[:, None] if points.ndim == 3 else points
    if points.ndim != 4 or points.shape[-1] not in (2, 3, 4) or points.shape[2] > MAX_JOINTS:
        raise build_error(path, f"expected points of (T, P, J, 2 to 4), received {points.shape}")
    joints = _find_joints(path, arrays, points.shape[2])
    units = str(arrays["units"]) if "units" in arrays else ""
    if units and units not in _UNITS:
        raise build_error(path, f"expected units {', '.join(_UNITS)}, received {units[:50]!r}")
    size = _read_size(path, arrays)
    confidence = arrays.get("confidence")
    if confidence is not None and confidence.shape != points.shape[:3]:
        raise build_error(
            path, f"expected confidence of {points.shape[:3]}, received {confidence.shape}"
        )
    notes: tuple[str, ...] = ()
    if units == _METERS or (not units and _is_depth(points, joints)):
        if points.shape[-1] == 2:
            raise build_error(
                path, "joints in meters need their distance from the camera, the third value"
            )
        places, notes = project(points[..., :3].astype(np.float64), joints)
        size, in_picture = _PICTURE, "pixels"
    else:
        places, in_picture = points[..., :2], units or _guess_units(joints)
        confidence = _find_confidence(path, points, joints) if confidence is None else confidence
    return RawPoses(
        points=join_confidence(places, confidence),
        joints=joints,
        fps=_read_fps(path, arrays),
        size=size,
        units=in_picture,
        notes=notes,
        is_followed=_read_flag(path, arrays),
    )


def _read_members(path: Path, archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """Return the arrays of an archive; none is larger than its file says."""
    members = archive.infolist()
    if sum(item.file_size for item in members) > MAX_BYTES:
        raise build_error(path, f"it unpacks to more than {MAX_BYTES // 2**20} MiB")
    arrays = {}
    for item in members:
        name = item.filename.removesuffix(".npy")
        if name in (*POINTS, *_JOINTS, "fps", "size", "confidence", "units", "starts", "followed"):
            with archive.open(item) as file:
                shape, *_ = read_header(file, item)
            check_shape(path, *shape)
            with archive.open(item) as file:
                arrays[name] = npy.read_array(file, allow_pickle=False)
    return arrays


def _find_joints(path: Path, arrays: dict[str, np.ndarray], n_joints: int) -> tuple[str, ...]:
    names = next((arrays[name] for name in _JOINTS if name in arrays), None)
    if names is None:
        if n_joints not in BY_COUNT:
            raise build_error(
                path, f"its {n_joints} joints have no names; add an array of texts 'joints'"
            )
        return BY_COUNT[n_joints]
    if names.dtype.kind not in "US" or names.shape != (n_joints,):
        raise build_error(
            path, f"expected {n_joints} texts as joints, received {names.dtype} {names.shape}"
        )
    return tuple(
        item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)
        for item in names.tolist()
    )


def _read_fps(path: Path, arrays: dict[str, np.ndarray]) -> float | None:
    fps = arrays.get("fps")
    if fps is None:
        return None
    if fps.size != 1 or fps.dtype.kind not in "fiu":
        raise build_error(path, f"expected one number as fps, received {fps.dtype} {fps.shape}")
    return float(fps.ravel()[0])


def _read_flag(path: Path, arrays: dict[str, np.ndarray]) -> bool:
    flag = arrays.get("followed", np.array(False))
    if flag.shape != () or flag.dtype != bool:
        raise build_error(path, f"expected followed true or false, received {flag.dtype}")
    return bool(flag)


def _read_size(path: Path, arrays: dict[str, np.ndarray]) -> tuple[int, int] | None:
    size = arrays.get("size")
    if size is None or not size.any():
        return None
    if size.shape != (2,) or size.dtype.kind not in "iu":
        raise build_error(path, f"expected size of two whole numbers (H, W), received {size.dtype}")
    height, width = size.tolist()
    return height, width


def _is_depth(points: np.ndarray, joints: tuple[str, ...]) -> bool:
    """Return whether points are those of a depth camera: a spine, and a distance as third value."""
    if points.shape[-1] != 3 or not any("spine" in name.lower() for name in joints):
        return False
    third = points[..., 2][np.isfinite(points[..., 2])]
    return bool(third.size) and float(np.median(third)) > 0 and float(third.max()) > 1.0


def _is_mediapipe(joints: tuple[str, ...]) -> bool:
    return len(joints) == len(MEDIAPIPE)


def _guess_units(joints: tuple[str, ...]) -> Units:
    return "shares" if _is_mediapipe(joints) else ""


def _find_confidence(path: Path, points: np.ndarray, joints: tuple[str, ...]) -> np.ndarray | None:
    if points.shape[-1] == 2:
        return None
    last = points[..., -1]
    known = last[np.isfinite(last)]
    if not known.size or (known.min() >= 0 and known.max() <= 1):
        return last
    if points.shape[-1] == 3 and _is_mediapipe(joints):  # z, no visibility
        return None
    raise build_error(
        path,
        f"the last value of a point is its confidence from 0 to 1, received from {known.min():g} "
        f"to {known.max():g}; where it is a distance in meters, add units='meters'",
    )


def project(points: np.ndarray, joints: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return where a depth camera would see joints in its picture.

    Args:
        points: (..., J, 3) x, y and distance from the camera, in any one unit of length. Upwards is
            where shoulders are from the hips, most of the time.
        joints: J names.

    Returns:
        (..., J, 2) pixels, not finite where the distance is none; and notes.
    """
    x, y, z = np.moveaxis(points, -1, 0)
    columns, _ = map_joints(joints)
    upper = [columns[INDEX[f"{side}_shoulder"]] for side in ("left", "right")]
    lower = [columns[INDEX[f"{side}_hip"]] for side in ("left", "right")]
    grows_up = True
    if min(*upper, *lower) >= 0:
        above = y[..., upper].mean(axis=-1) - y[..., lower].mean(axis=-1)
        above = above[np.isfinite(above) & (above != 0)]
        grows_up = not above.size or float(np.median(above)) > 0
    depth = np.where(np.isfinite(z) & (z > 0), z, np.nan)
    height, width = _PICTURE
    down = -y if grows_up else y
    places = [width / 2 + _FOCAL_PX * x / depth, height / 2 + _FOCAL_PX * down / depth]
    side = "upwards" if grows_up else "downwards"
    note = f"joints in space are seen as in a {width}x{height} picture; y is taken to grow {side}"
    return np.stack(places, axis=-1), (note,)
