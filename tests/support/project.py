"""The folder that pages speak of, on synthetic clips: all files that their commands name.

Folders as people have them, with names as pages have them, a model that has learned from them in
seconds, and a project file (`har.toml`) that keeps every training as short.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import warnings
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xlsxwriter
from bodies import BODY
from bundles import make_people_bundle
from click.testing import CliRunner
from reviewing import make_watch
from videos import make_video

import har
from har.cli import har as commands
from har.interchange.events import CodedEvent
from har.pose.keypoints import KEYPOINTS

LABELS = ("fight", "hitting_others", "hitting_self", "playing")

OWN_WORDS = {"fight": "Hitting others"}
"""What two of the observers call it."""

POSES = Path(__file__).parents[1] / "unit" / "pose" / "files"

PROJECT = """
[prepare]
long_side = 96
jobs = 1
[predict]
jobs = 1
[train]
config = "short.toml"
streams = "motion"
[crossval]
config = "short.toml"
streams = "motion"
folds = 2
seeds = 1
[review]
samples = 1
sample_s = 2.0
"""
SHORT = """
[input]
n_steps = 6
[cnn]
backbone = "tiny"
[cnn.fit]
epochs = 0
[temporal]
units = 8
[temporal.fit]
epochs = 2
[system.fit]
epochs = 0
[advanced.temporal]
n_variants = 1
[advanced.pose]
units = 8
self_units = 8
windows_per_clip = 1
[advanced.pose.fit]
epochs = 2
[advanced.pose.solved_fit]
epochs = 1
"""


def make_project(folder: Path) -> None:
    """Make it all, in the current folder's place; takes some twenty seconds."""
    (folder / "har.toml").write_text(PROJECT)
    (folder / "short.toml").write_text(SHORT)
    _make_clips(folder)
    _make_recordings(folder)
    _make_codings(folder)
    _make_poses(folder)
    with chdir(folder):
        for line in _MADE_BY_COMMANDS:
            run(line)
            if line.startswith("train"):
                _lower_thresholds(folder / "models" / "har" / "bundle.json")
    make_people_bundle(folder / "models" / "mine")
    make_watch(folder / "results" / "watch")


_MADE_BY_COMMANDS = (
    "prepare data --keypoints --group-by '(child\\d+)'",
    "prepare recorded --group-by group --store recorded/.store --keypoints",
    "train all --streams both",
    "predict recordings",
    "evaluate models/har --split all --streams motion --results results/motion",
    "evaluate models/har --split all --results results/both",
)


def _lower_thresholds(contract: Path) -> None:
    """Let a model that has learned next to nothing find something."""
    values = json.loads(contract.read_text())
    values["decode"] |= {"onset": 0.2, "offset": 0.1, "min_s": 0.1}
    contract.write_text(json.dumps(values))


def run(line: str, **options: Any) -> str:
    """Run a line of `har` in this process; return what it prints as its result.

    Raises:
        AssertionError: It did not end with 0.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = CliRunner().invoke(commands, shlex.split(line, comments=True), **options)
    fault = "" if done.exception is None else repr(done.exception)
    assert done.exit_code == 0, f"har {line}\n{done.stderr}\n{fault}"
    return done.stdout


def _make_clips(folder: Path) -> None:
    """Lay clips by label, of four children at four places, and their manifest."""
    rows = ["path,label,group"]
    for seed, names in ((1, LABELS[1:]), (2, LABELS[:1])):
        made = folder / "made"
        har.synthesize(made, clips=24, scenes=4, seed=seed, variety=0, jobs=1)
        for label in names:
            (folder / "data" / label).mkdir(parents=True)
            drawn = "hitting_others" if label == "fight" else label
            for clip in sorted((made / drawn).glob("*.mp4")):
                child, take = clip.stem[-4], clip.stem[-1]
                name = f"data/{label}/place{child}_child0{child}_{take}.mp4"
                shutil.move(clip, folder / name)
                rows.append(f"{name},{label},child0{child}")
        shutil.rmtree(made)
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    (folder / "archive").mkdir()
    shutil.copytree(folder / "data", folder / "archive" / "clips")
    recorded = folder / "recorded"
    for label in LABELS[2:]:
        shutil.copytree(folder / "data" / label, recorded / label)
    lines = [row.removeprefix("data/") for row in rows[1:] if row.split(",")[1] in LABELS[2:]]
    lines = [rows[0] + ",subject", *(f"{line},p7" for line in lines)]
    (recorded / "manifest.csv").write_text("\n".join(lines) + "\n")
    shutil.copytree(recorded, folder / "takes")


def _make_recordings(folder: Path) -> None:
    har.synthesize(folder / "made", clips=0, recordings=3, minutes=0.1, variety=0, seed=4, jobs=1)
    days = sorted((folder / "made" / "recordings").glob("*.mp4"))
    (folder / "recordings").mkdir()
    for number, day in enumerate(days, 1):
        for name in ("recordings", "recorded"):
            shutil.copy(day, folder / name / f"day{number}.mp4")
    for name in ("recording.mp4", "video.mp4", "more.mp4", "ward.mp4", "room.mp4"):
        shutil.copy(days[0], folder / name)
    for name in (
        "folder/a.mp4",
        "new_recordings/day9.mp4",
        "recordings/ward/a.mp4",
        "archive/b.mp4",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(days[1], folder / name)
    make_video(folder / "more.avi", size=(96, 128))
    (folder / "hall.txt").write_text("recording.mp4\n")
    (folder / "last_run").touch()
    os.utime(folder / "last_run", (0, 0))


def _make_codings(folder: Path) -> None:
    """Lay what people coded of the recordings, in the forms that pages name."""
    events = [
        CodedEvent(f"day{day}.mp4", start_s, start_s + 1.2, label)
        for day in (1, 2, 3)
        for label, start_s in zip(LABELS[:3], (0.4, 2.2, 4.0), strict=True)
    ]
    for name in ("coded.csv", "coding.csv", "coded.boris"):
        har.write_events(events, folder / name)
    two = [replace(event, annotator=name) for event in events for name in ("ann", "ben")]
    har.write_events(two, folder / "coded_by_two.csv")
    for name in ("ann", "ben"):
        late_s = 0.2 * (name == "ben")
        own = [replace(item, start_s=item.start_s + late_s) for item in events]
        own = [replace(item, label=OWN_WORDS.get(item.label, item.label)) for item in own]
        har.write_events(own, folder / f"{name}.csv")
    own.append(CodedEvent("day1.mp4", 5.0, 5.5, "Eating"))
    har.write_events(own, folder / "own_words.csv")
    with xlsxwriter.Workbook(folder / "lab.xlsx") as book:
        sheet = book.add_worksheet()
        rows = [("Tape", "In", "Out", "Act")]
        rows += [(item.video, item.start_s, item.end_s, "Hitting others") for item in events]
        rows += [("day1.mp4", 5.0, 5.5, "Eating")]
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)


def _make_poses(folder: Path) -> None:
    """Lay keypoints as other tools write them: clips by label, and files of one walk."""
    for label, share in (("arms_up", -1.0), ("arms_down", 0.0)):
        (folder / "poses" / label).mkdir(parents=True)
        for child in range(1, 5):
            for take in range(2):
                path = folder / "poses" / label / f"child0{child}_{take}.npz"
                np.savez(path, points=_walk(share, child), joints=KEYPOINTS, fps=30)
    walk = _walk(-0.5, 1)
    np.savez(folder / "pairs.npz", points=np.stack([walk, walk + 90], 1), joints=KEYPOINTS)
    shutil.copy(POSES / "sleap.analysis.h5", folder / "walk.analysis.h5")
    names = {"right_wrist": "Hand_R", "left_wrist": "Hand_L", "nose": "head"}
    columns = [f"{names.get(joint, joint)}_{axis}" for joint in KEYPOINTS for axis in "xy"]
    rows = [",".join(map(str, frame.reshape(-1).round(1))) for frame in walk]
    (folder / "walk.csv").write_text("\n".join([",".join(columns), *rows]) + "\n")
    (folder / "openpose_folder").mkdir()
    for number, frame in enumerate(walk):
        points = [value for x, y in frame for value in (x, y, 0.9)]
        person = {"pose_keypoints_2d": points}
        path = folder / "openpose_folder" / f"walk_{number:012}_keypoints.json"
        path.write_text(json.dumps({"people": [person]}))


def _walk(raised: float, child: int) -> np.ndarray:
    """Return (90, 17, 2) pixels of one who walks, wrists at a share of their height above hips."""
    times_s = np.arange(90)[:, None] / 30
    points = np.repeat((BODY * 200 + (100 + 5 * child, 220))[None], 90, axis=0)
    points[:, :, 0] += 20 * times_s
    wrists = [KEYPOINTS.index("left_wrist"), KEYPOINTS.index("right_wrist")]
    points[:, wrists, 1] += 100 * raised + 10 * np.sin(6 * times_s + child)
    return points
