"""The temporal head's linear branch, solved rather than learned step by step."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

from har.config import TemporalConfig
from har.network.heads import get_linear_branch, get_step_inputs, set_feature_scale
from har.network.temporal_head import build_temporal
from har.training.batches import compute_loss_weights
from har.training.features import Variants, stack_variants

_MAX_ITERATIONS = 1000


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


def release_linear_branch(head: keras.Model) -> None:
    """Let the linear branch, if there is one, learn again: jointly and from a bundle."""
    branch = get_linear_branch(head)
    if branch is not None:
        branch.trainable = True


def _mean_over_steps(inputs: keras.Model, variant: np.ndarray) -> np.ndarray:
    values = keras.ops.convert_to_numpy(inputs(variant[None].astype(np.float32)))  # (1, T, 2 D)
    return np.asarray(values)[0].mean(axis=0, dtype=np.float64)


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
