"""Keypoints of other pose tools through the pose stream of a model."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from har.config import DecodeConfig, PosesConfig
from har.errors import BundleMismatchError, ConfigError, EmptyVideoError, PoseFileError
from har.files import show_path
from har.inference.model import Recognizer
from har.inference.segments import Segment
from har.inference.steps import StreamOutput, score_steps
from har.inference.streams import iter_people
from har.inference.video import build_result
from har.pose.adapters.reading import read_poses
from har.pose.keypoints import MAX_PEOPLE, N_KEYPOINTS, Detections
from har.result import VideoResult
from har.sampling.times import compute_nearest_indices, compute_step_times
from har.types import KEYPOINTS, VideoInfo
from har.video.arrays import check_fps

_LARGEST_SHARE = 2.0
_MAX_SIDE_PX = 65_535
"""Coordinates up to here are shares of the picture: people reach over its edge by less."""
_NO_POSE = (
    "This model has no pose stream; take one that has, such as three-class, or train one with "
    "streams='pose'"
)
_ALONE = "keypoints only: the motion stream of this model had no part in it"


def recognize_keypoints(
    recognizer: Recognizer,
    points: np.ndarray,
    fps: float,
    size: tuple[int, int] | None,
    name: str,
    decode: DecodeConfig,
) -> VideoResult:
    """Recognize keypoints as those of a recording are: the same tracker, head and fusion.

    Args:
        recognizer: The bundle.
        points: (T, P, 17, 3) or (T, P, 17, 2) as of `har.Model.predict_keypoints`.
        fps: Pictures a second.
        size: (H, W) of the picture in pixels, where points are shares of it.
        name: Stands in the result where the name of a file does.
        decode: How scores become events.

    Raises:
        BundleMismatchError: The bundle has no pose stream.
        ConfigError: The points are of another shape, or ``size`` or ``fps`` does not fit.
        EmptyVideoError: There is no picture.
    """
    started_s = time.perf_counter()
    if recognizer.pose is None:
        raise BundleMismatchError(_NO_POSE)
    check_fps(fps)
    detections = to_detections(points, size)
    n_pictures = len(detections.points)
    if not n_pictures:
        raise EmptyVideoError(f"{name} has no picture; give at least one")
    span_s = n_pictures / fps
    steps_s = compute_step_times(span_s, recognizer.pose.spec.rate_hz)
    rows = compute_nearest_indices((np.arange(n_pictures) + 0.5) / fps, steps_s)
    sampled = Detections(detections.points[rows], detections.scores[rows])
    windows = score_steps(recognizer.pose, iter_people(sampled))
    height, width = size or (0, 0)
    info = VideoInfo(Path(name), width, height, fps, span_s, n_pictures, 0, KEYPOINTS)
    whole = Segment(0.0, StreamOutput({"pose": windows}), span_s)
    result = build_result(recognizer.take_pose(), [whole], info, decode)
    note = "" if recognizer.motion is None else _ALONE
    return replace(result, wall_s=time.perf_counter() - started_s, note=note)


def recognize_poses(
    recognizer: Recognizer, path: Path, config: PosesConfig, decode: DecodeConfig
) -> VideoResult:
    """Recognize a file of keypoints of another tool, or one that har has kept.

    Args:
        recognizer: The bundle.
        path: As of `read_poses`.
        config: What the file does not say.
        decode: How scores become events.

    Raises:
        PoseFileError: The file cannot be read, or the bundle has no pose stream.
    """
    if recognizer.pose is None:
        raise PoseFileError(f"{show_path(path)} holds keypoints. {_NO_POSE}")
    started_s = time.perf_counter()
    poses = read_poses(path, config)
    result = recognize_keypoints(recognizer, poses.points, poses.fps, poses.size, str(path), decode)
    return replace(
        result,
        info=replace(result.info, path=path),
        wall_s=time.perf_counter() - started_s,
        note="; ".join(filter(None, [*poses.notes, result.note])),
    )


def to_detections(points: np.ndarray, size: tuple[int, int] | None = None) -> Detections:
    """Return keypoints of another tool as the shipped pose network would give them.

    Args:
        points: (T, P, 17, 3) or (T, P, 17, 2); NaN or zeros where nothing is seen.
        size: (H, W) in pixels, where points are shares of the picture.

    Raises:
        ConfigError: The shape or the values are others, or ``size`` is missing.

    >>> points = np.full((1, 1, 17, 2), 0.5)
    >>> found = to_detections(points, (100, 200))
    >>> found.points.shape, found.points[0, 0, 0].tolist(), found.scores[0].tolist()
    ((1, 1, 17, 3), [100.0, 50.0, 1.0], [1.0])
    """
    shape = points.shape
    if len(shape) != 4 or shape[2] != N_KEYPOINTS or shape[3] not in (2, 3):
        raise ConfigError(
            f"Expected keypoints of (T, P, {N_KEYPOINTS}, 3) or (T, P, {N_KEYPOINTS}, 2) in COCO's "
            f"order, received {shape}"
        )
    values = np.asarray(points, dtype=np.float32)
    places = values[..., :2]
    is_seen = np.logical_and(np.isfinite(values).all(axis=-1), places.any(axis=-1))
    confidence = values[..., 2] if shape[3] == 3 else np.ones(shape[:3], dtype=np.float32)
    confidence = np.where(is_seen, confidence, 0).astype(np.float32)
    if confidence.size and not 0 <= confidence.min() <= confidence.max() <= 1:
        raise ConfigError(
            f"Expected the confidence of keypoints from 0 to 1, received from {confidence.min():g} "
            f"to {confidence.max():g}"
        )
    places = np.where(np.expand_dims(is_seen, -1), places, 0).astype(np.float32)
    if places.any() and np.abs(places).max() <= _LARGEST_SHARE:
        if size is None:
            raise ConfigError(
                "The keypoints are shares of the picture, not pixels: name its size=(H, W), so "
                "that their shape is known"
            )
        if not all(1 <= side <= _MAX_SIDE_PX for side in size):
            raise ConfigError(
                f"Expected size=(H, W) from 1 to {_MAX_SIDE_PX} pixels, received size={size!r}"
            )
        places = places * np.array([size[1], size[0]], dtype=np.float32)
    found = np.concatenate([places, confidence[..., None]], axis=-1)
    scores = confidence.mean(axis=-1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :MAX_PEOPLE]
    return Detections(
        np.take_along_axis(found, order[..., None, None], axis=1),
        np.take_along_axis(scores, order, axis=1),
    )
