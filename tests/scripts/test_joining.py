"""Two heads as one: each label is told as by the head that its branch is of."""

from dataclasses import replace

import keras
import numpy as np

from har.config import PoseConfig
from har.network.pose_head import build_pose_head
from har.pose.features import N_FEATURES, PAIR_SEEN_COLUMN, SEEN_COLUMN
from three_class.joining import take_self_branch

LABELS = ("hitting_others", "hitting_self", "playing")
CONFIG = PoseConfig(units=3, self_units=4, linear=False, narrow=True, scores=False)
SPEC = CONFIG.pose_spec(LABELS, "playing", "hash")


def make_head(config: PoseConfig, seed: int) -> keras.Model:
    head = build_pose_head(config, SPEC, LABELS, "playing")
    rng = np.random.default_rng(seed)
    head.set_weights([w + np.abs(rng.normal(0, 0.3, w.shape)) for w in head.get_weights()])
    return head


def test_each_label_is_told_by_the_head_that_its_branch_is_of():
    head = make_head(CONFIG, 1)
    source = make_head(replace(CONFIG, self_units=5, scores=True, units=2), 2)
    joined = take_self_branch(head, source, CONFIG, SPEC, LABELS, "playing")
    features = np.random.default_rng(3).normal(size=(4, 6, N_FEATURES)).astype(np.float32)
    features[..., [SEEN_COLUMN, PAIR_SEEN_COLUMN]] = 1.0
    of_head, of_source, of_joined = (
        np.asarray(keras.ops.convert_to_numpy(model(features))) for model in (head, source, joined)
    )
    np.testing.assert_allclose(of_joined[..., 0], of_head[..., 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(of_joined[..., 1], of_source[..., 1], rtol=1e-4, atol=1e-4)
    assert not of_joined[..., 2].any()
