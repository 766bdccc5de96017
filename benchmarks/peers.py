"""How fast other ways to recognize actions are on the same recording, beside `har`.

    python benchmarks/peers.py [CLIPS] [--minutes 5] [--threads 2] [--python PYTHON] [--only NAMES]

A recording of 640x360 at 25 frames a second is made of CLIPS as by `benchmarks/speed.py` (also
`--still 2`). Each way works through it from its start, for `--seconds` or to its end, in a process
of its own, decoding included and with the same threads; its start (imports, loading, a first clip)
does not count. All weights are random, which costs the same. Ways and their clips:

    har motion, har both   windows of 2 s, a new one every half second; every frame once
    VideoMAE-base, -small  16 frames of 224x224, every fourth: 2.56 s (transformers)
    R(2+1)D-18             16 frames of 112x112, 15 a second: 1.07 s (torchvision)
    X3D-XS                 4 frames of 160x160, every 0.4 s: 1.6 s (pytorchvideo)
    Keras CNN-RNN          20 frames of 224x224, one after the other: 0.8 s, InceptionV3 and GRUs
    notebook               har's own networks, all again for each window, a window every half second

Peers' clips follow each other without overlap, which is the least that a recording needs; the last
column is what they would do with a clip every half second, computed from the time of a clip.

The three libraries of PyTorch are in an environment of their own, which `--python` names, or which
is made (5.6 GB on x86-64, unless pip finds a build without CUDA). With `--work FOLDER` the
recording, the environment and each way's figures are kept there, and what is there is not done
again: so ways can be measured one at a time with `--only`. Linux only.
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

from common_parts.show import build_parser, show
from har.dataset.catalog import scan
from peers_parts.torch_peers import PEERS
from speed_parts.child import run_child
from speed_parts.film import Film, write_once, write_recording

_HERE = Path(__file__).parent
_OWN = {"har motion": "motion", "har both": "both"}
_KERAS, _NOTEBOOK = "Keras CNN-RNN", "notebook"
NAMES = (*_OWN, *PEERS, _KERAS, _NOTEBOOK)
_PACKAGES = ("torch", "torchvision", "transformers", "pytorchvideo", "av", "numpy")
_EVERY_S = 0.5
_N_WINDOWS = 60


def main() -> None:
    """Measure and print."""
    options = _parse()
    with tempfile.TemporaryDirectory() as folder:
        work = options.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        video = _write_video(work, options)
        rows = [_measure_once(name, work, video, options) for name in options.only]
    result = {"minutes": options.minutes, "threads": options.threads, "ways": rows}
    print(json.dumps(result, indent=1) if options.json else "\n".join(show(result)))


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("clips", type=Path, nargs="?", help="a folder or manifest of clips")
    parser.add_argument("--minutes", type=float, default=5.0, help="of the recording")
    parser.add_argument("--still", type=int, default=0, help="times its length after each clip")
    parser.add_argument("--seconds", type=float, default=60.0, help="the most that a way may take")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", type=Path, help="of an environment with the peers' packages")
    parser.add_argument("--only", type=_read_names, default=list(NAMES), help="NAME,NAME")
    parser.add_argument("--work", type=Path, help="keeps the recording and figures; goes on there")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _read_names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in NAMES:
            known = ", ".join(NAMES)
            raise argparse.ArgumentTypeError(f"expected some of {known}, received {name!r}")
    return names


def _write_video(work: Path, options: argparse.Namespace) -> Path:
    folder = work / f"still{options.still}"
    video = folder / f"{options.minutes:g}min.mp4"
    if not video.exists():
        folder.mkdir(exist_ok=True)
        clips = sorted({clip.path for clip in scan(options.clips).clips}) if options.clips else []
        once = write_once(folder, clips, Film(still_times=options.still))
        write_recording(once, options.minutes)
    return video


def _measure_once(
    name: str, work: Path, video: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Return the row of a way, from the folder if it is there."""
    file = video.with_suffix(f".{name.replace(' ', '_')}.{options.threads}.json")
    if not file.exists():
        found, peak_mib = _measure(name, work, video, options)
        file.write_text(json.dumps(_describe(name, found, peak_mib, options.threads)))
    return json.loads(file.read_text())


def _measure(
    name: str, work: Path, video: Path, options: argparse.Namespace
) -> tuple[dict[str, float], float]:
    """Return what a way's process printed, and its peak of memory in MiB."""
    parts, threads, most = _HERE / "peers_parts", str(options.threads), str(options.seconds)
    if name in _OWN:
        bundle = _make_bundle(work / _OWN[name], _OWN[name])
        words = [sys.executable, parts / "own.py", bundle, video, threads]
    elif name == _KERAS:
        words = [sys.executable, parts / "keras_example.py", name, video, threads, most]
    elif name == _NOTEBOOK:
        bundle = _make_bundle(work / "motion", "motion")
        script = _HERE / "speed_parts" / "notebook.py"
        words = [sys.executable, script, bundle, video, _N_WINDOWS]
    else:
        python = options.python or _make_environment(work / "environment")
        words = [python, parts / "torch_peers.py", name, video, threads, most]
    _use(options.threads)
    with tempfile.TemporaryFile() as file:
        spent = run_child([str(word) for word in words], said=file)
        file.seek(0)
        said = json.loads(file.read().splitlines()[-1])
    if name != _NOTEBOOK:
        return said, spent.peak_mib
    window_s, processor_s = said
    weights = sum(path.stat().st_size for path in bundle.glob("*.onnx")) / 1e6
    figures = {"video_s": _EVERY_S, "wall_s": window_s, "processor_s": processor_s}
    return {**figures, "weights_mb": weights}, spent.peak_mib


def _use(n_threads: int) -> None:
    """Let this process and what it starts use so many cores, and libraries as many threads."""
    path = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n_threads])
    os.environ.update(
        {
            **dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), str(n_threads)),
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(_HERE), *path])),
            "PYTHONWARNINGS": "ignore",
            "HF_HUB_OFFLINE": "1",
        }
    )


def _describe(
    name: str, found: dict[str, float], peak_mib: float, n_threads: int
) -> dict[str, Any]:
    row = {
        "way": name,
        "video_s_a_second": round(found["video_s"] / found["wall_s"], 2),
        "video_s_a_core_second": round(found["video_s"] / found["processor_s"], 2),
        "share_decoding": "",
        "peak_mib": round(peak_mib),
        "weights_mb": round(found["weights_mb"], 1),
        "measured_s": round(found["video_s"], 1),
        "every_half_second": "",
    }
    if "clips" in found:
        clip_s = found["network_s"] / found["clips"]
        decoding_s = (found["wall_s"] - found["network_s"]) / found["video_s"]
        row["share_decoding"] = round(1 - found["network_s"] / found["wall_s"], 3)
        row["every_half_second"] = round(1 / (decoding_s + clip_s / _EVERY_S), 2)
    return row


def _make_bundle(folder: Path, streams: str) -> Path:
    if not (folder / "bundle.json").exists():
        script = _HERE / "live_parts" / "untrained.py"
        words = [sys.executable, str(script), str(folder), streams]
        subprocess.run(words, check=True, capture_output=True)
    return folder


def _make_environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", *_PACKAGES], check=True)
    return python


if __name__ == "__main__":
    main()
