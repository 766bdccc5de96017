"""How readily a pose bundle says a label: chosen on real clips, after training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from har.bundle import BundleInfo, load_info, save_info
from har.dataset.store import Store
from har.errors import NoClipsError
from har.inference.clips import recognize_clips
from har.inference.model import Recognizer

FALSE_SHARE = 0.01
"""Of real clips in which nobody does it, this share may still be called an single-person label."""


def choose_bias(
    bundle_dir: Path, store: Store, positives: dict[str, str], progress: bool = False
) -> BundleInfo:
    """Set a bundle's bias on real clips and save it.

    A label of `PoseSpec.single_person_labels` is held back until it is said of one in a hundred
    clips: nobody does it in any of them. Another label gets the threshold with the best balanced
    accuracy.

    Args:
        bundle_dir: A three-class bundle of the pose stream, without a bias so far.
        store: Real clips; in none of them does anyone do what an single-person label says.
        positives: For each label that is not an own one and not background, the label of the clips
            that show it; all other clips do not.
        progress: Show a bar.

    Raises:
        BundleMismatchError: The bundle has no pose stream.
        NoClipsError: No clip of the store can be told, or one of the labels has none.
    """
    recognizer = Recognizer(bundle_dir)
    info, spec = replace(recognizer.info, bias=()), recognizer.info.require_pose().spec
    save_info(bundle_dir, info)
    answers = recognize_clips(Recognizer(bundle_dir), store, range(len(store.clips)), progress)
    told = ~answers.is_uncertain
    logits = np.log(np.maximum(answers.probs[told].astype(np.float64), 1e-12))
    against = logits - logits[:, [info.background]]
    labels = np.array([clip.label for clip in store.clips])[told]
    bias = np.zeros(len(info.labels))
    for label, shown_by in positives.items():
        column = info.labels.index(label)
        bias[column] = -find_threshold(against[:, column], labels == shown_by)
    others = np.max(
        against + bias, axis=1, where=~np.isin(info.labels, spec.single_person_labels), initial=0
    )
    for label in spec.single_person_labels:
        column = info.labels.index(label)
        margin = against[:, column] - others
        bias[column] = min(-float(np.quantile(margin, 1.0 - FALSE_SHARE, method="higher")), 0.0)
    save_info(bundle_dir, replace(info, bias=tuple(round(float(value), 4) for value in bias)))
    return load_info(bundle_dir)


def find_threshold(scores: np.ndarray, is_positive: np.ndarray) -> float:
    """Return the score from which on clips are called positive with the best balanced accuracy.

    Args:
        scores: (N,).
        is_positive: (N,) bool.

    Raises:
        NoClipsError: All clips are of one kind.

    >>> find_threshold(np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, False, True, True]))
    1.5
    """
    if is_positive.all() or not is_positive.any():
        raise NoClipsError(
            f"Expected clips of both kinds to choose a threshold, received {len(is_positive)} of "
            f"one; name another label"
        )
    levels = np.unique(scores)
    cuts = np.concatenate([levels[:1] - 1.0, 0.5 * (levels[1:] + levels[:-1])])
    said = scores[None, :] >= cuts[:, None]
    hits, rests = said[:, is_positive].mean(axis=1), (~said[:, ~is_positive]).mean(axis=1)
    return float(cuts[int(np.argmax(hits + rests))])
