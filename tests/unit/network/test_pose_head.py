"""The pose head: which branch gets what, in time and among people, and that all its forms agree."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har.config import PoseConfig
from har.inference.engines import Graph
from har.network.heads import (
    LINEAR_BRANCH,
    copy_weights,
    get_linear_branch,
    get_step_inputs,
    set_feature_scale,
)
from har.network.pose_head import (
    PeopleClassifier,
    SpreadSoFar,
    build_pose_head,
    match_shape,
    pool_steps,
)
from har.network.saving import export_graph
from har.pose import pooling
from har.pose.features import (
    N_FEATURES,
    N_OWN,
    PAIR_SEEN_COLUMN,
    SCORE_COLUMNS,
    SEEN_COLUMN,
    SELF_COLUMNS,
    TOUCH_COLUMNS,
)
from har.types import PoseSpec

LABELS = ("hitting_others", "hitting_self", "playing")
PLAYING = 2
CONFIG = PoseConfig(units=4)
RULES = ("mean", "any")


def make_spec(labels=LABELS, background="playing", people="auto") -> PoseSpec:
    return PoseConfig(units=4, n_steps=6, people=people).pose_spec(labels, background, "hash")


def make_head(labels=LABELS, background="playing", seed=0, config=CONFIG) -> keras.Model:
    keras.utils.set_random_seed(seed)
    head = build_pose_head(config, make_spec(labels, background), labels, background)
    rng = np.random.default_rng(seed)
    head.set_weights(
        [weight + np.abs(rng.normal(0, 0.3, weight.shape)) for weight in head.get_weights()]
    )
    return head


def make_features(*shape, seed=0) -> np.ndarray:
    """Return random features of people who are seen at about two of three steps."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(*shape, N_FEATURES)).astype(np.float32)
    seen = rng.random(shape) < 0.7
    seen[..., 0] = True
    features *= seen[..., None]
    features[..., SEEN_COLUMN] = seen
    return features


def say(head, features) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(head(features)))


@pytest.fixture(scope="module")
def head():
    return make_head()


@pytest.mark.parametrize(("n_people", "n_steps"), [(1, 1), (3, 6), (2, 30)])
def test_one_row_of_logits_a_step_for_any_number_of_steps(head, n_people, n_steps):
    logits = say(head, make_features(n_people, n_steps))
    assert (logits.shape, logits.dtype) == ((n_people, n_steps, 3), np.float32)


def test_it_is_neutral_before_it_has_learned():
    fresh = build_pose_head(CONFIG, make_spec(), LABELS, "playing")
    assert not say(fresh, make_features(2, 6)).any()


def test_later_steps_never_change_earlier_logits(head):
    features = make_features(2, 8)
    changed = features.copy()
    changed[:, 5:] = 9.0
    before, after = say(head, features), say(head, changed)
    np.testing.assert_allclose(after[:, :5], before[:, :5], atol=1e-6)
    assert (np.abs(after[:, 5:] - before[:, 5:]).max(axis=(0, 1)) > 1e-3)[:PLAYING].all()


def test_people_do_not_reach_each_other(head):
    features = make_features(3, 6)
    alone = np.concatenate([say(head, features[row : row + 1]) for row in range(3)])
    np.testing.assert_allclose(say(head, features), alone, atol=1e-5)


def test_single_person_labels_get_only_hands_elbows_and_head(head):
    features = make_features(2, 6)
    others = np.setdiff1d(np.arange(N_FEATURES), SELF_COLUMNS)
    changed = features.copy()
    changed[..., others] = np.random.default_rng(1).normal(size=(2, 6, len(others)))
    before, after = say(head, features), say(head, changed)
    np.testing.assert_array_equal(after[..., 1], before[..., 1])
    assert np.abs(after[..., 0] - before[..., 0]).min() > 1e-4
    changed = features.copy()
    changed[..., list(SELF_COLUMNS)] += 1.0
    assert np.abs(say(head, changed)[..., 1] - before[..., 1]).min() > 1e-4


def test_a_narrow_head_gets_of_a_pair_only_limbs_against_bodies():
    head = make_head(config=replace(CONFIG, narrow=True))
    features = make_features(2, 6)
    features[..., PAIR_SEEN_COLUMN] = 1.0
    changed = features.copy()
    others = np.setdiff1d(np.arange(N_FEATURES), [*TOUCH_COLUMNS, *SELF_COLUMNS])
    changed[..., others] = np.random.default_rng(1).normal(size=(2, 6, len(others)))
    np.testing.assert_array_equal(say(head, changed), say(head, features))
    changed = features.copy()
    changed[..., list(TOUCH_COLUMNS)] += 1.0
    assert np.abs(say(head, changed) - say(head, features))[..., 0].min() > 1e-4
    assert "own" not in [layer.name for layer in head.layers]


def test_a_narrow_head_gets_the_own_body_where_no_label_is_the_own_bodys():
    narrow, labels = replace(CONFIG, narrow=True), ("fight", "normal")
    head = build_pose_head(narrow, make_spec(labels, "normal"), labels, "normal")
    assert {"own_lstm", "pair_lstm"} <= {layer.name for layer in head.layers}
    source = build_pose_head(narrow, make_spec(), LABELS, "playing")
    assert "pair_lstm" in copy_weights(head, source, same_labels=False)


def test_beside_single_person_labels_nothing_changes_the_background(head):
    assert not say(head, make_features(2, 6))[..., PLAYING].any()


def test_without_single_person_labels_all_get_the_other_person_and_background_counts():
    head = make_head(("fight", "normal"), "normal")
    features = make_features(2, 6)
    changed = features.copy()
    changed[..., N_OWN:] += 1.0
    assert np.abs(say(head, changed) - say(head, features)).min() > 1e-4
    assert "self" not in [layer.name for layer in head.layers]


def test_spread_is_the_deviation_over_the_steps_seen_so_far():
    values = np.array([[[1.0], [3.0], [9.0], [5.0]]], np.float32)
    seen = np.array([[[1.0], [1.0], [0.0], [1.0]]], np.float32)
    spread = np.asarray(SpreadSoFar()([values, seen]))[0, :, 0]
    expected = [0.0, 1.0, 0.0, np.std([1.0, 3.0, 5.0])]
    np.testing.assert_allclose(spread, expected, atol=0.011)


def test_without_single_person_labels_one_linear_branch_gets_step_spread_and_sizes():
    head = make_head(("fight", "normal"), "normal")
    features = make_features(2, 6)
    steps = np.asarray(get_step_inputs(head)(features))
    n_taken = N_FEATURES - len(SCORE_COLUMNS)
    assert steps.shape == (2, 6, 3 * n_taken)
    names = [layer.name for layer in head.layers]
    assert LINEAR_BRANCH in names
    assert "own_of_step" not in names
    plain = build_pose_head(
        replace(CONFIG, linear=False), make_spec(("a", "b"), "b"), ("a", "b"), "b"
    )
    assert get_linear_branch(plain) is None
    seen = features[..., SEEN_COLUMN] > 0
    scaled = steps[0, :, 3][seen[0]]
    last = np.flatnonzero(seen[0])[-1]
    assert steps[0, last, n_taken + 3] == pytest.approx(scaled.std(), abs=0.02)
    assert not steps[..., n_taken : 2 * n_taken][~seen].any()
    np.testing.assert_array_equal(steps[..., 2 * n_taken :], np.abs(steps[..., :n_taken]))


@pytest.mark.parametrize(
    ("labels", "background", "rule"),
    [(LABELS, "playing", "any"), (("fight", "normal"), "normal", "mean"), (("a", "b"), "", "mean")],
)
def test_a_few_strong_steps_decide_only_where_labels_are_of_one_body(labels, background, rule):
    assert make_spec(labels, background).people == rule


def test_features_are_standardized_and_cut_off(head):
    rng = np.random.default_rng(3)
    scale = rng.uniform(0.5, 2.0, N_FEATURES).astype(np.float32)
    seen = rng.normal(size=(500, N_FEATURES)).astype(np.float32)
    plain, scaled = make_head(), make_head()
    set_feature_scale(plain, seen)
    set_feature_scale(scaled, seen * scale + 1.0)
    features = make_features(2, 6)
    np.testing.assert_allclose(
        say(scaled, features * scale + 1.0), say(plain, features), rtol=0.05, atol=0.05
    )
    far, farther = np.full((1, 1, N_FEATURES), 1e3), np.full((1, 1, N_FEATURES), 1e6)
    np.testing.assert_array_equal(say(head, far), say(head, farther))


def test_a_column_that_never_changes_does_no_harm():
    head = make_head()
    set_feature_scale(head, np.zeros((1, N_FEATURES), np.float32))
    assert np.isfinite(say(head, make_features(1, 6))).all()


@pytest.mark.parametrize("labels", [LABELS, ("fight", "playing")])
def test_it_survives_the_disk_in_safe_mode(labels, tmp_path):
    head = make_head(labels)
    head.save(tmp_path / "pose.keras")
    loaded = keras.saving.load_model(tmp_path / "pose.keras", compile=False, safe_mode=True)
    features = make_features(2, 6)
    np.testing.assert_array_equal(say(loaded, features), say(head, features))


@pytest.mark.parametrize("labels", [LABELS, ("fight", "playing")])
def test_its_graph_says_the_same(labels, tmp_path):
    head = make_head(labels)
    export_graph(head, make_features(1, 6), tmp_path / "pose.onnx")
    graph = Graph(tmp_path / "pose.onnx")
    for shape in ((1, 6), (4, 6), (2, 1)):
        features = make_features(*shape, seed=7)
        np.testing.assert_allclose(graph.run(features), say(head, features), atol=1e-4)


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([0.1, 1.0, 30.0]))
def test_steps_are_pooled_alike_in_training_and_after(rule, seed, n_steps, size):
    rng = np.random.default_rng(seed)
    logits = (size * rng.normal(size=(3, n_steps, 4))).astype(np.float32)
    seen = (rng.random((3, n_steps)) < 0.5).astype(np.float32)  # some people at no step
    pooled = pool_steps(logits, seen[..., None], rule, 1, axis=1)
    expected = pooling.pool_steps(logits, seen, rule, 1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(pooled), expected, rtol=1e-4, atol=1e-4)
    if rule == "any":
        np.testing.assert_allclose(expected[:, 1], 0.0, atol=1e-12)


def test_what_is_said_of_steps_without_the_person_is_not_weighed():
    logits, seen = np.zeros((1, 3, 2)), np.array([[1.0, 0.0, 1.0]])
    logits[0, 1], logits[0, [0, 2], 1] = (-200.0, 200.0), -5.0
    for rule in RULES:
        np.testing.assert_allclose(pooling.pool_steps(logits, seen, rule, 0), [[0.0, -5.0]])


@pytest.mark.parametrize("rule", RULES)
def test_training_pools_people_as_recognition_does(head, rule):
    spec = make_spec(people=rule)
    features = make_features(2, 4, 6)  # 2 windows, 4 places for people
    confidence = np.array([[0.9, 0.5, 0.3, 0.0], [0.0] * 4], dtype=np.float32)
    mask = np.ones((2, 6), dtype=np.float32)
    mask[0, 4:] = 0.0
    model = PeopleClassifier(head, spec, PLAYING)
    seen = features[..., SEEN_COLUMN] * mask[:, None]
    expected = []
    for row in range(2):
        people = pooling.pool_steps(say(head, features[row]), seen[row], rule, PLAYING)
        expected.append(pooling.pool_people(people, confidence[row], rule, PLAYING, 0.2).logits)
    logits = say(model, (features, confidence, mask))
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    assert not logits[1].any()
    order = [2, 0, 3, 1]
    again = say(model, (features[:, order], confidence[:, order], mask))
    np.testing.assert_allclose(again, logits, atol=1e-5)


def test_a_single_person_is_pooled_as_among_people(head):
    features, spec = make_features(3, 6), make_spec()
    seen = features[..., SEEN_COLUMN : SEEN_COLUMN + 1]
    alone = pool_steps(say(head, features), seen, spec.people, PLAYING, axis=1)
    confident, mask = np.ones((3, 1), np.float32), np.ones((3, 6), np.float32)
    people = say(PeopleClassifier(head, spec, PLAYING), (features[:, None], confident, mask))
    np.testing.assert_allclose(people, alone, atol=1e-5)


def test_another_head_of_the_same_labels_takes_over_everything():
    source, target = make_head(seed=1), make_head(seed=2)
    copied = copy_weights(target, source, same_labels=True)
    assert set(copied) == {layer.name for layer in target.layers if layer.get_weights()}
    features = make_features(2, 6)
    np.testing.assert_array_equal(say(target, features), say(source, features))


def test_other_labels_take_over_all_but_the_layers_that_end_in_them():
    labels = ("fight", "hitting_self", "normal")
    source, target = make_head(seed=1), make_head(labels, "normal", seed=2)
    before = {layer.name: layer.get_weights() for layer in target.layers}
    copied = copy_weights(target, source, same_labels=False)
    assert "own_lstm" in copied
    assert "self_reduce" in copied
    for layer in target.layers:
        if layer.name.endswith(("of_step", "of_time")):
            assert layer.name not in copied
            for now, then in zip(layer.get_weights(), before[layer.name], strict=True):
                np.testing.assert_array_equal(now, then)


def test_layers_of_another_width_stay_as_they_are():
    wide = PoseConfig(units=8)
    target = build_pose_head(wide, make_spec(), LABELS, "playing")
    before = target.get_layer("own_lstm").get_weights()
    copied = copy_weights(target, make_head(), same_labels=True)
    assert "norm" in copied
    assert not {"own_reduce", "own_lstm", "own_of_time", "pair_lstm"} & set(copied)
    for now, then in zip(target.get_layer("own_lstm").get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(("linear", "narrow"), [(True, False), (False, False), (False, True)])
def test_a_head_tells_its_shape(linear, narrow):
    config = PoseConfig(units=3, self_units=5, linear=linear, narrow=narrow)
    head = build_pose_head(config, make_spec(), LABELS, "playing")
    assert match_shape(PoseConfig(dropout=0.1), head) == replace(config, dropout=0.1)
    without = build_pose_head(config, make_spec(("a", "normal"), "normal"), ("a", "normal"))
    assert match_shape(PoseConfig(self_units=9), without) == replace(config, self_units=9)


@pytest.mark.parametrize("labels", [LABELS, ("fight", "normal")])
def test_a_head_without_scores_does_not_know_them(labels):
    config, columns = replace(CONFIG, scores=False), sorted(SCORE_COLUMNS)
    head = make_head(labels, labels[-1], config=config)
    features = make_features(2, 6)
    changed = features.copy()
    changed[..., columns] = np.where(features[..., [SEEN_COLUMN]] > 0, 0.5, 0.0)
    np.testing.assert_array_equal(say(head, features), say(head, changed))
    with_scores = make_head(labels, labels[-1], config=replace(CONFIG, scores=True))
    assert np.abs(say(with_scores, features) - say(with_scores, changed)).max() > 0
    assert not match_shape(PoseConfig(scores=True), head).scores
    assert match_shape(PoseConfig(scores=False), with_scores).scores


def test_a_narrow_head_says_nothing_of_a_pair_where_nobody_else_is_seen():
    head = make_head(config=replace(CONFIG, narrow=True))
    features = make_features(2, 6)
    features[..., PAIR_SEEN_COLUMN] = 1.0
    features[0, 2:4, PAIR_SEEN_COLUMN] = 0.0
    logits = say(head, features)
    assert (logits[0, 2:4, 0] == -4.0).all()
    assert (logits[0, [0, 1, 4, 5], 0] != -4.0).all()
    assert (logits[1, :, 0] != -4.0).all()
    assert not logits[..., PLAYING].any()


def test_a_head_without_single_person_labels_gives_what_it_has():
    source = make_head(("fight", "normal"), "normal", seed=1)
    copied = copy_weights(make_head(seed=2), source, same_labels=False)
    assert not [name for name in copied if name.startswith("self")]
    assert "pair_lstm" in copied
