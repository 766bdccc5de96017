"""Clips of a video at a peer's own rate and size, decoded once, one after the other.

Needs NumPy and PyAV alone, for it runs in the peers' environment too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Taking(NamedTuple):
    """What one clip of a method is.

    Attributes:
        n_frames: Of a clip.
        every_s: From one of its frames to the next; 0 for each frame that the video has.
        size: Of a picture's sides, in pixels.
    """

    n_frames: int
    every_s: float
    size: int


def iter_clips(video: Path, taking: Taking, n_threads: int) -> Iterator[tuple[np.ndarray, float]]:
    """Yield (T, H, W, 3) uint8 RGB clips without overlap, and the second at which each ends.

    Pictures that no clip takes are decoded and not converted. What is left at the end is no clip.
    """
    import av

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", n_threads
        frame_s = 1 / float(stream.average_rate)
        images: list[np.ndarray] = []
        n_taken = 0
        for frame in container.decode(stream):
            if frame.time + frame_s / 2 < n_taken * taking.every_s:
                continue
            n_taken += 1
            shape = {"width": taking.size, "height": taking.size, "format": "rgb24"}
            images.append(frame.to_ndarray(**shape, interpolation="BILINEAR"))
            if len(images) == taking.n_frames:
                yield np.stack(images), frame.time + (taking.every_s or frame_s)
                images = []


def measure(
    video: Path,
    taking: Taking,
    n_threads: int,
    most_s: float,
    classify: Callable[[np.ndarray], object],
) -> dict[str, float]:
    """Classify clips from a video's start until some time has passed; return figures.

    Args:
        video: A file.
        taking: What a clip is.
        n_threads: Of decoding.
        most_s: No clip begins later.
        classify: Takes (T, H, W, 3) uint8; it has run once before the clock starts.
    """
    for images, _ in iter_clips(video, taking, n_threads):
        classify(images)
        break
    began_s, processor_s = time.perf_counter(), time.process_time()
    video_s = network_s = 0.0
    n_clips = 0
    for images, until_s in iter_clips(video, taking, n_threads):
        before_s = time.perf_counter()
        classify(images)
        network_s += time.perf_counter() - before_s
        video_s, n_clips = until_s, n_clips + 1
        if time.perf_counter() - began_s >= most_s:
            break
    return {
        "video_s": video_s,
        "wall_s": time.perf_counter() - began_s,
        "processor_s": time.process_time() - processor_s,
        "network_s": network_s,
        "clips": n_clips,
    }


def tell(figures: dict[str, float], weights_bytes: float) -> None:
    """Print figures as the one line that `benchmarks/peers.py` reads."""
    print(json.dumps({**figures, "weights_mb": weights_bytes / 1e6}))
