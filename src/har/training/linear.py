"""The temporal head's linear path, solved rather than learnt step by step."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

from har.config import TemporalConfig
from har.network.temporal import build_temporal, get_linear_path, get_step_inputs, set_feature_scale
from har.training.features import Views, stack_views

_MAX_ITERATIONS = 1000


def start_head(
    config: TemporalConfig, views: Views, targets: np.ndarray, n_labels: int
) -> keras.Model:
    """Builds a temporal head that is scaled to the features and whose linear path is solved.

    Args:
        config: The head's settings.
        views: Features of the clips that are learnt from.
        targets: (N,) class index of every clip.
        n_labels: K.
    """
    head = build_temporal(config, views[0][0].shape[-1], n_labels)
    set_feature_scale(head, stack_views(views))
    solve_linear_path(head, views, targets, config.linear_c)
    return head


def solve_linear_path(
    head: keras.Model, views: Sequence[Sequence[np.ndarray]], targets: np.ndarray, c: float
) -> None:
    """Sets the linear path to the regularised logistic regression of clips' means, and freezes it.

    What is left to the recurrent part is what the order of steps says beyond that. Classes count
    alike. Where there is only one class to learn from, the path stays as it is, at zero.

    Args:
        head: What `build_temporal` gave, scaled to the features.
        views: For each clip its views, each (T, D).
        targets: (N,) class index of every clip.
        c: Inverse of the penalty on the weights.

    Source: docs/decisions/017-linear-path-and-picture.md.
    """
    if len(set(targets.tolist())) < 2:
        return
    inputs = get_step_inputs(head)
    rows = [_mean_over_steps(inputs, view) for clip in views for view in clip]
    clip_of_row = np.repeat(np.arange(len(views)), [len(clip) for clip in views])
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=_MAX_ITERATIONS)
    model.fit(np.stack(rows), targets[clip_of_row])
    path = get_linear_path(head)
    kernel, bias = (np.zeros_like(weight) for weight in path.get_weights())
    bias[:] = -np.log(len(targets) + 1.0)  # for a class that nothing was seen of
    weights, biases = model.coef_, model.intercept_
    if len(weights) == 1:  # of two classes scikit-learn gives the second against the first
        weights, biases = (np.concatenate([-half, half]) for half in (weights / 2, biases / 2))
    kernel[:, model.classes_], bias[model.classes_] = weights.T, biases
    path.set_weights([kernel, bias])
    path.trainable = False


def release_linear_path(head: keras.Model) -> None:
    """Lets the linear path learn again, in the joint stage and from a bundle."""
    get_linear_path(head).trainable = True


def _mean_over_steps(inputs: keras.Model, view: np.ndarray) -> np.ndarray:
    values = keras.ops.convert_to_numpy(inputs(view[None].astype(np.float32)))  # (1, T, 2 D)
    return np.asarray(values)[0].mean(axis=0, dtype=np.float64)
