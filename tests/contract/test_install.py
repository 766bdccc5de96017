"""What `pip install .` does not bring is not needed to recognize."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTRAS = ("keras", "matplotlib", "onnx", "openvino", "PIL", "sklearn", "tensorflow")
SCRIPT = f"""
import sys
import har.inference.folder, har.reports.results, har.inference.fusion
import har.inference.model, har.events.recut, har.cli
from har.inference.detector import PoseDetector
PoseDetector(n_threads=1)
print(*(name for name in {EXTRAS!r} if name in sys.modules))
"""


def test_recognition_loads_nothing_of_the_extras():
    environment = {"PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == []


def test_the_install_asks_for_nothing_more_than_it_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {line.split(">")[0] for line in project["dependencies"]}
    assert names == {
        "av",
        "click",
        "filelock",
        "jinja2",
        "numpy",
        "onnxruntime",
        "opencv-python-headless",
        "tqdm",
    }
