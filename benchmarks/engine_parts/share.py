"""What the recognizer adds to its networks: sampling, windows, tracks, heads."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from har.bundle import CNN_GRAPH_FILE
from har.inference.detector import PoseDetector
from har.inference.engines import Graph
from har.inference.model import Recognizer
from har.inference.steps import StreamRecognizer, build_networks
from har.inference.streams import Stream
from har.types import Frame

_FPS = 25.0


def measure_share(bundle: Path, seconds: float, n_rounds: int) -> dict[str, Any]:
    """Compare all that recognition does after decoding with its bare networks, on one thread.

    Both see the same pictures, which are decoded before, and take turns; of each the fastest round
    counts. The bare networks are the frame CNN's graph and, where the bundle looks at people, the
    pose network, one picture after the other, as in the recognizer.
    """
    recognizer = Recognizer(bundle, n_threads=1)
    frames = _draw_frames(recognizer.info.pictures.size, seconds)
    images = {stream.name: _sample(stream, frames) for stream in recognizer.streams}
    cnn = Graph(bundle / CNN_GRAPH_FILE, 1) if recognizer.motion else None
    detector = PoseDetector(n_threads=1)
    whole_s, bare_s = float("inf"), float("inf")
    for _ in range(n_rounds):
        start_s = time.perf_counter()
        _recognize(recognizer, frames)
        middle_s = time.perf_counter()
        for image in images.get("motion", ()):
            cnn.run(image[None])
        for image in images.get("pose", ()):
            detector.detect(image)
        whole_s = min(whole_s, middle_s - start_s)
        bare_s = min(bare_s, time.perf_counter() - middle_s)
    n_steps = max(map(len, images.values()))
    return {
        "streams": recognizer.info.stream_names,
        "sampled_frames": n_steps,
        "recognizer_ms": round(1e3 * whole_s / n_steps, 2),
        "networks_ms": round(1e3 * bare_s / n_steps, 2),
        "ratio": round(whole_s / bare_s, 3),
    }


def _recognize(recognizer: Recognizer, frames: list[Frame]) -> None:
    stream = StreamRecognizer(recognizer, networks=build_networks(recognizer))
    for frame in frames:
        stream.push(frame)
    stream.flush()


def _sample(stream: Stream, frames: list[Frame]) -> list[np.ndarray]:
    sampler = stream.build_sampler()
    found = [stack for frame in frames for stack in sampler.push(frame)]
    return [stream.get_image(stack) for stack in [*found, *sampler.flush()]]


def _draw_frames(size: tuple[int, int], seconds: float) -> list[Frame]:
    """Return gray pictures of noise that moves, so that no step is like the one before."""
    noise = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    return [
        Frame(index, index / _FPS, np.roll(noise, 3 * index, axis=1))
        for index in range(round(seconds * _FPS))
    ]
