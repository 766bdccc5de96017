"""The three stages on a store that can be learned in seconds."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from videos import make_clip

import har
from har.bundle import CNN_GRAPH_FILE, load_info
from har.config import RECIPES, CrossvalConfig, TrainConfig, update_config
from har.errors import BundleMismatchError, BundleNotFoundError, NoClipsError
from har.inference.clips import evaluate_bundle
from har.network.parts import NO_PARTS
from har.network.saving import load_models, save_bundle
from har.training.crossval import crossvalidate
from har.training.motion import MotionTraining
from har.training.run import Run
from har.training.stages import train_all, train_lstm, train_system

pytestmark = pytest.mark.slow

QUICK = update_config(
    update_config(TrainConfig(), RECIPES["tiny"]),
    {
        "input": {"n_steps": 6},
        "cnn": {"steps_per_clip": 4, "fit": {"epochs": 6}},
        "temporal": {"n_variants": 2, "units": 8, "fit": {"epochs": 8}},
        "system": {"fit": {"epochs": 1}},
    },
)


@pytest.fixture(scope="module")
def trained(bar_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    said = []
    run = Run(folder / "models" / "har", folder / "results", progress=False, say=said.append)
    return train_all(QUICK, bar_store, run), run, said


def test_all_stages_learn_and_leave_graphs_logs_and_a_bundle(trained, bar_store):
    info, run, said = trained
    assert (info.stage, info.labels, info.motion.temporal) == ("system", ("moves", "rests"), "lstm")
    assert info.data_hash == bar_store.data_hash
    assert load_info(run.bundle_dir) == info
    assert info.recipe["temporal"]["units"] == 8
    for stage in ("cnn", "lstm", "system"):
        assert (run.results_dir / stage / "history.png").stat().st_size > 5000
        assert (run.results_dir / stage / "log.csv").is_file()
        recorded = json.loads((run.results_dir / stage / "metrics.json").read_text())
        assert recorded["val"]["accuracy"] == info.metrics[f"{stage}.val"]["accuracy"]
        assert any(text.startswith(f"{stage}: ") and "clips to learn" in text for text in said)


def test_the_bundle_knows_clips_of_groups_it_has_not_met(trained, bar_store, tmp_path):
    _, run, _ = trained
    result = evaluate_bundle(run.bundle_dir, bar_store, "test")
    assert result.metrics.accuracy == 1.0
    assert not result.seen
    assert evaluate_bundle(run.bundle_dir, bar_store, "train").seen
    page = result.save(tmp_path).read_text()
    assert "<html" in page
    values = json.loads((tmp_path / "metrics.json").read_text())
    assert values["accuracy"]["mean"] == 1.0
    assert values["n_clips"] == len(bar_store.indices("test"))


def test_a_head_that_is_trained_anew_scores_the_features_of_the_model_before(
    trained, bar_store, tmp_path
):
    _, run, _ = trained
    shutil.copytree(run.bundle_dir, tmp_path / "new")
    again = Run(tmp_path / "new", tmp_path / "r", progress=False, say=lambda _: None)
    train_lstm(replace(QUICK, seed=7), bar_store, again)
    video = make_clip(tmp_path / "a.mp4", n_frames=60)
    har.predict(video, out=tmp_path / "out", model=run.bundle_dir, keep="features")
    model = har.load(tmp_path / "new")
    (direct, found) = (model.predict(p) for p in (video, tmp_path / "out" / "a.features.npz"))
    np.testing.assert_allclose(found.scores.values, direct.scores.values, atol=1e-2)
    before = har.load(run.bundle_dir).predict(video)
    assert np.abs(before.scores.values - direct.scores.values).max() > 1e-4


@pytest.mark.parametrize("labels", [("moves", "rests"), ("walks", "rests")])
def test_a_frozen_cnn_keeps_its_graph_so_that_features_fit(trained, bar_store, tmp_path, labels):
    """A graph of 16 bits, as shipped ones are, computes otherwise than a new export would."""
    _, run, _ = trained
    half = tmp_path / "half"
    save_bundle(half, *load_models(run.bundle_dir), half=True)
    clips = [replace(c, label=labels[c.label == "rests"]) for c in bar_store.clips]
    settings = replace(bar_store.settings, labels=labels)
    store = replace(bar_store, clips=tuple(clips), settings=settings)
    frozen = update_config(QUICK, {**RECIPES["frozen"], "input": {"n_steps": 5}})
    again = Run(tmp_path / "new", tmp_path / "r", half, progress=False, say=lambda _: None)
    train_all(frozen, store, again)
    graphs = [(folder / CNN_GRAPH_FILE).read_bytes() for folder in (half, again.bundle_dir)]
    assert graphs[0] == graphs[1] != (run.bundle_dir / CNN_GRAPH_FILE).read_bytes()
    video = make_clip(tmp_path / "a.mp4", n_frames=60)
    har.predict(video, out=tmp_path / "out", model=half, keep="features")
    model = har.load(again.bundle_dir)
    (direct, found) = (model.predict(p) for p in (video, tmp_path / "out" / "a.features.npz"))
    np.testing.assert_allclose(found.scores.values, direct.scores.values, atol=1e-2)
    assert found.scores.labels == labels


def test_a_cnn_that_has_learned_more_is_exported_anew(trained, bar_store, tmp_path):
    _, run, _ = trained
    motion = MotionTraining.load(QUICK, bar_store, run, NO_PARTS)
    assert motion.models["cnn_graph"] == run.bundle_dir / CNN_GRAPH_FILE
    first, *others = motion.cnn.get_weights()
    motion.cnn.set_weights([np.nextafter(first, np.inf, dtype=first.dtype), *others])
    assert motion.models["cnn_graph"] is None
    built = MotionTraining.build(QUICK, bar_store, run, NO_PARTS)
    assert built.models["cnn_graph"] is None
    for other in ({"input": {"rate_hz": 4.0}}, {"cnn": {"downsample": 2}}):
        built = MotionTraining.build(update_config(QUICK, other), bar_store, run, NO_PARTS)
        built.start_from(run.bundle_dir)
        assert built.models["cnn_graph"] is None


def test_other_labels_are_refused(trained, bar_store):
    _, run, _ = trained
    settings = replace(bar_store.settings, labels=("rests", "moves"))
    other = replace(bar_store, settings=settings)
    with pytest.raises(BundleMismatchError, match="labels"):
        train_lstm(QUICK, other, run)
    again = evaluate_bundle(run.bundle_dir, other, "test")  # labels count by name
    assert again.metrics.labels == ("moves", "rests")
    assert again.metrics.accuracy == 1.0


def test_stages_say_what_must_come_first(bar_store, tmp_path):
    run = Run(tmp_path / "none", tmp_path / "results", progress=False, say=lambda _: None)
    with pytest.raises(BundleNotFoundError, match="har train"):
        train_lstm(QUICK, bar_store, run)
    with pytest.raises(BundleNotFoundError):
        train_system(QUICK, bar_store, run)


def test_a_class_without_clips_to_learn_from_is_refused(bar_store, tmp_path):
    parts = {clip.clip_id: "test" if clip.label == "moves" else "train" for clip in bar_store.clips}
    store = replace(bar_store, splits=replace(bar_store.splits, parts=parts))
    run = Run(tmp_path / "b", tmp_path / "r", progress=False, say=lambda _: None)
    with pytest.raises(NoClipsError, match="'moves': 0"):
        train_all(QUICK, store, run)


def test_frozen_crossvalidation_is_repeatable_and_resumes(bar_store, tmp_path):
    frozen = {"cnn": {"fit": {"epochs": 0}}, "system": {"fit": {"epochs": 0}}}
    config = update_config(QUICK, frozen)
    run = Run(tmp_path / "b", tmp_path / "r", progress=False, say=lambda _: None)
    settings = CrossvalConfig(n_folds=3, n_seeds=2)
    first = crossvalidate(config, settings, bar_store, run).to_json()
    assert first["n_clips"] == len(bar_store.clips)
    assert len(first["per_fold"]) == 6
    assert first["accuracy"]["mean"] > 0.8
    assert set(first["baseline"]) >= {"accuracy", "auc"}
    probs = sorted((tmp_path / "r").rglob("seed*.npy"))
    assert len(probs) == 6
    probs[0].unlink()
    assert crossvalidate(config, settings, bar_store, run).to_json() == first
