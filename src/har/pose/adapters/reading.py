"""Reads keypoints of any tool that is known, as those of the model's own pose network would be."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config import FPS_BOUNDS, PosesConfig
from har.files import replacing
from har.pose.adapters.arrays import read_npz
from har.pose.adapters.hdf5 import read_hdf5
from har.pose.adapters.json_files import find_openpose, read_json_file, read_openpose
from har.pose.adapters.names import map_joints
from har.pose.adapters.raw import RawPoses, build_error
from har.pose.adapters.tables import read_csv
from har.pose.keypoints import KEYPOINTS

KEYPOINTS_ENDING = ".keypoints.npz"
"""Ending of the files that `har predict --keep keypoints` writes."""
READERS = {
    ".npz": read_npz,
    ".csv": read_csv,
    ".json": read_json_file,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    ".slp": read_hdf5,
}
"""By the ending of a file; a folder of OpenPose's files is the only other form."""
_FOUND_ENDINGS = (KEYPOINTS_ENDING, ".slp", ".analysis.h5")
_LARGEST_SHARE = 2.0
_FARTHEST = 1e6
"""No picture has so many pixels; what is farther, or no number, is not seen."""
_DEEPLABCUT = b"scorer,"


@dataclass(frozen=True)
class Poses:
    """People's keypoints of one recording.

    Attributes:
        points: (T, P, 17, 3) float32: x and y in pixels and the confidence from 0 to 1 of COCO's 17
            keypoints; zeros where one is not seen, or not known to the tool.
        fps: Pictures a second.
        size: (H, W) of the picture in pixels, or None where nothing says it.
        source: The file or folder.
        notes: What had to be assumed or left out, in words.
        is_followed: Everybody in it has been followed by har's tracker before, so nobody is left
            out for a low confidence.
    """

    points: np.ndarray
    fps: float
    size: tuple[int, int] | None
    source: Path
    notes: tuple[str, ...] = ()
    is_followed: bool = False

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.points) / self.fps


def is_poses(path: Path) -> bool:
    """Return whether a path that a person names is one of keypoints, by its ending.

    >>> is_poses(Path("walk.csv")), is_poses(Path("walk.mp4"))
    (True, False)
    """
    return path.suffix.lower() in READERS or (path.is_dir() and bool(find_openpose(path)))


def is_plainly_poses(path: Path) -> bool:
    """Return whether a file that nobody named, found in a folder, can only be keypoints.

    Those are har's own, SLEAP's, tables that begin as DeepLabCut's do, and archives with points and
    joints.
    """
    name = path.name.lower()
    if name.endswith(_FOUND_ENDINGS):
        return True
    try:
        if name.endswith(".csv"):
            with path.open("rb") as file:
                return file.read(len(_DEEPLABCUT)) == _DEEPLABCUT
        if name.endswith(".npz"):
            with zipfile.ZipFile(path) as archive:
                return {"points.npy", "joints.npy"} <= set(archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile):  # whoever reads it says what is wrong
        return False
    return False


def read_poses(path: Path, config: PosesConfig | None = None) -> Poses:
    """Read the keypoints of one recording, of whatever tool.

    Args:
        path: A file, or a folder of OpenPose's files.
        config: What the file does not say itself.

    Raises:
        PoseFileError: It cannot be read, has no frame, or does not say what is needed.
        MissingDependencyError: It is HDF5, and the extra ``poses`` is not installed.
    """
    config = config or PosesConfig()
    raw = _read_raw(path)
    try:
        columns, notes = map_joints(raw.joints, config.joints)
    except ValueError as error:
        raise build_error(path, f"{error}; correct --joints NAME=KEYPOINT") from error
    if (columns < 0).all():
        raise build_error(
            path,
            f"none of its joints is a keypoint of people: {', '.join(raw.joints)[:300]}; name "
            "them with --joints NAME=KEYPOINT",
        )
    size = raw.size or config.size
    return Poses(
        points=_place(path, _choose(raw, columns), raw, size),
        fps=_find_fps(path, raw.fps, config.fps),
        size=size,
        source=path,
        notes=(*raw.notes, *notes),
        is_followed=raw.is_followed,
    )


def check_poses(path: Path) -> None:
    """Refuse a file that holds no keypoints, whatever its ending says.

    Raises:
        PoseFileError: It holds something else, or cannot be read.
        MissingDependencyError: It is HDF5, and the extra ``poses`` is not installed.
    """
    _read_raw(path)


def _read_raw(path: Path) -> RawPoses:
    reader = READERS.get(path.suffix.lower())
    if path.is_dir():
        reader = read_openpose
    if reader is None:
        raise build_error(path, f"its ending is none of {', '.join(READERS)}")
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond a float32 is not seen
        return reader(path)


def _find_fps(path: Path, own: float | None, given: float | None) -> float:
    fps = given if own is None else own
    low, high = FPS_BOUNDS
    if fps is None:
        raise build_error(
            path, "it does not say how many frames a second it has; name them with --fps"
        )
    if not low <= fps <= high:
        raise build_error(
            path, f"expected from {low:g} to {high:g} frames a second, received {fps:g}"
        )
    return fps


def _choose(raw: RawPoses, columns: np.ndarray) -> np.ndarray:
    """Return (T, P, 17, 3) of the model's keypoints, zeros where one is missing."""
    points = raw.points[:, :, np.maximum(columns, 0)].astype(np.float32)
    places = points[..., :2]
    is_near = (np.abs(places) <= _FARTHEST).all(axis=-1) & np.isfinite(points[..., 2])
    is_seen = is_near & places.any(axis=-1) & (columns >= 0)
    points = np.where(is_seen[..., None], points, np.float32(0))
    points[..., 2] = np.clip(points[..., 2], 0, 1)
    return points


def _place(
    path: Path, points: np.ndarray, raw: RawPoses, size: tuple[int, int] | None
) -> np.ndarray:
    """Return points in pixels."""
    if not len(points):
        raise build_error(path, "it has no frame")
    seen = np.abs(points[..., :2][points[..., 2] > 0])
    is_share = raw.units == "shares" or not raw.units
    if not seen.size or not is_share or float(np.median(seen)) > _LARGEST_SHARE:
        return points
    if size is None:
        raise build_error(
            path,
            "its coordinates are shares of the picture, not pixels; name the picture's size with "
            "--size HxW, such as 480x640 (only the shape matters)",
        )
    points[..., :2] *= np.array([size[1], size[0]], dtype=np.float32)
    return points


def write_poses(path: Path, poses: Poses) -> None:
    """Write keypoints in har's own form, which `read_poses` reads back.

    Raises:
        OutputError: The file cannot be written.
    """
    size = (0, 0) if poses.size is None else poses.size
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(
            file,
            points=poses.points,
            joints=np.array(KEYPOINTS),
            fps=np.array(poses.fps),
            size=np.array(size),
            units=np.array("pixels"),
            followed=np.array(poses.is_followed),
        )
