import csv
import dataclasses

import numpy as np
import pytest

from har.config import SynthConfig
from har.synthetic.recordings import draw_session, iter_motions, write_recordings
from har.synthetic.scene import draw_scene
from har.video.file.reader import open_video

CONFIG = SynthConfig(n_recordings=2, recording_min=0.4, size=(96, 128), fps=8.0, seed=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_recordings(tmp_path_factory.mktemp("recordings"), CONFIG, jobs=1)


def read_rows(truth):
    with truth.open(newline="") as file:
        return list(csv.DictReader(file))


def test_truth_lies_within_the_recordings(made):
    rows = read_rows(made)
    assert list(rows[0]) == ["video", "start_s", "end_s", "label", "subject", "target"]
    for row in rows:
        assert 0.0 < float(row["start_s"]) < float(row["end_s"]) < 24.0
        assert (row["target"] != "") == (row["label"] == "hitting_others")
    for path in sorted(made.parent.glob("*.mp4")):
        with open_video(path) as video:
            assert sum(1 for _ in video) == round(24.0 * video.info.fps)


def test_the_same_settings_give_the_same_bytes_and_keep_what_is_there(made, tmp_path):
    again = write_recordings(tmp_path, CONFIG, jobs=2)
    assert again.read_bytes() == made.read_bytes()
    for path in made.parent.glob("*.mp4"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    stamps = [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*.mp4"))]
    (tmp_path / "truth.csv").unlink()
    assert write_recordings(tmp_path, CONFIG, jobs=1).read_bytes() == made.read_bytes()
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*.mp4"))] == stamps
    fewer = dataclasses.replace(CONFIG, n_recordings=1)
    write_recordings(tmp_path, fewer, jobs=1)
    assert [path.name for path in tmp_path.glob("*.mp4")] == ["recording_000.mp4"]


@pytest.mark.parametrize("index", range(6))
def test_sessions_hold_every_class_and_flow_on_between_spans(index):
    scene = draw_scene(SynthConfig(variety=1.0), index)
    session = draw_session(np.random.default_rng([index]), scene, 90.0)
    motions = list(iter_motions(session, scene, [index]))
    times_s = np.concatenate([motion.times_s for motion in motions])
    assert times_s == pytest.approx(session.times_s)
    joints = np.concatenate([motion.joints for motion in motions])
    speed_m_s = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * scene.fps
    assert speed_m_s.max() < 23.0
    starts = np.cumsum([len(motion.times_s) for motion in motions])[:-1]
    assert speed_m_s[starts - 1].max() < 3.0
    acts = [act for motion in motions for act in motion.acts]
    assert {act.label for act in acts} >= {"hitting_self", "playing"}
    edges = [time_s for act in acts for time_s in (act.start_s, act.end_s)]
    assert edges == sorted(edges)
