"""What the engines cost, what the recognizer adds to its networks, start time and install size.

    python benchmarks/engine.py [--install] [--only graphs] [--seconds 30] [--repeats 5] [--json]

The bundles are of the default recipe and have learnt nothing, which costs the same. Measured:

1. Each graph in each engine that is installed, and the frame CNN in 8-bit integers: on one thread,
   with as many callers as cores, on all cores for one call; one picture or window a call and
   several; and the time to load it. The engines take turns; medians.
2. All that recognition does after decoding against its bare networks on the same pictures, on one
   thread: milliseconds per sampled frame, and their ratio.
3. `har predict` on a clip of two seconds, start included.
4. With ``--install``: what `pip install .` brings into a new environment (needs a package index);
   the commands are then measured there.

Elsewhere the fastest of repeats counts. Prints the tables of docs/benchmarks.md, or JSON.
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

from common_parts.show import build_parser
from engine_parts.graphs import measure_graphs, measure_loading
from engine_parts.install import install, measure_start, weigh
from engine_parts.share import measure_share

_UNTRAINED = Path(__file__).parent / "live_parts" / "untrained.py"
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "PYTHONWARNINGS": "ignore"}

MAX_SHARE, MAX_START_S, MAX_MB = 1.25, 1.5, 450.0
"""What is asked for."""


def main() -> None:
    """Measure and print."""
    options = _parse()
    os.environ.update(_QUIET)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bundles = {streams: _make_bundle(work / streams, streams) for streams in ("motion", "both")}
        result: dict[str, Any] = {
            "cores": len(os.sched_getaffinity(0)),
            "load_before": round(os.getloadavg()[0], 2),
            "graphs": measure_graphs(bundles["both"], work, 6 * options.repeats),
            "loading": measure_loading(bundles["both"], work),
        }
        if options.only is None:
            python = install(work / "venv") if options.install else Path(sys.executable)
            result |= {
                "share": [
                    measure_share(bundle, options.seconds, options.repeats)
                    for bundle in bundles.values()
                ],
                "start": {
                    streams: measure_start(python, bundle, work, options.repeats)
                    for streams, bundle in bundles.items()
                },
                "install": weigh(python) if options.install else None,
            }
    print(json.dumps(result, indent=1) if options.json else _format(result))


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("--install", action="store_true", help="in a new environment, too")
    parser.add_argument("--only", choices=["graphs"], help="measure nothing but these")
    parser.add_argument("--seconds", type=float, default=30.0, help="of the pictures")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _make_bundle(folder: Path, streams: str) -> Path:
    subprocess.run(
        [sys.executable, str(_UNTRAINED), str(folder), streams], check=True, capture_output=True
    )
    return folder


def _format(result: dict[str, Any]) -> str:
    lines = [*_format_graphs(result), "", _format_machine(result)]
    return "\n".join([*lines, *(_format_rest(result) if "share" in result else [])])


def _format_machine(result: dict[str, Any]) -> str:
    return f"{result['cores']} cores, load before {result['load_before']}."


def _format_graphs(result: dict[str, Any]) -> list[str]:
    engines = list(result["graphs"][0]["ms"])
    lines = ["| graph | batch | threads | callers | "]
    lines[0] += f"{' | '.join(f'{name}, ms' for name in engines)} |"
    lines.append("| --- " * (4 + len(engines)) + "|")
    for row in result["graphs"]:
        times = " | ".join(
            f"{row['ms'][name]:.2f}" if name in row["ms"] else "" for name in engines
        )
        ways = f"{row['batch']} | {row['threads']} | {row['callers']}"
        lines.append(f"| {row['graph']} | {ways} | {times} |")
    for row in result["loading"]:
        times = " | ".join(str(row["ms"].get(name, "")) for name in engines)
        lines.append(f"| {row['graph']}, loading | | 1 | 1 | {times} |")
    return lines


def _format_rest(result: dict[str, Any]) -> list[str]:
    lines = ["", "| streams | recognizer, ms a sampled frame | its networks alone | ratio |"]
    lines.append("| --- " * 4 + "|")
    for row in result["share"]:
        ratio = f"{row['ratio']}{_mark(row['ratio'] <= MAX_SHARE)}"
        ms = f"{row['recognizer_ms']} | {row['networks_ms']}"
        lines.append(f"| {row['streams']} | {ms} | {ratio} |")
    lines += ["", "| command, streams | wall time | processor time |"]
    lines.append("| --- " * 3 + "|")
    for streams, commands in result["start"].items():
        for name, spent in commands.items():
            wall = f"{spent['wall_s']} s{_mark(spent['wall_s'] < MAX_START_S)}"
            lines.append(f"| `{name}`, {streams} | {wall} | {spent['processor_s']} s |")
    if weight := result["install"]:
        largest = ", ".join(f"{name} {mb:.0f}" for name, mb in weight["largest"].items())
        lines += ["", f"`pip install .`: {weight['mb']:.0f} MB{_mark(weight['mb'] < MAX_MB)}"]
        lines[-1] += f" ({largest})"
    return [*lines, "", "(!) marks what misses its target."]


def _mark(is_met: bool) -> str:
    return "" if is_met else " (!)"


if __name__ == "__main__":
    main()
