"""What a pose head says of whole recordings, and the figures of a domain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from har.bundle import POSE_GRAPH_FILE
from har.inference.model import Recognizer
from pose_parts.intervals import Figure, bootstrap_auc, bootstrap_mean
from three_class.bundle import LABELS, OTHERS, PLAYING, SELF, SPEC
from three_class.threshold import Answers, Head, score_recordings
from transfer_parts.domains import Recording

_BATCH = 256


def score(head: Head, recordings: Sequence[Recording]) -> Answers:
    """Return what a head says of recordings, joined over people and windows as in the product."""
    return score_recordings(head, [recording.windows for recording in recordings], SPEC, PLAYING)


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
    said = answers.decide(bias)
    calm = np.flatnonzero(~is_hit)
    not_self = np.flatnonzero([recording.action != LABELS[SELF] for recording in recordings])
    figures = {
        "n": len(recordings),
        "false_others": bootstrap_mean([groups[row] for row in calm], said[calm] == OTHERS),
        "false_self": bootstrap_mean([groups[row] for row in not_self], said[not_self] == SELF),
        "uncertain": int(answers.is_uncertain.sum()),
    }
    if is_hit.any():
        correct = ((said == OTHERS) == is_hit) & ~answers.is_uncertain
        figures["auc"] = bootstrap_auc(groups, is_hit, compute_scores(answers, bias))
        figures["accuracy"] = bootstrap_mean(groups, correct)
    return figures


def compute_scores(answers: Answers, bias: np.ndarray) -> np.ndarray:
    """Return (N,) the probability of hitting others."""
    logits = answers.logits + bias
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds[:, OTHERS] / odds.sum(axis=1)
