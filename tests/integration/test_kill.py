"""After kill -9 nothing is left behind; what a machine refuses is said in one line."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from bundles import make_people_bundle
from stores import make_store
from videos import make_clip, make_video

SUPPORT = Path(__file__).parents[1] / "support"


def _wait_for(is_so: Callable[[], bool], most_s: float = 60.0) -> bool:
    until_s = time.monotonic() + most_s
    while not is_so() and time.monotonic() < until_s:
        time.sleep(0.02)
    return is_so()


def _is_alive(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def _start(script: str, folder: Path, **more: str) -> subprocess.Popen[str]:
    (folder / "script.py").write_text(script)
    paths = os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, **more},
        stderr=subprocess.PIPE,
        text=True,
    )


_FOR_EVER = """
from pathlib import Path
from jobs import sleep_for_ever
from har.inference.folder import share_progress
from har.parallel import Workers

if __name__ == "__main__":
    progress = share_progress(2)
    with Workers(2) as workers:
        list(workers.run(sleep_for_ever, [Path("pids")] * 2))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_parent_leaves_no_worker_and_no_file(tmp_path: Path) -> None:
    for name in ("pids", "temp"):
        (tmp_path / name).mkdir()
    process = _start(_FOR_EVER, tmp_path, TMPDIR=str(tmp_path / "temp"))
    pids = tmp_path / "pids"
    assert _wait_for(lambda: len(list(pids.iterdir())) == 2)
    workers = [int(path.stem) for path in pids.iterdir()]
    assert all(map(_is_alive, workers))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert _wait_for(lambda: not any(map(_is_alive, workers)), 10.0)
    assert list((tmp_path / "temp").iterdir()) == []


_NO_GUARD = """
import har

har.synthesize("made", clips=4, scenes=2, variety=0, jobs=2)
"""


def test_a_script_without_a_main_guard_is_told_so_once(tmp_path: Path) -> None:
    _, said = _start(_NO_GUARD, tmp_path).communicate(timeout=120)
    assert said.splitlines()[-1].startswith("har.errors.WorkerError: Worker processes end before")
    assert 'below `if __name__ == "__main__":`' in said
    assert "bootstrapping phase" not in said


_NO_SHARED_MEMORY = """
import _multiprocessing, os, sys, tempfile
real = tempfile._mkstemp_inner

def refuse(*given):
    raise PermissionError(13, "Permission denied")

tempfile._mkstemp_inner = refuse
import har.parallel
har.parallel.share_numbers(10)
"""


def test_shared_memory_that_is_refused_is_one_line(tmp_path: Path) -> None:
    _, said = _start(_NO_SHARED_MEMORY, tmp_path).communicate(timeout=60)
    last = said.splitlines()[-1]
    assert last.startswith("har.errors.WorkerError: Worker processes cannot share memory: ")
    assert "--jobs 1" in last


_BAD_DECODER = """
import sys
from pathlib import Path
import har, har.inference.video
from har.inference import folder

real = folder.recognize_video

def fail_on_b(recognizer, path, **settings):
    if path.name == "b.mp4":
        raise AttributeError("'NoneType' object has no attribute 'name'")
    return real(recognizer, path, **settings)

folder.recognize_video = fail_on_b
if __name__ == "__main__":
    found = har.predict("videos", out="out", jobs=int(sys.argv[1]) if sys.argv[1:] else 2)
    print([bool(result.error) for result in found.results])
"""


def test_any_error_of_one_video_leaves_it_out_and_the_others_are_done(tmp_path: Path) -> None:
    for name in "abc":
        make_clip(tmp_path / "videos" / f"{name}.mp4")
    process = _start(_BAD_DECODER, tmp_path)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert (
        "unexpected AttributeError: 'NoneType' object has no attribute 'name'; run again with "
        "--verbose to see where"
    ) in said
    assert {path.name for path in tmp_path.glob("out/?.events.csv")} == {
        "a.events.csv",
        "c.events.csv",
    }


def _count_rows(path: Path) -> int:
    try:
        return len(path.read_text().splitlines())
    except OSError:
        return 0


def test_tables_of_all_videos_grow_and_outlive_a_kill(tmp_path: Path) -> None:
    make_people_bundle(tmp_path / "bundle")
    make_video(tmp_path / "videos" / "a_short.mp4", np.arange(5) / 10)
    for name in "bc":
        make_video(tmp_path / "videos" / f"{name}.mp4", np.arange(3000) / 10, (48, 64))
    words = ("predict", "videos", "--bundle", "bundle", "--out", "out", "--jobs", "3")
    process = subprocess.Popen(
        [sys.executable, "-m", "har", *words], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    table = tmp_path / "out" / "results.json"
    assert _wait_for(table.exists)
    process.kill()
    process.wait()
    (entry,) = json.loads(table.read_text())
    assert entry["video"] == "videos/a_short.mp4"
    assert (tmp_path / "out" / "events.csv").exists()
    assert _count_rows(tmp_path / "out" / "totals.csv") > 1


def test_recognition_leaves_no_file_in_the_temporary_folder(tmp_path: Path) -> None:
    (tmp_path / "temp").mkdir()
    script = "import har\nhar.load('fight').predict('a.mp4')"
    make_clip(tmp_path / "a.mp4")
    process = _start(script, tmp_path, TMPDIR=str(tmp_path / "temp"))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert list((tmp_path / "temp").iterdir()) == []


_TRAINING = """
[input]
n_steps = 6
[cnn.fit]
epochs = 4
[temporal]
units = 8
dropout = 0.5
fit.epochs = 4
[system.fit]
epochs = 4
"""


def _start_training(store: Path, folder: Path) -> subprocess.Popen[bytes]:
    words = ("--store", store, "--recipe", "tiny", "--streams", "motion", "--seed", "1")
    places = ("--config", "train.toml", "--out", folder / "bundle", "--results", folder / "results")
    return subprocess.Popen(
        [sys.executable, "-m", "har", "train", "all", *map(str, (*words, *places))],
        cwd=folder.parent,
        stderr=subprocess.DEVNULL,
    )


def _read_weights(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}

    def add(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item).tobytes()

    with h5py.File(io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))) as file:
        file.visititems(add)
    return found


def _read_training(folder: Path) -> dict[str, object]:
    """Return all that two trainings share which are the same: weights, histories and metrics."""
    networks = {path.name: _read_weights(path) for path in folder.glob("bundle/*.keras")}
    texts = {path.parent.name: path.read_text() for path in folder.glob("results/*/log.csv")}
    metrics = json.loads((folder / "bundle" / "bundle.json").read_text())["metrics"]
    return {**networks, **texts, "metrics": metrics}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_that_is_killed_ends_as_one_that_is_not_to_the_bit(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store").path
    (tmp_path / "train.toml").write_text(_TRAINING)
    assert _start_training(store, tmp_path / "whole").wait() == 0
    whole = _read_training(tmp_path / "whole")
    assert set(whole) >= {"cnn.keras", "temporal.keras", "cnn", "lstm", "system"}
    broken = tmp_path / "broken"
    for stage in ("cnn", "system"):
        process = _start_training(store, broken)
        assert _wait_for((broken / "results" / stage / "state" / "backup").is_dir, 300.0)
        process.kill()
        process.wait()
        assert (broken / "results" / stage / "state" / "backup").is_dir(), "it was under way"
    assert _start_training(store, broken).wait() == 0
    assert _read_training(broken) == whole
    assert not list(broken.rglob("state"))
