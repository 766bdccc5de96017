"""Cuts the clips of one video in one decode pass: the work of one job of `prepare`.

Worker processes import this module, so it imports nothing heavier than the reader.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from traceback import format_exc

import numpy as np

from har.config import GAP_S, PosesConfig
from har.dataset.catalog import Reject
from har.dataset.index import StoredClip
from har.dataset.scenes import HASH_FRAMES, compute_scene_hash
from har.dataset.store import FrameSettings, frames_path
from har.dataset.store_writer import ClipWriter, write_keypoints
from har.errors import HarError, VideoDecodeError, VideoError, VideoOpenError
from har.files import compute_file_hash
from har.parallel import describe_fault
from har.pose.adapters.json_files import find_openpose
from har.pose.adapters.reading import is_poses, read_poses
from har.types import KEYPOINTS, TIME_EPS_S, Clip, Frame, VideoInfo
from har.video.file.reader import VideoReader, open_video, probe_video
from har.video.geometry import compute_letterbox

_NAMED_GAPS = 3


@dataclass(frozen=True)
class CutJob:
    """Clips of one video, sorted by start."""

    path: Path
    clips: tuple[Clip, ...]
    frames: FrameSettings
    min_frames: int
    store: Path
    poses: PosesConfig = field(default_factory=PosesConfig)


@dataclass(frozen=True)
class CutResult:
    """The outcome of a job: each clip is in one of the two."""

    clips: tuple[StoredClip, ...]
    rejects: tuple[Reject, ...]


@dataclass(frozen=True)
class _VideoFile:
    n_bytes: int
    mtime_ns: int
    hash: str


def probe_size(path: Path) -> tuple[int, int] | None:
    """Return a video's (H, W) as seen on a screen, or None where it has or says none."""
    if is_poses(path):
        return None
    try:
        info = probe_video(path)
    except Exception:  # noqa: BLE001, cutting it meets the same and says what it is
        return None
    return info.height, info.width


def cut_video(job: CutJob) -> CutResult:
    """Decode a video once and write the frames of its clips.

    A clip of which at least ``min_frames`` could be decoded is stored, with the place of the damage
    if there is any; the others are rejected, whatever failed about the video. Of a clip with a gap
    the longest segment is stored.

    A file of keypoints is stored as keypoints.

    Raises:
        OutputError: The store cannot be written.
    """
    ends_s = [clip.end_s for clip in job.clips]
    settings = job.frames
    span = {
        "start_s": job.clips[0].start_s,
        "end_s": None if None in ends_s else max(end for end in ends_s if end is not None),
    }
    try:
        if is_poses(job.path):
            return _cut_poses(job)
        with open_video(
            job.path, settings.size, settings.color, settings.max_rate_hz, **span, n_threads=1
        ) as reader:
            return _Cutter(job, reader).cut()
    except VideoError as error:
        return CutResult((), tuple(_reject(clip, str(error)) for clip in job.clips))
    except HarError:  # not of this video: the disk
        raise
    except Exception as error:  # noqa: BLE001, one video must not end the others
        why, trace = describe_fault(error), format_exc()
        return CutResult((), tuple(Reject(c.clip_id, c.path, why, trace) for c in job.clips))


def _cut_poses(job: CutJob) -> CutResult:
    """Store the clips of a file of keypoints."""
    poses, file = read_poses(job.path, job.poses), _read_file(job.path)
    height, width = poses.size or (0, 0)
    middles_s = (np.arange(len(poses.points)) + 0.5) / poses.fps
    cut: list[StoredClip] = []
    rejects: list[Reject] = []
    for clip in job.clips:
        end_s = np.inf if clip.end_s is None else clip.end_s
        rows = np.flatnonzero((middles_s >= clip.start_s) & (middles_s < end_s))
        points, times_s = poses.points[rows], middles_s[rows] - clip.start_s
        if len(rows) < job.min_frames or not points.any():
            seen = "nobody in its" if len(rows) and not points.any() else f"only {len(rows)}"
            why = f"{seen} frames, at least {job.min_frames} with people are needed"
            rejects.append(_reject(clip, why))
            continue
        cut.append(
            StoredClip(
                **vars(clip),
                n_frames=len(rows),
                fps=poses.fps,
                duration_s=len(rows) / poses.fps,
                width=width,
                height=height,
                damaged_s=None,
                scene_hashes=(),
                hash=write_keypoints(job.store, clip.clip_id, points, times_s),
                note="; ".join(poses.notes),
                kind=KEYPOINTS,
                video_bytes=file.n_bytes,
                video_mtime_ns=file.mtime_ns,
                video_hash=file.hash,
            )
        )
    return CutResult(tuple(cut), tuple(rejects))


@dataclass
class _OpenClip:
    """A clip under way.

    Attributes:
        begin_s: Time of the video that is 0 in the clip.
        writer: Of the segment that goes on.
        longest: Of the longest segment before it.
        gaps_s: Where gaps are, in seconds of the video.
    """

    clip: Clip
    begin_s: float
    writer: ClipWriter
    longest: ClipWriter | None = None
    gaps_s: tuple[float, ...] = ()

    def choose(self) -> ClipWriter:
        """Return the writer of the longest segment; what the other one wrote is removed."""
        first, other = self.longest, self.writer
        if first is None:
            return other
        if len(other.times_s) > len(first.times_s):
            first, other = other, first
        other.discard()
        return first

    def begin_segment(self, writer: ClipWriter, begin_s: float, gap_s: float) -> None:
        """Go on behind a gap, which began at ``gap_s``."""
        self.longest, self.writer, self.begin_s = self.choose(), writer, begin_s
        self.gaps_s += (gap_s,)

    def discard(self) -> None:
        """Remove what is not finished."""
        for writer in (self.writer, self.longest):
            if writer is not None:
                writer.discard()


class _Cutter:
    """Hands each frame to the clips it belongs to; only clips under way have an open file."""

    def __init__(self, job: CutJob, reader: VideoReader) -> None:
        self._job = job
        self._reader = reader
        self._file = _read_file(job.path)
        self._waiting = deque(job.clips)
        self._open: list[_OpenClip] = []
        self._last: Frame | None = None
        self._cut: list[StoredClip] = []
        self._rejects: list[Reject] = []

    def cut(self) -> CutResult:
        try:
            with suppress(VideoDecodeError):  # where: `damaged_s` of the reader
                for frame in self._reader:
                    self._take(frame)
            for own in self._open:
                self._close(own, () if own.clip.end_s else self._reader.notes)
        finally:
            for own in self._open:
                own.discard()
        self._rejects += [_reject(clip, self._describe_empty(clip)) for clip in self._waiting]
        return CutResult(tuple(self._cut), tuple(self._rejects))

    def _take(self, frame: Frame) -> None:
        now_s = frame.time_s + TIME_EPS_S
        over = [own for own in self._open if own.clip.end_s is not None and own.clip.end_s <= now_s]
        for own in over:
            self._close(own, ())
            self._open.remove(own)
        last, self._last = self._last, frame
        if last is not None and last.segment != frame.segment:
            for own in self._open:
                writer = self._start(own.clip, frame, f".{frame.segment}")
                own.begin_segment(writer, frame.time_s, last.time_s)
        while self._waiting and self._waiting[0].start_s <= now_s:
            clip = self._waiting.popleft()
            if clip.end_s is not None and clip.end_s <= now_s:  # all of it is in a gap
                self._rejects.append(_reject(clip, self._describe_empty(clip)))
                continue
            is_late = frame.time_s - clip.start_s > GAP_S
            begin_s = frame.time_s if is_late else clip.start_s
            self._open.append(_OpenClip(clip, begin_s, self._start(clip, frame)))
        for own in self._open:
            own.writer.append(frame.image, frame.time_s - own.begin_s)

    def _start(self, clip: Clip, frame: Frame, ending: str = "") -> ClipWriter:
        return ClipWriter(self._job.store, clip.clip_id, frame.image.shape, ending)

    def _close(self, own: _OpenClip, notes: Sequence[str]) -> None:
        clip, writer = own.clip, own.choose()
        times_s = writer.times_s
        if len(times_s) < self._job.min_frames:
            writer.discard()
            reason = f"only {len(times_s)} frames, at least {self._job.min_frames} are needed"
            self._rejects.append(_reject(clip, reason + self._describe_damage(clip)))
            return
        if own.gaps_s:
            places = ", ".join(f"{gap_s:.2f} s" for gap_s in own.gaps_s[:_NAMED_GAPS])
            notes = [
                f"its recording has no frames for a while from {places} on; the longest part"
                f" without a gap is stored, {len(times_s)} frames"
            ]
        digest = writer.finish()
        interval_s = float(np.median(np.diff(times_s)))
        info = self._reader.info
        self._cut.append(
            StoredClip(
                **vars(clip),
                n_frames=len(times_s),
                fps=info.fps or 1.0 / interval_s,
                duration_s=float(times_s[-1] - times_s[0]) + interval_s,
                width=info.width,
                height=info.height,
                damaged_s=self._reader.damaged_s if self._describe_damage(clip) else None,
                scene_hashes=_hash_scene(self._job, clip.clip_id, info),
                hash=digest,
                note="; ".join(notes),
                video_bytes=self._file.n_bytes,
                video_mtime_ns=self._file.mtime_ns,
                video_hash=self._file.hash,
            )
        )

    def _describe_damage(self, clip: Clip) -> str:
        damaged_s = self._reader.damaged_s
        if damaged_s is None or (clip.end_s is not None and clip.end_s <= damaged_s):
            return ""
        return f"; the video is damaged or cut off at {damaged_s:.2f} s"

    def _describe_empty(self, clip: Clip) -> str:
        where = f"from {clip.start_s:g} s" if clip.start_s else "at all"
        return f"the video has no frame {where}{self._describe_damage(clip)}"


def _read_file(path: Path) -> _VideoFile:
    try:
        stat = path.stat()
        files = find_openpose(path) if path.is_dir() else [path]
        hashes = [compute_file_hash(file) for file in files]
        joined = hashlib.sha256("".join(hashes).encode()).hexdigest()
        return _VideoFile(stat.st_size, stat.st_mtime_ns, joined if path.is_dir() else hashes[0])
    except OSError as error:
        raise VideoOpenError(f"{path} cannot be read: {error.strerror}") from error


def _reject(clip: Clip, reason: str) -> Reject:
    return Reject(clip.clip_id, clip.path, reason)


def _hash_scene(job: CutJob, clip_id: str, info: VideoInfo) -> tuple[int, ...]:
    """Return the perceptual hashes of evenly spread frames, without their letterbox bars."""
    frames = np.load(frames_path(job.store, clip_id), mmap_mode="r", allow_pickle=False)
    box = compute_letterbox((info.height, info.width), job.frames.size)
    places = (np.arange(HASH_FRAMES) + 0.5) * len(frames) / HASH_FRAMES
    hashes = []
    for place in places.astype(int):
        content = np.ascontiguousarray(frames[place][box.rows, box.columns])
        gray = content if content.ndim == 2 else content.mean(axis=2).astype(np.uint8)
        hashes.append(compute_scene_hash(gray))
    return tuple(hashes)
