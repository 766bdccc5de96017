"""Keypoints of other tools become clips to learn from, alone or beside videos."""

import json

import numpy as np
import pytest
from bodies import save_body
from videos import make_clip

import har
from har.dataset.store import Store, frames_path, keypoints_path
from har.errors import ConfigError, StoreError
from har.inference.cache import KeypointCache


def make_classes(folder, n_groups=5):
    for group in range(n_groups):
        for label, is_up in (("up", True), ("down", False)):
            save_body(folder / label / f"g{group}.npz", is_up, n_frames=50 + group, x=20 * group)
    return folder


def test_a_folder_of_classes_becomes_a_store_without_pictures(tmp_path):
    folder = make_classes(tmp_path / "data")
    (folder / "up" / "badDLC_x.csv").write_text("scorer,a\n")
    make = {"folds": 2, "jobs": 1}
    store = har.prepare(folder, tmp_path / "store", **make)
    assert (len(store.clips), store.n_cut, len(store.keypoint_clips)) == (10, 10, 10)
    (reject,) = store.rejects
    assert "'bodyparts'" in reject.reason
    clip = next(clip for clip in store.clips if clip.path.name == "g3.npz" and clip.label == "up")
    assert (clip.n_frames, clip.fps, clip.duration_s) == (53, 30, pytest.approx(53 / 30))
    np.testing.assert_array_equal(
        store.load_keypoints(clip.clip_id), har.read_poses(clip.path).points
    )
    assert not frames_path(store.path, clip.clip_id).exists()
    with pytest.raises(StoreError, match="without pictures"):
        store.open_frames(clip.clip_id)
    assert any("keypoints without pictures" in warning for warning in store.report.warnings)
    assert (store.path / "sheet.png").stat().st_size > 1000
    assert store.size == (192, 320)

    again = har.prepare(folder, tmp_path / "store", **make)
    assert (again.n_cut, again.n_reused, again.data_hash) == (0, 10, store.data_hash)
    keypoints_path(store.path, clip.clip_id).unlink()
    again = har.prepare(folder, tmp_path / "store", **make)
    assert (again.n_cut, again.data_hash) == (1, store.data_hash)
    other = har.prepare(folder, tmp_path / "store", joints={"nose": ""}, **make)
    assert other.n_cut == 10
    assert not other.load_keypoints(clip.clip_id)[:, :, 0].any()


def test_steps_of_a_clip_are_those_that_a_recording_has(tmp_path):
    store = har.prepare(make_classes(tmp_path / "data"), tmp_path / "store", folds=2, jobs=1)
    clip_id = store.clips[0].clip_id
    (found,) = KeypointCache(store, 10.0).load([clip_id])
    rows = np.floor((np.arange(16) + 0.5) * 3).astype(int)
    expected = store.load_keypoints(clip_id)[rows]
    np.testing.assert_array_equal(found.points, expected)
    assert found.scores.shape == (16, 1)


def test_parts_of_recordings_and_videos_beside_them_by_a_manifest(tmp_path):
    save_body(tmp_path / "long.npz", n_frames=300)
    make_clip(tmp_path / "film.mp4", n_frames=50)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "path,label,start_s,end_s,group\nlong.npz,a,0,2,1\nlong.npz,b,4,5.5,2\n"
        "long.npz,b,9.9,20,3\nfilm.mp4,a,,,4\n"
    )
    store = har.prepare(manifest, tmp_path / "store", folds=2, jobs=1)
    by_start = {clip.start_s: clip for clip in store.clips if clip.path.name == "long.npz"}
    assert {start_s: clip.n_frames for start_s, clip in by_start.items()} == {0: 60, 4: 45}
    times_s = store.load_times(by_start[4].clip_id)
    np.testing.assert_allclose(times_s, (np.arange(45) + 0.5) / 30)
    (reject,) = store.rejects
    assert "only 3 frames" in reject.reason
    (film,) = (clip for clip in store.clips if clip.path.name == "film.mp4")
    assert len(store.open_frames(film.clip_id)) == film.n_frames
    assert Store.load(store.path).keypoint_clips == {clip.clip_id for clip in by_start.values()}


def test_shares_need_the_shape_of_their_picture(tmp_path):
    for label, is_up in (("up", True), ("down", False)):
        points = har.read_poses(save_body(tmp_path / "x.npz", is_up)).points
        (tmp_path / "data" / label).mkdir(parents=True)
        values = [
            [{"x": x / 640, "y": y / 480, "visibility": 1} for x, y, _ in points[0, 0].tolist()]
        ] * 20
        (tmp_path / "data" / label / "a.json").write_text(json.dumps({"frames": values}))
    manifest = tmp_path / "data" / "manifest.csv"
    manifest.write_text("path,label\nup/a.json,up\ndown/a.json,down\n")
    with pytest.raises(har.DatasetError, match="shares of the picture"):
        har.prepare(manifest, tmp_path / "store", fps=10, jobs=1)
    store = har.prepare(manifest, tmp_path / "store", fps=10, pose_size=(480, 640), jobs=1)
    assert {(clip.height, clip.width) for clip in store.clips} == {(480, 640)}


def test_motion_cannot_be_learned_from_keypoints(tmp_path):
    store = har.prepare(make_classes(tmp_path / "data"), tmp_path / "store", folds=2, jobs=1)
    for streams in ("motion", "both"):
        with pytest.raises(ConfigError, match=r"10 of 10 clips.*expected streams 'pose'"):
            har.train(store, streams=streams, out=tmp_path / "model", results=tmp_path / "results")
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_a_model_learns_from_keypoints_and_recognizes_them(tmp_path):
    folder = make_classes(tmp_path / "data", n_groups=10)
    store = har.prepare(
        folder, tmp_path / "store", folds=2, jobs=1, group_by=r"(g\d+)\.npz", seed=1
    )
    lines = []
    model = har.train(
        store,
        out=tmp_path / "model",
        results=tmp_path / "results",
        progress=False,
        say=lines.append,
    )
    assert "streams: pose, for 20 clips are keypoints without pictures" in lines
    assert model.info.stream_names == "pose"
    assert model.evaluate(store, "all").metrics.accuracy == 1.0
    new = save_body(tmp_path / "new.npz", is_up=True, n_frames=70, x=33)
    assert model.predict(new).label == "up"
    folds = har.crossvalidate(
        store, folds=2, seeds=1, results=tmp_path / "crossval", progress=False
    )
    assert folds.intervals["accuracy"].mean > 0.9
