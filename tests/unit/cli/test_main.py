"""The surface: light, quiet, with the exit codes and streams that it promises."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(*words, cwd=None):
    command = [sys.executable, "-m", "har", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_importing_har_loads_nothing_heavy():
    code = "import har, sys; print(sorted({'keras','cv2','tensorflow','numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_loads_nothing_heavy():
    code = (
        "import sys, har.cli; "
        "print(sorted({'keras','cv2','tensorflow','numpy','av','tqdm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_names_every_command():
    done = run("--help")
    assert done.returncode == 0
    for name in ("demo", "synth", "prepare", "train", "crossval", "evaluate", "predict"):
        assert name in done.stdout


def test_wrong_usage_is_exit_code_2():
    assert run("train", "everything").returncode == 2
    assert run("predict").returncode == 2
    done = run("prepare", "--size", "big")
    assert (done.returncode, "HxW" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prepare", "nowhere"), "nowhere"),
        (("train", "cnn", "--store", "nowhere"), "har prepare"),
        (("evaluate", "nowhere", "--store", "nowhere"), "har train all"),
        (("predict", "nowhere.mp4"), "nowhere.mp4"),
        (("train", "cnn", "--config", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_an_error_is_exit_code_1_one_line_and_no_traceback(tmp_path, words, said):
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_debug_adds_the_traceback(tmp_path):
    assert "Traceback" in run("--debug", "prepare", "nowhere", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("preprocess_data.py", "data"),
        ("train_cnn.py", "data/.store"),
        ("train_lstm.py", "data/.store"),
        ("train_har_system.py", "data/.store"),
    ],
)
def test_root_scripts_work_on_data(tmp_path, script, said):
    done = subprocess.run(
        [sys.executable, ROOT / script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, said in done.stderr) == (1, True)


def test_test_model_takes_the_contract_s_option(tmp_path):
    for words in (["--video_path", "v.mp4"], ["--video_path=v.mp4"]):
        done = subprocess.run(
            [sys.executable, ROOT / "test_model.py", *words, "--bundle", "none"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 1
        assert "There is no bundle in none" in done.stderr


def test_predict_prints_json_on_standard_output_only(tmp_path):
    from bundles import make_bundle
    from videos import make_clip

    make_bundle(tmp_path / "bundle")
    make_clip(tmp_path / "videos" / "a.mp4", n_frames=50)
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"no video")
    done = run("predict", "videos", "--bundle", "bundle", "--json", "--annotate", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = {Path(item["video"]).name: item for item in json.loads(done.stdout)}
    assert found["a.mp4"]["label"] in ("still", "active")
    assert set(found["a.mp4"]["probs"]) == {"still", "active"}
    assert "error" in found["broken.mp4"]
    written = {path.name for path in (tmp_path / "results" / "predict").iterdir()}
    assert written >= {"events.csv", "results.json", "a.timeline.svg", "a.annotated.mp4"}


def test_a_rule_for_an_uncertain_label_is_refused_before_any_video_is_looked_at(tmp_path):
    from bundles import make_bundle

    make_bundle(tmp_path / "bundle")
    words = ("predict", "not-there.mp4", "--bundle", "bundle", "--set", "stil.onset=0.7")
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert "received ['stil']" in done.stderr
    assert "not-there" not in done.stderr


def test_predict_says_who_and_where_it_is_uncertain(tmp_path):
    from acting import make_scene
    from bundles import make_people_bundle

    make_people_bundle(tmp_path / "bundle")
    make_scene(tmp_path / "acts.mp4", lambda _: ((0.3, False), (0.7, True)), 1.5)
    make_scene(tmp_path / "empty.mp4", lambda _: (), 1.0)
    done = run("predict", "acts.mp4", "empty.mp4", "--bundle", "bundle", "--annotate", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Input: people's keypoints" in done.stderr
    table = {line.split()[0]: line for line in done.stderr.splitlines() if line.strip()}
    assert re.search(r"active +\d\.\d+ +1 +[\d.]+x +1 +1 +0%$", table["acts.mp4"])
    assert re.search(r"uncertain +0\.00 +0 +[\d.]+x +0 +0 +100%$", table["empty.mp4"])
    lines = (tmp_path / "results" / "predict" / "events.csv").read_text().splitlines()
    assert lines[0].endswith("subject,target")
    assert lines[1].split(",")[-2:] in (["1", "2"], ["2", "1"])
    assert (tmp_path / "results" / "predict" / "empty.annotated.mp4").is_file()
