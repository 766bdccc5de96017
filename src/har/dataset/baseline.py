"""The chance level from file format (shortcut baseline): labels guessed without any picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from har.dataset.index import StoredClip
from har.errors import MissingDependencyError

FEATURES = ("width", "height", "fps", "n_frames", "duration_s")
_N_TREES = 100
_MIN_LEAF = 3


@dataclass(frozen=True)
class ShortcutBaseline:
    """What width, height, frame rate, number of frames and duration alone predict.

    A model that is not clearly above it may have learned the format and not the action.

    Attributes:
        accuracy: Of clips in folds that were held out, in [0, 1].
        auc: Area under the ROC curve; with more than two labels the mean of each against the rest.
        majority: Share of the commonest label: the accuracy of always guessing it.
    """

    accuracy: float
    auc: float
    majority: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def compute_shortcut_baseline(clips: Sequence[StoredClip], folds: np.ndarray) -> ShortcutBaseline:
    """Learn the label from the clips' format alone, and test it on held-out folds.

    Args:
        clips: N clips of two labels or more.
        folds: (N,) int, as `har.dataset.splits.build_folds` gives them; every label must also be
            found outside each fold.

    Raises:
        MissingDependencyError: The extra ``train`` is not installed.

    Source: P. Geurts et al., Extremely randomized trees, Machine Learning 63, 2006.
    """
    try:
        from sklearn.ensemble import ExtraTreesClassifier
        from sklearn.metrics import roc_auc_score
    except ImportError as error:
        raise MissingDependencyError(
            "Preparing clips needs scikit-learn; install it with:"
            " pip install 'human-action-recognition[train]'"
        ) from error
    features = np.array([[getattr(clip, name) for name in FEATURES] for clip in clips], float)
    labels, targets = np.unique([clip.label for clip in clips], return_inverse=True)
    probs = np.zeros((len(clips), len(labels)))
    for fold in np.unique(folds):
        held_out = folds == fold
        trees = ExtraTreesClassifier(_N_TREES, min_samples_leaf=_MIN_LEAF, random_state=0)
        trees.fit(features[~held_out], targets[~held_out])
        probs[np.ix_(held_out, trees.classes_)] = trees.predict_proba(features[held_out])
    auc = np.mean([roc_auc_score(targets == k, probs[:, k]) for k in range(len(labels))])
    return ShortcutBaseline(
        accuracy=float((probs.argmax(axis=1) == targets).mean()),
        auc=float(auc),
        majority=float(np.bincount(targets).max() / len(targets)),
    )
