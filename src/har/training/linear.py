"""The temporal head's linear branch, solved rather than learned step by step."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

from har.config import TemporalConfig
from har.network.heads import get_linear_branch, get_step_inputs, set_feature_scale
from har.network.temporal_head import build_temporal
from har.pose.features import SEEN_COLUMN, PoseWindow
from har.training.batches import compute_loss_weights
from har.training.features import Variants, stack_variants
from har.types import PoseSpec

_MAX_ITERATIONS = 1000
_EVERY = 2
"""Windows of a clip overlap so much that every second one is enough."""


def start_head(
    config: TemporalConfig,
    variants: Variants,
    targets: np.ndarray,
    n_labels: int,
    weights: np.ndarray | None = None,
) -> keras.Model:
    """Build a temporal head that is scaled to the features and whose linear branch is solved.

    Args:
        config: The head's settings.
        variants: Features of the clips that are learned from.
        targets: (N,) class index of every clip.
        n_labels: K.
        weights: (N,) how much clips count within their class; all alike when None.
    """
    head = build_temporal(config, variants[0][0].shape[-1], n_labels)
    set_feature_scale(head, stack_variants(variants))
    solve_linear_branch(head, variants, targets, config.linear_c, weights)
    return head


def solve_linear_branch(
    head: keras.Model,
    variants: Sequence[Sequence[np.ndarray]],
    targets: np.ndarray,
    c: float,
    weights: np.ndarray | None = None,
) -> None:
    """Set the linear branch to the regularized logistic regression of clips' means, and freeze it.

    What is left to the recurrent branch is what the order of steps adds to that. Classes count
    alike. Where there is only one class to learn from, the branch stays as it is, at zero.

    Args:
        head: What `build_temporal` gave, scaled to the features.
        variants: For each clip its variants, each (T, D).
        targets: (N,) class index of every clip.
        c: Inverse of the penalty on the weights.
        weights: (N,) how much clips count within their class; all alike when None.

    Source: docs/decisions/017-linear-branch-and-picture.md.
    """
    branch = get_linear_branch(head)
    if branch is None or len(set(targets.tolist())) < 2:
        return
    inputs = get_step_inputs(head)
    rows = np.stack([_mean_over_steps(inputs, variant) for clip in variants for variant in clip])
    clip_of_row = np.repeat(np.arange(len(variants)), [len(clip) for clip in variants])
    own = None if weights is None else weights[clip_of_row]
    _solve(branch, rows, targets[clip_of_row], own, len(targets), c)


def solve_pose_branch(
    head: keras.Model,
    clips: Sequence[Sequence[PoseWindow]],
    targets: np.ndarray,
    spec: PoseSpec,
    c: float,
    weights: np.ndarray | None = None,
) -> None:
    """Do for a pose head what `solve_linear_branch` does, if it has such a branch.

    A clip's mean is over the steps at which a person is seen, over people and over windows, both by
    how confident they are. A clip in which nobody is confident is left out.

    Args:
        head: What `build_pose_head` gave, scaled to the features.
        clips: The windows of each clip.
        targets: (N,) class index of every clip.
        spec: Says from which confidence on a person counts.
        c: Inverse of the penalty on the weights.
        weights: (N,) how much clips count within their class; all alike when None.

    Source: docs/decisions/018-spread-of-keypoints.md.
    """
    branch = get_linear_branch(head)
    if branch is None:
        return
    inputs = get_step_inputs(head)
    means = [_mean_over_people(inputs, windows[::_EVERY], spec) for windows in clips]
    known = np.array([mean is not None for mean in means])
    if len(set(targets[known].tolist())) < 2:
        return
    rows = np.stack([mean for mean in means if mean is not None])
    own = None if weights is None else weights[known]
    _solve(branch, rows, targets[known], own, len(targets), c)


def release_linear_branch(head: keras.Model) -> None:
    """Let the linear branch, if there is one, learn again: jointly and from a bundle."""
    branch = get_linear_branch(head)
    if branch is not None:
        branch.trainable = True


def _mean_over_steps(inputs: keras.Model, variant: np.ndarray) -> np.ndarray:
    values = keras.ops.convert_to_numpy(inputs(variant[None].astype(np.float32)))  # (1, T, 2 D)
    return np.asarray(values)[0].mean(axis=0, dtype=np.float64)


def _mean_over_people(
    inputs: keras.Model, windows: Sequence[PoseWindow], spec: PoseSpec
) -> np.ndarray | None:
    """Return (2 D,) float64, or None where nobody is confident."""
    found, weights = [], []
    for window in windows:
        known = (window.confidence >= spec.min_confidence) & (window.confidence > 0.0)
        if not known.any():
            continue
        features, confidence = window.features[known], window.confidence[known].astype(np.float64)
        steps = np.asarray(keras.ops.convert_to_numpy(inputs(features)), np.float64)  # (P, T, 2 D)
        seen = features[..., SEEN_COLUMN, None] > 0
        people = (steps * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
        found.append(np.average(people, axis=0, weights=confidence))
        weights.append(float(confidence.max()))
    return np.average(found, axis=0, weights=weights) if found else None


def _solve(
    branch: keras.layers.Layer,
    rows: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None,
    n_clips: int,
    c: float,
) -> None:
    """Set a layer to the regression of (N,) targets on (N, D) rows, and freeze it."""
    own = np.ones(len(rows)) if weights is None else weights
    balanced = compute_loss_weights(targets, int(targets.max()) + 1, own)
    model = LogisticRegression(C=c, max_iter=_MAX_ITERATIONS)
    model.fit(rows, targets, balanced * own.mean())  # as strong a penalty as for as many clips
    kernel, bias = (np.zeros_like(weight) for weight in branch.get_weights())
    bias[:] = -np.log(n_clips + 1.0)  # for a class that nothing was seen of
    found, biases = model.coef_, model.intercept_
    if len(found) == 1:  # of two classes scikit-learn gives the second against the first
        found, biases = (np.concatenate([-half, half]) for half in (found / 2, biases / 2))
    kernel[:, model.classes_], bias[model.classes_] = found.T, biases
    branch.set_weights([kernel, bias])
    branch.trainable = False
