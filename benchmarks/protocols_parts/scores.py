"""What keypoint scores among the inputs cost where another sensor finds the joints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from har.config import PoseConfig
from har.network.heads import set_feature_scale
from har.network.pose_head import PeopleClassifier, build_pose_head
from har.training.discriminant import solve_pose_branch
from har.training.people import count_people, stack_features, stack_people
from order_parts.sets import MotionSet, load_set
from pose_parts.intervals import Figure, bootstrap_auc, bootstrap_mean
from transfer_parts.domains import HITS

_LABELS = ("hit", "none")


def measure_scores(data_dir: Path, cache: Path) -> Figure:
    """Return hits against none, learned on one set and tried on the other, with scores and without.

    Args:
        data_dir: Has ``motion`` and ``ut_interaction_set1``.
        cache: Of stores and features.
    """
    sets = {name: load_set(name, data_dir, cache) for name in ("sbu", "ut")}
    rows = []
    for learned, tried in (("sbu", "ut"), ("ut", "sbu")):
        for scores in (True, False):
            solved = _solve(sets[learned], scores)
            rows.append(
                {"learned": learned, "tried": tried, "scores": scores, **solved.judge(sets[tried])}
            )
    return {"hits_against_none": rows}


@dataclass(frozen=True)
class _Solved:
    model: PeopleClassifier
    config: PoseConfig

    def judge(self, tried: MotionSet) -> Figure:
        """Return AUC, and accuracy at equal probabilities, of another set's sequences."""
        spec = self.config.pose_spec(_LABELS, "", "any")
        scores = []
        for windows in tried.windows:
            batch = stack_people(windows, spec, count_people(windows))
            logits = np.asarray(keras.ops.convert_to_numpy(self.model(batch)), np.float64)
            weights = batch[1].max(axis=1) + 1e-6
            scores.append(np.average(logits[:, 0] - logits[:, 1], weights=weights))
        is_hit, groups = _find_hits(tried), tried.groups.tolist()
        return {
            "auc": bootstrap_auc(groups, is_hit, np.array(scores)),
            "accuracy": bootstrap_mean(groups, (np.array(scores) > 0) == is_hit),
        }


def _solve(learned: MotionSet, scores: bool) -> _Solved:
    config = PoseConfig(scores=scores, single_person_labels=(), people="mean")
    spec = config.pose_spec(_LABELS, "", "any")
    head = build_pose_head(config, spec, _LABELS)
    set_feature_scale(head, stack_features(learned.windows))
    targets = np.where(_find_hits(learned), 0, 1)
    folds = np.unique(learned.groups, return_inverse=True)[1] % 5
    solve_pose_branch(head, learned.windows, targets, spec, config.linear_shrinkage, folds=folds)
    return _Solved(PeopleClassifier(head, spec, 0), config)


def _find_hits(motion: MotionSet) -> np.ndarray:
    return np.isin([motion.labels[target] for target in motion.targets], HITS)
