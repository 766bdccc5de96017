"""A cluster of which no machine is left ends a run with a line, and what is done stays."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bundles import make_bundle
from videos import make_clip

pytest.importorskip("ray")


def _find_machine(parent: int) -> int | None:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = path.read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name == "raylet" and int(rest.split()[1]) == parent:
            return int(path.parent.name)
    return None


@pytest.mark.scale
def test_a_run_without_any_machine_left_ends(tmp_path: Path) -> None:
    out, bundle = tmp_path / "out", make_bundle(tmp_path / "bundle")
    clip = make_clip(tmp_path / "videos" / "000.mp4", n_frames=200)
    for number in range(1, 800):  # a worker goes on for some seconds without its machine
        shutil.copy(clip, clip.with_name(f"{number:03d}.mp4"))
    words = ["predict", "videos", "--bundle", str(bundle), "--out", "out", "--on", "ray"]
    with subprocess.Popen(
        [sys.executable, "-m", "har", *words, "--jobs", "1"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until_s = time.monotonic() + 60
        while not list(out.glob("*.result.json")):
            assert time.monotonic() < until_s
            assert process.poll() is None
            time.sleep(0.02)
        machine = _find_machine(process.pid)
        assert machine is not None
        os.kill(machine, signal.SIGKILL)
        said = process.communicate(timeout=180)[1]
    assert process.returncode == 1
    assert "No machine of the cluster has been alive for 60 s" in said
    assert "Traceback" not in said
    assert list(out.glob("*.result.json"))
