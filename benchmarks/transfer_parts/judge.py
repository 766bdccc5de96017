"""What a pose head says of whole recordings, and the figures of a domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from har.bundle import POSE_GRAPH_FILE
from har.inference.fusion import pool_windows
from har.inference.model import Recognizer
from har.pose.features import N_FEATURES, SEEN_COLUMN
from har.pose.pooling import pool_people, pool_steps
from pose_parts.intervals import Figure, bootstrap_auc, bootstrap_mean
from transfer_parts.domains import N_STEPS, Recording

OTHERS, SELF, PLAYING = "hitting_others", "hitting_self", "playing"
LABELS = (OTHERS, SELF, PLAYING)
BACKGROUND = LABELS.index(PLAYING)
MIN_CONFIDENCE = 0.2
_BATCH = 256

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


def score_recordings(head: Head, recordings: Sequence[Recording]) -> Answers:
    """Return what a head says of recordings, joined over people and windows as the product does."""
    of_people = _score_people(head, recordings)
    logits, confidence = [], []
    for recording in recordings:
        pooled = [
            pool_people(next(of_people), w.confidence, "any", BACKGROUND, MIN_CONFIDENCE)
            for w in recording.windows
        ]
        whole = pool_windows(
            np.stack([window.logits for window in pooled]),
            np.array([window.confidence for window in pooled]),
        )
        logits.append(whole.logits[0])
        confidence.append(whole.confidence[0])
    stacked = np.stack(logits)
    return Answers(stacked - stacked[:, [BACKGROUND]], np.array(confidence) == 0)


def _score_people(head: Head, recordings: Sequence[Recording]) -> Iterator[np.ndarray]:
    """Yield (P, K) logits of the people of each window; all go through the head together."""
    windows = [window.features for recording in recordings for window in recording.windows]
    counts = [len(features) for features in windows]
    padded = np.zeros((sum(counts), N_STEPS, N_FEATURES), dtype=np.float32)
    ends = np.cumsum(counts)
    for features, end in zip(windows, ends, strict=True):
        padded[end - len(features) : end, : features.shape[1]] = features
    pooled = pool_steps(head(padded), padded[:, :, SEEN_COLUMN], "any", BACKGROUND)
    yield from np.split(pooled, ends[:-1])


def open_head(recognizer: Recognizer) -> Head:
    """Return the pose head of a bundle, whose labels are those of three classes."""
    graph = recognizer.graphs.get(POSE_GRAPH_FILE)
    if graph is None or recognizer.info.labels != LABELS:
        raise SystemExit(f"expected a bundle of {LABELS} with a pose stream")

    def compute(features: np.ndarray) -> np.ndarray:
        starts = range(0, len(features), _BATCH)
        return np.concatenate([graph(features[start : start + _BATCH]) for start in starts])

    return compute


def measure(
    recordings: Sequence[Recording], answers: Answers, bias: np.ndarray
) -> dict[str, Figure]:
    """Return the figures of one domain with intervals over subjects.

    A recording of which the head is uncertain counts as wrong where hits are told from none, and as
    no alarm.
    """
    groups = [recording.subject for recording in recordings]
    is_hit = np.array([recording.is_hit for recording in recordings])
    is_self = np.array([recording.action == SELF for recording in recordings])
    said = answers.decide(bias)
    says_others, says_self = (said == LABELS.index(label) for label in (OTHERS, SELF))
    calm = np.flatnonzero(~is_hit)
    not_self = np.flatnonzero(~is_self)
    figures = {
        "n": len(recordings),
        "false_others": bootstrap_mean([groups[row] for row in calm], says_others[calm]),
        "false_self": bootstrap_mean([groups[row] for row in not_self], says_self[not_self]),
        "uncertain": int(answers.is_uncertain.sum()),
    }
    if is_hit.any():
        correct = (says_others == is_hit) & ~answers.is_uncertain
        figures["auc"] = bootstrap_auc(groups, is_hit, compute_scores(answers, bias))
        figures["accuracy"] = bootstrap_mean(groups, correct)
    return figures


def compute_scores(answers: Answers, bias: np.ndarray) -> np.ndarray:
    """Return (N,) the probability of hitting others."""
    logits = answers.logits + bias
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds[:, LABELS.index(OTHERS)] / odds.sum(axis=1)
