import shutil

import numpy as np
import pytest
from stores import SIZE, make_clips, make_store

from har.config import PrepareConfig
from har.dataset.prepare import prepare
from har.dataset.store import Store
from har.errors import StoreError
from har.inference.cache import FOLDER, KeypointCache
from har.inference.detector import PoseDetector
from har.sampling.times import compute_span_s, compute_step_times

RATE_HZ = 10.0


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Store:
    return make_store(tmp_path_factory.mktemp("keypoints"), n_groups=3)


@pytest.fixture
def store(made, tmp_path) -> Store:
    """A copy without any keypoints."""
    shutil.copytree(made.path, tmp_path / "store", ignore=shutil.ignore_patterns(FOLDER))
    return Store.load(tmp_path / "store")


@pytest.fixture(scope="module")
def detector() -> PoseDetector:
    return PoseDetector(n_threads=1)


def look(store, clip_id, rate_hz, detector):
    """What the cache should give, by the slow and plain way."""
    times_s, frames = store.load_times(clip_id), store.open_frames(clip_id)
    interval_s = np.diff(times_s).mean()
    n_steps = int((len(times_s) * interval_s) * rate_hz + 1e-6)
    steps_s = (np.arange(n_steps) + 0.5) / rate_hz
    nearest = [int(np.argmin(np.abs(times_s - at))) for at in steps_s]
    points, scores = zip(*(detector.detect(frames[index]) for index in nearest), strict=True)
    return np.stack(points), np.stack(scores)


def files_of(store):
    return sorted((store.path / FOLDER).rglob("*.npz"))


@pytest.mark.parametrize("rate_hz", [10.0, 4.0])
def test_it_is_what_the_network_sees_at_the_steps_times(store, detector, rate_hz):
    clip_id = store.clips[0].clip_id
    (found,) = KeypointCache(store, rate_hz).load([clip_id])
    points, scores = look(store, clip_id, rate_hz, detector)
    assert (found.points.dtype, found.scores.dtype) == (np.float32, np.float32)
    assert len(points) == rate_hz  # the clip lasts a second
    np.testing.assert_allclose(found.points, points, atol=1e-3)
    np.testing.assert_allclose(found.scores, scores, atol=1e-6)


def test_steps_are_those_of_the_windows(store):
    clip = store.clips[1]
    (found,) = KeypointCache(store, RATE_HZ).load([clip.clip_id])
    span_s = compute_span_s(store.load_times(clip.clip_id))
    assert len(found.points) == len(compute_step_times(span_s, RATE_HZ))


def test_answers_come_in_the_order_asked_for(store):
    ids = [clip.clip_id for clip in store.clips[:3]]
    cache = KeypointCache(store, 4.0)
    forth, back = cache.load(ids), cache.load([ids[2], ids[0], ids[0]])
    for found, index in zip(back, (2, 0, 0), strict=True):
        np.testing.assert_array_equal(found.points, forth[index].points)
    assert len(files_of(store)) == 3


def test_nothing_asked_for_is_nothing(store):
    assert KeypointCache(store, RATE_HZ).load([]) == []
    assert not (store.path / FOLDER).exists()


def test_each_clip_is_looked_at_once(store):
    clip_id = store.clips[0].clip_id
    (found,) = KeypointCache(store, RATE_HZ).load([clip_id])
    shutil.rmtree(store.path / "frames")  # nothing to look at any more
    (again,) = KeypointCache(store, RATE_HZ).load([clip_id])
    np.testing.assert_array_equal(again.points, found.points)
    np.testing.assert_array_equal(again.scores, found.scores)


def test_another_rate_has_files_of_its_own(store):
    clip_id = store.clips[0].clip_id
    for rate_hz in (10.0, 5.0):
        KeypointCache(store, rate_hz).load([clip_id])
    assert len({path.parent for path in files_of(store)}) == 2


@pytest.mark.parametrize("keep", [0, 10, 3000])
def test_a_damaged_file_is_made_again(store, keep):
    clip_id = store.clips[0].clip_id
    (found,) = KeypointCache(store, RATE_HZ).load([clip_id])
    (path,) = files_of(store)
    whole = path.read_bytes()
    assert len(whole) > 3000
    path.write_bytes(whole[:keep])
    (again,) = KeypointCache(store, RATE_HZ).load([clip_id])
    np.testing.assert_array_equal(again.points, found.points)
    assert path.read_bytes() == whole


def test_a_flipped_bit_is_damage(store):
    clip_id = store.clips[0].clip_id
    (found,) = KeypointCache(store, RATE_HZ).load([clip_id])
    (path,) = files_of(store)
    altered = bytearray(path.read_bytes())
    altered[1000] ^= 1
    path.write_bytes(altered)
    (again,) = KeypointCache(store, RATE_HZ).load([clip_id])
    np.testing.assert_array_equal(again.points, found.points)


def test_a_file_without_scores_is_damage(store):
    clip_id = store.clips[0].clip_id
    (found,) = KeypointCache(store, RATE_HZ).load([clip_id])
    (path,) = files_of(store)
    np.savez(path, points=found.points)
    (again,) = KeypointCache(store, RATE_HZ).load([clip_id])
    np.testing.assert_array_equal(again.scores, found.scores)


def test_missing_frames_are_a_store_error(store):
    shutil.rmtree(store.path / "frames")
    with pytest.raises(StoreError, match="har prepare"):
        KeypointCache(store, RATE_HZ).load([store.clips[0].clip_id])
    assert files_of(store) == []


def test_color_and_another_size_are_looked_at_anew(tmp_path, detector):
    manifest = make_clips(tmp_path / "clips", n_groups=2)
    for settings in ({"size": SIZE}, {"size": (96, 96)}, {"size": (96, 96), "color": "rgb"}):
        prepare(manifest, tmp_path / "store", PrepareConfig(n_folds=2, jobs=1, **settings))
        store = Store.load(tmp_path / "store")
        clip_id = store.clips[0].clip_id
        (found,) = KeypointCache(store, 4.0).load([clip_id])
        points, _ = look(store, clip_id, 4.0, detector)
        np.testing.assert_allclose(found.points, points, atol=1e-3)
