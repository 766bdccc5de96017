"""Features that `har predict --keep features` wrote, through the head of a model: no video needed.

A model fits where its frame CNN and what shapes that network's input are those of the file. Of a
model with both streams the keypoints that were written beside the features are taken, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from har.bundle import CNN_GRAPH_FILE
from har.config import DecodeConfig, PosesConfig, PredictConfig
from har.errors import BundleMismatchError
from har.feature_files import (
    FEATURES_ENDING,
    FeatureFile,
    FeatureHeader,
    build_error,
    is_features,
    open_features,
)
from har.files import compute_file_hash, show_path
from har.inference.keypoints import find_least_score, recognize_poses
from har.inference.model import Recognizer
from har.inference.segments import Segment
from har.inference.steps import OpenStream, Stillness, StreamOutput, score_steps
from har.inference.streams import People, PoseStream, iter_people
from har.inference.video import build_result, require_segments, sum_stillness
from har.learned import NOTE, build_mark
from har.pose.adapters.reading import KEYPOINTS_ENDING, Poses, is_poses, read_poses
from har.pose.keypoints import Detections, to_detections
from har.result import VideoResult
from har.sampling.stillness import RULE
from har.sampling.times import compute_step_times
from har.types import FEATURES, WindowSpec

_CNN = Path(CNN_GRAPH_FILE).stem
_OTHER_RULE = "still steps were found by another rule than that of this har"


def is_encoded(path: Path) -> bool:
    """Return whether a path is that of features or keypoints, which stand where a video would."""
    return is_features(path) or is_poses(path)


def recognize_encoded(
    recognizer: Recognizer, path: Path, poses: PosesConfig, decode: DecodeConfig
) -> VideoResult:
    """Recognize a file that `is_encoded`, as the video would be.

    Args:
        recognizer: The bundle.
        path: The file.
        poses: What a file of keypoints does not say.
        decode: How scores become events.

    Raises:
        FeatureFileError: It cannot be read, or does not fit the bundle.
        PoseFileError: It cannot be read, or the bundle has no pose stream.
    """
    if is_features(path):
        return recognize_features(recognizer, path, decode)
    return recognize_poses(recognizer, path, poses, decode)


def build_header(recognizer: Recognizer, result: VideoResult) -> FeatureHeader:
    """Return what stands before the features that a recognizer has found in a video.

    Raises:
        BundleMismatchError: The bundle has no motion stream.
    """
    motion = recognizer.info.require_motion()
    notes = [note for note in result.note.split("; ") if note != NOTE]
    is_file = result.readable.is_file()
    return FeatureHeader(
        cnn=recognizer.compute_cnn_hash(),
        spec=_settle(motion.spec),
        n_features=motion.n_features,
        engine=result.engines[_CNN],
        stillness=None if recognizer.is_exact else RULE,
        threshold=result.still["motion"]["threshold"],
        info=result.info,
        mark=_mark(result.readable) if is_file else "",
        note="; ".join(notes),
    )


def _settle(spec: WindowSpec) -> WindowSpec:
    """Return what shapes features: the length of a window does not."""
    return replace(spec, n_steps=1)


def _mark(video: Path) -> str:
    return build_mark(video.stat().st_size, compute_file_hash(video))


def recognize_features(recognizer: Recognizer, path: Path, decode: DecodeConfig) -> VideoResult:
    """Recognize features as those of the video were: the same windows, head and fusion.

    A bundle of keypoints alone takes those that lie beside the features.

    Args:
        recognizer: The bundle.
        path: Of `har.feature_files`.
        decode: How scores become events.

    Raises:
        FeatureFileError: The file cannot be read, was computed by another network, or lacks the
            keypoints that the bundle takes, too.
        PoseFileError: The keypoints beside it cannot be read.
        EmptyVideoError: There were too few frames.
    """
    started_s = time.perf_counter()
    with open_features(path) as file:
        if recognizer.motion is None:
            beside, no_config = _find_poses(path, "is scored by keypoints"), PosesConfig()
            found = recognize_poses(recognizer, beside, no_config, decode)
            return replace(found, info=replace(found.info, path=path))
        notes = _check_fit(recognizer, file)
        whole = _score_motion(recognizer, file)
        if recognizer.pose is not None:
            beside = _find_poses(path, "takes keypoints, too")
            poses = read_poses(beside)
            _check_beside(file, poses)
            _add_poses(recognizer.pose, poses, whole)
        segments = require_segments(recognizer, whole, path)
        header = file.header
    learned = NOTE if header.mark and header.mark in recognizer.info.learned_from else ""
    result = build_result(
        recognizer, segments, replace(header.info, path=path, codec=FEATURES), decode
    )
    return replace(
        result,
        wall_s=time.perf_counter() - started_s,
        note="; ".join(filter(None, [header.note, *notes, learned])),
        still=sum_stillness(segments),
        engines={**result.engines, _CNN: header.engine},
    )


def _find_poses(path: Path, why: str) -> Path:
    beside = path.with_name(path.name[: -len(FEATURES_ENDING)] + KEYPOINTS_ENDING)
    if not beside.is_file():
        raise build_error(
            path,
            f"this model {why}, and there is no {beside.name} beside it (har predict --keep "
            "keypoints writes one); put it there, or score motion alone with streams='motion' "
            "(--streams motion) if the model has it",
        )
    return beside


def _check_beside(file: FeatureFile, poses: Poses) -> None:
    """Refuse keypoints that are not of the same recording.

    Raises:
        FeatureFileError: They are as long as, or of the size of, another one.
    """
    info, (begin_s, span_s) = file.header.info, file.segments[-1].tolist()
    end_s, size = begin_s + span_s, (info.height, info.width)
    if abs(poses.duration_s - end_s) > 1.0 / poses.fps or poses.size not in (None, size):
        raise build_error(
            file.path,
            f"{show_path(poses.source)} beside it is of another video: {poses.duration_s:.1f} s of "
            f"{poses.size}, where the features are {end_s:.1f} s of {size} (H, W)",
        )


def _check_fit(recognizer: Recognizer, file: FeatureFile) -> list[str]:
    """Refuse features of another network, and return notes on what differs without harm.

    Raises:
        FeatureFileError: The bundle does not fit.
    """
    motion, header = recognizer.info.require_motion(), file.header
    own, theirs = asdict(_settle(motion.spec)), asdict(_settle(header.spec))
    differing = [
        f"{name} is {theirs[name]} there and {own[name]} here"
        for name in own
        if own[name] != theirs[name]
    ]
    cnn = recognizer.compute_cnn_hash()
    if header.cnn != cnn:
        differing.insert(0, f"the frame CNN is {header.cnn[:12]} there and {cnn[:12]} here (hash)")
    if header.n_features != motion.n_features:
        differing.append(f"a step has {header.n_features} features there, {motion.n_features} here")
    if differing:
        raise build_error(
            file.path,
            f"another model wrote it: {'; '.join(differing)}. Take a model with the same frame CNN "
            "and input, or the video",
        )
    if recognizer.is_exact and header.stillness is not None:
        raise build_error(
            file.path, "still steps were passed over; leave out exact (--exact), or take the video"
        )
    return [] if header.stillness in (None, RULE) else [_OTHER_RULE]


def _score_motion(recognizer: Recognizer, file: FeatureFile) -> list[Segment]:
    stream, first = recognizer.motion, 0
    if stream is None:
        raise BundleMismatchError("Expected a bundle with a motion stream")
    steps, segments = file.iter_steps(), list[Segment]()
    for (begin_s, span_s), n_frames in zip(file.segments.tolist(), file.n_frames, strict=True):
        n_steps = len(compute_step_times(span_s, stream.spec.rate_hz))
        n_still = int(file.still[first : first + n_steps].sum())
        first += n_steps
        found = StreamOutput(
            {"motion": score_steps(stream, islice(steps, n_steps))},
            stillness={
                "motion": Stillness(n_steps, n_still, round(1000 * file.header.threshold) * n_steps)
            },
        )
        segments.append(Segment(begin_s, found, span_s, int(n_frames)))
    return segments


def _add_poses(stream: PoseStream, poses: Poses, segments: list[Segment]) -> None:
    """Add to each segment what the pose stream says of the keypoints of a recording."""
    detections = to_detections(poses.points, poses.size, find_least_score(poses))
    for own in segments:
        times_s = compute_step_times(own.span_s, stream.spec.rate_hz) + own.begin_s
        rows = np.floor(times_s * poses.fps).astype(np.int64).clip(0, len(poses.points) - 1)
        people = iter_people(Detections(detections.points[rows], detections.scores[rows]))
        own.found.windows["pose"], own.n_people = _score_people(stream, people)


def _score_people(stream: PoseStream, people: Iterable[People]) -> tuple[list[Any], int]:
    """Return what the head says of all windows, and the highest number of a person."""
    opened, due, n_people = OpenStream(stream, PredictConfig.n_overlap), list[Any](), 0
    for found in people:
        seen, windows = opened.push(found)
        n_people = max([n_people, *(number for step in seen for number in step)])
        due += windows
    return list(stream.score([*due, *opened.flush()])), n_people
