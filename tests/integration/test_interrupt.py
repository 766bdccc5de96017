"""Ctrl-C stops a command at once, leaves no process behind, and the next run goes on."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
from bundles import make_people_bundle
from stores import make_clips
from videos import make_video


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


def test_predict_can_be_stopped_amid_long_videos_and_goes_on(tmp_path):
    make_people_bundle(tmp_path / "bundle")
    make_video(tmp_path / "videos" / "a_short.mp4", np.arange(5) / 10)
    for name in "bc":
        make_video(tmp_path / "videos" / f"{name}.mp4", np.arange(3000) / 10, (48, 64))
    words = ("predict", "videos", "--bundle", "bundle", "--out", "out", "--jobs", "3", "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "har", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        cwd=tmp_path,
    )
    deadline_s = time.monotonic() + 60
    while not list(tmp_path.glob("out/a_short.result.json")) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    stopped_s = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - stopped_s < 15  # each of the long ones takes minutes
    assert process.returncode == 130
    assert "run the same command again" in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("out/[bc].*"))
    for path in tmp_path.glob("videos/[bc].mp4"):
        path.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "har", *words], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 1 were done before" in done.stderr
