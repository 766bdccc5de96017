"""The linear branch of a pose head, solved as a linear discriminant, and what it says unseen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from har.network.heads import get_linear_branch, get_step_inputs
from har.pose.features import SEEN_COLUMN, PoseWindow
from har.training.batches import compute_loss_weights
from har.training.clips import INNER_FOLDS
from har.training.people import count_people, stack_people
from har.types import PoseSpec

_EVERY = 2
"""Windows of a clip overlap so much that every second one is enough."""
_BATCH = 128
_MIN_VARIANCE = 1e-2
"""Added to a variance: what never moved in the clips that are learned from must not outweigh."""
_SMALLEST_SPREAD = 1e-6
_LEAST, _MOST, _N_HALVINGS = 0.1, 20.0, 40
"""How far calibrated logits spread: where nothing or all is right, there is no best scale."""


@dataclass(frozen=True)
class _Table:
    """Windows to learn from: N rows, of which those of weight 0 are not learned from."""

    rows: np.ndarray  # (N, 3 D) float32: steps, spreads, sizes
    targets: np.ndarray  # (N,)
    weights: np.ndarray  # (N,)
    folds: np.ndarray  # (N,)
    shrinkage: float
    n_labels: int

    def solve(self, chosen: np.ndarray, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the discriminant of some rows by their first columns; others weigh nothing."""
        kernel, bias = solve_discriminant(
            self.rows[chosen, :n_columns],
            self.targets[chosen],
            self.weights[chosen],
            self.shrinkage,
            self.n_labels,
        )
        n_left = self.rows.shape[1] - n_columns
        return np.concatenate([kernel, np.zeros((n_left, self.n_labels))]), bias

    def score_unseen(self, n_columns: int) -> np.ndarray:
        """Return (N, K) logits of all rows by branches that have not seen their fold.

        NaN where that branch has not seen the row's class either: it tells nothing then.
        """
        unseen = np.full((len(self.rows), self.n_labels), np.nan)
        for fold in np.unique(self.folds):
            rest = (self.folds != fold) & (self.weights > 0)
            known = np.unique(self.targets[rest])
            left_out = (self.folds == fold) & np.isin(self.targets, known)
            if len(known) > 1 and left_out.any():
                kernel, bias = self.solve(rest, n_columns)
                unseen[left_out] = self.rows[left_out] @ kernel + bias
        return unseen


def solve_pose_branch(
    head: keras.Model,
    clips: Sequence[Sequence[PoseWindow]],
    targets: np.ndarray,
    spec: PoseSpec,
    shrinkage: float,
    weights: np.ndarray | None = None,
    folds: np.ndarray | None = None,
) -> list[np.ndarray] | None:
    """Set the linear branch to the shrunken discriminant of windows' means, and freeze it.

    A window's mean is over the steps at which a person is seen and over people by how confident
    they are; a window in which nobody is confident counts for nothing. Clips that are left out in
    turn decide whether the branch takes the sizes of features, too, and by what its logits are
    divided, so that the true labels of what it has not seen are likeliest.

    Args:
        head: What `build_pose_head` gave, scaled to the features. Without such a branch, or with
            one class alone to learn from, it stays as it is.
        clips: The windows of each clip.
        targets: (N,) class index of every clip.
        spec: Says from which confidence on a person counts.
        shrinkage: See `solve_discriminant`.
        weights: (N,) how much clips count within their class; all alike when None.
        folds: (N,) which clips are left out together; when None, groups are not known and every
            fifth clip is.

    Returns:
        Of each clip the (W, K) float32 logits of its windows by a branch that has not seen the
        clip: what is left for the recurrent branch to learn; zeros where that tells nothing. None
        where nothing was solved.

    Source: docs/decisions/026-order-of-steps.md.
    """
    branch = get_linear_branch(head)
    clip_of_row = np.repeat(np.arange(len(clips)), [len(clip) for clip in clips])
    if branch is None or not len(clip_of_row):
        return None
    rows, known = _compute_rows(head, [window for clip in clips for window in clip], spec)
    learned = known & np.concatenate([np.arange(len(clip)) % _EVERY == 0 for clip in clips])
    if len(set(targets[clip_of_row[learned]].tolist())) < 2:
        return None
    n_windows = np.maximum(np.bincount(clip_of_row[learned], minlength=len(clips)), 1)
    own = (np.ones(len(clips)) if weights is None else weights) / n_windows
    folds = np.arange(len(clips)) % INNER_FOLDS if folds is None else folds
    table = _Table(
        rows,
        targets[clip_of_row],
        np.where(learned, own[clip_of_row], 0.0),
        folds[clip_of_row],
        shrinkage,
        branch.units,
    )
    widths = (2 * rows.shape[1] // 3, rows.shape[1])
    tried = [table.score_unseen(width) for width in widths]
    told = learned & np.isfinite(tried[0][:, 0])
    found = [calibrate(logits[told], table.targets[told]) for logits in tried]
    best = int(np.argmin([loss for loss, _ in found]))
    kernel, bias = table.solve(table.weights > 0, widths[best])
    scale = found[best][1] if told.any() else float((rows[learned] @ kernel + bias).std())
    branch.set_weights([kernel / scale, bias / scale])
    branch.trainable = False
    ends = np.cumsum([len(clip) for clip in clips])[:-1]
    unseen = np.where(known[:, None], np.nan_to_num(tried[best]), 0.0)
    return np.split((unseen / scale).astype(np.float32), ends)


def solve_discriminant(
    rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, shrinkage: float, n_labels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the linear discriminant of classes that are equally likely.

    Args:
        rows: (N, D).
        targets: (N,) class indices.
        weights: (N,) how much rows count within their class.
        shrinkage: From 0 to 1: share of the covariance that is replaced by its mean variance.
        n_labels: K.

    Returns:
        (D, K) weights and (K,) biases; a class without rows has no weights and a low bias.

    Source: J. H. Friedman, "Regularized Discriminant Analysis", JASA 84 (1989).

    >>> rows, targets = np.array([[0.0], [2.0], [4.0], [6.0]]), np.array([0, 0, 1, 1])
    >>> kernel, bias = solve_discriminant(rows, targets, np.ones(4), 0.0, 2)
    >>> bool(np.argmax(2.9 * kernel + bias) == 0 and np.argmax(3.1 * kernel + bias) == 1)
    True
    """
    own = compute_loss_weights(targets, n_labels, weights)
    own = own / own.sum()
    values = rows.astype(np.float64)
    mean = own @ values
    deviation = np.sqrt(own @ np.square(values - mean) + _MIN_VARIANCE)
    values = (values - mean) / deviation
    sums = np.bincount(targets, own, n_labels)
    centers = np.zeros((n_labels, values.shape[1]))
    np.add.at(centers, targets, values * own[:, None])
    centers /= np.maximum(sums, _SMALLEST_SPREAD)[:, None]
    rest = (values - centers[targets]) * np.sqrt(own)[:, None]
    covariance = (1.0 - shrinkage) * (rest.T @ rest)
    typical = max(float(np.square(rest).sum()) / len(mean), _SMALLEST_SPREAD)
    covariance[np.diag_indices(len(mean))] += max(shrinkage, _SMALLEST_SPREAD) * typical
    kernel = np.linalg.solve(covariance, centers.T)
    bias = -0.5 * (centers.T * kernel).sum(axis=0)
    kernel = kernel / deviation[:, None]
    bias = bias - mean @ kernel
    return kernel, np.where(sums > 0, bias, bias[sums > 0].min() - np.log(len(rows) + 1.0))


def _compute_rows(
    head: keras.Model, windows: Sequence[PoseWindow], spec: PoseSpec
) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, 3 D) float32 means of what the branch takes, and (N,) whether anyone is seen."""
    inputs, n_people = get_step_inputs(head), count_people(windows)
    rows, known = [], []
    for batch in _iter_batches(windows):
        features, confidence, mask = stack_people(batch, spec, n_people)
        merged = features.reshape(-1, *features.shape[2:])  # (B*P, T, D)
        steps = np.asarray(keras.ops.convert_to_numpy(inputs(merged)))  # (B*P, T, 3 D)
        seen = (features[..., SEEN_COLUMN] * mask[:, None]).reshape(len(merged), -1, 1)
        people = (steps * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1.0)
        people = people.reshape(*confidence.shape, -1) * confidence[..., None]
        rows.append(people.sum(axis=1) / np.maximum(confidence.sum(axis=1), 1e-3)[:, None])
        known.append(confidence.max(axis=1) > 0)
    return np.concatenate(rows), np.concatenate(known)


def _iter_batches(windows: Sequence[PoseWindow]) -> Iterator[Sequence[PoseWindow]]:
    for start in range(0, len(windows), _BATCH):
        yield windows[start : start + _BATCH]


def calibrate(logits: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Return the least cross-entropy that (N, K) logits reach when divided, and by what they are.

    Without a row that is 0 and 1.

    >>> logits = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> loss, scale = calibrate(logits, np.array([0, 0, 1, 1]))  # three of four are right
    >>> round(loss, 3), round(scale, 2)
    (0.562, 3.64)
    """
    if not len(logits):
        return 0.0, 1.0
    spread = max(float(logits.std()), _SMALLEST_SPREAD)
    of_truth = logits[np.arange(len(targets)), targets].sum()
    low, high = _LEAST / spread, _MOST / spread
    for _ in range(_N_HALVINGS):  # the likelihood is concave in 1 / scale: halve its slope
        middle = 0.5 * (low + high)
        scaled = middle * logits
        probs = np.exp(scaled - np.logaddexp.reduce(scaled, axis=1)[:, None])
        low, high = (middle, high) if of_truth > (probs * logits).sum() else (low, middle)
    scaled = high * logits
    losses = np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(targets)), targets]
    return float(losses.mean()), 1.0 / high
