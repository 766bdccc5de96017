"""The public API as someone meets it who installs the wheel, in an environment without TensorFlow.

Run it by ``pytest -m wheel``: it builds the wheel and installs it with what it depends on, under
each Python that ``HAR_WHEEL_PYTHONS`` lists (parted as in PATH), else under the one that runs it.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from acting import make_scene

ROOT = Path(__file__).parents[2]

BLOCK = """
import json, sys
from pathlib import Path
import numpy as np
import har
from har.reports.page import Page, Section, Text, render_page

assert sorted({"tensorflow", "keras", "torch", "matplotlib", "sklearn"} & set(sys.modules)) == []
out = {}

model = har.load("fight")
result = model.predict("recording.mp4")
out["label"], out["probs"] = result.label, sorted(result.probs)
out["shape"] = result.scores.values.shape, result.scores.times_s.shape
out["frame"] = list(result.to_frame().columns), list(result.events_to_frame().columns)
out["recut"] = len(result.recut(onset=0.0, offset=0.0).events)
out["plot"] = result.plot().svg[:4]
result.save("out/")
out["saved"] = sorted(path.name for path in Path("out").iterdir())
out["html"] = result._repr_html_()[:4]
page = Page("kind", "title", "lead", [Section("part", [Text("text")])])
out["page"] = render_page(page)[:9]

frames = np.zeros((50, 180, 320, 3), np.uint8)
out["array"] = model.predict(frames, fps=25).label
out["list"] = [item.label for item in model.predict(["recording.mp4", Path("recording.mp4")])]
out["folder"] = [item.info.path.name for item in model.predict(".")]
pictures = ((index / 25, frame) for index, frame in enumerate(frames))
out["stream"] = [update.state for update in model.stream(pictures)][-1]

people = har.load("three-class")
points = np.zeros((30, 1, 17, 3))
out["keypoints"] = people.predict_keypoints(points, fps=15).label == har.UNCERTAIN
try:
    har.load("fight", streams="motion").predict_keypoints(points, fps=15)
except har.BundleError as error:
    out["refused"] = str(error)

states = []
har.watch(["recording.mp4"], on_event=print, on_state=states.append, model=people)
out["watch"] = states[-1].state
out["recuts"] = len(har.recut("out", model=model).videos)
if __name__ == "__main__":
    out["predict"] = [item.error for item in har.predict(["recording.mp4"], out="many").results]

for train in (lambda: har.train("data/.store"), lambda: har.crossvalidate("data/.store")):
    try:
        train()
    except har.MissingDependencyError as error:
        out["train"] = str(error)
assert sorted({"tensorflow", "keras"} & set(sys.modules)) == []
print(json.dumps(out))
"""


def run(*words, cwd):
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


PYTHONS = os.environ.get("HAR_WHEEL_PYTHONS", sys.executable).split(os.pathsep)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("human_action_recognition-*.whl")
    return wheel


@pytest.fixture(scope="module", params=PYTHONS)
def installed(request, wheel, tmp_path_factory):
    """The Python of a fresh environment with the wheel, its extras for tables and cameras."""
    folder = tmp_path_factory.mktemp("installed")
    run(request.param, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "-q", "install", f"{wheel}[pandas,live]", cwd=folder)
    return folder, wheel, python


@pytest.mark.wheel
@pytest.mark.timeout(1200)
def test_the_front_door_of_the_installed_wheel(installed):
    folder, _, python = installed
    missing = "import importlib.util as u; print(u.find_spec('tensorflow'), u.find_spec('keras'))"
    assert run(python, "-c", missing, cwd=folder).split() == ["None", "None"]
    work = folder / "work"
    make_scene(work / "recording.mp4", lambda _: ((0.3, False), (0.7, True)), 2.0)
    (folder / "block.py").write_text(BLOCK)
    found = json.loads(run(python, folder / "block.py", cwd=work).splitlines()[-1])
    assert found["label"] in ("fight", "noFight")
    assert found["probs"] == ["fight", "noFight"]
    assert found["shape"] == [[16, 2], [16]]
    assert found["frame"][0] == ["time_s", "fight", "noFight", "confidence"]
    assert "start_s" in found["frame"][1]
    assert (found["recut"], found["plot"], found["html"]) == (1, "<svg", "<div")
    assert {"recording.events.csv", "recording.timeline.svg", "results.json"} <= {*found["saved"]}
    assert found["page"] == "<!doctype"
    assert found["array"] == "noFight"
    assert found["list"] == [found["label"]] * 2
    assert found["folder"] == ["recording.mp4"]
    assert (found["stream"], found["watch"]) == ("ended", "ended")
    assert found["keypoints"] is True
    assert "pose stream" in found["refused"]
    assert (found["recuts"], found["predict"]) == (1, [""])
    assert "human-action-recognition[train]" in found["train"]


@pytest.mark.wheel
def test_the_wheel_holds_types_networks_and_nothing_of_the_tests(installed):
    _, wheel, python = installed
    names = zipfile.ZipFile(wheel).namelist()
    assert "har/py.typed" in names
    assert any(name.startswith("har/shipped/fight/") for name in names)
    assert not [name for name in names if name.split("/")[0] in ("tests", "benchmarks", "scripts")]
    said = run(python, "-m", "har", "--version", cwd=python.parent)
    assert "har" in said
