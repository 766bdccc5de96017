"""Heads are causal, so padding at the end changes nothing before it."""

import keras
import numpy as np
import pytest

from har.config import TemporalConfig
from har.network.heads import set_feature_scale
from har.network.temporal_head import (
    MaskedMean,
    build_frame_head,
    build_temporal,
)

KINDS = ["lstm", "gru", "tcn", "frame"]


def build(kind):
    """Return a head whose output layers, which start at zero, say something."""
    if kind == "frame":
        head = build_frame_head(6, 3, 0.5)
    else:
        head = build_temporal(TemporalConfig(kind=kind, units=8), 6, 3)
    rng = np.random.default_rng(0)
    shapes = [weight.shape for weight in head.get_weights()]
    head.set_weights([rng.uniform(0.1, 1.0, shape) for shape in shapes])
    return head


def test_a_new_head_starts_undecided():
    head = build_temporal(TemporalConfig(units=8), 6, 3)
    assert not keras.ops.convert_to_numpy(head(np.ones((1, 4, 6), "float32"))).any()


def test_features_are_standardized_before_anything_else():
    head = build_frame_head(2, 2, 0.0)
    head.get_layer("logits").set_weights([np.eye(2), np.zeros(2)])
    features = np.array([[1.0, 100.0], [3.0, 300.0]], "float32")
    set_feature_scale(head, features)
    logits = keras.ops.convert_to_numpy(head(features[:, None]))[:, 0]
    assert np.allclose(logits, [[-1, -1], [1, 1]], atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_logits_at_every_step_do_not_depend_on_later_ones(kind):
    head = build(kind)
    features = np.random.default_rng(0).normal(size=(2, 9, 6)).astype("float32")
    whole = keras.ops.convert_to_numpy(head(features))
    features[:, 5:] = 100.0
    changed = keras.ops.convert_to_numpy(head(features))
    assert whole.shape == (2, 9, 3)
    assert np.allclose(whole[:, :5], changed[:, :5], atol=1e-6)
    assert not np.allclose(whole[:, 5:], changed[:, 5:])


def test_masked_mean_leaves_padding_out():
    logits = np.array([[[1.0], [3.0], [50.0]], [[4.0], [9.0], [9.0]]], "float32")
    mask = np.array([[1, 1, 0], [1, 0, 0]], "float32")
    pooled = keras.ops.convert_to_numpy(MaskedMean()(logits, mask))
    assert pooled.tolist() == [[2.0], [4.0]]


def test_a_step_gets_the_largest_value_of_the_last_steps():
    head = build_temporal(TemporalConfig(units=2, recent_steps=3), 1, 2)
    of_step = head.get_layer("of_step")
    of_step.set_weights([np.array([[0.0, 0.0], [0.0, 1.0]]), np.zeros(2)])  # the recent part alone
    set_feature_scale(head, np.array([[0.0], [0.0]], "float32"))
    features = np.array([[[1.0], [5.0], [2.0], [0.0], [3.0], [0.0]]], "float32")
    weighed = keras.ops.convert_to_numpy(head(features))[0, :, 1] * 0.1  # variance 0 counts as 0.01
    assert weighed.tolist() == pytest.approx([1.0, 5.0, 5.0, 5.0, 3.0, 3.0], rel=1e-4)
