"""Ctrl-C stops a command at once, leaves no process behind, and the next run goes on."""

import json
import os
import signal
import subprocess
import sys
import time

from stores import make_clips


def test_prepare_can_be_stopped_and_goes_on(tmp_path):
    make_clips(tmp_path / "data", n_groups=20)
    store = tmp_path / "store"
    words = ("prepare", tmp_path / "data", "--store", store, "--jobs", 2, "--json")
    command = [sys.executable, "-m", "har", *map(str, words)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    deadline_s = time.monotonic() + 60
    while len(list(store.glob("frames/*.times.npy"))) < 8 and time.monotonic() < deadline_s:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command again" in said
    assert "Traceback" not in said
    assert not (store / "index.csv").exists()
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(again.stdout)
    assert found["n_clips"] == 80
    assert found["n_reused"] >= 3
