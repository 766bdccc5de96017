"""A stream says, piece by piece, what the whole says; leaving it lets everything go."""

import itertools
import threading
import time

import numpy as np
import pytest
from acting import make_scene
from bundles import make_bundle, make_people_bundle
from videos import make_clip

import har
from har.config import PredictConfig
from har.errors import ConfigError, VideoDecodeError
from har.video.file.reader import open_video

OVERLAP = PredictConfig.n_overlap


def _read(path):
    with open_video(path) as reader:
        return [(frame.time_s, frame.image) for frame in reader]


def _join(updates):
    times_s = np.concatenate([update.scores.times_s for update in updates])
    return times_s, np.concatenate([update.scores.values for update in updates])


def _check_alike(updates, result, begun_s=0.0):
    times_s, values = _join(updates)
    np.testing.assert_allclose(times_s, result.scores.times_s + begun_s, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(values, result.scores.values)
    found = [event for update in updates for event in update.closed]
    assert [(e.label, e.onset_s - begun_s, e.subject) for e in found] == [
        (e.label, pytest.approx(e.onset_s), e.subject) for e in result.events
    ]


@pytest.mark.parametrize("streams", ["motion", "pose", "both"])
def test_pictures_one_by_one_say_what_all_at_once_say(tmp_path, streams):
    path = make_scene(tmp_path / "acts.mp4", lambda _: ((0.3, False), (0.7, True)), 2.0)
    make = make_bundle if streams == "motion" else make_people_bundle
    model = har.load(
        make(tmp_path / "bundle", **({} if streams == "motion" else {"streams": streams}))
    )
    timed = _read(path)
    images = np.stack([image for _, image in timed])
    fps = 1 / (timed[1][0] - timed[0][0])
    result = model.predict(images, fps=fps)
    pictures = [(100.0 + index / fps, image) for index, image in enumerate(images)]
    updates = list(model.stream(pictures, n_overlap=OVERLAP))
    _check_alike(updates, result, begun_s=100.0)
    assert [update.state for update in updates[-2:]] == ["live", "ended"]
    assert all(a.time_s <= b.time_s for a, b in itertools.pairwise(updates))
    assert 100 < updates[0].time_s <= updates[-1].time_s <= 102.0 + 1e-6


def test_what_opens_closes(tmp_path):
    model = har.load(make_bundle(tmp_path / "bundle"))
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (100, 32, 48), np.uint8)
    noise[:30], noise[70:] = 0, 0
    updates = list(model.stream((index / 25, image) for index, image in enumerate(noise)))
    opened = [event for update in updates for event in update.opened if event.label == "active"]
    closed = [event for update in updates for event in update.closed if event.label == "active"]
    assert [event.onset_s for event in opened] == [event.onset_s for event in closed]
    assert len(closed) == 1
    now = next(update for update in updates if update.time_s > 2.0)
    assert now.label == "active"
    assert now.probs["active"] > 0.9


def test_no_picture_is_no_update_and_bad_ones_are_refused(tmp_path):
    model = har.load(make_bundle(tmp_path / "bundle"))
    assert list(model.stream([])) == []
    picture = np.zeros((32, 48), np.uint8)
    with pytest.raises(VideoDecodeError, match=r"0\.5 s after one at 0\.5"):
        list(model.stream([(0.5, picture), (0.5, picture)]))
    with pytest.raises(VideoDecodeError, match="received nan"):
        list(model.stream([(float("nan"), picture)]))
    with pytest.raises(ConfigError, match="uint8"):
        list(model.stream([(0.5, picture.astype(float))]))
    with pytest.raises(ConfigError, match="nowhere"):
        model.stream("nowhere.mp4")
    with pytest.raises(ConfigError, match="kick"):
        model.stream(0, changes={"kick.onset": 0.5})


def test_frames_without_times_are_refused_with_the_remedy(tmp_path):
    model = har.Model(make_bundle(tmp_path / "b"))
    with pytest.raises(ConfigError, match=r"\(\(i / fps, frame\) for i, frame in enumerate"):
        next(model.stream(np.zeros((5, 32, 64, 3), np.uint8)))


def test_a_file_is_played_and_ends(tmp_path):
    model = har.load(make_bundle(tmp_path / "bundle"))
    path = make_clip(tmp_path / "a.mp4", n_frames=50)
    began_s = time.monotonic()
    updates = list(model.stream(path, n_overlap=OVERLAP))
    assert time.monotonic() - began_s > 1.5
    assert updates[-1].state == "ended"
    _check_alike(updates, model.predict(path))
    assert updates[-1].time_s == pytest.approx(2.0)


def test_leaving_the_loop_lets_the_camera_go(tmp_path):
    model = har.load(make_bundle(tmp_path / "bundle"))
    path = make_clip(tmp_path / "a.mp4", n_frames=250)
    before = set(threading.enumerate())
    updates = model.stream(path)
    for update in updates:
        if update.state == "live":
            break
    assert set(threading.enumerate()) - before
    updates.close()
    assert not {thread for thread in set(threading.enumerate()) - before if thread.is_alive()}


def test_a_camera_that_is_none_is_told(tmp_path):
    model = har.load(make_bundle(tmp_path / "bundle"))
    updates = model.stream(99)
    first = next(update for update in updates if update.note)
    assert first.state in ("starting", "lost")
    assert "99" in first.note
    assert first.label == har.UNCERTAIN
    updates.close()
