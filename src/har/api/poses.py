"""Keypoints of other tools: read as those of the model's own pose network would be."""

from __future__ import annotations

from collections.abc import Mapping

from har.api.settings import StrPath, to_path
from har.config import PosesConfig
from har.pose.adapters.reading import Poses as Poses
from har.pose.adapters.reading import read_poses as _read_poses


def read_poses(
    path: StrPath,
    *,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    joints: Mapping[str, str] | None = None,
) -> Poses:
    """Read people's keypoints of one recording, whatever tool has found them.

    DeepLabCut (CSV, HDF5), SLEAP (.slp, analysis HDF5), OpenPose (a folder with a JSON file a
    frame), COCO's JSON, MediaPipe (JSON, CSV, .npz), joints of depth cameras and har's own .npz;
    the page "Keypoints of other tools" has the forms.

    Args:
        path: The file, or OpenPose's folder.
        fps: Frames a second, where the file has none.
        size: (H, W) of the picture in pixels, where coordinates are shares of it. Only its shape
            matters.
        joints: Names of joints in the file to COCO's keypoints, ``{"Hand_R": "right_wrist"}``, or
            to an empty text for none; they go before the names that are known.

    Returns:
        (T, P, 17, 3) ``points`` in pixels, zeros where a keypoint is not seen or not known to the
        tool, with ``fps``, ``size`` and ``notes`` of what was assumed or left out.

    Raises:
        PoseFileError: The file cannot be read, or does not say what is needed.
        ConfigError: ``fps`` or ``size`` is out of its bounds.
        MissingDependencyError: It is HDF5, and the extra ``poses`` is not installed.

    Example:
        >>> import har, numpy as np, tempfile
        >>> points = np.full((30, 1, 2, 2), 90.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = f"{folder}/walk.npz"
        ...     np.savez(path, points=points, joints=["Wrist.L", "Tail"], fps=15)
        ...     poses = har.read_poses(path)
        >>> poses.points.shape, poses.duration_s, poses.notes[0]
        ((30, 1, 17, 3), 2.0, 'joints that are not known and not used: Tail')
    """
    return _read_poses(to_path(path), PosesConfig(fps, size, joints or {}))
