"""What the pose stream costs: its CNN, everything after it, and a whole recording."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from har.config import PredictConfig
from har.dataset.store import Store
from har.inference.cache import KeypointCache
from har.inference.detector import PoseDetector
from har.inference.model import Recognizer
from har.inference.steps import score_steps
from har.inference.streams import iter_people
from har.inference.video import recognize_video
from har.pose.features import compute_window
from har.pose.tracking import track_people
from har.video.file.reader import open_video
from pose_parts.bench import UT, Bench
from pose_parts.intervals import Figure


def measure_speed(
    bench: Bench, n_frames: int = 100, video_s: float = 60.0, n_repeats: int = 3
) -> Figure:
    """Measure on frames and on a long video of UT-Interaction; of repeats the fastest counts."""
    recognizer, store = bench.load_recognizer(), bench.load_store(UT)
    video = make_long_video(store, bench.out / "work" / "speed" / "long.mkv", video_s)
    images = _take_images(recognizer, video, n_frames)
    load_before = os.getloadavg()[0]
    return {
        "pose_network": [_time_detector(images, n_threads) for n_threads in (1, 2)],
        "after_it_ms_a_step": _time_steps(recognizer, store, n_repeats),
        "recording": _time_recording(recognizer, video, n_repeats),
        "picture_size": list(recognizer.info.pictures.size),
        "processors": os.cpu_count(),
        "load_before": round(load_before, 2),
    }


def _take_images(recognizer: Recognizer, video: Path, n: int) -> list[np.ndarray]:
    """Return frames of all of a video as the bundle looks at them."""
    wanted = recognizer.info.pictures
    with open_video(video, wanted.size, wanted.color, wanted.max_rate_hz) as reader:
        every = [frame.image for frame in reader]
    return [every[row] for row in np.linspace(0, len(every) - 1, n).round().astype(int)]


def _time_detector(images: list[np.ndarray], n_threads: int) -> Figure:
    detector = PoseDetector(n_threads)
    detector.detect(images[0])
    spent_ms = [_time_s(lambda image=image: detector.detect(image)) * 1e3 for image in images]
    low, middle, high = np.quantile(spent_ms, (0.1, 0.5, 0.9))
    return {
        "threads": n_threads,
        "frames": len(images),
        "ms_a_frame": float(middle),
        "ms_10th": float(low),
        "ms_90th": float(high),
    }


def _time_steps(recognizer: Recognizer, store: Store, n_repeats: int) -> Figure:
    """Return milliseconds a time step of tracks alone, with features, and of all, head included."""
    rate_hz, n_steps = recognizer.pose.spec.rate_hz, recognizer.pose.spec.n_steps
    found = KeypointCache(store, rate_hz).load([clip.clip_id for clip in store.clips[::6]])
    hop = PredictConfig().hop(n_steps)
    n_all = sum(len(detections.scores) for detections in found)

    def follow() -> None:
        for detections in found:
            points = track_people(detections, rate_hz).points
            for start in range(0, max(len(points) - n_steps, 0) + 1, hop):
                compute_window(points[start : start + n_steps], rate_hz)

    ways: dict[str, Callable[[], object]] = {
        "tracks": lambda: [track_people(detections, rate_hz) for detections in found],
        "tracks_and_features": follow,
        "tracks_features_head": lambda: [
            score_steps(recognizer.pose, iter_people(detections)) for detections in found
        ],
    }
    return {
        name: min(_time_s(way) for _ in range(n_repeats)) * 1e3 / n_all
        for name, way in ways.items()
    }


def _time_recording(recognizer: Recognizer, video: Path, n_repeats: int) -> Figure:
    wanted = recognizer.info.pictures

    def decode() -> None:
        with open_video(video, wanted.size, wanted.color, wanted.max_rate_hz) as reader:
            for _ in reader:
                pass

    decode_s = min(_time_s(decode) for _ in range(n_repeats))
    results = [recognize_video(recognizer, video) for _ in range(n_repeats)]
    wall_s, length_s = min(result.wall_s for result in results), results[0].duration_s
    return {
        "streams": recognizer.info.stream_names,
        "video_s": length_s,
        "video_size": [results[0].info.height, results[0].info.width],
        "times_real_time": length_s / wall_s,
        "decoding_times_real_time": length_s / decode_s,
        "wall_s": wall_s,
        "decoding_s": decode_s,
        "ratio_to_decoding": wall_s / decode_s,
    }


def make_long_video(store: Store, path: Path, length_s: float) -> Path:
    """Write the longest clip again and again, without coding it anew."""
    clip = max(store.clips, key=lambda clip: clip.duration_s)
    n_times = int(np.ceil(length_s / clip.duration_s))
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = path.with_suffix(".ffconcat")
    lines = "\n".join([f"file '{clip.path.resolve()}'"] * n_times)
    parts.write_text(f"ffconcat version 1.0\n{lines}\n", encoding="utf-8")
    read = ["ffmpeg", "-v", "error", "-y", "-fflags", "+genpts", "-f", "concat", "-safe", "0"]
    subprocess.run(
        [*read, "-nostdin", "-i", str(parts), "-an", "-c:v", "copy", str(path)], check=True
    )
    return path


def _time_s(run: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    run()
    return time.perf_counter() - began_s
