"""`--keep features` writes what the frame CNN gave; a head scores it again without the video."""

import json
import shutil
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from acting import make_scene
from bundles import LABELS, SPEC, make_bundle, make_people_bundle
from click.testing import CliRunner
from outputs import read_outputs
from videos import make_clip, make_video
from writes import kill_at, write_label

import har
from har.bundle import CNN_GRAPH_FILE, load_info, save_info
from har.cli import har as command_line
from har.config import DecodeConfig, PredictConfig
from har.errors import BundleMismatchError, ConfigError, FeatureFileError, PoseFileError
from har.feature_files import open_features
from har.files import compute_file_hash
from har.inference.folder import Plan, VideoJob, recognize_folder
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.learned import NOTE, build_mark
from har.pose.adapters.reading import write_poses
from har.result import VideoResult
from har.video.file.reader import open_video, probe_video


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundle") / "motion", decode=DecodeConfig("still"))


def paint(index: int) -> np.ndarray:
    """Two seconds that flicker, three of noise alone, one that flickers."""
    level = 40 + (2 if 50 <= index < 125 else 160) * (index % 2)
    return np.full((64, 96, 3), level, np.uint8)


def count(n_frames: int, begin_s: float = 0.0) -> list[float]:
    return [begin_s + i / 25 for i in range(n_frames)]


def make_film(path: Path) -> Path:
    return make_video(path, count(150), paint=paint)


def make_broken(path: Path) -> Path:
    """A film with a gap of ten seconds, and one frame between two more gaps."""
    times_s = [*count(50), 12.0, *count(99, 30.0)]
    return make_video(path, times_s, paint=paint)


def score_rounded(bundle: Path, video: Path, exact: bool = False) -> VideoResult:
    """What a video's scores are where the head is given features of 16 bits."""
    recognizer = Recognizer(bundle, 1, exact=exact)
    encode = recognizer.graphs[CNN_GRAPH_FILE]
    rounded = recognizer.replace(
        {CNN_GRAPH_FILE: lambda x: encode(x).astype(np.float16).astype(np.float32)}
    )
    return recognize_video(rounded, video, config=PredictConfig(jobs=1, exact=exact))


def check_same(found: har.Result, expected: VideoResult, atol: float = 1e-6) -> None:
    assert not found.error
    np.testing.assert_allclose(found.scores.values, expected.scores.values, atol=atol)
    np.testing.assert_array_equal(found.scores.times_s, expected.scores.times_s)
    assert (found.scores.step_s, found.n_windows) == (expected.scores.step_s, expected.n_windows)
    assert (found.label, found.note, found.still) == (
        expected.label,
        expected.note,
        expected.still,
    )
    assert (found.duration_s, found.engines) == (expected.duration_s, expected.engines)
    assert [(e.label, e.onset_s, e.offset_s) for e in found.events] == [
        (e.label, e.onset_s, e.offset_s) for e in expected.events
    ]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("make", [make_film, make_broken])
def test_features_say_what_the_video_said(
    tmp_path: Path, bundle: Path, make: Callable[[Path], Path], exact: bool
) -> None:
    video, out = make(tmp_path / "film.mkv"), tmp_path / "out"
    (direct,) = har.predict(video, out=out, model=bundle, keep="features", exact=exact).results
    path = out / "film.features.npz"
    found = har.load(bundle, exact=exact).predict(path)
    check_same(found, score_rounded(bundle, video, exact))
    np.testing.assert_allclose(found.scores.values, direct.scores.values, atol=5e-3)
    assert (found.info.path, found.info.fps) == (path, direct.info.fps)
    with open_features(path) as file:
        assert (len(file.rows), len(file.segments)) == ((48, 1) if make is make_film else (48, 3))
        assert (file.rows[-1] + 1 == len(file.rows)) == exact
        assert bool(file.still.any()) != exact


def test_still_steps_that_were_passed_over_are_not_there_for_an_exact_model(
    tmp_path: Path, bundle: Path
) -> None:
    video = make_film(tmp_path / "film.mkv")
    for name, exact in (("still", False), ("exact", True)):
        har.predict(video, out=tmp_path / name, model=bundle, keep="features", exact=exact)
    with pytest.raises(FeatureFileError, match="leave out exact"):
        har.load(bundle, exact=True).predict(tmp_path / "still" / "film.features.npz")
    found = har.load(bundle).predict(tmp_path / "exact" / "film.features.npz")
    check_same(found, score_rounded(bundle, video, exact=True))


def test_another_head_of_the_same_cnn_scores_and_knows_what_it_has_learned_from(
    tmp_path: Path, bundle: Path
) -> None:
    video, labels = make_film(tmp_path / "film.mkv"), ("active", "still", "never")
    other = make_bundle(tmp_path / "other", labels, replace(SPEC, n_steps=12))
    mark = build_mark(video.stat().st_size, compute_file_hash(video))
    save_info(other, replace(load_info(other), learned_from=(mark,)))
    har.predict(video, out=tmp_path / "out", model=bundle, keep="features")
    found = har.load(other).predict(tmp_path / "out" / "film.features.npz")
    assert (found.scores.labels, found.note) == (labels, NOTE)
    check_same(found, score_rounded(other, video))


def test_a_model_that_does_not_fit_is_told_by_what(tmp_path: Path, bundle: Path) -> None:
    har.predict(make_film(tmp_path / "a.mkv"), out=tmp_path / "out", model=bundle, keep="features")
    path = tmp_path / "out" / "a.features.npz"
    spec = replace(SPEC, rate_hz=10.0, motion_crop=2)
    other = make_bundle(tmp_path / "spec", spec=spec)
    with pytest.raises(FeatureFileError) as caught:
        har.load(other).predict(path)
    assert "rate_hz is 8.0 there and 10.0 here; motion_crop is 1 there and 2 here" in str(
        caught.value
    )
    other = make_bundle(tmp_path / "cnn", fails_on_white=True)
    with pytest.raises(FeatureFileError, match=r"frame CNN is \w{12} there and \w{12} here"):
        har.load(other).predict(path)
    people = make_people_bundle(tmp_path / "pose")
    with pytest.raises(FeatureFileError, match=r"no a\.keypoints\.npz beside it"):
        har.load(people).predict(path)
    with pytest.raises(BundleMismatchError, match="no features to keep"):
        har.predict(path, out=tmp_path / "out", model=people, keep="features")
    with pytest.raises(ConfigError, match="keypoints, features, received frames"):
        har.predict(path, out=tmp_path / "out", model=bundle, keep="frames")  # type: ignore[arg-type]
    with pytest.raises(PoseFileError, match="cannot be read as keypoints"):
        har.read_poses(path)


def test_both_streams_take_the_keypoints_beside(tmp_path: Path) -> None:
    both = make_people_bundle(tmp_path / "both", "both")
    film = make_scene(tmp_path / "film.mp4", lambda t: ((0.3, False), (0.7, t > 1)), 3.0)
    out = tmp_path / "out"
    keep = ("features", "keypoints")
    (direct,) = har.predict(film, out=out, model=both, keep=keep).recognized
    (found,) = har.predict(out, out=tmp_path / "again", model=both).recognized
    assert found.info.path == out / "film.features.npz"
    np.testing.assert_allclose(found.scores.values, direct.scores.values, atol=1e-3)
    assert found.scores.people is not None
    assert [(e.label, e.onset_s, e.subject) for e in found.events] == [
        (e.label, e.onset_s, e.subject) for e in direct.events
    ]
    pose = har.load(both, streams="pose").predict(out / "film.features.npz")
    kept = har.load(both, streams="pose").predict(out / "film.keypoints.npz")
    np.testing.assert_array_equal(pose.scores.values, kept.scores.values)
    assert pose.info.path == out / "film.features.npz"
    other = har.read_poses(out / "film.keypoints.npz")
    write_poses(out / "film.keypoints.npz", replace(other, points=other.points[:-5]))
    with pytest.raises(FeatureFileError, match="is of another video"):
        har.load(both).predict(out / "film.features.npz")
    (out / "film.keypoints.npz").unlink()
    with pytest.raises(FeatureFileError, match=r"no film.keypoints.npz beside .*--streams motion"):
        har.load(both).predict(out / "film.features.npz")
    alone = har.load(both, streams="motion").predict(out / "film.features.npz")
    assert alone.scores.people is None


def test_people_behind_a_gap_have_numbers_of_their_own(tmp_path: Path) -> None:
    both = make_people_bundle(tmp_path / "both", "both")
    scene = make_scene(tmp_path / "once.mp4", lambda _: ((0.3, False), (0.7, True)), 2.0)
    pictures = [frame for _, frame in _read(scene)]
    times_s = [*count(20), *count(20, 10.03)]
    film = make_video(
        tmp_path / "film.mkv",
        [2.5 * t if t < 5 else 10.03 + 2.5 * (t - 10.03) for t in times_s],
        pictures[0].shape[:2],
        paint=lambda index: pictures[index % 20],
    )
    out = tmp_path / "out"
    keep = ("features", "keypoints")
    (direct,) = har.predict(film, out=out, model=both, keep=keep).recognized
    found = har.load(both).predict(out / "film.features.npz")
    assert found.scores.people is not None
    assert direct.scores.people is not None
    np.testing.assert_allclose(found.scores.values, direct.scores.values, atol=1e-3)
    np.testing.assert_array_equal(found.scores.people.subjects, direct.scores.people.subjects)
    first, second = np.split(direct.scores.people.subjects[:, 1], 2)
    assert 0 < first.max() < second.max()
    assert len(np.unique(np.diff(direct.scores.times_s).round(3))) == 2


def _read(path: Path) -> list[tuple[float, np.ndarray]]:
    info = probe_video(path)
    with open_video(path, (info.height, info.width), "rgb") as reader:
        return [(frame.time_s, frame.image) for frame in reader]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_goes_on_past_what_is_no_file_of_features(
    tmp_path: Path, bundle: Path, jobs: int
) -> None:
    folder, out = tmp_path / "videos", tmp_path / "out"
    for name in "ab":
        make_clip(folder / f"{name}.mp4", n_frames=30)
    har.predict(folder, out=out, model=bundle, keep="features", jobs=jobs)
    (out / "c.features.npz").write_bytes((out / "a.features.npz").read_bytes()[:-100])
    with pytest.warns(UserWarning, match=r"c\.features\.npz cannot be read as features"):
        found = har.predict(out, out=tmp_path / "again", model=bundle, jobs=jobs)
    assert [r.info.path.name for r in found.recognized] == ["a.features.npz", "b.features.npz"]
    for ending in ("events.csv", "events.vtt", "scores.csv", "timeline.svg", "result.json"):
        assert (tmp_path / "again" / f"a.features.{ending}").is_file()
    with pytest.warns(UserWarning, match="cannot be read as features"):
        again = har.predict(out, out=tmp_path / "again", model=bundle, jobs=jobs)
    assert again.n_unchanged == 2


def test_features_beside_their_video_are_passed_over(tmp_path: Path, bundle: Path) -> None:
    video = make_clip(tmp_path / "videos" / "a.mp4", n_frames=30)
    har.predict(video, out=video.parent, model=bundle, keep="features")
    found = har.predict(video.parent, out=tmp_path / "out", model=bundle)
    assert [result.info.path for result in found.recognized] == [video]


def test_a_run_that_was_killed_goes_on_and_leaves_no_half_file(
    tmp_path: Path, bundle: Path
) -> None:
    paths = [make_clip(tmp_path / "videos" / f"{name}.mp4") for name in ("a", "deadly")]
    config, out = PredictConfig(jobs=2), tmp_path / "out"
    plan = Plan(bundle, write_label, config=config, keeps=("features",))
    jobs = [VideoJob(path, out / path.stem) for path in paths]
    list(recognize_folder(replace(plan, write=kill_at("deadly.mp4")), jobs))
    files = sorted(out.glob("*.npz*"))
    assert [path.name for path in files] == ["a.features.npz"]
    before = files[0].read_bytes(), files[0].stat().st_mtime_ns
    again = list(recognize_folder(plan, jobs))
    assert {item.job.path.stem: item.is_unchanged for item in again} == {"a": True, "deadly": False}
    assert (files[0].read_bytes(), files[0].stat().st_mtime_ns) == before
    (out / "deadly.features.npz").unlink()
    third = list(recognize_folder(plan, jobs))
    assert [item.is_unchanged for item in third].count(False) == 1
    assert (out / "deadly.features.npz").is_file()


def test_shards_and_processes_write_the_same_bytes(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate("abc"):
        make_clip(Path("videos") / f"{name}.mp4", n_frames=20 + 5 * number)
    har.predict("videos", out="one", model=bundle, keep="features", jobs=1)
    har.predict("videos", out="two", model=bundle, keep="features", jobs=2)
    assert sum(name.endswith(".features.npz") for name in read_outputs(Path("one"))) == 3
    assert read_outputs(Path("one")) == read_outputs(Path("two"))
    har.predict("one", out="again", model=bundle, jobs=1)
    for number in (1, 2):
        har.predict("one", out="shards", model=bundle, jobs=1, shard=(number, 2))
    assert read_outputs(Path("shards")) == read_outputs(Path("again"))


def test_the_command(tmp_path: Path, bundle: Path) -> None:
    make_clip(tmp_path / "a.mp4", n_frames=30)
    shutil.copytree(bundle, tmp_path / "new")
    words = ["predict", tmp_path / "a.mp4", "--bundle", bundle, "--out", tmp_path / "out"]
    run = CliRunner().invoke(command_line, list(map(str, [*words, "--keep", "features"])))
    assert run.exit_code == 0, run.stderr
    path = tmp_path / "out" / "a.features.npz"
    words = ["predict", path, "--bundle", tmp_path / "new", "--out", tmp_path / "b", "--json"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = CliRunner().invoke(command_line, list(map(str, words)))
    assert run.exit_code == 0, run.stderr
    (video,) = json.loads(run.stdout)
    assert (video["label"], video["fps"], video["stem"]) == (LABELS[1], 25.0, "a.features")
    with pytest.warns(UserWarning, match="1 of the sources are keypoints or features"):
        har.predict(path, out=tmp_path / "c", model=bundle, keep="features")


def test_a_run_that_keeps_less_passes_over_what_kept_more(tmp_path: Path, bundle: Path) -> None:
    video, out = make_clip(tmp_path / "a.mp4", n_frames=30), tmp_path / "out"
    kept = out / "a.features.npz"
    assert har.predict(video, out=out, model=bundle).n_unchanged == 0
    assert har.predict(video, out=out, model=bundle, keep="features").n_unchanged == 0
    before = kept.read_bytes()
    assert har.predict(video, out=out, model=bundle).n_unchanged == 1
    assert har.predict(video, out=out, model=bundle, keep="features").n_unchanged == 1
    assert kept.read_bytes() == before


def test_features_of_a_video_that_was_replaced_do_not_outlive_it(
    tmp_path: Path, bundle: Path
) -> None:
    video, out = make_clip(tmp_path / "a.mp4", n_frames=30), tmp_path / "out"
    har.predict(video, out=out, model=bundle, keep="features")
    (out / "a.keypoints.npz").write_bytes(b"of another tool")
    make_clip(video, n_frames=45)
    har.predict(video, out=out, model=bundle)
    assert not (out / "a.features.npz").exists()
    assert (out / "a.keypoints.npz").read_bytes() == b"of another tool"


def test_results_below_the_videos_are_no_videos(tmp_path: Path, bundle: Path) -> None:
    folder = tmp_path / "videos"
    make_clip(folder / "a.mp4", n_frames=30)
    out = folder / "results"
    for _ in range(2):
        found = har.predict(folder, out=out, model=bundle, keep="features", annotate=True)
        assert [result.info.path.name for result in found.results] == ["a.mp4"]
    named = har.predict(out / "a.features.npz", out=tmp_path / "out", model=bundle)
    assert [result.error for result in named.results] == [""]


@pytest.mark.parametrize(
    "wrong", [{"fps": -25.0}, {"fps": 1e308}, {"width": -4}, {"height": 10**18}, {"n_frames": -1}]
)
def test_numbers_of_a_video_that_cannot_be_are_refused(
    tmp_path: Path, bundle: Path, wrong: dict[str, float]
) -> None:
    video = make_clip(tmp_path / "a.mp4", n_frames=30)
    har.predict(video, out=tmp_path, model=bundle, keep="features")
    path = tmp_path / "a.features.npz"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members["header.json"])
    header["info"].update(wrong)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**members, "header.json": json.dumps(header).encode()}.items():
            archive.writestr(name, data)
    with pytest.raises(FeatureFileError, match="out of its range"):
        har.load(bundle).predict(path)
