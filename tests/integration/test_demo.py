"""`har demo`: the first look is there within a minute, and what it says to do next exists."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import cv2
import numpy as np
import pytest

from har.api.demo import run_demo
from har.cli import har
from har.cli.demo import NEXT
from har.demo import choose_moments
from har.result import VideoResult
from har.types import Event, Scores, VideoInfo

pytestmark = pytest.mark.slow

QUICK = """
import sys
from har.cli import har
har.main(["demo", "out", "--quick", "--json"], standalone_mode=False)
assert not {"tensorflow", "keras"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-c", QUICK], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)["first_look"], done.stderr


def test_the_first_look_finds_both_acts_of_its_recording(quick):
    _, first, said = quick
    assert first["matches"] == {"n_true": 2, "n_found": 2, "n_false": 0}
    labels = [event["label"] for event in first["recording"]["events"]]
    assert labels == ["hitting_others", "hitting_self"]
    assert "2 of 2 true events found, 0 false" in said


def test_the_first_look_leaves_what_it_names(quick):
    folder, first, said = quick
    for name, path in first["paths"].items():
        assert (folder / path).is_file(), name
        assert path in said
    picture, timeline = (
        Xml.parse(folder / first["paths"][name]).getroot()  # noqa: S314 - our own
        for name in ("picture", "timeline")
    )
    assert picture.get("width") == timeline.get("width")
    assert float(picture.get("height")) > 2 * float(timeline.get("height"))
    images = [item for item in picture if item.tag.endswith("}image")]
    assert len(images) == 2
    for item in images:
        data = np.frombuffer(base64.b64decode(item.get("href").split(",")[1]), np.uint8)
        frame = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert frame.shape[1] == 600
        assert len(np.unique(frame.reshape(-1, 3), axis=0)) > 1000


def test_the_function_says_what_the_command_says(quick):
    folder, first, _ = quick
    found = run_demo(folder / "out", quick=True, say=str).to_json()["first_look"]
    assert found["matches"] == first["matches"]
    assert found["recording"]["events"] == first["recording"]["events"]
    assert [Path(path).name for path in found["paths"].values()] == [
        Path(path).name for path in first["paths"].values()
    ]


def test_it_says_what_comes_and_how_long_it_takes(quick):
    assert len(re.findall(r"\(about \d+ s\)", quick[2])) == 2
    assert NEXT in quick[2]


def test_what_it_says_to_do_next_exists():
    lines = re.findall(r"^    har (.*)$", NEXT, re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        name, *words = line.split()
        command = har.commands[name]
        known = {option for item in command.params for option in item.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def make_result(events):
    values = np.full((40, 3), 0.1, np.float32)
    for row, column in ((7, 0), (21, 1), (33, 0)):
        values[row, column] = 0.9
    scores = Scores(("hit", "kick", "play"), np.arange(40) + 0.5, values, 1.0)
    info = VideoInfo(Path("x.mp4"), 10, 10, 25.0, 40.0, 1000, 0, "h264")
    return VideoResult(info, 40.0, "play", {}, events, scores, 1, 1.0, "")


def test_the_best_event_of_two_labels_is_shown_in_order_of_time():
    hit, better = Event("hit", 6.0, 9.0, 0.7), Event("hit", 31.0, 35.0, 0.8)
    kick = Event("kick", 20.0, 23.0, 0.6)
    assert choose_moments(make_result((hit, kick, better))) == [21.5, 33.5]
    assert choose_moments(make_result((hit,))) == [7.5]
    assert choose_moments(make_result(())) == [20.0]
