"""What is known at the start is said there, before Keras is loaded or anything is written."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bundles import make_bundle, make_people_bundle
from stores import make_store

from har.bundle import load_info, save_info
from har.config import RECIPES, CrossvalConfig, TrainConfig, update_config
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.errors import BundleMismatchError, BundleNotFoundError, ConfigError, NoClipsError
from har.training.card import CARD_FILE, write_card
from har.training.start import (
    check_calibration,
    check_crossval,
    check_train,
    choose_known_streams,
    describe_settings,
)

FULL = TrainConfig()
FROZEN = update_config(FULL, RECIPES["frozen"])


def save_contract(folder: Path, store: Store, config: TrainConfig = FROZEN, **changes) -> Path:
    """Write a bundle that says that it is of a store and a recipe."""
    make_bundle(folder, store.labels)
    metrics = {f"{stage}.val": {} for stage in ("cnn", "lstm", "system")}
    known = {"data_hash": store.data_hash, "recipe": describe_settings(config), "metrics": metrics}
    info = replace(load_info(folder), **(known | changes))
    write_card(folder)
    spec = replace(info.motion.spec, size=store.size)
    save_info(folder, replace(info, motion=replace(info.motion, spec=spec)))
    return folder


@pytest.mark.parametrize(
    ("stage", "config", "there", "final"),
    [
        ("all", FROZEN, {"stage": "lstm"}, False),
        ("all", FULL, {"stage": "cnn"}, False),
        ("all", FROZEN, {"stage": "cnn", "data_hash": "of others"}, False),
        ("all", FROZEN, {"stage": "lstm", "held_out": False}, True),
        ("cnn", FROZEN, {"stage": "cnn"}, False),
        ("lstm", FROZEN, {"stage": "lstm"}, False),
        ("system", FROZEN, {"stage": "system"}, False),
        ("lstm", replace(FROZEN, streams="pose"), {"stage": "cnn"}, False),
    ],
)
def test_a_model_that_is_there_is_not_replaced(bar_store, tmp_path, stage, config, there, final):
    folder = save_contract(tmp_path / "har", bar_store)
    save_info(folder, replace(load_info(folder), **there))
    with pytest.raises(ConfigError) as refused:
        check_train(config, bar_store, folder, stage, final)
    assert str(refused.value) == (
        f"{folder} holds a model already (moves, rests; trained up to stage {there['stage']}). "
        "Name another folder with --out, or replace it with --overwrite (in Python: "
        "overwrite=True)"
    )
    check_train(config, bar_store, folder, stage, final, overwrite=True)


@pytest.mark.parametrize(
    ("stage", "config", "there", "final"),
    [
        ("all", FROZEN, "cnn", False),
        ("all", FULL, "lstm", False),
        ("all", FROZEN, "lstm", True),
        ("lstm", FROZEN, "cnn", False),
        ("system", FULL, "lstm", False),
    ],
)
def test_an_interrupted_training_goes_on(bar_store, tmp_path, stage, config, there, final):
    folder = save_contract(tmp_path / "har", bar_store, config, stage=there)
    check_train(config, bar_store, folder, stage, final)
    check_train(config, bar_store, tmp_path / "other", "all", final)


def test_a_training_that_was_killed_while_it_was_measured_goes_on(bar_store, tmp_path):
    folder = save_contract(tmp_path / "har", bar_store, stage="lstm")
    (folder / CARD_FILE).unlink()
    check_train(FROZEN, bar_store, folder, "all")
    folder = save_contract(tmp_path / "har", bar_store, stage="lstm", metrics={})
    check_train(FROZEN, bar_store, folder, "all")


def test_stages_that_have_nothing_to_go_on_from_are_refused(bar_store, tmp_path):
    with pytest.raises(BundleNotFoundError, match=r"stage 'lstm' to go on from; run 'har train cn"):
        check_train(FROZEN, bar_store, tmp_path, "lstm")
    folder = save_contract(tmp_path / "har", bar_store, stage="cnn")
    with pytest.raises(BundleMismatchError, match="no temporal head yet; run 'har train lstm' fi"):
        check_train(FROZEN, bar_store, folder, "system")
    save_info(folder, replace(load_info(folder), labels=("other", "rests")))
    with pytest.raises(BundleMismatchError, match=r"has labels \('other', 'rests'\), the store"):
        check_train(FROZEN, bar_store, folder, "lstm")
    with pytest.raises(ConfigError, match="which --streams pose does not have"):
        check_train(replace(FROZEN, streams="pose"), bar_store, tmp_path, "cnn")


def test_clips_and_color_are_looked_at(bar_store, tmp_path):
    rgb = update_config(FROZEN, {"input": {"input": "rgb"}})
    with pytest.raises(ConfigError, match=r"Input 'rgb' needs rgb frames, .* --color rgb"):
        check_train(rgb, bar_store, tmp_path, "all")
    with pytest.raises(ConfigError, match="Input 'rgb' needs rgb frames"):
        check_crossval(rgb, CrossvalConfig(), bar_store, None)
    small = replace(FROZEN, cnn=replace(FROZEN.cnn, downsample=4))
    with pytest.raises(ConfigError, match="Pictures of 64x96 cannot be downsampled 4 times for"):
        check_train(small, bar_store, tmp_path, "all")
    parts = {clip.clip_id: "test" if clip.label == "moves" else "train" for clip in bar_store.clips}
    store = replace(bar_store, splits=replace(bar_store.splits, parts=parts))
    with pytest.raises(NoClipsError, match="'moves': 0"):
        check_train(FROZEN, store, tmp_path, "all")
    check_train(FROZEN, store, tmp_path, "all", final=True)


def test_streams_are_those_of_the_bundle_to_start_from(bar_store, tmp_path):
    people = make_people_bundle(tmp_path / "people")
    assert choose_known_streams(FROZEN, bar_store, people, "auto").streams == "pose"
    assert choose_known_streams(FROZEN, bar_store, None, "auto").streams == "motion"
    with pytest.raises(BundleMismatchError, match="learned streams 'pose', chosen are 'motion'"):
        choose_known_streams(FROZEN, bar_store, people, "motion")


def test_a_bundle_is_calibrated_by_its_own_recipe_and_clips_alone(bar_store, tmp_path):
    folder = save_contract(tmp_path / "har", bar_store)
    recipe, folds = describe_settings(FROZEN), CrossvalConfig()
    check_calibration(folder, {**recipe, "streams": "both"}, folds, bar_store.data_hash)
    for changed, needed in (
        ((recipe, CrossvalConfig(protocol="random"), bar_store.data_hash), "grouped folds"),
        ((recipe, folds, "other"), "the clips that it was trained on"),
        ((describe_settings(FULL), folds, bar_store.data_hash), "the recipe that it was trained"),
    ):
        with pytest.raises(BundleMismatchError, match=f"needs those of {needed}"):
            check_calibration(folder, *changed)


@pytest.mark.parametrize("n_groups", [2, 3, 5])
def test_few_groups_are_left_out_one_by_one(tmp_path, n_groups):
    store = make_store(tmp_path, n_groups=n_groups, n_frames=6)
    assert store.splits.folds_reason == ""
    folds = build_folds(store.clips, 5, seed=1)
    groups = [clip.group for clip in store.clips]
    assert len(set(zip(groups, folds.tolist(), strict=True))) == n_groups == folds.max() + 1


_ALL_AT_ONCE = """
import json, sys
import har

store, held, loaded = sys.argv[1], sys.argv[2], []
for call in (
    lambda: har.train(store + "/nothing"),
    lambda: har.train(store, config={"cnn": {"backbone": "keras:Nope"}}),
    lambda: har.train(store, stage="lstm", out=held + "/nothing"),
    lambda: har.train(store, start_from="nobody"),
    lambda: har.train(store, out=held),
    lambda: har.crossvalidate(store, start_from="fight", streams="motion"),
    lambda: har.crossvalidate(store, calibrate="nobody"),
    lambda: har.crossvalidate(store, calibrate=held),
):
    try:
        call()
    except har.HarError as error:
        loaded.append([type(error).__name__, "keras" in sys.modules])
print(json.dumps(loaded))
"""


def test_errors_come_before_keras_is_loaded(bar_store, tmp_path):
    held = save_contract(tmp_path / "held", bar_store, stage="lstm", data_hash="other")
    script = tmp_path / "script.py"
    script.write_text(_ALL_AT_ONCE)
    words = [sys.executable, str(script), str(bar_store.path), str(held)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
    names = ["StoreError", "ConfigError", "BundleNotFoundError", "BundleNotFoundError"]
    names += ["ConfigError", "ConfigError", "BundleNotFoundError", "BundleMismatchError"]
    assert json.loads(done.stdout) == [[name, False] for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["held", "script.py"]
