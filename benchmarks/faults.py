"""Kills commands at random moments, runs them again, and compares with runs that nobody stopped.

    python benchmarks/faults.py [--kills 10] [--seed 0] [--kinds prepare folder long watch train]

Each kill is SIGKILL to the command's own process alone, at a moment drawn between its start and its
usual end. Looked for afterwards: processes that outlive it by more than some seconds, files in the
temporary folder, and, once the command has run again to its end, files that are half written. Equal
means: every file of the result has the same bytes, but for times that were measured. Of a trained
network every weight has the same bits, in Keras's file and in the graph; what converts graphs names
and sorts their parts anew each time. A watch never repeats itself; there it means that the log has
whole lines only, no event is left open, and no clip is without its record. The clips and recordings
are synthetic and drawn anew. Linux only. Prints a table.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import har
from common_parts.show import build_parser

_GRACE_S = 5.0
_MOST_TRIES = 3
"""A run may end before its moment, on a machine that others use."""
_MARK = "HAR_FAULTS_RUN"
_HALF = (".part", ".old")
_MEASURED = ("wall_s", "mtime", "key", "files", "versions")
_TRAIN = "[temporal.fit]\nepochs = 15\n"


@dataclass(frozen=True)
class _Kind:
    """A command: its words for an output folder, and what is compared of that."""

    words: Callable[[Path], Sequence[str | Path]]
    read: Callable[[Path], object]


@dataclass
class _Row:
    """What kills of one kind of command have shown."""

    usual_s: float
    n_killed: int = 0
    n_runs: int = 0
    n_equal: int = 0
    n_orphans: int = 0
    leftovers: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)


def main() -> None:
    """Kill and print."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    names = ("prepare", "folder", "long", "watch", "train")
    parser.add_argument("--kinds", nargs="+", choices=names, default=names)
    options = parser.parse_args()
    print("| command | usual run | kills | equal | processes left | files left |")
    print("| --- | --- | --- | --- | --- | --- |")
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        kinds = _make_kinds(work)
        for name in options.kinds:
            row = _try_kind(kinds[name], work / name, options.kills, Random(options.seed))  # noqa: S311
            equal = f"{row.n_equal} of {row.n_runs}"
            cells = (name, f"{row.usual_s:.1f} s", row.n_killed, equal, row.n_orphans)
            print("|", " | ".join(map(str, (*cells, len(row.leftovers)))), "|", flush=True)
            notes += [f"{name}: {note}" for note in (*row.different, *row.leftovers)]
    print(*notes, sep="\n", file=sys.stderr)


def _make_kinds(work: Path) -> dict[str, _Kind]:
    """Draw the clips and the recordings, prepare a store, and return the commands."""
    clips = har.synthesize(work / "clips", clips=12, scenes=6, variety=0.0)
    har.synthesize(work / "long", clips=0, recordings=1, minutes=0.7, variety=0.0)
    har.synthesize(work / "short", clips=0, recordings=1, minutes=0.25, variety=0.0)
    (long,), (short,) = ((work / name).rglob("*.mp4") for name in ("long", "short"))
    manifest = str(clips.manifest)
    har.prepare(manifest, work / "store")
    (work / "train.toml").write_text(_TRAIN)
    train = ("train", "all", "--store", work / "store", "--recipe", "frozen", "--seed", "1")
    settings = ("--streams", "motion", "--config", work / "train.toml")
    return {
        "prepare": _Kind(lambda out: ("prepare", manifest, "--store", out), _read_files),
        "folder": _Kind(lambda out: ("predict", work / "clips", "--out", out), _read_files),
        "long": _Kind(lambda out: ("predict", long, "--out", out, "--annotate"), _read_files),
        "watch": _Kind(lambda out: ("watch", short, "--out", out), _read_watch),
        "train": _Kind(
            lambda out: (*train, *settings, "--out", out / "b", "--results", out / "r"),
            _read_files,
        ),
    }


def _try_kind(kind: _Kind, work: Path, n_kills: int, random: Random) -> _Row:
    began_s = time.monotonic()
    _start(kind.words(work / "whole" / "out"), work / "whole").communicate()
    row = _Row(time.monotonic() - began_s)
    expected = kind.read(work / "whole" / "out")
    for number in range(_MOST_TRIES * n_kills):
        if row.n_killed == n_kills:
            break
        folder = work / f"kill_{number}"
        moment_s = row.usual_s * random.uniform(0.05, 0.95)
        process = _start(kind.words(folder / "out"), folder)
        try:
            process.communicate(timeout=moment_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            row.n_killed += 1
        row.n_orphans += _count_left(str(folder))
        row.leftovers += [f"{path}" for path in (folder / "temp").iterdir()]
        _start(kind.words(folder / "out"), folder).communicate()
        found = kind.read(folder / "out")
        row.n_runs += 1
        row.n_equal += found == expected
        if found != expected:
            row.different.append(
                f"killed after {moment_s:.2f} s: {_name_different(found, expected)}"
            )
        row.leftovers += [f"{path}" for path in folder.rglob("*") if path.suffix in _HALF]
    return row


def _start(words: Sequence[str | Path], folder: Path) -> subprocess.Popen[bytes]:
    """Start a command whose processes are marked, with a temporary folder of its own."""
    (folder / "temp").mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "har", *map(str, words)],
        env={**os.environ, _MARK: str(folder), "TMPDIR": str(folder / "temp")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _count_left(mark: str) -> int:
    """Return how many marked processes outlive some seconds."""
    until_s = time.monotonic() + _GRACE_S
    while (n_left := _count_marked(mark)) and time.monotonic() < until_s:
        time.sleep(0.05)
    return n_left


def _count_marked(mark: str) -> int:
    wanted, n_found = f"{_MARK}={mark}".encode(), 0
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            n_found += wanted in path.read_bytes().split(b"\0")
        except OSError:  # it has ended, or is another user's
            continue
    return n_found


def _read_files(out: Path) -> dict[str, str]:
    """Return a hash of each file by its path, JSON without what is measured."""
    return {
        path.relative_to(out).as_posix(): _hash_file(path, out)
        for path in sorted(out.rglob("*"))
        if path.is_file()
        and not path.name.endswith((".lock", ".lock.json"))
        and "tensorboard" not in path.parts  # named by the moment
    }


def _hash_file(path: Path, out: Path) -> str:
    if path.suffix in (".keras", ".onnx"):
        parts = _read_keras(path) if path.suffix == ".keras" else _read_graph(path)
        return hashlib.sha256(b"".join(sorted(parts))).hexdigest()
    content = path.read_bytes()
    if path.suffix == ".json":
        content = json.dumps(_leave_out(json.loads(content)), sort_keys=True).encode()
    return hashlib.sha256(content.replace(str(out).encode(), b"OUT")).hexdigest()


def _read_keras(path: Path) -> list[bytes]:
    """Return the names and values of the weights of a Keras file."""
    import h5py

    found: list[bytes] = []

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(name.encode() + np.asarray(item).tobytes())

    content = io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))
    with h5py.File(content) as file:
        file.visititems(add)
    return found


def _read_graph(path: Path) -> list[bytes]:
    """Return the values and the operators of an ONNX graph."""
    import onnx

    graph = onnx.load(path).graph
    values = [onnx.numpy_helper.to_array(item).tobytes() for item in graph.initializer]
    return values + [node.op_type.encode() for node in graph.node]


def _leave_out(values: Any) -> Any:
    """Return JSON values without those that no two runs share."""
    if isinstance(values, dict):
        return {key: _leave_out(item) for key, item in values.items() if key not in _MEASURED}
    return [_leave_out(item) for item in values] if isinstance(values, list) else values


def _read_watch(out: Path) -> dict[str, int]:
    """Return counts of what must not be there after a watch."""
    open_events: dict[tuple[object, ...], bool] = {}
    n_torn = 0
    for line in (out / "events.jsonl").read_text().splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            n_torn += 1
            continue
        if values["kind"] == "event":
            key = (values["camera"], values["label"], values["onset_s"])
            open_events[key] = values["is_open"]
    clips = [path for path in out.glob("alerts/*") if path.suffix in (".mp4", ".mkv")]
    n_alone = sum(not path.with_suffix(".json").exists() for path in clips)
    records = [json.loads(path.read_text()) for path in out.glob("alerts/*.json")]
    n_open = sum(open_events.values()) + sum(record["is_open"] for record in records)
    return {"torn lines": n_torn, "open events": n_open, "clips without record": n_alone}


def _name_different(found: object, expected: object) -> str:
    if not (isinstance(found, dict) and isinstance(expected, dict)):
        return f"{found}"
    names = {
        name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)
    }
    return ", ".join(sorted(map(str, names)))


if __name__ == "__main__":
    main()
