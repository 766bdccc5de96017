"""What a command takes: seconds by the clock and of all processors, and its peak of memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple


class Spent(NamedTuple):
    """What one run of a command took.

    Attributes:
        wall_s: Seconds from its start to its end.
        processor_s: Of all its threads and processes.
        peak_mib: The largest resident size of its largest process.
    """

    wall_s: float
    processor_s: float
    peak_mib: float


def run_child(
    command: Sequence[str], n_repeats: int = 1, said: BinaryIO | int = subprocess.DEVNULL
) -> Spent:
    """Run a command some times; of each figure the best counts, of memory the worst.

    What it prints goes to ``said``.
    """
    runs = [_run_once(command, said) for _ in range(n_repeats)]
    wall_s, processor_s = (min(column) for column in list(zip(*runs, strict=True))[:2])
    return Spent(wall_s, processor_s, max(run.peak_mib for run in runs))


def _run_once(command: Sequence[str], said_to: BinaryIO | int) -> Spent:
    start_s = time.perf_counter()
    with subprocess.Popen(command, stdout=said_to, stderr=subprocess.PIPE) as process:
        said = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - start_s
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{said.decode(errors='replace')}")
    return Spent(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
