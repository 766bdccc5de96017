"""Recognises video files: one from its first frame to its last, or many, one after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from har import windows
from har.config import DecodeConfig, PredictConfig
from har.dataset.catalog import Reject, iter_files
from har.errors import EmptyVideoError, VideoDecodeError, VideoError, VideoNotFoundError
from har.events.decode import decode_events
from har.inference.pooling import compute_step_logits
from har.inference.stream import StreamRecognizer, WindowLogits
from har.runtime.recognizer import Recognizer
from har.types import Event, Scores, VideoInfo
from har.video.reader import VideoReader, open_video

Progress = Callable[[float, float | None], None]
"""Called with the seconds of video done and, where the container says so, the seconds in all."""


@dataclass(frozen=True)
class VideoResult:
    """What was found in one video.

    Attributes:
        info: What the container says.
        duration_s: Length of what was looked at.
        label: The most probable one for the video as a whole.
        probs: Probability of every label for the video as a whole, in the model's order.
        events: By onset.
        scores: Of every time step.
        n_windows: Windows that the temporal head looked at.
        wall_s: Seconds that it took.
        note: What the user should know, such as where the file is damaged; empty if nothing.
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

    def to_json(self) -> dict[str, Any]:
        """Gives the plain values that `har predict --json` prints, without the scores."""
        fps = self.info.fps
        values: dict[str, Any] = {
            "video": str(self.info.path),
            "duration_s": round(self.duration_s, 3),
            "fps": None if fps is None else round(fps, 3),
            "label": self.label,
            "probs": {label: round(prob, 4) for label, prob in self.probs.items()},
            "events": [
                {
                    "label": event.label,
                    "onset_s": round(event.onset_s, 3),
                    "offset_s": round(event.offset_s, 3),
                    "score": round(event.score, 4),
                }
                for event in self.events
            ],
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
) -> VideoResult:
    """Looks at all of a video, decoding it once, with memory that does not grow with its frames.

    The frames' times, not their number, say where the time steps are, so any frame rate will do,
    also a changing one. Of a damaged video the readable part is recognised and a note says so.

    Args:
        recognizer: The loaded bundle; it says all about size, colour and sampling.
        path: A file of any format that FFmpeg reads.
        config: How windows overlap and steps are batched; the defaults when None.
        decode: How scores become events; the bundle's own when None.
        progress: Called after every frame that is looked at.

    Raises:
        VideoError: The file cannot be opened, or has too few frames to compare.
        ConfigError: The background label is none of the bundle's.
        BundleMismatchError: The bundle's graphs do not take what its contract says.
    """
    started_s = time.perf_counter()
    config = config or PredictConfig()
    spec = recognizer.info.spec
    stream = StreamRecognizer(recognizer, config.hop(spec.n_steps), config.batch_steps)
    with open_video(path, spec.size, spec.color, spec.max_rate_hz) as reader:
        found, note = _push_all(stream, reader, progress)
        info = reader.info
    if stream.n_frames < min(2, len(spec.offsets_s)):
        raise EmptyVideoError(
            f"{path} has {stream.n_frames} readable frame(s), too few to recognise anything; "
            f"{note or 'give a longer video'}"
        )
    clip_probs, scores = _pool(recognizer, found, stream.span_s)
    labels = recognizer.info.labels
    return VideoResult(
        info=info,
        duration_s=stream.span_s,
        label=labels[int(clip_probs.argmax())],
        probs=dict(zip(labels, clip_probs.tolist(), strict=True)),
        events=decode_events(scores, decode or recognizer.info.decode),
        scores=scores,
        n_windows=len(found),
        wall_s=time.perf_counter() - started_s,
        note=note,
    )


def _push_all(
    stream: StreamRecognizer, reader: VideoReader, progress: Progress | None
) -> tuple[list[WindowLogits], str]:
    found: list[WindowLogits] = []
    note = ""
    try:
        for frame in reader:
            found += stream.push(frame)
            if progress is not None:
                progress(frame.time_s, reader.info.duration_s)
    except VideoDecodeError as error:
        note = str(error)
    return found + stream.flush(), note


def _pool(
    recognizer: Recognizer, found: list[WindowLogits], span_s: float
) -> tuple[np.ndarray, Scores]:
    """Gives the (K,) probabilities of the whole video and the scores of its steps."""
    spec = recognizer.info.spec
    logits = np.stack([window.logits for window in found])
    starts = np.array([window.start for window in found])
    n_steps = logits.shape[1]
    times_s = windows.compute_step_times(span_s, spec.rate_hz)
    step_logits = compute_step_logits(logits.mean(axis=1), starts, n_steps, len(times_s))
    scores = Scores(
        labels=recognizer.info.labels,
        times_s=times_s,
        values=recognizer.compute_probs(step_logits),
        step_s=min(1 / spec.rate_hz, 2 * float(times_s[0])),
    )
    clip_logits = windows.compute_clip_logits(logits, np.full(len(logits), n_steps))
    return recognizer.compute_probs(clip_logits), scores


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


def iter_results(
    recognizer: Recognizer,
    paths: Iterable[Path],
    *,
    config: PredictConfig | None = None,
    decode: DecodeConfig | None = None,
    progress: Progress | None = None,
) -> Iterator[VideoResult | Reject]:
    """Recognises videos one after another; one that cannot be read never stops the rest.

    Arguments are those of `recognise_video`.

    Yields:
        For each path its result, or a reject with the reason.

    Raises:
        ConfigError: The background label is none of the bundle's.
        BundleMismatchError: The bundle's graphs do not take what its contract says.
    """
    for path in paths:
        try:
            yield recognise_video(recognizer, path, config=config, decode=decode, progress=progress)
        except VideoError as error:
            yield Reject("", path, str(error))
