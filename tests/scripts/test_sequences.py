import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from har.errors import ConfigError, OutputError
from har.pose.keypoints import INDEX
from har.synthetic.body import make_body
from har.synthetic.camera import make_camera
from har.synthetic.motion import LABELS
from har.synthetic.skeleton import Controls, solve_base, solve_joints
from three_class.sequences import (
    STYLE_NAMES,
    draw_sequence,
    draw_sequences,
    load_sequences,
    write_sequences,
)
from three_class.settings import SequencesConfig
from three_class.sight import compute_sight

CONFIG = SequencesConfig(n_sequences=60, per_scene=4, seed=11)


@pytest.fixture(scope="module")
def made():
    return draw_sequences(CONFIG, jobs=1)


def test_columns_fit_together(made):
    assert len(made) == 60
    n_rows = int(made.lengths.sum())
    assert made.points.shape == (n_rows, 6, 17, 3)
    assert made.points.dtype == made.scores.dtype == np.float16
    assert made.scores.shape == made.owners.shape == (n_rows, 6)
    assert made.label_names == LABELS
    assert made.style_names == STYLE_NAMES
    assert set(made.labels) == {0, 1, 2}
    assert ((made.lengths >= 20) & (made.lengths <= 50)).all()
    assert len(np.unique(made.scenes)) == 15
    assert np.isfinite(made.points).all()


def test_the_rows_of_a_sequence_are_its_own(made):
    for index in (0, 17, 59):
        drawn = draw_sequence(CONFIG, index)
        rows = made.rows(index)
        assert rows.stop - rows.start == made.lengths[index]
        assert (made.owners[rows] == drawn.owners).all()
        assert (made.detections(index).scores == drawn.detections.scores.astype(np.float16)).all()


def test_truth_is_of_the_label(made):
    for index in range(len(made)):
        others = made.label_names[made.labels[index]] == "hitting_others"
        assert (made.targets[index] >= 0) == others
        assert made.subjects[index] == 0
        start_s, end_s = made.spans_s[index]
        assert 0.0 <= start_s < end_s <= made.lengths[index] / made.rate_hz + 0.2


def test_most_actors_are_seen(made):
    seen = [(made.owners[made.rows(i)] == made.subjects[i]).any(axis=1).mean() for i in range(60)]
    assert np.mean(seen) > 0.8


def test_everything_but_the_act_is_drawn_before_the_class():
    """The same scene and slot, whatever the class: length, picture, people, places, noise."""

    def draw(label):
        shares = tuple(float(name == label) for name in LABELS)
        config = dataclasses.replace(CONFIG, shares=shares)
        return [draw_sequence(config, index) for index in range(24)]

    for hit, play in zip(draw("hitting_self"), draw("playing"), strict=True):
        assert hit.sight.size == play.sight.size
        assert hit.sight.points.shape == play.sight.points.shape
        assert hit.scene == play.scene
        first = [s.sight.points[0, :, INDEX["left_hip"]] for s in (hit, play)]
        assert np.abs(first[0] - first[1]).max() < 0.15 * hit.sight.stature_px[0].max()


def test_shares_are_kept():
    config = dataclasses.replace(CONFIG, shares=(0.0, 0.1, 0.9))
    labels = [draw_sequence(config, index).label for index in range(100)]
    counts = np.bincount(labels, minlength=3)
    assert counts[0] == 0
    assert 2 <= counts[1] <= 22


def test_people_are_as_tall_as_asked_for():
    config = dataclasses.replace(CONFIG, stature_px=(60.0, 60.0))
    tall = [draw_sequence(config, index).sight.stature_px.max() for index in range(30)]
    assert np.median(tall) == pytest.approx(60.0, rel=0.15)


def test_a_file_gives_back_what_was_written(tmp_path):
    config = dataclasses.replace(CONFIG, n_sequences=6)
    path = write_sequences(tmp_path / "made.npz", config, jobs=1)
    loaded, drawn = load_sequences(path), draw_sequences(config, jobs=1)
    for name in ("points", "scores", "owners", "lengths", "labels", "spans_s", "sizes"):
        first, second = getattr(loaded, name), getattr(drawn, name)
        assert first.dtype == second.dtype
        assert (first == second).all()
    assert loaded.label_names == drawn.label_names
    assert loaded.rate_hz == 10.0


def test_processes_do_not_change_the_sequences():
    config = dataclasses.replace(CONFIG, n_sequences=50)
    one, two = draw_sequences(config, jobs=1), draw_sequences(config, jobs=2)
    assert (one.points == two.points).all()
    assert (one.labels == two.labels).all()


@pytest.mark.parametrize("content", [b"", b"no file of arrays"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "made.npz"
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"made\.npz is no file of synthetic sequences"):
        load_sequences(path)
    with pytest.raises(OutputError, match="no file of synthetic sequences"):
        load_sequences(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "values",
    [
        {"n_sequences": 0},
        {"length_s": (5.0, 2.0)},
        {"shares": (0.5, 0.5, 0.5)},
        {"shares": (-0.5, 0.5, 1.0)},
        {"stature_px": (2.0, 50.0)},
    ],
)
def test_settings_are_bounded(values):
    with pytest.raises(ConfigError):
        SequencesConfig(**values)


def look_at(yaws, places):
    """Grown-ups who stand, looked at from the south."""
    body = make_body(1.7, 1.0)
    joints = []
    for yaw, place in zip(yaws, places, strict=True):
        controls = Controls.standing(body, 3, 10.0)
        controls.yaw += yaw
        controls.root += np.array(place)
        base = solve_base(body, controls)
        hands = base.shoulders - np.array([0.0, 0.0, 0.6]) + 0.1 * base.facing[:, None, :, 0]
        joints.append(solve_joints(body, base, hands, controls.elbows, 10.0))
    camera = make_camera(np.array([0.0, -4.0, 1.2]), np.array([0.0, 0.0, 0.85]), 1.0, (240, 320))
    return compute_sight(np.stack(joints, axis=1), (body,) * len(yaws), camera, np.zeros((3, 2)))


def test_facing_the_camera_nothing_is_hidden():
    sight = look_at([-np.pi / 2], [(0.0, 0.0)])
    assert sight.hidden.max() == 0.0
    assert sight.turned.max() < 0.1


def test_from_behind_the_face_is_hidden():
    sight = look_at([np.pi / 2], [(0.0, 0.0)])
    assert (sight.hidden[..., INDEX["nose"]] == 1.0).all()
    assert sight.hidden[..., INDEX["left_knee"]].max() == 0.0


def test_from_the_side_the_far_arm_is_hidden():
    sight = look_at([0.0], [(0.0, 0.0)])
    assert sight.turned.min() > 0.9
    assert sight.hidden[..., INDEX["left_elbow"]].min() > 0.5
    assert sight.hidden[..., INDEX["right_elbow"]].max() == 0.0


def test_who_stands_behind_another_is_hidden():
    sight = look_at([-np.pi / 2, -np.pi / 2], [(0.0, -0.6), (0.0, 0.6)])
    assert sight.hidden[:, 0].max() == 0.0
    assert sight.hidden[:, 1].mean() > 0.5


def test_out_of_the_picture_is_hidden():
    sight = look_at([-np.pi / 2], [(6.0, 0.0)])
    assert (sight.hidden == 1.0).all()


def test_the_script_writes_a_file_that_can_be_read(tmp_path):
    script = Path(__file__).parents[2] / "scripts" / "three_class" / "write_sequences.py"
    words = [sys.executable, script, tmp_path, "--sequences", "6", "--seed", "3", "--jobs", "1"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["n_sequences"] == 6
    drawn = draw_sequences(SequencesConfig(n_sequences=6, seed=3), jobs=1)
    assert (load_sequences(tmp_path / "sequences.npz").points == drawn.points).all()
