"""Recognizes a video file from its first frame to its last."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from har.config import DecodeConfig, PredictConfig
from har.dataset.catalog import Reject, iter_files
from har.errors import EmptyVideoError, VideoDecodeError, VideoNotFoundError
from har.events.decoder import decode_events, name_people
from har.feature_files import FeatureWriter
from har.files import show_path
from har.inference.model import Recognizer
from har.inference.scores import fuse_windows, get_rate_hz
from har.inference.segments import (
    Segment,
    SegmentRecognizer,
    choose_segments,
    count_people_before,
    join_probs,
    join_scores,
)
from har.inference.steps import Networks, StreamOutput, StreamRecognizer, open_networks
from har.learned import NOTE, is_learned
from har.parallel import count_cores
from har.pose.adapters.reading import is_poses
from har.result import PoseTracks, Progress, VideoResult
from har.sampling.times import compute_step_times, explain_low_rate
from har.types import UNCERTAIN, Frame, VideoInfo, WindowSpec
from har.video.file.reader import VideoReader, open_video, probe_video, read_ahead
from har.video.geometry import Letterbox


def build_pose_tracks(
    seen: Sequence[dict[int, np.ndarray]], times_s: np.ndarray, info: VideoInfo, box: Letterbox
) -> PoseTracks:
    """Return what a stream saw in the video's own pixels.

    Args:
        seen: For each of N steps the (17, 3) keypoints by number, in letterboxed pixels.
        times_s: (N,) middles of the steps.
        info: Of the video.
        box: Where the video is in the letterboxed pictures.
    """
    rows = [
        (time_s, number, points)
        for time_s, people in zip(times_s, seen, strict=True)
        for number, points in people.items()
    ]
    points = np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, 17, 3)
    points[..., 0] = (points[..., 0] - box.left) * (info.width / box.width)
    points[..., 1] = (points[..., 1] - box.top) * (info.height / box.height)
    return PoseTracks(
        times_s=np.array([row[0] for row in rows], dtype=np.float64),
        numbers=np.array([row[1] for row in rows], dtype=np.int64),
        points=points,
        step_s=float(2 * times_s[0]),
    )


def build_crops(
    corners: Sequence[tuple[int, int]], spec: WindowSpec, info: VideoInfo, box: Letterbox
) -> np.ndarray:
    """Return what the CNN saw of a video, in the video's own pixels.

    Args:
        corners: For each of N steps the (y, x) of the upper left, in letterboxed pixels.
        spec: The input contract.
        info: Of the video.
        box: Where the video is in the letterboxed pictures.

    Returns:
        (N, 4) float64: left, top, right and bottom, within the video.
    """
    near = np.array(corners, dtype=np.float64)
    far = near + [side // spec.motion_crop for side in spec.size]
    edges = np.stack([near, far], axis=1) - (box.top, box.left)  # (N, 2, 2): y and x of both
    edges *= (info.height / box.height, info.width / box.width)
    edges = np.clip(edges, 0.0, (info.height, info.width))
    return edges[..., ::-1].reshape(-1, 4)


_AS_DEAR_PX = 1_500_000
"""Pixels of a picture whose decoding costs about what the networks do with it.

Source: docs/decisions/015-recordings.md.
"""
_MAX_AHEAD_PX, _LEAST_AHEAD = 40_000_000, 4
"""Pixels that wait as the decoder has them, 1.5 bytes each, and frames that may do so anyway."""


def recognize_video(
    recognizer: Recognizer,
    path: Path,
    *,
    config: PredictConfig | None = None,
    decode: DecodeConfig | None = None,
    progress: Progress | None = None,
    networks: Networks | None = None,
    features: FeatureWriter | None = None,
) -> VideoResult:
    """Look at all of a video, decoding it once, with memory that does not grow with its frames.

    The frames' times, not their number, say where the time steps are, so any frame rate will do,
    also a changing one. Of a damaged video the readable part is recognized and a note says so.
    What is on both sides of a gap is recognized by itself, and a note says where the gap is.

    Args:
        recognizer: The loaded bundle; it says all about size, color and sampling. Loaded with
            ``n_threads=1`` it is fastest.
        path: A file of any format that FFmpeg reads.
        config: How windows overlap and how many cores are used; the defaults when None. The
            result is the same to the bit on any number of cores.
        decode: How scores become events; the bundle's own when None.
        progress: Called after every frame that is looked at.
        networks: Of `open_networks`, where several videos share them; its own when None.
        features: Takes the features of the motion stream.

    Raises:
        VideoError: The file cannot be opened, or has too few frames to compare.
        ConfigError: The background label is none of the bundle's.
        BundleMismatchError: The bundle's graphs do not take what its contract says.
    """
    config = config or PredictConfig()
    n_cores = config.jobs or count_cores()
    with (
        nullcontext(networks) if networks else open_networks(recognizer, n_cores) as cnns,
        _open_frames(recognizer, path, config.n_ahead, n_cores) as (reader, frames),
    ):
        result = recognize_frames(
            recognizer, reader, frames, cnns, config, decode, progress, features
        )
        learned = NOTE if is_learned(path, recognizer.info.learned_from) else ""
        return replace(result, note="; ".join(filter(None, [result.note, *reader.notes, learned])))


class VideoFrames(Protocol):
    """Where frames are from: a file or an array."""

    @property
    def info(self) -> VideoInfo:
        """What is known of the whole."""
        ...

    @property
    def letterbox(self) -> Letterbox:
        """Where the video is seen in the pictures."""
        ...


def recognize_frames(
    recognizer: Recognizer,
    source: VideoFrames,
    frames: Iterable[Frame],
    networks: Networks,
    config: PredictConfig,
    decode: DecodeConfig | None = None,
    progress: Progress | None = None,
    features: FeatureWriter | None = None,
) -> VideoResult:
    """Recognize the frames of one video, from the first to the last.

    Args:
        recognizer: The bundle.
        source: Where the frames are from.
        frames: Of the bundle's picture size and color.
        networks: Of `open_networks`.
        config: How windows overlap.
        decode: How scores become events; the bundle's own when None.
        progress: Called after every frame.
        features: Takes the features of the motion stream.

    Raises:
        EmptyVideoError: There are too few frames to compare.
        ConfigError: The background label is none of the bundle's.
    """
    started_s = time.perf_counter()
    decode = decode or recognizer.info.decode
    start_stream = partial(StreamRecognizer, recognizer, config, networks)
    streams = SegmentRecognizer(start_stream, config.keep_places, features)
    note = _push_all(streams, source.info, frames, progress)
    segments = require_segments(recognizer, streams.segments, source.info.path, note)
    result = build_result(recognizer, segments, source.info, decode)
    rate_hz = sum(own.n_frames for own in segments) / (result.duration_s or math.inf)
    rare = explain_low_rate(rate_hz or math.inf, recognizer.lags_s)
    return replace(
        result,
        wall_s=time.perf_counter() - started_s,
        note="; ".join(filter(None, [note, rare])),
        pose_tracks=_find_pose_tracks(recognizer, segments, source),
        crops=_find_crops(recognizer, segments, source),
        still=sum_stillness(segments),
    )


def build_result(
    recognizer: Recognizer,
    segments: Sequence[Segment],
    info: VideoInfo,
    decode: DecodeConfig,
) -> VideoResult:
    """Return what all windows of a recording say together, and its events.

    Args:
        recognizer: The bundle that gave the windows.
        segments: At least one, each with at least one window of each of the bundle's streams.
        info: Of the recording.
        decode: How scores become events.

    Raises:
        ConfigError: The background label is none of the bundle's.
    """
    fused = [fuse_windows(recognizer, own.found.windows, own.span_s) for own in segments]
    probs = join_probs([probs for probs, _ in fused], segments)
    scores = join_scores([scores for _, scores in fused], segments)
    labels, alone = recognizer.info.labels, recognizer.info.single_person_labels
    return VideoResult(
        info=info,
        duration_s=sum(own.span_s for own in segments),
        label=labels[int(probs.argmax())] if probs.any() else UNCERTAIN,
        probs=dict(zip(labels, probs.tolist(), strict=True)),
        events=name_people(decode_events(scores, decode), scores, alone),
        scores=scores,
        n_windows=sum(own.found.n_windows for own in segments),
        wall_s=0.0,
        note="",
        engines=recognizer.describe_engines(),
    )


@contextmanager
def _open_frames(
    recognizer: Recognizer, path: Path, n_ahead: int, n_cores: int
) -> Iterator[tuple[VideoReader, Iterable[Frame]]]:
    """Open a video and return its frames: decoded beside their use where there are cores for it."""
    pictures, info = recognizer.info.pictures, probe_video(path)
    n_threads = count_decoder_threads(info.height, info.width, n_cores)
    n_most = max(_MAX_AHEAD_PX // (info.height * info.width), _LEAST_AHEAD)
    with (
        open_video(
            path, pictures.size, pictures.color, pictures.max_rate_hz, n_threads=n_threads
        ) as reader,
        read_ahead(reader.iter_decoded(), min(n_ahead, n_most))
        if n_cores > 1
        else nullcontext(reader.iter_decoded()) as decoded,
    ):
        yield reader, reader.make_frames(decoded)


def count_decoder_threads(height: int, width: int, n_cores: int) -> int:
    """Return as many threads as decoding needs to keep up with the networks on the other cores.

    A thread more costs processor time: two of them take a third more for the same frames.

    >>> [count_decoder_threads(*size, 2) for size in ((360, 640), (1080, 1920))]
    [1, 2]
    >>> count_decoder_threads(360, 640, 16)
    3
    """
    n_pixels = height * width
    return math.ceil(n_cores * n_pixels / (n_pixels + _AS_DEAR_PX))


def _push_all(
    streams: SegmentRecognizer,
    info: VideoInfo,
    frames: Iterable[Frame],
    progress: Progress | None,
) -> str:
    note = ""
    try:
        for frame in frames:
            streams.push(frame)
            if progress is not None:
                progress(frame.time_s, info.duration_s)
    except VideoDecodeError as error:
        note = str(error)
    streams.flush()
    return note


def require_segments(
    recognizer: Recognizer, found: Sequence[Segment], path: Path, note: str = ""
) -> list[Segment]:
    """Return the segments that are long enough to recognize anything in, as of `choose_segments`.

    Raises:
        EmptyVideoError: There is none.
    """
    motion = recognizer.info.motion
    compares = motion is not None and len(motion.spec.offsets_s) > 1
    n_least = 2 if compares else 1
    segments = choose_segments(found, n_least, 1 / get_rate_hz(recognizer))
    if not segments:
        n_frames = sum(own.n_frames for own in found)
        raise EmptyVideoError(
            f"{show_path(path)} has {n_frames} readable frame(s), too few to recognize anything; "
            f"{note or 'give a longer video'}"
        )
    return segments


def _find_pose_tracks(
    recognizer: Recognizer, segments: Sequence[Segment], source: VideoFrames
) -> PoseTracks | None:
    pose = recognizer.info.pose
    if pose is None or not any(own.found.places.get("pose") for own in segments):
        return None
    seen: list[dict[int, np.ndarray]] = []
    times_s: list[np.ndarray] = []
    for own, n_before in zip(segments, count_people_before(segments), strict=True):
        seen += [
            {n + n_before: points for n, points in people.items()}
            for people in own.found.places["pose"]
        ]
        times_s.append(compute_step_times(own.span_s, pose.spec.rate_hz) + own.begin_s)
    step_s = float(2 * (times_s[0][0] - segments[0].begin_s))
    found = build_pose_tracks(seen, np.concatenate(times_s), source.info, source.letterbox)
    return replace(found, step_s=step_s)


def sum_stillness(segments: Sequence[Segment]) -> dict[str, dict[str, float]]:
    """Return what results say of the steps of some segments at which nothing moved, by stream."""
    whole = StreamOutput()
    for own in segments:
        whole.extend(StreamOutput(stillness=own.found.stillness), keep_places=False)
    return {
        name: {
            "share": round(still.n_still / still.n_steps, 4),
            "threshold": round(still.threshold, 2),
        }
        for name, still in whole.stillness.items()
    }


def _find_crops(
    recognizer: Recognizer, segments: Sequence[Segment], source: VideoFrames
) -> np.ndarray | None:
    motion = recognizer.info.motion
    corners = [corner for own in segments for corner in own.found.places.get("motion", ())]
    if motion is None or motion.spec.motion_crop == 1 or not corners:
        return None
    return build_crops(corners, motion.spec, source.info, source.letterbox)


def find_videos(
    sources: Iterable[Path], with_features: bool = False, without: Path | None = None
) -> tuple[list[Path], list[Reject]]:
    """Return the videos that are named, and for each folder the files in it that may be videos.

    Files of keypoints stand where a video would; see `har.dataset.catalog.iter_files`.

    Args:
        sources: Files and folders; folders are searched to their depth.
        with_features: Files of features do, too.
        without: A folder below those that are searched which is not, such as that of results.

    Returns:
        Paths in the order given, sorted within a folder, none twice, and a reject for each source
        that does not exist, may not be read, or is a folder without a video.
    """
    videos: dict[Path, Path] = {}
    rejects: list[Reject] = []
    for source in sources:
        try:
            source.stat()
        except FileNotFoundError:
            error = VideoNotFoundError(f"There is no video {source}; check the name and the folder")
            rejects.append(Reject("", source, str(error)))
            continue
        except (OSError, ValueError) as error:  # a null byte in the name is a ValueError
            why = getattr(error, "strerror", None) or error
            rejects.append(Reject("", source, f"{show_path(source)} cannot be read: {why}"))
            continue
        found = [source]
        if source.is_dir() and not is_poses(source):
            n_rejects = len(rejects)
            found = list(iter_files(source, rejects, with_features, without))
            if not found and len(rejects) == n_rejects:
                rejects.append(Reject("", source, f"the folder {source} holds no video"))
        for path in found:
            videos.setdefault(path.resolve(), path)
    return list(videos.values()), rejects
