"""The commands for people's keypoints one after the other, on a store with keypoints by hand."""

import json

import pytest
from acting import make_scene
from click.testing import CliRunner
from crowds import make_crowd_store

from har.cli import har

pytestmark = pytest.mark.slow

LABELS = ("hitting_others", "playing")
RECIPE = """
[advanced.pose]
n_steps = 10
units = 6
[advanced.pose.fit]
epochs = {}
learning_rate = 0.05
"""


def run(*words, fails=False):
    result = CliRunner().invoke(har, list(map(str, words)))
    assert (result.exit_code != 0) is fails, result.stderr
    return result


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a store of four groups and a bundle made by ``har train lstm``."""
    folder = tmp_path_factory.mktemp("people")
    make_crowd_store(folder, n_groups=4, labels=LABELS)
    for name, epochs in (("quick", 5), ("untrained", 0)):
        (folder / f"{name}.toml").write_text(RECIPE.format(epochs))
    words = ("train", "lstm", "--streams", "pose", *options(folder, "quick"))
    done = run(*words, "--out", folder / "bundle")
    return folder, json.loads(done.stdout), done.stderr


def options(folder, recipe):
    store = ("--store", folder / "store", "--config", folder / f"{recipe}.toml")
    return (*store, "--results", folder / "results", "--json")


def test_train_needs_no_stage_before_and_says_that_clips_are_few(trained):
    _, found, said = trained
    assert (found["streams"], found["stage"], found["labels"]) == ("pose", "lstm", list(LABELS))
    assert "clips are few" in said


def test_evaluate_measures_it(trained):
    folder, _, _ = trained
    words = ("evaluate", folder / "bundle", "--store", folder / "store", "--split", "all")
    found = json.loads(run(*words, "--results", folder / "evaluate", "--json").stdout)
    assert (found["n_clips"], found["n_uncertain"]) == (8, 0)
    assert found["accuracy"]["mean"] >= 0.75
    assert (folder / "evaluate" / "report.html").is_file()


def test_predict_names_people_in_a_film_that_it_looks_at_itself(trained):
    folder, _, _ = trained
    make_scene(folder / "two.mp4", lambda _: ((0.3, False), (0.7, False)), 1.2)
    make_scene(folder / "empty.mp4", lambda _: (), 0.5)
    words = ("predict", folder / "two.mp4", folder / "empty.mp4", "--bundle", folder / "bundle")
    two, empty = json.loads(run(*words, "--out", folder / "found", "--json").stdout)
    assert two["label"] in LABELS
    assert two["confidence"] > 0.2
    assert (empty["label"], empty["uncertain_share"]) == ("uncertain", 1.0)


@pytest.mark.parametrize("stage", ["cnn", "system"])
def test_stages_of_the_motion_stream_say_what_to_run_instead(trained, stage):
    folder, _, _ = trained
    words = ("train", stage, "--streams", "pose", *options(folder, "untrained"))
    said = str(run(*words, "--out", folder / "other", fails=True).exception)
    assert "har train lstm --streams pose" in said
    assert not (folder / "other").exists()


def test_all_stages_from_a_bundle_are_the_one_there_is(trained):
    folder, _, _ = trained
    words = ("train", "all", "--streams", "pose", "--from", folder / "bundle")
    done = run(*words, *options(folder, "untrained"), "--out", folder / "tuned")
    assert json.loads(done.stdout)["streams"] == "pose"
    assert "of the pose head start from" in done.stderr
    words = ("evaluate", "--store", folder / "store", "--split", "all", "--json")
    found = [
        json.loads(run(*words, folder / name, "--results", folder / "e").stdout)["confusion"]
        for name in ("bundle", "tuned")
    ]
    assert found[0] == found[1]  # no epochs: nothing was learnt


def test_auto_takes_the_streams_of_the_bundle_to_start_from(trained):
    folder, _, _ = trained
    words = ("train", "lstm", "--from", folder / "bundle", *options(folder, "untrained"))
    done = run(*words, "--out", folder / "again")
    assert json.loads(done.stdout)["streams"] == "pose"
    assert "streams: pose, as in" in done.stderr
    words = ("train", "all", "--streams", "both", "--from", folder / "bundle")
    failed = run(*words, *options(folder, "untrained"), "--out", folder / "more", fails=True)
    assert "--streams pose" in str(failed.exception)


def test_crossval_measures_the_recipe(trained):
    folder, _, _ = trained
    words = ("crossval", "--streams", "pose", "--folds", 2, "--seeds", 1)
    found = json.loads(run(*words, *options(folder, "quick")).stdout)
    assert (found["n_clips"], found["n_groups"], len(found["per_fold"])) == (8, 4, 2)
    assert 0.0 <= found["accuracy"]["mean"] <= 1.0
    assert json.loads((folder / "results" / "grouped.json").read_text()) == found
