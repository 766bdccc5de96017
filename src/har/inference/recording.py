"""Recognises a video file from its first frame to its last."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from har import windows
from har.config import DecodeConfig, PredictConfig
from har.dataset.catalog import Reject, iter_files
from har.errors import EmptyVideoError, VideoDecodeError, VideoNotFoundError
from har.events.decode import decode_events, name_people
from har.inference.fusion import fuse_windows
from har.inference.networks import Networks, open_networks
from har.inference.sightings import Sightings, build_sightings, build_views
from har.inference.stream import Findings, StreamRecognizer
from har.runtime.engine import count_cores
from har.runtime.recognizer import Recognizer
from har.types import Event, Frame, Scores, VideoInfo
from har.video.ahead import read_ahead
from har.video.reader import VideoReader, open_video, probe_video

Progress = Callable[[float, float | None], None]
"""Called with the seconds of video done and, where the container says so, the seconds in all."""

_AS_DEAR_PX = 1_500_000
"""Pixels of a picture whose decoding costs about what the networks do with it.

Source: docs/decisions/015-recordings.md.
"""

CANNOT_TELL = "cannot tell"
"""Stands in the place of a label where the model abstains."""


@dataclass(frozen=True)
class VideoResult:
    """What was found in one video.

    Attributes:
        info: What the container says.
        duration_s: Length of what was looked at.
        label: The most probable one for the video as a whole, or `CANNOT_TELL`.
        probs: Probability of every label for the video as a whole, in the model's order; all 0
            where it cannot tell.
        events: By onset.
        scores: Of every time step.
        n_windows: Windows that the heads of all streams looked at.
        wall_s: Seconds that it took.
        note: What the user should know, such as where the file is damaged; empty if nothing.
        sightings: Where the people were, if that was asked for and the bundle knows people.
        views: (N, 4) for each step of the scores the left, top, right and bottom of what the CNN
            saw, in pixels of the video, if that was asked for and it does not see all.
    """

    info: VideoInfo
    duration_s: float
    label: str
    probs: dict[str, float]
    events: tuple[Event, ...]
    scores: Scores
    n_windows: int
    wall_s: float
    note: str
    sightings: Sightings | None = None
    views: np.ndarray | None = None

    @property
    def sureness(self) -> float | None:
        """How far the keypoints could be trusted, from 0 to 1; None where none were looked at."""
        people = self.scores.people
        return None if people is None else float(people.sureness.mean())

    @property
    def unknown_share(self) -> float:
        """Share of the time at which the model could not tell, from 0 to 1."""
        return float(self.scores.is_unknown.mean())

    @property
    def prob(self) -> float:
        """Of `label`; 0 where the model cannot tell."""
        return self.probs.get(self.label, 0.0)

    def to_json(self) -> dict[str, Any]:
        """Gives the plain values that `har predict --json` prints, without the scores."""
        fps = self.info.fps
        values: dict[str, Any] = {
            "video": str(self.info.path),
            "duration_s": round(self.duration_s, 3),
            "fps": None if fps is None else round(fps, 3),
            "label": self.label,
            "probs": {label: round(prob, 4) for label, prob in self.probs.items()},
            "events": [event.to_json() for event in self.events],
            "sureness": None if self.sureness is None else round(self.sureness, 4),
            "unknown_share": round(self.unknown_share, 4),
            "n_windows": self.n_windows,
            "wall_s": round(self.wall_s, 3),
        }
        return values | ({"note": self.note} if self.note else {})


def recognise_video(
    recognizer: Recognizer,
    path: Path,
    *,
    config: PredictConfig | None = None,
    decode: DecodeConfig | None = None,
    progress: Progress | None = None,
    networks: Networks | None = None,
) -> VideoResult:
    """Looks at all of a video, decoding it once, with memory that does not grow with its frames.

    The frames' times, not their number, say where the time steps are, so any frame rate will do,
    also a changing one. Of a damaged video the readable part is recognised and a note says so.

    Args:
        recognizer: The loaded bundle; it says all about size, colour and sampling. Loaded with
            ``n_threads=1`` it is fastest.
        path: A file of any format that FFmpeg reads.
        config: How windows overlap and how many cores are used; the defaults when None. The
            result is the same to the bit on any number of cores.
        decode: How scores become events; the bundle's own when None.
        progress: Called after every frame that is looked at.
        networks: Of `open_networks`, where several videos share them; its own when None.

    Raises:
        VideoError: The file cannot be opened, or has too few frames to compare.
        ConfigError: The background label is none of the bundle's.
        BundleMismatchError: The bundle's graphs do not take what its contract says.
    """
    started_s = time.perf_counter()
    config, decode = config or PredictConfig(), decode or recognizer.info.decode
    n_cores = config.jobs or count_cores()
    with (
        nullcontext(networks) if networks else open_networks(recognizer, n_cores) as cnns,
        _open_frames(recognizer, path, config.n_ahead, n_cores) as (reader, frames),
    ):
        stream = StreamRecognizer(recognizer, config, cnns.detect, cnns.encode)
        found, note = _push_all(stream, reader, frames, config.keep_places, progress)
        _check_length(recognizer, stream, path, note)
        info, sightings = reader.info, _find_sightings(recognizer, found, stream, reader)
        views = _find_views(recognizer, found, reader)
    probs, scores = fuse_windows(recognizer, found, stream.span_s)
    labels = recognizer.info.labels
    own_labels = recognizer.pose_spec.own_labels if recognizer.has_pose else ()
    return VideoResult(
        info=info,
        duration_s=stream.span_s,
        label=labels[int(probs.argmax())] if probs.any() else CANNOT_TELL,
        probs=dict(zip(labels, probs.tolist(), strict=True)),
        events=name_people(decode_events(scores, decode), scores, own_labels),
        scores=scores,
        n_windows=len(found.motion) + len(found.people),
        wall_s=time.perf_counter() - started_s,
        note=note,
        sightings=sightings,
        views=views,
    )


@contextmanager
def _open_frames(
    recognizer: Recognizer, path: Path, n_ahead: int, n_cores: int
) -> Iterator[tuple[VideoReader, Iterable[Frame]]]:
    """Opens a video and gives its frames: decoded beside their use where there are cores for it."""
    spec, info = recognizer.info.spec, probe_video(path)
    n_threads = count_decoder_threads(info.height, info.width, n_cores)
    with (
        open_video(path, spec.size, spec.color, spec.max_rate_hz, n_threads=n_threads) as reader,
        read_ahead(reader, n_ahead) if n_cores > 1 else nullcontext(reader) as frames,
    ):
        yield reader, frames


def count_decoder_threads(height: int, width: int, n_cores: int) -> int:
    """Gives as many threads as decoding needs to keep up with the networks on the other cores.

    A thread more costs processor time: two of them take a third more for the same frames.

    >>> [count_decoder_threads(*size, 2) for size in ((360, 640), (1080, 1920))]
    [1, 2]
    >>> count_decoder_threads(360, 640, 16)
    3
    """
    n_pixels = height * width
    return math.ceil(n_cores * n_pixels / (n_pixels + _AS_DEAR_PX))


def _push_all(
    stream: StreamRecognizer,
    reader: VideoReader,
    frames: Iterable[Frame],
    keep_places: bool,
    progress: Progress | None,
) -> tuple[Findings, str]:
    found, note = Findings(), ""
    try:
        for frame in frames:
            found.extend(stream.push(frame), keep_places)
            if progress is not None:
                progress(frame.time_s, reader.info.duration_s)
    except VideoDecodeError as error:
        note = str(error)
    found.extend(stream.flush(), keep_places)
    return found, note


def _check_length(recognizer: Recognizer, stream: StreamRecognizer, path: Path, note: str) -> None:
    compares = recognizer.has_motion and len(recognizer.info.spec.offsets_s) > 1
    if stream.n_frames < (2 if compares else 1):
        raise EmptyVideoError(
            f"{path} has {stream.n_frames} readable frame(s), too few to recognise anything; "
            f"{note or 'give a longer video'}"
        )


def _find_sightings(
    recognizer: Recognizer, found: Findings, stream: StreamRecognizer, reader: VideoReader
) -> Sightings | None:
    if not found.seen:
        return None
    pose_s = windows.compute_step_times(stream.span_s, recognizer.pose_spec.rate_hz)
    return build_sightings(found.seen, pose_s, reader.info, reader.letterbox)


def _find_views(recognizer: Recognizer, found: Findings, reader: VideoReader) -> np.ndarray | None:
    spec = recognizer.info.spec
    if not found.corners or spec.zoom == 1:
        return None
    return build_views(found.corners, spec, reader.info, reader.letterbox)


def find_videos(sources: Iterable[Path]) -> tuple[list[Path], list[Reject]]:
    """Gives the videos that are named, and for each folder the files in it that may be videos.

    Args:
        sources: Files and folders; folders are searched to their depth.

    Returns:
        Paths in the order given, sorted within a folder, none twice, and a reject for each source
        that does not exist, may not be read, or is a folder without a video.
    """
    videos: dict[Path, Path] = {}
    rejects: list[Reject] = []
    for source in sources:
        if source.is_dir():
            n_rejects = len(rejects)
            found = list(iter_files(source, rejects))
            if not found and len(rejects) == n_rejects:
                rejects.append(Reject("", source, f"the folder {source} holds no video"))
        elif source.exists():
            found = [source]
        else:
            error = VideoNotFoundError(f"There is no video {source}; check the name and the folder")
            rejects.append(Reject("", source, str(error)))
            continue
        for path in found:
            videos.setdefault(path.resolve(), path)
    return list(videos.values()), rejects
