"""The notebook's way: for every window the whole CNN and LSTM again, by Keras `predict`.

python benchmarks/speed_parts/notebook.py BUNDLE VIDEO N_WINDOWS

Prints the seconds that a window takes by the clock and of all processors, each the best of three
parts of the windows. Frames are decoded once and kept, which the notebook does too; the time for it
does not count.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np

from har.network.saving import load_models
from har.sampling.times import (
    compute_span_s,
    compute_stack_indices,
    compute_step_times,
    gather_stacks,
)
from har.video.file.reader import open_video

_PARTS = 3


def main() -> None:
    """Measure and print two numbers as JSON."""
    bundle, video, n_windows = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    info, cnn, head = load_models(bundle)
    spec = info.require_motion().spec
    length_s = spec.window_s + (n_windows + 2) / spec.rate_hz + 1.0
    with open_video(video, spec.size, spec.color, spec.max_rate_hz) as reader:
        frames = list(islice(reader, int(length_s * spec.max_rate_hz)))
    times_s = np.array([frame.time_s for frame in frames])
    steps_s = compute_step_times(compute_span_s(times_s), spec.rate_hz)
    indices = compute_stack_indices(times_s, steps_s, spec.offsets_s)
    images = np.stack([frame.image for frame in frames])

    def predict(start: int) -> None:
        stacks = gather_stacks(images, indices[start : start + spec.n_steps])
        features = cnn.predict(stacks, verbose=0)
        head.predict(features[None], verbose=0)

    predict(0)
    parts = np.array_split(np.arange(n_windows), _PARTS)
    spent_s = []
    for part in parts:
        wall_s, processor_s = time.perf_counter(), time.process_time()
        for start in part:
            predict(int(start))
        wall_s, processor_s = time.perf_counter() - wall_s, time.process_time() - processor_s
        spent_s.append((wall_s / len(part), processor_s / len(part)))
    print(json.dumps([min(column) for column in zip(*spent_s, strict=True)]))


if __name__ == "__main__":
    main()
