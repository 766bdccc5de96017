"""Training over people's keypoints: alone, joined with motion, from a bundle, and on too little."""

import json
import shutil
from dataclasses import replace
from itertools import cycle

import keras
import numpy as np
import pytest
from bodies import detect, stand
from crowds import LABELS, act, see_nobody, write_keypoints

from har.bundle import (
    CNN_FILE,
    POSE_FILE,
    POSE_GRAPH_FILE,
    TEMPORAL_FILE,
)
from har.config import RECIPES, CrossvalConfig, TrainConfig, update_config
from har.dataset.store import Store
from har.errors import BundleMismatchError, BundleNotFoundError, ConfigError
from har.inference.clips import evaluate_bundle, recognize_clips
from har.inference.model import Recognizer, compute_softmax
from har.network.saving import load_models, load_pose, save_bundle
from har.network.temporal_head import build_temporal
from har.training.clips import ClipSplit, split_clips
from har.training.crossval import crossvalidate
from har.training.discriminant import solve_pose_branch
from har.training.people import load_clip_windows
from har.training.pose import PoseTraining, match_source, start_pose_head
from har.training.run import Run
from har.training.stages import train_all, train_cnn, train_lstm, train_system

pytestmark = pytest.mark.slow

_NONE = {"fit": {"epochs": 0}}
POSE = {
    "n_steps": 10,
    "units": 8,
    "self_units": 6,
    "scores": True,
    "fit": {"epochs": 6, "learning_rate": 0.03},
}
QUICK = update_config(TrainConfig(streams="pose"), {"pose": POSE})
UNTRAINED = update_config(QUICK, {"pose": _NONE})
BOTH = update_config(
    update_config(replace(UNTRAINED, streams="both"), RECIPES["tiny"]),
    {
        "input": {"n_steps": 4},
        "cnn": _NONE,
        "temporal": {"n_variants": 1, "units": 4, "linear_c": 1e-6, **_NONE},
        "system": _NONE,
        "pose": {"weight": 0.5},
    },
)


def make_run(folder, source=None):
    said = []
    return Run(folder / "bundle", folder / "results", source, False, said.append), said


def copy_store(store, folder, draw) -> Store:
    """Return a copy of a store with other keypoints."""
    shutil.copytree(store.path, folder / "store")
    copied = Store.load(folder / "store")
    write_keypoints(copied, draw)
    return copied


class Interrupt(keras.callbacks.Callback):
    """Stops the process's work after three epochs, as a person would."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def trained(crowd_store, tmp_path_factory):
    """A pose bundle; its training was interrupted once and went on."""
    run, said = make_run(tmp_path_factory.mktemp("pose"))
    original = keras.Model.fit

    def interrupted(self, *args, callbacks, **options):
        return original(self, *args, callbacks=[*callbacks, Interrupt()], **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_all(QUICK, crowd_store, run)
    state = run.results_dir / "lstm" / "pose" / "state"
    first = json.loads((state / "history.json").read_text())
    assert len(first["loss"]) == 3
    assert not run.bundle_dir.exists()
    info = train_all(QUICK, crowd_store, run)
    assert not state.exists()
    metrics = json.loads((run.results_dir / "lstm" / "metrics.json").read_text())
    assert {name: values[:3] for name, values in metrics["history"].items()} == first
    return info, run, said


@pytest.fixture(scope="module")
def joined(crowd_store, trained, tmp_path_factory):
    """A bundle of both streams: an untrained one of motion, and the pose head that has learned."""
    folder = tmp_path_factory.mktemp("both")
    run, said = make_run(folder)
    train_cnn(BOTH, crowd_store, run)
    info, cnn, _ = load_models(run.bundle_dir)
    pose_info, pose = load_pose(trained[1].bundle_dir)
    info = replace(info, pose=pose_info.pose)
    save_bundle(folder / "source", info, cnn, build_temporal(BOTH.temporal, 128, 3), pose)
    info = train_lstm(BOTH, crowd_store, replace(run, source=folder / "source"))
    return info, run, said


def test_it_learns_who_hits_whom_from_clips_labels_alone(trained, crowd_store):
    info, run, said = trained
    assert (info.stream_names, info.stage, info.labels) == ("pose", "lstm", LABELS)
    assert (info.pose.spec.people, info.pose.spec.single_person_labels) == (
        "any",
        ("hitting_self",),
    )
    assert info.decode.background == "playing"
    assert (info.motion, info.bias, info.temperature) == (None, (), 1.0)
    assert set(info.files) == {POSE_FILE, POSE_GRAPH_FILE}
    result = evaluate_bundle(run.bundle_dir, crowd_store, "all", exact=True)
    assert result.metrics.accuracy >= 0.9
    assert (result.n_uncertain, result.seen) == (0, True)
    assert any("12 clips are few" in text for text in said)
    assert any("over windows of 1 s" in text for text in said)
    stage_dir = run.results_dir / "lstm"
    assert (stage_dir / "history.png").is_file()
    assert (stage_dir / "pose" / "log.csv").is_file()
    metrics = json.loads((stage_dir / "metrics.json").read_text())
    assert len(metrics["history"]["loss"]) == 6
    assert metrics["val"]["n_uncertain"] == 0


def test_keras_and_the_graph_say_the_same_of_a_clip(trained, crowd_store):
    _, run, _ = trained
    _, head = load_pose(run.bundle_dir)
    features = np.random.default_rng(0).normal(size=(3, 10, head.input_shape[-1]))
    recognizer = Recognizer(run.bundle_dir)
    np.testing.assert_allclose(
        recognizer.graphs[POSE_GRAPH_FILE](features.astype(np.float32)),
        keras.ops.convert_to_numpy(head(features)),
        atol=1e-4,
    )


def test_a_bundle_to_start_from_is_taken_over_whole(trained, crowd_store, tmp_path):
    _, source, _ = trained
    run, said = make_run(tmp_path, source.bundle_dir)
    other_shape = update_config(UNTRAINED, {"pose": {"units": 32, "linear": False}})
    info = train_lstm(other_shape, crowd_store, run)
    assert (info.recipe["pose"]["units"], info.recipe["pose"]["linear"]) == (8, True)
    everyone = range(len(crowd_store.clips))
    answers = [
        recognize_clips(Recognizer(item.bundle_dir), crowd_store, everyone).probs
        for item in (source, run)
    ]
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-6)
    n_layers = sum(bool(layer.weights) for layer in load_pose(run.bundle_dir)[1].layers)
    assert any(f"{n_layers} layers of the pose head start from" in text for text in said)


def test_with_other_labels_all_but_the_ends_is_taken_over(trained):
    _, source, _ = trained
    labels = ("hitting_others", "hitting_self", "waiting")
    config = match_source(UNTRAINED, source.bundle_dir, labels)
    spec = config.pose.pose_spec(labels, "", "hash")
    head, copied = start_pose_head(config, spec, labels, [], source.bundle_dir)
    _, learned = load_pose(source.bundle_dir)
    assert "own_of_step" not in copied
    for name in ("norm", "own_lstm", "self_lstm", "pair_reduce"):
        assert name in copied
        for ours, theirs in zip(
            head.get_layer(name).get_weights(), learned.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_labels_of_all_bodies_get_a_solved_path_beside_what_is_taken_over(trained, crowd_store):
    _, source, _ = trained
    plain = update_config(UNTRAINED, {"pose": {"linear": False}})
    labels = ("kicks", "waits")
    assert not match_source(plain, source.bundle_dir, labels).pose.linear
    assert match_source(plain, source.bundle_dir, LABELS).pose.linear  # as in the bundle
    config = match_source(UNTRAINED, source.bundle_dir, labels)
    spec = config.pose.pose_spec(labels, "", "hash")
    chosen = [0, 1, 2, 3]
    clips = load_clip_windows(crowd_store, chosen, spec)
    head, copied = start_pose_head(config, spec, labels, clips, source.bundle_dir)
    assert {"norm", "own_lstm", "pair_lstm"} <= set(copied)
    solve_pose_branch(head, clips, np.array([0, 1, 0, 1]), spec, 0.3)
    assert head.get_layer("of_step").get_weights()[0].any()


def test_where_nobody_is_seen_it_says_so_and_cannot_tell(crowd_store, tmp_path):
    store = copy_store(crowd_store, tmp_path, see_nobody)
    run, said = make_run(tmp_path)
    info = train_lstm(UNTRAINED, store, run)
    assert any("in 12 of 12 clips nobody's keypoints are confident enough" in text for text in said)
    assert any("of 3 it is uncertain" in text for text in said)
    assert info.metrics["lstm.val"]["n_uncertain"] == 3
    answers = recognize_clips(Recognizer(run.bundle_dir), store, range(18))
    assert answers.is_uncertain.all()
    np.testing.assert_allclose(answers.probs, 1 / 3, atol=1e-6)
    assert all(np.isfinite(w).all() for w in load_pose(run.bundle_dir)[1].get_weights())


def see_strange_things(label, rng, n_steps):
    """Return clips of a single step, of a crowd that comes and goes, of nobody, and plain ones."""
    kind = next(KINDS)
    if kind == "step":
        return act(label, rng, 1)
    if kind == "crowd":
        places = 60.0 * np.arange(8)
        first, second = ([stand(x, 150, 60) for x in part] for part in (places[:6], places[2:]))
        return detect([first] * (n_steps // 2) + [second] * (n_steps - n_steps // 2))
    return see_nobody(label, rng, n_steps) if kind == "nobody" else act(label, rng, n_steps)


KINDS = cycle(["step", "crowd", "nobody", "plain", "plain"])


def test_one_step_nobody_and_crowds_are_clips_like_others(crowd_store, tmp_path):
    store = copy_store(crowd_store, tmp_path, see_strange_things)
    run, said = make_run(tmp_path)
    config = update_config(QUICK, {"pose": {"fit": {"epochs": 1}}})
    pose = PoseTraining(config, store, run)
    history = pose.fit(split_clips(store), 0, run).history
    assert np.isfinite(history["loss"] + history["val_loss"]).all()
    assert all(np.isfinite(weight).all() for weight in pose.head.get_weights())
    assert any("nobody's keypoints are confident enough" in text for text in said)
    assert pose.spec.window_s == 1.0


def test_a_bundle_without_the_stream_is_no_source(joined, trained, crowd_store, tmp_path):
    motion, _ = make_run(tmp_path)
    train_cnn(replace(BOTH, streams="motion"), crowd_store, motion)
    run, _ = make_run(tmp_path / "next", source=motion.bundle_dir)
    with pytest.raises(BundleMismatchError, match="--streams motion"):
        train_lstm(QUICK, crowd_store, run)
    run, _ = make_run(tmp_path / "next", source=tmp_path / "nowhere")
    with pytest.raises(BundleNotFoundError, match="nowhere"):
        train_lstm(QUICK, crowd_store, run)
    run, _ = make_run(tmp_path / "next", source=trained[1].bundle_dir)
    with pytest.raises(BundleMismatchError, match="--streams pose"):
        train_cnn(BOTH, crowd_store, run)


def test_both_streams_are_added_as_far_as_keypoints_are_confident(joined, crowd_store):
    info, run, said = joined
    assert any("layers of the pose head start from" in text for text in said)
    assert (info.stream_names, info.pose.weight, info.stage) == ("both", 0.5, "lstm")
    assert {POSE_FILE, CNN_FILE, TEMPORAL_FILE} <= set(info.files)
    recognizer = Recognizer(run.bundle_dir)
    both = recognize_clips(recognizer, crowd_store, range(4))
    assert not both.is_uncertain.any()
    np.testing.assert_allclose(both.probs.sum(axis=1), 1.0, atol=1e-6)
    assert np.ptp(both.probs, axis=1).min() > 0.0


def test_the_joint_stage_keeps_the_pose_head(joined, crowd_store, tmp_path):
    _, run, _ = joined
    shutil.copytree(run.bundle_dir, tmp_path / "bundle")
    copied, _ = make_run(tmp_path)
    before = load_pose(copied.bundle_dir)[1].get_weights()
    info = train_system(BOTH, crowd_store, copied)
    assert (info.stage, info.stream_names) == ("system", "both")
    for ours, theirs in zip(load_pose(copied.bundle_dir)[1].get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_motion_alone_drops_the_pose_head_of_a_bundle_of_both(joined, crowd_store, tmp_path):
    _, run, _ = joined
    shutil.copytree(run.bundle_dir, tmp_path / "bundle")
    copied, _ = make_run(tmp_path)
    info = train_lstm(replace(BOTH, streams="motion"), crowd_store, copied)
    assert (info.stream_names, info.pose) == ("motion", None)
    assert POSE_FILE not in info.files
    assert recognize_clips(Recognizer(copied.bundle_dir), crowd_store, [0]).probs.shape == (1, 3)
    load_models(copied.bundle_dir)


def test_a_store_with_some_of_the_labels_in_another_order_is_measured(trained, crowd_store):
    _, run, _ = trained
    clips = tuple(clip for clip in crowd_store.clips if clip.label != "hitting_others")
    settings = replace(crowd_store.settings, labels=("playing", "hitting_self"))
    fewer = replace(crowd_store, clips=clips, settings=settings)
    result = evaluate_bundle(run.bundle_dir, fewer, "all")
    assert result.metrics.labels == LABELS
    assert len(result.probs) == 12
    assert result.metrics.accuracy >= 0.9
    assert result.to_json()["per_class"][0]["support"] == 0
    unknown = replace(crowd_store, settings=replace(settings, labels=("biting", "playing")))
    with pytest.raises(BundleMismatchError, match="biting"):
        evaluate_bundle(run.bundle_dir, unknown, "all")


def test_untrained_folds_say_what_the_bundle_they_start_from_says(trained, crowd_store, tmp_path):
    _, source, _ = trained
    run, _ = make_run(tmp_path, source.bundle_dir)
    settings = CrossvalConfig(n_folds=2, n_seeds=1)
    pose = crossvalidate(UNTRAINED, settings, crowd_store, run)
    everyone = range(len(crowd_store.clips))
    model = Recognizer(source.bundle_dir, exact=True)
    expected = recognize_clips(model, crowd_store, everyone).probs
    np.testing.assert_allclose(pose.probs[0], expected, atol=1e-4)
    assert crossvalidate(UNTRAINED, settings, crowd_store, run).to_json() == pose.to_json()

    both = crossvalidate(BOTH, settings, crowd_store, run)  # an untrained motion head says nothing
    logits = np.log(expected)
    logits -= logits[:, [2]]  # of playing, which is background
    np.testing.assert_allclose(both.probs[0].argmax(axis=1), logits.argmax(axis=1))
    confidence = np.log(both.probs[0][:, 0] / both.probs[0][:, 2]) / logits[:, 0] / 0.5
    assert ((confidence > 0.7) & (confidence < 0.81)).all()  # of all keypoints it is 0.8
    np.testing.assert_allclose(
        both.probs[0], compute_softmax(0.5 * confidence[:, None] * logits), atol=1e-4
    )
    assert (list(both.alone), pose.alone) == (["motion", "pose"], {})
    assert both.alone["pose"].intervals == pose.intervals
    alone = both.to_json()["alone"]
    assert alone["pose"]["calibration"]["temperature"] == pytest.approx(
        pose.calibration.temperature, rel=1e-3
    )


def test_a_frozen_motion_recipe_has_nothing_to_start_from_a_bundle(trained, crowd_store, tmp_path):
    run, _ = make_run(tmp_path, trained[1].bundle_dir)
    with pytest.raises(ConfigError, match="--streams pose"):
        crossvalidate(replace(BOTH, streams="motion"), CrossvalConfig(2, 1), crowd_store, run)


def make_shared(shrinkage, **fit):
    """A recipe whose labels are all told from everything, so that a linear branch is solved."""
    changes = {"single_person_labels": [], "linear_shrinkage": shrinkage, "solved_fit": fit}
    return update_config(QUICK, {"pose": changes})


WILD = make_shared(0.1, epochs=2, learning_rate=1.0)
"""Learns with such strides that nothing good comes of it."""
NEEDED = make_shared(1e-6, epochs=6, learning_rate=0.03)
"""Its solved branch hardly counts."""


def test_order_is_not_weighed_where_it_validates_worse(crowd_store, tmp_path):
    run, said = make_run(tmp_path)
    train_lstm(WILD, crowd_store, run)
    _, head = load_pose(run.bundle_dir)
    weighed = [head.get_layer(f"{name}_of_time").get_weights()[0].any() for name in ("own", "pair")]
    assert weighed == [False, False]
    assert any("keeping the linear branch" in text for text in said)
    assert head.get_layer("of_step").get_weights()[0].any()


@pytest.mark.parametrize(("config", "is_kept"), [(WILD, False), (NEEDED, True)])
def test_folds_decide_so_on_a_part_of_what_they_learn_from(crowd_store, tmp_path, config, is_kept):
    run, _ = make_run(tmp_path)
    groups = np.array([clip.group for clip in crowd_store.clips])
    train, test = np.flatnonzero(groups != "g0"), np.flatnonzero(groups == "g0")
    solved = update_config(config, {"pose": {"solved_fit": {"epochs": 0}}})
    found, alone = (score(item, crowd_store, run, train, test) for item in (config, solved))
    assert (np.abs(found - alone).max() < 1e-5) is not is_kept


@pytest.mark.parametrize(("names", "is_weighed"), [(("g1", "g2"), False), (("g1",), True)])
def test_with_two_groups_folds_still_decide_and_with_one_they_cannot(
    crowd_store, tmp_path, names, is_weighed
):
    run, _ = make_run(tmp_path)
    groups = np.array([clip.group for clip in crowd_store.clips])
    train, test = np.flatnonzero(np.isin(groups, names)), np.flatnonzero(groups == "g0")
    solved = update_config(WILD, {"pose": {"solved_fit": {"epochs": 0}}})
    found, alone = (score(item, crowd_store, run, train, test) for item in (WILD, solved))
    assert bool(np.abs(found - alone).max() > 1e-5) is is_weighed


def score(config, store, run, train, test):
    """Return the (N, K) logits of a fold."""
    pose = PoseTraining(config, store, run)
    pose.fit(ClipSplit(tuple(train.tolist()), ()), 0)
    return pose.compute_logits(test.tolist()).logits
