"""Keypoints of other pose tools through the pose stream of a model."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from har.config import DecodeConfig, PosesConfig
from har.errors import BundleMismatchError, EmptyVideoError, PoseFileError
from har.files import show_path
from har.inference.model import Recognizer
from har.inference.segments import Segment
from har.inference.steps import StreamOutput, score_steps
from har.inference.streams import iter_people
from har.inference.video import build_result
from har.pose.adapters.reading import Poses, check_poses, read_poses
from har.pose.keypoints import INDEX, Detections, to_detections
from har.pose.tracking import START_SCORE
from har.result import VideoResult
from har.sampling.times import compute_nearest_indices, compute_step_times
from har.types import KEYPOINTS, VideoInfo
from har.video.arrays import check_fps, check_name

_NO_POSE = (
    "This model has no pose stream; take one that has, such as three-class, or train one with "
    "streams='pose'"
)
_MOST_OUTSIDE, _MOST_INVERTED = 0.2, 0.9
"""Larger shares of keypoints outside of the picture, or of people on their heads, are noted."""
_ALONE = "keypoints only: the motion stream of this model had no part in it"


def recognize_keypoints(
    recognizer: Recognizer,
    points: np.ndarray,
    fps: float,
    size: tuple[int, int] | None,
    name: str,
    decode: DecodeConfig,
    least_score: float = 0.0,
) -> VideoResult:
    """Recognize keypoints as those of a recording are: the same tracker, head and fusion.

    Args:
        recognizer: The bundle.
        points: (T, P, 17, 3) or (T, P, 17, 2) as of `har.Model.predict_keypoints`.
        fps: Pictures a second.
        size: (H, W) of the picture in pixels, where points are shares of it.
        name: Stands in the result where the name of a file does.
        decode: How scores become events.
        least_score: As of `to_detections`.

    Raises:
        BundleMismatchError: The bundle has no pose stream.
        ConfigError: The points are of another shape, or ``size`` or ``fps`` does not fit.
        EmptyVideoError: There is no picture.
    """
    started_s = time.perf_counter()
    if recognizer.pose is None:
        raise BundleMismatchError(_NO_POSE)
    check_fps(fps)
    check_name(name)
    detections = to_detections(points, size, least_score)
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
    notes = [] if recognizer.motion is None else [_ALONE]
    notes += _find_implausible(detections, size)
    return replace(result, wall_s=time.perf_counter() - started_s, note="; ".join(notes))


def _find_implausible(found: Detections, size: tuple[int, int] | None) -> list[str]:
    """Return notes where keypoints are such as no camera sees: of mistaken units, axes, order."""
    places, is_seen = found.points[..., :2], found.points[..., 2] > 0
    if not is_seen.any():
        return ["no keypoint is seen: all are zeros, NaN or of confidence 0"]
    seen, notes = places[is_seen], list[str]()
    sides = np.array(size[::-1] if size else (np.inf, np.inf))
    outside = np.logical_or(seen < 0, seen > sides).any(axis=1)
    if outside.mean() > _MOST_OUTSIDE:
        notes.append(
            f"{outside.mean():.0%} of the keypoints lie outside of the picture: check the unit, "
            "the size, and that x comes before y"
        )
    joints = [INDEX["left_shoulder"], INDEX["left_hip"]]
    shoulders, hips = np.moveaxis(places[..., joints, 1], -1, 0)
    both = is_seen[..., joints].all(axis=-1)
    if both.any() and (shoulders > hips)[both].mean() > _MOST_INVERTED:
        notes.append(
            "shoulders are below hips nearly always: y must grow downwards, and joints be in "
            "COCO's order"
        )
    return notes


def find_least_score(poses: Poses) -> float:
    """Return how confident the tracker must be made of everybody in keypoints.

    Whoever was followed before is followed again, although the network's own score of a person,
    which had started the track, is not kept.
    """
    return START_SCORE if poses.is_followed else 0.0


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
        check_poses(path)
        raise PoseFileError(f"{show_path(path)} holds keypoints. {_NO_POSE}")
    started_s = time.perf_counter()
    poses = read_poses(path, config)
    result = recognize_keypoints(
        recognizer, poses.points, poses.fps, poses.size, str(path), decode, find_least_score(poses)
    )
    return replace(
        result,
        info=replace(result.info, path=path),
        wall_s=time.perf_counter() - started_s,
        note="; ".join(filter(None, [*poses.notes, result.note])),
    )
