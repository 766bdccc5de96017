"""One process, two, two shards and Ray, on the same videos; and the rates that a plan needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import har
from har.feature_files import FEATURES_ENDING
from speed_parts.child import run_child
from speed_parts.film import Film, write_once, write_recording

_PREDICT = [sys.executable, "-m", "har", "predict", "--bundle", "fight", "--streams", "motion"]
_ONE = "one process"
WAYS = {
    _ONE: [["--jobs", "1"]],
    "two processes": [["--jobs", "2"]],
    "two shards": [["--jobs", "1", "--shard", "1/2"], ["--jobs", "1", "--shard", "2/2"]],
    "Ray": [["--on", "ray", "--jobs", "2"]],
}
_SHORT_S = 2.0
_N_FIRST = 10
_SPEED_MINUTES, _SIZE_MINUTES = 6.0, 2.0


def write_film(work: Path, kept: Path | None) -> Path:
    """Return a film in a folder, and keep it, or take it from where it was kept."""
    once = work / "once.mp4"
    if kept is None or not kept.exists():
        write_once(work, [], Film())
        if kept is not None:
            shutil.copy(once, kept)
    else:
        shutil.copy(kept, once)
    return once


def measure_short(
    film: Path, n_videos: int, ways: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Return a row a way: seconds of its start, and milliseconds of a video and of its overhead."""
    work = _make(film.with_name("short"))
    first = write_recording(film, _SHORT_S / 60)
    few, all_of = (_copy(first, work / name, n) for name, n in (("few", 10), ("all", n_videos)))
    rows = []
    for name, commands in _choose(ways):
        few_s, _ = _run(work, few, commands)
        all_s, recognizing_s = _run(work, all_of, commands)
        video_s = max(all_s - few_s, 0.0) / max(n_videos - _N_FIRST, 1)
        n_at_once = 1 if name == _ONE else 2
        rows.append(
            {
                "way": name,
                "videos": n_videos,
                "wall_s": round(all_s, 1),
                "start_s": round(max(few_s - _N_FIRST * video_s, 0.0), 1),
                "ms_a_video": round(1000 * video_s, 1),
                "overhead_ms": round(1000 * (video_s * n_at_once - recognizing_s), 1),
            }
        )
    return rows


def measure_recordings(
    film: Path, n_videos: int, minutes: float, ways: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Return a row a way: how many times real time, and the share of twice one process.

    The start is what two short videos take, so that each of two workers starts.
    """
    work = _make(film.with_name("long"))
    some = _copy(write_recording(film, minutes), work / "recordings", n_videos)
    one = _copy(write_recording(film, _SHORT_S / 60), work / "start", 2)
    rows: list[dict[str, Any]] = []
    for name, commands in _choose(ways):
        start_s, _ = _run(work, one, commands)
        wall_s, _ = _run(work, some, commands)
        row: dict[str, Any] = {
            "way": name,
            "hours": round(n_videos * minutes / 60, 2),
            "wall_s": round(wall_s, 1),
            "start_s": round(start_s, 1),
            "times_real_time": round(60 * minutes * n_videos / wall_s, 1),
        }
        rows.append(row)
        first = rows[0]
        if first["way"] == _ONE:
            alone_s = first["wall_s"] - first["start_s"]
            row["of_twice_one"] = round(first["wall_s"] / (2 * wall_s), 3)
            row["of_twice_one_without_start"] = round(alone_s / (2 * (wall_s - start_s)), 3)
    return rows


def measure_rates(film: Path) -> dict[str, float]:
    """Return what a plan needs, measured on one recording by one core, in processor time.

    Sizes are of a film that does not repeat itself, which would be kept in less room.
    """
    work = _make(film.with_name("rates"))
    spent: dict[float, float] = {}
    for minutes in (_SPEED_MINUTES, _SIZE_MINUTES):
        video = _copy(write_recording(film, minutes), work / f"rate{minutes:g}", 1)
        out = work / f"out{minutes:g}"
        words = [*_PREDICT, str(video), "--out", str(out), "--parquet"]
        spent[minutes] = run_child([*words, "--jobs", "1"]).processor_s
    hours = _SIZE_MINUTES / 60
    more_s = spent[_SPEED_MINUTES] - spent[_SIZE_MINUTES]  # without the start

    def count(folder: Path, pattern: str) -> float:
        return sum(path.stat().st_size for path in folder.glob(pattern)) / 1e6 / hours

    return {
        "hours_a_core_hour": 60 * (_SPEED_MINUTES - _SIZE_MINUTES) / more_s,
        "video_mb_an_hour": count(video, "*.mp4"),
        "files_mb_an_hour": count(out, "0*"),
        "scores_csv_mb_an_hour": count(out, "*.scores.csv"),
        "scores_parquet_mb_an_hour": count(out, "scores.parquet"),
        "events_parquet_mb_an_hour": count(out, "events.parquet"),
        **_measure_features(video, work / "features", hours),
    }


def _measure_features(videos: Path, out: Path, hours: float) -> dict[str, float]:
    """Return megabytes of features for an hour, and hours that a core scores anew in an hour."""
    words = [*_PREDICT, str(videos), "--out", str(out), "--keep", "features"]
    run_child([*words, "--jobs", "1"])
    (path,) = out.glob(f"*{FEATURES_ENDING}")
    model = har.load("fight", streams="motion", jobs=1)
    model.predict(path)
    began_s, n_runs = time.process_time(), 20
    for _ in range(n_runs):
        model.predict(path)
    return {
        "features_mb_an_hour": path.stat().st_size / 1e6 / hours,
        "head_hours_a_core_hour": 3600 * n_runs * hours / (time.process_time() - began_s),
    }


def _choose(ways: Sequence[str] | None) -> list[tuple[str, list[list[str]]]]:
    return [(name, WAYS[name]) for name in ways or WAYS]


def _make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _copy(video: Path, folder: Path, count: int) -> Path:
    """Return a folder with as many names of one file."""
    folder.mkdir()
    for number in range(count):
        os.link(video, folder / f"{number:05}.mp4")
    return folder


def _run(work: Path, videos: Path, commands: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Return seconds by the clock, and the mean seconds of recognizing a video."""
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    began_s = time.perf_counter()
    words = [*_PREDICT, str(videos), "--out", str(out)]
    with (work / "said.txt").open("w+b") as said:
        processes = [subprocess.Popen([*words, *more], stderr=said) for more in commands]
        codes = [process.wait() for process in processes]
    wall_s = time.perf_counter() - began_s
    if any(codes):
        raise SystemExit(f"{commands} ended with {codes}:\n{(work / 'said.txt').read_text()}")
    entries = json.loads((out / "results.json").read_text())
    if len(entries) != len(list(videos.iterdir())):
        raise SystemExit(f"{commands} did {len(entries)} videos")
    print(f"{videos.name}, {commands}: {wall_s:.1f} s", file=sys.stderr, flush=True)
    return wall_s, float(np.mean([entry["wall_s"] for entry in entries]))
