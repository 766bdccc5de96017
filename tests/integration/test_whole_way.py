"""The commands one after the other, as a person runs them, on synthetic clips."""

import csv
import json
import shutil

import pytest
from click.testing import CliRunner
from stores import make_clips

from har.cli import har

pytestmark = pytest.mark.slow

RECIPE = """
[input]
n_steps = 6
[cnn.fit]
epochs = 5
[temporal]
units = 8
[temporal.fit]
epochs = 8
[system.fit]
epochs = 1
[advanced.cnn]
steps_per_clip = 4
[advanced.temporal]
n_variants = 2
"""


def run(*words):
    result = CliRunner().invoke(har, list(map(str, words)), catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with clips, a store and a bundle, made by the commands themselves."""
    folder = tmp_path_factory.mktemp("way")
    make_clips(folder / "data")
    (folder / "recipe.toml").write_text(RECIPE)
    prepared = run(
        *("prepare", folder / "data", "--store", folder / "store", "--size", "64x96"),
        *("--folds", 3, "--json"),
    )
    options = ("--store", folder / "store", "--recipe", "tiny")
    options += ("--config", folder / "recipe.toml", "--results", folder / "results", "--json")
    options += ("--streams", "motion")
    trained = run("train", "all", "--out", folder / "models" / "har", *options)
    return folder, json.loads(prepared.stdout), json.loads(trained.stdout)


def test_prepare_prints_its_fields(trained):
    _, prepared, _ = trained
    assert prepared["n_clips"] == 24
    assert prepared["n_groups"] == 6
    assert prepared["labels"] == {"moves": 12, "rests": 12}
    assert sum(prepared["splits"].values()) == 24
    assert {"accuracy", "auc"} <= set(prepared["baseline"])


def test_train_says_what_it_left(trained):
    folder, _, found = trained
    assert found["stage"] == "system"
    assert found["synthetic_data"]
    assert (folder / "models" / "har" / "bundle.json").is_file()


def test_evaluate_and_crossval_print_the_same_fields(trained):
    folder, _, _ = trained
    store, bundle = folder / "store", folder / "models" / "har"
    evaluated = json.loads(
        run(
            *("evaluate", bundle, "--store", store, "--json"),
            *("--results", folder / "results" / "evaluate"),
        ).stdout
    )
    recipe = (folder / "recipe.toml").read_text().replace("epochs = 5", "epochs = 0")
    (folder / "frozen.toml").write_text(recipe.replace("epochs = 1", "epochs = 0"))
    crossed = json.loads(
        run(
            *("crossval", "--store", store, "--recipe", "tiny", "--config", folder / "frozen.toml"),
            *("--folds", 3, "--seeds", 1, "--streams", "motion"),
            *("--results", folder / "crossval", "--json"),
        ).stdout
    )
    shared = {"accuracy", "auc", "macro_f1", "baseline", "n_clips", "n_groups", "labels"}
    assert shared <= set(evaluated)
    assert shared | {"protocol", "per_fold"} <= set(crossed)
    assert {"per_class", "confusion"} <= set(evaluated)
    assert evaluated["accuracy"]["mean"] == 1.0
    assert crossed["protocol"] == "grouped"


def test_predict_finds_what_moves_and_leaves_out_what_is_broken(trained):
    folder, _, _ = trained
    videos = folder / "videos"
    for label in ("moves", "rests"):
        (videos / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "data" / label / "g0_0.mp4", videos / label / "clip.mp4")
    (videos / "broken.mp4").write_bytes(b"")
    out = folder / "found"
    words = ("predict", videos, "--bundle", folder / "models" / "har", "--out", out, "--json")
    with pytest.warns(UserWarning, match=r"Left out .*broken.mp4"):
        done = run(*words)
    found = {item["video"]: item for item in json.loads(done.stdout)}
    assert "error" in found.pop(str(videos / "broken.mp4"))
    for path, item in found.items():
        assert item["label"] in path
        assert item["probs"][item["label"]] > 0.5
        assert item["n_windows"] >= 1
        assert item["wall_s"] > 0
    with (out / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} <= {"moves"} | {"rests"}
    assert len(list(out.glob("*.timeline.svg"))) == 2


def test_prepare_again_does_nothing_and_gives_the_same(trained):
    folder, prepared, _ = trained
    words = ("prepare", folder / "data", "--store", folder / "store", "--size", "64x96")
    again = json.loads(run(*words, "--folds", 3, "--json").stdout)
    assert again["n_reused"] == 24
    assert again["n_cut"] == 0
    assert again["splits"] == prepared["splits"]


@pytest.mark.real
def test_real_clips_can_be_prepared(shared_data, tmp_path):
    manifest = shared_data / "ut_interaction_set1" / "manifest.csv"
    found = json.loads(run("prepare", manifest, "--store", tmp_path / "store", "--json").stdout)
    assert (found["n_clips"], found["n_rejects"], found["n_groups"]) == (60, 0, 10)
    assert set(found["labels"].values()) == {10}
