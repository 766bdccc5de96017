"""How readily a pose head says a label: chosen after training, on domains it may learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from har.errors import NoClipsError
from har.inference.fusion import pool_windows
from har.pose.features import N_FEATURES, SEEN_COLUMN, PoseWindow
from har.pose.pooling import pool_people, pool_steps
from har.types import PoseSpec

FALSE_SHARE = 0.01
"""Of recordings in which nobody does it, this share may still be called a single-person label."""

Head = Callable[[np.ndarray], np.ndarray]
"""Gives (N, T, K) logits of (N, T, D) features of single people."""


@dataclass(frozen=True)
class Answers:
    """What a head says of N recordings.

    Attributes:
        logits: (N, K) against the background, whose own is 0.
        is_uncertain: (N,) nobody's keypoints were confident enough.
    """

    logits: np.ndarray
    is_uncertain: np.ndarray

    def decide(self, bias: np.ndarray) -> np.ndarray:
        """Return (N,) the label of each with a bias of K logits added, -1 where uncertain."""
        return np.where(self.is_uncertain, -1, (self.logits + bias).argmax(axis=1))

    def take(self, rows: np.ndarray) -> Answers:
        """Return what it says of some recordings."""
        return Answers(self.logits[rows], self.is_uncertain[rows])


def score_recordings(
    head: Head, recordings: Sequence[Sequence[PoseWindow]], spec: PoseSpec, background: int
) -> Answers:
    """Return what a head says of recordings, joined over people and windows as the product does.

    Args:
        head: It is given all people of all windows together.
        recordings: The windows of each.
        spec: The input contract.
        background: Index of the background label.
    """
    of_people = _score_people(head, recordings, spec, background)
    logits, confidence = [], []
    for windows in recordings:
        pooled = [
            pool_people(next(of_people), w.confidence, spec.people, background, spec.min_confidence)
            for w in windows
        ]
        whole = pool_windows(
            np.stack([window.logits for window in pooled]),
            np.array([window.confidence for window in pooled]),
        )
        logits.append(whole.logits[0])
        confidence.append(whole.confidence[0])
    stacked = np.stack(logits)
    return Answers(stacked - stacked[:, [background]], np.array(confidence) == 0)


def _score_people(
    head: Head, recordings: Sequence[Sequence[PoseWindow]], spec: PoseSpec, background: int
) -> Iterator[np.ndarray]:
    """Yield (P, K) logits of the people of each window; all go through the head together."""
    windows = [window.features for recording in recordings for window in recording]
    ends = np.cumsum([len(features) for features in windows])
    padded = np.zeros((ends[-1], spec.n_steps, N_FEATURES), dtype=np.float32)
    for features, end in zip(windows, ends, strict=True):
        padded[end - len(features) : end, : features.shape[1]] = features
    pooled = pool_steps(head(padded), padded[:, :, SEEN_COLUMN], spec.people, background)
    yield from np.split(pooled, ends[:-1])


def choose_bias(
    others: Sequence[tuple[Answers, np.ndarray]],
    calm: Sequence[Answers],
    labels: Sequence[str],
    background: str,
    self_label: str,
) -> np.ndarray:
    """Return the bias of each label.

    The label that is neither the background nor told from one body gets the threshold with the best
    balanced accuracy on the mean of some domains. The one told from one body is held back until it
    is said of at most one in a hundred recordings of each of several domains.

    Args:
        others: Of each domain what the head says, and (N,) whether somebody does hit others.
        calm: Of each domain what the head says of recordings in which nobody hits themselves.
        labels: In the order of the outputs.
        background: One of them.
        self_label: The one that is told from one body alone.

    Returns:
        (K,) float64, 0 for the background.
    """
    column = labels.index(self_label)
    (hit,) = (k for k, label in enumerate(labels) if label not in (background, self_label))
    bias = np.zeros(len(labels))
    known = [(a.logits[~a.is_uncertain, hit], truth[~a.is_uncertain]) for a, truth in others]
    bias[hit] = -find_threshold(*zip(*known, strict=True))
    cuts = [0.0]
    for answers in calm:
        logits = answers.logits[~answers.is_uncertain] + bias
        margin = logits[:, column] - np.maximum(logits[:, hit], 0.0)
        cuts.append(float(np.quantile(margin, 1.0 - FALSE_SHARE, method="higher")))
    bias[column] = -max(cuts)
    return bias


def find_threshold(scores: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> float:
    """Return the score from which on recordings are called positive.

    It has the best mean of the domains' balanced accuracies.

    Args:
        scores: (N,) of each domain.
        truths: (N,) bool of each domain.

    Raises:
        NoClipsError: All recordings of a domain are of one kind.

    >>> find_threshold([np.array([0.0, 1.0, 2.0, 3.0])], [np.array([False, False, True, True])])
    1.5
    """
    for truth in truths:
        if truth.all() or not truth.any():
            raise NoClipsError(
                f"Expected recordings of both kinds to choose a threshold, received {len(truth)} "
                "of one; leave that domain out"
            )
    levels = np.unique(np.concatenate(list(scores)))
    cuts = np.concatenate([levels[:1] - 1.0, 0.5 * (levels[1:] + levels[:-1])])
    gain = np.zeros(len(cuts))
    for score, truth in zip(scores, truths, strict=True):
        said = score[None, :] >= cuts[:, None]
        gain += said[:, truth].mean(axis=1) + (~said[:, ~truth]).mean(axis=1)
    return float(cuts[int(np.argmax(gain))])
