"""Files of keypoints stand where a video would; `--keep keypoints` keeps nothing else of people."""

import json

import numpy as np
import pytest
from acting import make_scene
from bodies import draw_body, save_body
from bundles import LABELS, make_bundle, make_people_bundle
from click.testing import CliRunner
from videos import make_clip

import har
from har.cli import har as command_line
from har.errors import BundleMismatchError, ConfigError, PoseFileError
from har.inference.keypoints import find_least_score
from har.pose.adapters.reading import Poses, write_poses
from har.pose.keypoints import KEYPOINTS, to_detections
from har.pose.tracking import START_SCORE


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_people_bundle(tmp_path_factory.mktemp("bundle") / "pose")


def test_a_file_says_what_its_keypoints_say(tmp_path, bundle):
    model, path = har.load(bundle), save_body(tmp_path / "up.npz")
    result = model.predict(path)
    poses = har.read_poses(path)
    expected = model.predict_keypoints(poses.points, poses.fps)
    assert (result.label, result.duration_s, result.info.path) == (LABELS[1], 2.0, path)
    np.testing.assert_array_equal(result.scores.values, expected.scores.values)
    assert model.predict(save_body(tmp_path / "down.npz", is_up=False)).label == LABELS[0]


def test_missing_joints_are_masked_and_named(tmp_path, bundle):
    names = [name for name in KEYPOINTS if "ankle" not in name]
    points = np.repeat(draw_body(True)[None, None, :15], 60, axis=0)
    path = tmp_path / "a.npz"
    np.savez(path, points=points, joints=names, fps=30)
    result = har.load(bundle).predict(path)
    assert result.label == LABELS[1]
    assert "missing: left_ankle, right_ankle" in result.note


def test_settings_of_files_of_keypoints_only(tmp_path, bundle):
    model, path = har.load(bundle), tmp_path / "a.npz"
    np.savez(path, points=np.repeat(draw_body(True)[None, None] / [640, 480], 60, axis=0))
    assert model.predict(path, fps=30, size=(480, 640)).label == LABELS[1]
    with pytest.raises(PoseFileError, match="--fps"):
        model.predict(path, size=(480, 640))
    with pytest.raises(ConfigError, match="file of keypoints only"):
        model.predict(make_clip(tmp_path / "a.mp4"), fps=30)


def test_a_model_of_motion_says_what_it_lacks(tmp_path):
    model, path = har.load(make_bundle(tmp_path / "motion")), save_body(tmp_path / "a.npz")
    with pytest.raises(PoseFileError, match="no pose stream"):
        model.predict(path)
    with pytest.raises(BundleMismatchError, match="no keypoints to keep"):
        har.predict(path, out=tmp_path / "out", model=model, keep="keypoints")


@pytest.mark.parametrize("header", ["video,label,start_s,end_s", "video;behavior;from;to"])
def test_a_table_of_events_given_as_a_recording_is_called_one(tmp_path, bundle, header):
    path = tmp_path / "coded.csv"
    path.write_text(f"{header}\na.mp4,hit,1,2\n")
    for model in (make_bundle(tmp_path / f"motion_{len(header)}"), bundle):
        with pytest.raises(PoseFileError, match=r"looks like a table of events.*score-events"):
            har.load(model).predict(path)
    path.write_text("height,weight\n1,2\n")
    with pytest.raises(PoseFileError, match=r"received: height, weight$"):
        har.load(bundle).predict(path)


@pytest.mark.parametrize("jobs", [1, 2])
def test_videos_and_keypoints_in_one_folder(tmp_path, bundle, jobs):
    folder, out = tmp_path / "data", tmp_path / "out"
    make_scene(folder / "film.mp4", lambda _: ((0.5, True),), 2.0)
    save_body(folder / "film.keypoints.npz", is_up=False)  # of the video beside it: passed over
    save_body(folder / "up.keypoints.npz")
    (folder / "badDLC_x.csv").write_text("scorer,a\n")
    np.savez(folder / "unnamed.npz", landmarks=np.zeros((5, 33, 3)))
    named = save_body(tmp_path / "named.npz", is_up=False)
    with pytest.warns(UserWarning, match="badDLC_x.csv"):
        found = har.predict([folder, named], out=out, model=bundle, jobs=jobs)
    labels = {r.info.path.name: r.label for r in found.recognized}
    assert labels == {
        "film.mp4": LABELS[1],
        "up.keypoints.npz": LABELS[1],
        "named.npz": LABELS[0],
    }
    (failed,) = (r for r in found.results if r.error)
    assert "'bodyparts'" in failed.error
    for ending in ("events.csv", "events.vtt", "scores.csv", "timeline.svg", "result.json"):
        assert (out / f"up.keypoints.{ending}").is_file()
    with pytest.warns(UserWarning, match="badDLC_x.csv"):
        again = har.predict([folder, named], out=out, model=bundle, jobs=jobs)
    assert again.n_unchanged == 3
    with pytest.warns(UserWarning, match="badDLC_x.csv"):
        other = har.predict([folder, named], out=out, model=bundle, jobs=jobs, size=(9, 16))
    assert other.n_unchanged == 0


def test_a_folder_of_openpose_is_one_recording_inside_others_too(tmp_path, bundle):
    folder = tmp_path / "data" / "walk"
    folder.mkdir(parents=True)
    body = np.concatenate([draw_body(True), np.ones((17, 1))], axis=1)
    order = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]  # OpenPose's 18
    flat = [n for at in order for n in ([0.0] * 3 if at is None else body[at].tolist())]
    for frame in range(40):
        values = {"people": [{"pose_keypoints_2d": flat}]}
        (folder / f"walk_{frame:012d}_keypoints.json").write_text(json.dumps(values))
    found = har.predict(tmp_path / "data", out=tmp_path / "out", model=bundle, fps=20)
    (result,) = found.recognized
    assert (result.label, result.duration_s, result.info.path) == (LABELS[1], 2.0, folder)
    assert har.load(bundle).predict(folder, fps=20).label == LABELS[1]


def test_keypoints_that_were_kept_say_what_the_video_said_and_show_nobody(tmp_path, bundle):
    film = make_scene(tmp_path / "film.mp4", lambda t: ((0.3, False), (0.7, t > 1)), 3.0)
    out = tmp_path / "out"
    (result,) = har.predict(film, out=out, model=bundle, keep="keypoints").recognized
    kept = out / "film.keypoints.npz"
    poses = har.read_poses(kept)
    assert poses.points.shape == (30, 2, 17, 3)
    assert (poses.fps, poses.size, poses.notes) == (10.0, (240, 320), ())
    back = har.load(bundle).predict(kept)
    np.testing.assert_allclose(back.scores.values, result.scores.values, atol=1e-4)
    np.testing.assert_allclose(back.scores.times_s, result.scores.times_s)
    assert [(e.label, e.onset_s) for e in back.events] == [
        (e.label, e.onset_s) for e in result.events
    ]
    assert not [p for p in out.iterdir() if p.suffix in (".mp4", ".jpg", ".png") or p.is_dir()]
    assert "<image" not in (out / "film.timeline.svg").read_text(encoding="utf-8")
    for option in ({"annotate": True}, {"thumbnails": True}):
        with pytest.raises(ConfigError, match="nothing else that shows people"):
            har.predict(film, out=out, model=bundle, keep="keypoints", **option)


def test_of_keypoints_no_picture_is_drawn(tmp_path, bundle):
    path, out = save_body(tmp_path / "up.npz"), tmp_path / "out"
    with pytest.warns(UserWarning, match="1 of the sources are keypoints"):
        found = har.predict(path, out=out, model=bundle, annotate=True, thumbnails=True)
    (result,) = found.recognized
    assert result.events
    assert not list(out.glob("up.annotated*"))
    with pytest.raises(har.VideoError, match="no video"):
        result.save(tmp_path / "saved", annotate=True)


def test_the_command(tmp_path, bundle):
    path = tmp_path / "a.npz"
    names = [name.replace("right_wrist", "Hand_R") for name in KEYPOINTS]
    points = np.repeat(draw_body(True)[None, None] / [640, 480], 60, axis=0)
    np.savez(path, points=points, joints=names)
    words = ["predict", path, "--bundle", bundle, "--out", tmp_path / "out", "--json"]
    run = CliRunner().invoke(command_line, list(map(str, words)))
    assert run.exit_code == 1
    assert "Hand_R" not in run.stdout
    options = ["--fps", "30", "--size", "480x640", "--joints", "Hand_R=right_wrist"]
    run = CliRunner().invoke(command_line, list(map(str, [*words, *options])))
    assert run.exit_code == 0, run.stderr
    (video,) = json.loads(run.stdout)
    assert (video["label"], video["fps"]) == (LABELS[1], 30)
    assert "note" not in video
    run = CliRunner().invoke(command_line, list(map(str, [*words, "--joints", "Hand_R"])))
    assert run.exit_code == 2
    assert "NAME=KEYPOINT" in run.stderr


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "size"),
    [("webcam_mit.npz", (480, 640)), ("utkinect.npz", None), ("sbu_pairs.npz", None)],
)
def test_real_mediapipe_and_kinect_go_through_the_command(tmp_path, shared_data, name, size):
    path = shared_data / "motion" / name
    if not path.is_file():
        pytest.skip(f"no captured motion at {path}")
    whole = np.load(path, allow_pickle=False)
    for index in (0, 7):
        part = slice(*whole["starts"][index : index + 2])
        np.savez(
            tmp_path / f"{index}.npz",
            points=whole["points"][part],
            joints=whole["joints"],
            fps=whole["fps"][index],
        )
    shape = [] if size is None else ["--size", f"{size[0]}x{size[1]}"]
    words = ["predict", tmp_path / "0.npz", tmp_path / "7.npz", "--bundle", "three-class"]
    words += ["--out", tmp_path / "out", "--json", *shape]
    run = CliRunner().invoke(command_line, list(map(str, words)))
    assert run.exit_code == 0, run.stderr
    results = json.loads(run.stdout)
    assert len(results) == 2
    for result in results:
        assert result["confidence"] > 0.3
        assert result["uncertain_share"] < 0.5
        assert sum(result["probs"].values()) == pytest.approx(1, abs=1e-3)


def test_whoever_was_followed_is_followed_again_though_keypoints_are_faint(tmp_path):
    points = np.concatenate([draw_body(True), np.full((17, 1), 0.12)], axis=1)
    faint = np.repeat(points[None, None].astype(np.float32), 60, axis=0)
    path, numbers = tmp_path / "a.keypoints.npz", {}
    for is_followed in (False, True):
        write_poses(path, Poses(faint, 30.0, (480, 640), path, is_followed=is_followed))
        assert har.read_poses(path).is_followed is is_followed
        numbers[is_followed] = to_detections(
            faint, least_score=find_least_score(har.read_poses(path))
        ).scores[0]
    assert numbers[False].max() < START_SCORE == pytest.approx(numbers[True].max())
    np.savez(path, points=faint, fps=30, followed=np.array([1, 2]))
    with pytest.raises(PoseFileError, match="followed true or false"):
        har.read_poses(path)
