"""Measures `har prepare` against FFmpeg alone, and its memory.

    python benchmarks/prepare.py MANIFEST_OR_FOLDER [--jobs 2]

FFmpeg decodes the same files to nothing, with as many cores, in three ways: one file after the
other with its own threads; several files at once with one thread each; the same with the files
joined, so that it starts only once a core. The ratio is against the fastest of them. The time of
`har prepare` is of all it does, from imports to the report. Memory is the highest sum of resident
sizes of the process and its children; it is measured with half of the clips and with all of them.
The ratio of processor seconds tells the same when other work runs on the machine. Linux only.
Prints JSON.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from common_parts.show import build_parser
from har.dataset.catalog import scan

_SAMPLE_S = 0.05
_TO_NOTHING = ("-fps_mode", "passthrough", "-an", "-f", "null", "-")
_PREPARE = """
if __name__ == "__main__":
    import sys
    from pathlib import Path
    from har.config import PrepareConfig
    from har.dataset.prepare import prepare
    config = PrepareConfig(jobs=int(sys.argv[3]))
    summary = prepare(Path(sys.argv[1]), Path(sys.argv[2]), config)
    print(sum(clip.n_frames for clip in summary.store.clips))
"""


def main() -> None:
    """Measure and print."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("source", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    videos = sorted({clip.path.resolve() for clip in scan(options.source).clips})
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        ffmpeg = {
            "one_after_the_other": _time_ffmpeg(videos, 1, 0),
            "at_once": _time_ffmpeg(videos, options.jobs, 1),
            "joined": _time_ffmpeg(_join(videos, options.jobs, work), options.jobs, 1),
        }
        half = _write_half(options.source, work)
        _, _, half_mib = _time_prepare(half, work / "half", options.jobs)
        spent, n_frames, all_mib = _time_prepare(options.source, work / "all", options.jobs)
    best = _Spent(*(min(way[i] for way in ffmpeg.values()) for i in range(2)))
    result = {
        "n_videos": len(videos),
        "n_frames": n_frames,
        "jobs": options.jobs,
        "prepare_frames_per_s": round(n_frames / spent.wall_s, 1),
        "ffmpeg_frames_per_s": {k: round(n_frames / way.wall_s, 1) for k, way in ffmpeg.items()},
        "ratio": round(best.wall_s / spent.wall_s, 3),
        "processor_s": {
            "prepare": round(spent.processor_s, 1),
            **{k: round(way.processor_s, 1) for k, way in ffmpeg.items()},
        },
        "processor_ratio": round(best.processor_s / spent.processor_s, 3),
        "peak_mib": {"half": round(half_mib), "all": round(all_mib)},
    }
    print(json.dumps(result, indent=1))


class _Spent(NamedTuple):
    """What a run took: seconds by the clock, and of all processors."""

    wall_s: float
    processor_s: float


@contextmanager
def _measure() -> Iterator[list[_Spent]]:
    """Return a list that holds, after the block, what the block's child processes took."""
    spent: list[_Spent] = []
    start_s, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    yield spent
    wall_s, after = time.perf_counter() - start_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    spent.append(_Spent(wall_s, busy_s))


def _time_ffmpeg(inputs: list[Path], n_processes: int, n_threads: int) -> _Spent:
    def decode(path: Path) -> None:
        threads = ["-threads", str(n_threads)] if n_threads else []
        joined = ["-f", "concat", "-safe", "0"] if path.suffix == ".ffconcat" else []
        command = ["ffmpeg", "-v", "error", "-nostdin", *threads, *joined, "-i", str(path)]
        subprocess.run([*command, *_TO_NOTHING], check=True, stderr=subprocess.DEVNULL)

    with _measure() as spent, ThreadPoolExecutor(n_processes) as pool:
        list(pool.map(decode, inputs))
    return spent[0]


def _join(videos: list[Path], n_parts: int, work: Path) -> list[Path]:
    """Write a list of files for each part, of about the same size in all."""
    by_size = sorted(videos, key=lambda path: -path.stat().st_size)
    lists = []
    for part in range(n_parts):
        lines = [f"file '{path}'" for path in by_size[part::n_parts]]
        lists.append(work / f"{part}.ffconcat")
        lists[-1].write_text("ffconcat version 1.0\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return lists


def _write_half(source: Path, work: Path) -> Path:
    path = work / "half.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["path", "label", "group"])
        for clip in scan(source).clips[::2]:
            writer.writerow([clip.path.resolve(), clip.label, clip.group])
    return path


def _time_prepare(source: Path, store: Path, jobs: int) -> tuple[_Spent, int, float]:
    """Return what one run in a fresh process took, its frames and its peak MiB."""
    script = store.with_suffix(".py")
    script.write_text(_PREPARE, encoding="utf-8")
    command = [sys.executable, str(script), str(source), str(store), str(jobs)]
    with (
        _measure() as spent,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
    ):
        peak = _Peak(process.pid)
        output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"har prepare failed on {source}")
    return spent[0], int(output), peak.stop()


class _Peak:
    """Watches the memory of a process and its children."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak_kib = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        """End the watch and return the peak in MiB."""
        self._is_over.set()
        self._thread.join()
        return self._peak_kib / 1024

    def _watch(self) -> None:
        while not self._is_over.wait(_SAMPLE_S):
            self._peak_kib = max(self._peak_kib, _resident_kib(self._pid))


def _resident_kib(pid: int) -> int:
    process = Path("/proc") / str(pid)
    try:
        status = (process / "status").read_text()
        children = [int(c) for t in (process / "task").iterdir() for c in _children(t)]
    except OSError:  # it has ended
        return 0
    own = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")]
    return sum(own) + sum(_resident_kib(child) for child in children)


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()


if __name__ == "__main__":
    main()
