"""`har` over a whole recording: what `har predict` does, but for its start and its files.

python benchmarks/peers_parts/own.py BUNDLE VIDEO THREADS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from har.config import PredictConfig
from har.inference.detector import GRAPH
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from peers_parts.clips import tell


def main() -> None:
    """Measure and print a line of JSON."""
    bundle, video, n_threads = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    recognizer = Recognizer(bundle, n_threads=1)
    config = PredictConfig(jobs=n_threads)
    began_s, processor_s = time.perf_counter(), time.process_time()
    result = recognize_video(recognizer, video, config=config)
    figures = {
        "video_s": result.duration_s,
        "wall_s": time.perf_counter() - began_s,
        "processor_s": time.process_time() - processor_s,
    }
    graphs = list(bundle.glob("*.onnx"))
    if recognizer.info.pose is not None:
        graphs.append(GRAPH)
    tell(figures, sum(path.stat().st_size for path in graphs))


if __name__ == "__main__":
    main()
