"""Measures what makes a picture of a decoded frame: OpenCV against PyAV's scaler and NumPy.

    python benchmarks/pictures.py [--frames 60]

A frame of 640x360, 1280x720, 1920x1080 and 3840x2160 (yuv420p, noise) becomes the gray and the
color picture of 192x320 that recognition takes: as `har` makes it, by PyAV's scaler with the flags
AREA, BILINEAR and FAST_BILINEAR, and, gray, by means in NumPy. Then what compares pictures: the
motion of a step over squares of 8x8 pixels, by OpenCV as `har` does it and in NumPy. Milliseconds,
the median, one thread; ways take turns. Prints a table, or JSON.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation

from common_parts.show import build_parser
from har.sampling.stillness import CELL_PX, average_cells
from har.types import Color
from har.video.file.picture import PictureMaker
from har.video.geometry import Orientation

SIZE = (192, 320)
SOURCES = ((360, 640), (720, 1280), (1080, 1920), (2160, 3840))
Ways = dict[str, Callable[[], Any]]


def main() -> None:
    """Measure and print."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("--frames", type=int, default=60, help="turns of each way")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found = {
        "pictures": [
            {"source": f"{width}x{height}", "color": color, "ms": _measure(ways, options.frames)}
            for height, width in SOURCES
            for color, ways in _iter_ways(_make_frame(height, width))
        ],
        "motion of a step": _measure(_build_motion_ways(), options.frames),
    }
    print(json.dumps(found, indent=1) if options.json else _format(found))


def _make_frame(height: int, width: int) -> av.VideoFrame:
    rng = np.random.default_rng(0)
    planes = rng.integers(16, 235, (height * 3 // 2, width), dtype=np.uint8)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _iter_ways(frame: av.VideoFrame) -> Iterator[tuple[str, Ways]]:
    colors: tuple[tuple[Color, str], ...] = (("gray", "gray"), ("rgb", "rgb24"))
    for color, name in colors:
        maker = PictureMaker(SIZE, color, Orientation(), 1.0)
        ways: Ways = {"har (OpenCV)": lambda maker=maker: maker.make_picture(frame)}
        for how in (Interpolation.AREA, Interpolation.BILINEAR, Interpolation.FAST_BILINEAR):
            ways[f"PyAV {how.name}"] = lambda how=how, name=name: _scale(frame, name, how)
        if color == "gray":
            ways["NumPy"] = lambda: _average(frame)
        yield color, ways


def _scale(frame: av.VideoFrame, name: str, how: Interpolation) -> np.ndarray:
    return frame.reformat(320, 180, format=name, interpolation=how).to_ndarray()


def _average(frame: av.VideoFrame) -> np.ndarray:
    """Return means of squares of whole pixels: what is nearest to the picture's size."""
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    times = plane.width // 320
    cut = rows[: 180 * times, : 320 * times]
    sums = cut.reshape(180, times, 320, times).sum(axis=(1, 3), dtype=np.uint32)
    return (sums // times**2).astype(np.uint8)


def _build_motion_ways() -> Ways:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (4, *SIZE), dtype=np.uint8)
    pairs = ((0, 1), (0, 2), (3, 2))

    def by_opencv() -> np.ndarray:
        total = np.zeros(SIZE, np.float32)
        for a, b in pairs:
            cv2.accumulate(cv2.absdiff(frames[a], frames[b]), total)
        return average_cells(total)

    def by_numpy() -> np.ndarray:
        wide = frames.astype(np.int16)
        total = sum(np.abs(wide[a] - wide[b]) for a, b in pairs)
        height, width = SIZE[0] // CELL_PX, SIZE[1] // CELL_PX
        return np.asarray(total).reshape(height, CELL_PX, width, CELL_PX).mean(axis=(1, 3))

    return {"har (OpenCV)": by_opencv, "NumPy": by_numpy}


def _measure(ways: Ways, n_turns: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(n_turns):
        for name, make in ways.items():
            begun_s = time.perf_counter()
            make()
            times[name].append(time.perf_counter() - begun_s)
    return {name: round(1000 * statistics.median(of), 3) for name, of in times.items()}


def _format(found: dict[str, Any]) -> str:
    names = ["har (OpenCV)", "PyAV AREA", "PyAV BILINEAR", "PyAV FAST_BILINEAR", "NumPy"]
    lines = ["| ms a picture | " + " | ".join(names) + " |", "| --- " * (len(names) + 1) + "|"]
    rows = [(f"{row['source']}, {row['color']}", row["ms"]) for row in found["pictures"]]
    for title, times in [*rows, ("motion of a step", found["motion of a step"])]:
        cells = [f"{times[name]:.3f}" if name in times else "" for name in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
