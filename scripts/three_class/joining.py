# pyright: reportOptionalMemberAccess=false
"""Two heads as one: the pair of the one, and of the other what tells hitting oneself."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np

from har.config import PoseConfig
from har.network.pose_head import build_pose_head, match_shape
from har.types import PoseSpec

_NORM, _PAIR, _REDUCE = "norm", "pair", "pair_reduce"
_MIN_VARIANCE = 1e-2
"""As of `har.network.heads.build_norm`."""


def take_self_branch(
    head: keras.Model,
    source: keras.Model,
    pose: PoseConfig,
    spec: PoseSpec,
    labels: tuple[str, ...],
    background: str,
) -> keras.Model:
    """Return a head with the branch for single-person labels of another one.

    Both standardize features by what they have learnt from. The branch keeps its own mean and
    variance; where the pair takes the same features, its weights make up for the other scale.

    Args:
        head: Has the pair.
        source: Has the branch, and the same labels.
        pose: What ``head`` looks like.
        spec: The input contract.
        labels: In the order of the outputs.
        background: One of them.
    """
    shape = match_shape(pose, source)
    shape = replace(shape, units=pose.units, linear=pose.linear, narrow=pose.narrow)
    joined = build_pose_head(shape, spec, labels, background)
    for layer in joined.layers:
        known = source if layer.name.startswith("self") else head
        if layer.get_weights() and layer.name != _NORM:
            layer.set_weights(known.get_layer(layer.name).get_weights())
    of_pair, of_self = (model.get_layer(_NORM).get_weights() for model in (head, source))
    own = np.isin(np.arange(len(of_pair[0])), joined.get_layer("self").columns)
    norm = [np.where(own, theirs, ours) for theirs, ours in zip(of_self, of_pair, strict=True)]
    joined.get_layer(_NORM).set_weights(norm)
    columns = np.array(joined.get_layer(_PAIR).columns)
    deviation, before = (np.sqrt(v[columns] + _MIN_VARIANCE) for v in (norm[1], of_pair[1]))
    kernel, bias = head.get_layer(_REDUCE).get_weights()
    moved = (norm[0][columns] - of_pair[0][columns]) / before
    joined.get_layer(_REDUCE).set_weights(
        [kernel * (deviation / before)[:, None], bias + moved @ kernel]
    )
    return joined
