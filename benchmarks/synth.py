"""How many synthetic clips a second: prints one line of JSON.

python benchmarks/synth.py [--clips 48] [--jobs 2] [--variety 1.0]
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

from common_parts.show import build_parser
from har.config import SynthConfig
from har.synthetic.clips import write_clips


def main() -> None:
    """Make clips in a temporary folder and print the rate."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--variety", type=float, default=1.0)
    options = parser.parse_args()
    n_scenes = max(1, options.clips // 6)
    config = SynthConfig(n_clips=options.clips, n_scenes=n_scenes, variety=options.variety)
    with tempfile.TemporaryDirectory() as folder:
        start_s = time.perf_counter()
        write_clips(Path(folder), config, jobs=options.jobs)
        wall_s = time.perf_counter() - start_s
        n_bytes = sum(path.stat().st_size for path in Path(folder).rglob("*.mp4"))
    result = {
        "clips_per_s": round(options.clips / wall_s, 2),
        "wall_s": round(wall_s, 2),
        "n_clips": options.clips,
        "clip_s": config.clip_s,
        "size": config.size,
        "variety": options.variety,
        "jobs": options.jobs,
        "kb_per_clip": round(n_bytes / options.clips / 1024, 1),
        "load_before": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
