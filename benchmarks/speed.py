"""How fast `har predict` is on long recordings, and how much memory it takes.

    python benchmarks/speed.py [CLIPS] [--minutes 5,30,60] [--streams motion,both] [--still 2]

The recording is H.264 of 640x360 at 25 frames a second and 1 Mbit/s, or of another size (`--size
1080x1920`) and codec (`--codec hevc`), with as many bits for a pixel. It shows videos of the folder
or manifest CLIPS, one after the other, again and again; synthetic people where none is given. With
`--still 2` each is followed by twice its length without motion, so that a third of the recording
moves. The bundles have learnt nothing, which costs the same. Measured, each in a process of its
own:

1. `har predict`, all it does from its start to the last file, against `ffmpeg -f null` on the same
   file with the same cores, in times real time, and its peak of memory, for each length.
2. The notebook's way, the whole CNN and LSTM again for every window by Keras `predict`, against
   `har` with a window as often: every half second, and at every time step. It is measured on some
   windows and taken times their number in the recording.

Of repeats the fastest counts. The ratio of processor seconds says the same as the ratio of times
when other work runs on the machine. Prints the tables of docs/benchmarks.md, or JSON. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from common_parts.show import build_parser
from har.bundle import load_info
from har.config import PredictConfig
from har.dataset.catalog import scan
from har.sampling.times import compute_window_starts
from speed_parts.child import Spent, run_child
from speed_parts.film import Film, write_once, write_recording

_PARTS = Path(__file__).parent
_UNTRAINED = _PARTS / "live_parts" / "untrained.py"
_NOTEBOOK = _PARTS / "speed_parts" / "notebook.py"
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "PYTHONWARNINGS": "ignore"}
_AS_OFTEN = """
import sys
from pathlib import Path
from har.config import PredictConfig
from har.inference.video import recognize_video
from har.inference.model import Recognizer
config = PredictConfig(n_overlap=int(sys.argv[3]))
recognize_video(Recognizer(Path(sys.argv[1]), n_threads=1), Path(sys.argv[2]), config=config)
"""

MAX_RATIO, MIN_SPEED = {True: 2.0, False: 1.5}, {True: 8.0, False: 15.0}
"""Of motion in FFmpeg's wall time, of both streams in real time: where all of it moves, or less."""
MAX_MIB, MIN_FASTER = 700.0, 20.0


def main() -> None:
    """Measure and print."""
    options = _parse()
    os.environ.update(_QUIET)
    if options.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        clips = sorted({clip.path for clip in scan(options.clips).clips}) if options.clips else []
        film = Film(options.size, options.codec, options.still)
        films = (options.films or work) / film.name
        films.mkdir(parents=True, exist_ok=True)
        once = write_once(films, clips, film)
        recordings = {minutes: write_recording(once, minutes) for minutes in options.minutes}
        bundles = {streams: _make_bundle(work / streams, streams) for streams in options.streams}
        result = {
            "still": options.still,
            "cores": len(os.sched_getaffinity(0)),
            "load_before": round(os.getloadavg()[0], 2),
            "recordings": [
                _measure(bundle, streams, path, minutes, options.repeats)
                for streams, bundle in bundles.items()
                for minutes, path in recordings.items()
            ],
            "notebook": _measure_notebook(bundles, recordings, options.windows),
        }
    print(json.dumps(result, indent=1) if options.json else _format(result))


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("clips", type=Path, nargs="?", help="a folder or manifest of clips")
    parser.add_argument("--minutes", type=_read_numbers, default=[5.0, 30.0, 60.0])
    parser.add_argument("--streams", type=lambda text: text.split(","), default=["motion", "both"])
    parser.add_argument("--windows", type=int, default=60, help="of the notebook's way; 0: none")
    parser.add_argument("--size", type=_read_size, default=(360, 640), help="HEIGHTxWIDTH")
    parser.add_argument("--codec", choices=["h264", "hevc"], default="h264")
    parser.add_argument("--still", type=int, default=0, help="times its length after each clip")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--films", type=Path, help="recordings are made there once, and stay")
    parser.add_argument("--cores", type=int, default=0, help="that may be used; 0 means all")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _read_numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _read_size(text: str) -> tuple[int, int]:
    height, width = text.split("x")
    return int(height), int(width)


def _make_bundle(folder: Path, streams: str) -> Path:
    subprocess.run(
        [sys.executable, str(_UNTRAINED), str(folder), streams], check=True, capture_output=True
    )
    return folder


def _measure(
    bundle: Path, streams: str, video: Path, minutes: float, n_repeats: int
) -> dict[str, Any]:
    ffmpeg = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(video), "-an", "-f", "null", "-"]
    decoding = run_child(ffmpeg, max(n_repeats, 3))
    out = ["--out", str(bundle / "out"), "--again"]
    predict = [sys.executable, "-m", "har", "predict", str(video), "--bundle", str(bundle), *out]
    spent = run_child(predict, n_repeats)
    return {
        "streams": streams,
        "minutes": minutes,
        "times_real_time": round(60 * minutes / spent.wall_s, 1),
        "ratio_to_ffmpeg": round(spent.wall_s / decoding.wall_s, 2),
        "processor_ratio": round(spent.processor_s / decoding.processor_s, 2),
        "peak_mib": round(spent.peak_mib),
        "predict": _round(spent),
        "ffmpeg": _round(decoding),
        "ffmpeg_times_real_time": round(60 * minutes / decoding.wall_s, 1),
    }


def _measure_notebook(
    bundles: dict[str, Path], recordings: dict[float, Path], n_windows: int
) -> list[dict[str, Any]]:
    """Compare both ways where windows come each half second, and where they come at each step."""
    if not n_windows or "motion" not in bundles:
        return []
    bundle, minutes = bundles["motion"], min(recordings)
    video, spec = recordings[minutes], load_info(bundle).require_motion().spec
    command = [sys.executable, str(_NOTEBOOK), str(bundle), str(video), str(n_windows)]
    said = subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1]
    window_s, window_processor_s = json.loads(said)
    found = []
    for n_overlap in (PredictConfig().n_overlap, spec.n_steps):
        hop = PredictConfig(n_overlap).hop(spec.n_steps)
        n_total = int(60 * minutes * spec.rate_hz)
        n_all = len(compute_window_starts(n_total, spec.n_steps, hop))
        words = [sys.executable, "-c", _AS_OFTEN, str(bundle), str(video), str(n_overlap)]
        har = run_child(words)
        found.append(
            {
                "minutes": minutes,
                "window_every_s": hop / spec.rate_hz,
                "har_s": round(har.wall_s, 1),
                "notebook_s": round(window_s * n_all, 1),
                "notebook_ms_a_window": round(1000 * window_s),
                "times_faster": round(window_s * n_all / har.wall_s, 1),
                "processor_ratio": round(window_processor_s * n_all / har.processor_s, 1),
            }
        )
    return found


def _round(spent: Spent) -> dict[str, float]:
    return {name: round(value, 2) for name, value in spent._asdict().items()}


def _format(result: dict[str, Any]) -> str:
    lines = [
        "| streams | minutes | times real time | wall time, in FFmpeg's | processor time, in "
        "FFmpeg's | peak memory |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for item in result["recordings"]:
        is_motion = item["streams"] == "motion"
        all_moves = result["still"] == 0
        fast = "" if is_motion else _mark(item["times_real_time"] >= MIN_SPEED[all_moves])
        near = _mark(item["ratio_to_ffmpeg"] <= MAX_RATIO[all_moves]) if is_motion else ""
        small = _mark(item["peak_mib"] <= MAX_MIB)
        lines.append(
            f"| {item['streams']} | {item['minutes']:g} | {item['times_real_time']}{fast} | "
            f"{item['ratio_to_ffmpeg']}{near} | {item['processor_ratio']} | "
            f"{item['peak_mib']} MiB{small} |"
        )
    if result["notebook"]:
        lines += ["", "| a window every | `har` | notebook's way | times faster | processor time |"]
        lines.append("| --- | --- | --- | --- | --- |")
    for item in result["notebook"]:
        lines.append(
            f"| {item['window_every_s']} s | {item['har_s']} s | {item['notebook_s']} s | "
            f"{item['times_faster']}{_mark(item['times_faster'] >= MIN_FASTER)} | "
            f"{item['processor_ratio']} |"
        )
    speeds = np.median([item["ffmpeg_times_real_time"] for item in result["recordings"]])
    lines += ["", f"{result['cores']} cores, load before {result['load_before']}; FFmpeg alone: "]
    lines[-1] += f"{speeds:.0f} times real time. (!) marks what misses what is asked for."
    return "\n".join(lines)


def _mark(is_met: bool) -> str:
    return "" if is_met else " (!)"


if __name__ == "__main__":
    main()
