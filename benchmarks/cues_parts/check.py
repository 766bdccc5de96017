"""Which single cue of synthetic sequences tells the class: a test of the generator alone.

A network that is trained on synthetic motion takes whatever tells the classes apart there. If that
is a nuisance (once it was a drop of the head that only hits had), synthetic validation looks well
and real people are got wrong. So for each pair of classes a small classifier is trained on each cue
alone, on the true keypoints and on the detected ones, and tested on scenes it has not seen.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from cues_parts.cues import CUES, Actor, Cue, get_seen_actor, get_true_actor
from har.errors import ConfigError, DatasetError
from har.parallel import run_jobs
from har.synthetic.motion import LABELS
from three_class.sequences import draw_sequence
from three_class.settings import SequencesConfig

PAIRS = (("hitting_self", "playing"), ("hitting_others", "playing"))
HELD_PAIR = PAIRS[0]
MAX_AUC = 0.60
"""No cue but the act itself may tell the held pair better than this."""

CHECK_SHARES = (0.2, 0.4, 0.4)
N_FOLDS = 3
_MIN_OF_A_CLASS = 25
_PER_TASK = 24


@dataclass(frozen=True)
class CueFigure:
    """How well one cue alone tells two classes.

    Attributes:
        cue: Its name.
        label: The class that is told from the other.
        other: The other class.
        true_auc: From the true keypoints, on scenes not trained on; 0.5 is chance.
        seen_auc: From the detected keypoints.
        why: Why it is the act itself; empty where it is a nuisance.
    """

    cue: str
    label: str
    other: str
    true_auc: float
    seen_auc: float
    why: str

    @property
    def auc(self) -> float:
        """The greater of the two."""
        return max(self.true_auc, self.seen_auc)

    @property
    def is_leak(self) -> bool:
        """Whether a nuisance tells the pair that it must not tell."""
        held = (self.label, self.other) == HELD_PAIR
        return held and not self.why and self.auc > MAX_AUC


@dataclass(frozen=True)
class _Table:
    """Cue values of sequences: labels, groups, and for each cue and view an (S, ...) array."""

    labels: np.ndarray
    groups: np.ndarray
    true: list[np.ndarray]
    seen: list[np.ndarray]


def check_cues(config: SequencesConfig, jobs: int = 0, progress: bool = False) -> list[CueFigure]:
    """Return how well each cue alone tells the pairs of classes, the best first.

    Args:
        config: Settings of the sequences that are made for it; its shares are put to
            `CHECK_SHARES`.
        jobs: Processes; 0 means one a core.
        progress: Show a bar on standard error.

    Raises:
        ConfigError: There are too few sequences to say anything.
    """
    config = dataclasses.replace(config, shares=CHECK_SHARES)
    starts = range(0, config.n_sequences, _PER_TASK)
    tasks = [(config, start, min(start + _PER_TASK, config.n_sequences)) for start in starts]
    parts = run_jobs(_measure_some, tasks, jobs, progress, "cues of synthetic sequences")
    table = _join(parts)
    figures = [
        _compute_figure(table, index, cue, pair) for pair in PAIRS for index, cue in enumerate(CUES)
    ]
    return sorted(
        figures, key=lambda figure: (PAIRS.index((figure.label, figure.other)), -figure.auc)
    )


def find_leaks(figures: list[CueFigure]) -> list[CueFigure]:
    """Return the nuisances that tell hitting oneself from playing."""
    return [figure for figure in figures if figure.is_leak]


def require_no_leak(figures: list[CueFigure]) -> None:
    """Refuse a generator whose nuisances tell hitting oneself from playing.

    Raises:
        DatasetError: They do.
    """
    leaks = find_leaks(figures)
    if leaks:
        named = ", ".join(f"{figure.cue} ({figure.auc:.3f})" for figure in leaks)
        raise DatasetError(
            f"Sequences give {' away from '.join(HELD_PAIR)} by what is no part of the act: "
            f"{named}; expected an AUC of {MAX_AUC:.2f} at most. Draw it alike for both classes"
        )


def _measure_some(task: tuple[SequencesConfig, int, int]) -> _Table:
    config, start, end = task
    drawn = [draw_sequence(config, index) for index in range(start, end)]
    true = [get_true_actor(sequence, config.rate_hz) for sequence in drawn]
    seen = [get_seen_actor(sequence, config.rate_hz) for sequence in drawn]
    return _Table(
        labels=np.array([sequence.label for sequence in drawn]),
        groups=np.array([sequence.scene for sequence in drawn]),
        true=[_measure(cue, true) for cue in CUES],
        seen=[_measure(cue, seen) for cue in CUES],
    )


def _measure(cue: Cue, actors: list[Actor] | list[Actor | None]) -> np.ndarray:
    """Return (S, V) numbers of a cue, NaN for people who are not seen."""
    rows = [None if actor is None else cue.compute(actor) for actor in actors]
    width = max((len(row) for row in rows if row is not None), default=1)
    return np.array([row if row is not None else (np.nan,) * width for row in rows], dtype=float)


def _join(parts: list[_Table]) -> _Table:
    def join_views(view: str) -> list[np.ndarray]:
        columns = [[getattr(part, view)[index] for part in parts] for index in range(len(CUES))]
        return [_stack(column) for column in columns]

    return _Table(
        labels=np.concatenate([part.labels for part in parts]),
        groups=np.concatenate([part.groups for part in parts]),
        true=join_views("true"),
        seen=join_views("seen"),
    )


def _stack(parts: list[np.ndarray]) -> np.ndarray:
    """Put rows together; a part in which nobody was seen has one column of NaN."""
    width = max(part.shape[1] for part in parts)
    return np.concatenate(
        [part if part.shape[1] == width else np.full((len(part), width), np.nan) for part in parts]
    )


def _compute_figure(table: _Table, index: int, cue: Cue, pair: tuple[str, str]) -> CueFigure:
    true_auc, seen_auc = (
        _compute_auc(values, table, pair) for values in (table.true[index], table.seen[index])
    )
    return CueFigure(cue.name, *pair, true_auc, seen_auc, cue.why if pair[0] in cue.part_of else "")


def _compute_auc(values: np.ndarray, table: _Table, pair: tuple[str, str]) -> float:
    """Return the area under the ROC curve on scenes that were not trained on."""
    wanted, other = (LABELS.index(label) for label in pair)  # type: ignore[arg-type]
    rows = ((table.labels == wanted) | (table.labels == other)) & np.isfinite(values).all(axis=1)
    is_wanted, groups = table.labels[rows] == wanted, table.groups[rows]
    fewest = min(int(is_wanted.sum()), int((~is_wanted).sum()))
    if fewest < _MIN_OF_A_CLASS or len(np.unique(groups)) < N_FOLDS:
        raise ConfigError(
            f"Expected at least {_MIN_OF_A_CLASS} sequences of {pair[0]} and of {pair[1]}, "
            f"received {fewest}: check more sequences"
        )
    model = ExtraTreesClassifier(
        24,
        min_samples_leaf=12,
        max_features=None,  # type: ignore[arg-type]
        random_state=0,
    )
    folds = GroupKFold(N_FOLDS)
    probs = np.asarray(
        cross_val_predict(
            model, values[rows], is_wanted, groups=groups, cv=folds, method="predict_proba"
        )
    )
    return float(roc_auc_score(is_wanted, probs[:, 1]))
