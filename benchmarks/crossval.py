"""Grouped cross-validation of the frozen recipe on real clips, and how long it takes.

    python benchmarks/crossval.py MANIFEST

Prints JSON. The documented figures are those of Surveillance Camera Fight.
Preparation, feature extraction and all folds start from nothing in a temporary folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common_parts.show import build_parser


def run_har(*words: str | Path) -> dict:
    """Run a command with ``--json`` and return its result."""
    command = [sys.executable, "-m", "har", *map(str, words), "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    """Prepare, cross-validate, print."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("manifest", type=Path, help="CSV of real clips: path,label,group")
    manifest = parser.parse_args().manifest
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        began_s = time.perf_counter()
        run_har("prepare", manifest, "--store", store)
        prepared_s = time.perf_counter()
        results = Path(folder) / "results"
        found = run_har("crossval", "--store", store, "--results", results)
        ended_s = time.perf_counter()
    del found["per_fold"]
    found["prepare_s"] = round(prepared_s - began_s, 1)
    found["crossval_s"] = round(ended_s - prepared_s, 1)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
