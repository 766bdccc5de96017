"""A model knows the videos that it has learned from, and whoever reads figures on them is told."""

import json
from dataclasses import replace

import pytest
from bundles import make_bundle
from click.testing import CliRunner
from stores import make_store

import har
from har.bundle import load_info, save_info, to_json
from har.cli import har as command
from har.errors import BundleIntegrityError
from har.inference.clips import evaluate_bundle
from har.learned import MOST_MARKS, NOTE, build_mark, is_learned, join_marks
from har.types import WindowSpec

pytestmark = pytest.mark.filterwarnings("ignore:Left out")


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A folder of clips and a bundle that has learned from those of group 0."""
    folder = tmp_path_factory.mktemp("learned")
    store = make_store(folder, n_groups=2, n_frames=26)
    spec = WindowSpec(store.size, 8.0, 8, "motion", ((0.0, -0.04), (0.16, -0.16)), 30.0)
    bundle = make_bundle(folder / "bundle", store.labels, spec)
    used = (clip for clip in store.clips if clip.group == "g0")
    marks = join_marks(build_mark(clip.video_bytes, clip.video_hash) for clip in used)
    save_info(bundle, replace(load_info(bundle), learned_from=marks))
    return folder, store, bundle


def test_a_file_is_known_by_its_bytes_whatever_its_name(tmp_path):
    one, other = tmp_path / "a", tmp_path / "b"
    one.write_bytes(b"12345")
    other.write_bytes(b"12346")
    sha = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"  # sha256 of 12345
    marks = join_marks([build_mark(5, sha)] * 2)
    assert marks == ("5-5994471abb01",)
    found = [is_learned(path, marks) for path in (one, other, tmp_path / "absent")]
    assert found == [True, False, False]
    assert join_marks(f"{n}-5994471abb01" for n in range(MOST_MARKS + 1)) == ()


def test_predict_tune_and_scores_warn_of_videos_that_were_learned_from(learned, tmp_path):
    folder, _, bundle = learned
    videos = [folder / "clips" / "moves" / f"g{n}_0.mp4" for n in (0, 1)]
    copied = tmp_path / "renamed.mp4"
    copied.write_bytes(videos[0].read_bytes())
    words = ["predict", str(copied), str(videos[1]), "--bundle", str(bundle), "--jobs", "1"]
    said = CliRunner().invoke(command, [*words, "--out", str(tmp_path / "out")])
    assert f"Warning: {copied}: {NOTE}\n" in said.stderr
    assert said.stderr.count(NOTE) == 1

    coding = tmp_path / "coding.csv"
    coding.write_text("video,label,start,end\nrenamed.mp4,moves,0,1\ng1_0.mp4,moves,0,1\n")
    warning = (
        "The model has learned from these recordings, so figures on them are no honest ones: "
        "renamed.mp4"
    )
    results = tmp_path / "out" / "results.json"
    assert har.score_events(results, coding).warnings == (warning,)
    assert har.tune(tmp_path / "out", coding).warnings[0] == warning
    har.recut(tmp_path / "out", model=bundle, out=tmp_path / "again")
    assert har.score_events(tmp_path / "again" / "events.json", coding).warnings == (warning,)
    words = ["score-events", str(results), str(coding), "--out", str(tmp_path / "page")]
    assert f"Warning: {warning}\n" in CliRunner().invoke(command, words).stderr


def test_evaluate_warns_on_another_store_of_the_same_videos(learned):
    _, store, bundle = learned
    store = replace(store, splits=replace(store.splits, folds={}))
    seen = evaluate_bundle(bundle, store, "all")
    assert seen.seen
    assert "no honest figure" in seen.warning
    rest = replace(store, clips=tuple(clip for clip in store.clips if clip.group == "g1"))
    assert not evaluate_bundle(bundle, rest, "all").seen


@pytest.mark.parametrize("marks", [["x"], [3], "12", [f"{n}-000000000000" for n in range(20_001)]])
def test_marks_that_are_none_are_refused(learned, tmp_path, marks):
    values = {**to_json(load_info(learned[2])), "learned_from": marks}
    (tmp_path / "bundle.json").write_text(json.dumps(values))
    with pytest.raises(BundleIntegrityError, match="learned_from must be up to 20000 marks such"):
        load_info(tmp_path)
