"""Two evaluations: read, joined by clips or recordings, and compared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from har.errors import ConfigError, OutputError
from har.escaping import guard_cell
from har.files import write_csv, write_json
from har.interchange.events import name_some
from har.metrics.comparison import Comparison, Difference, compare_clips, compare_events
from har.metrics.events import F1_IOUS, RecordingLabelCounts
from har.metrics.intervals import warn_few_groups
from har.reports.predictions import PREDICTIONS, ClipPredictions, read_predictions

METRICS_FILE = "metrics.json"
NAMES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "auc": "AUC",
    "f1@0.1": "F1 at overlap (tIoU) 0.1",
    "f1@0.25": "F1 at overlap 0.25",
    "f1@0.5": "F1 at overlap 0.5",
    "precision": "Precision",
    "recall": "Recall",
    "false_alarms_per_hour": "False alarms per hour",
}

Evaluation = ClipPredictions | tuple[RecordingLabelCounts, ...]


def read_evaluation(path: Path) -> Evaluation:
    """Read what `har evaluate`, `har crossval` or `har score-events` wrote.

    Args:
        path: Its folder, its table of predictions, or the ``metrics.json`` of `har score-events`.

    Raises:
        OutputError: There is no such evaluation, or it cannot be read.
    """
    if path.suffix.lower() == ".csv":
        return read_predictions(path)
    folder = path if path.is_dir() else path.parent
    tables = (f"{path.stem}_{PREDICTIONS}", f"grouped_{PREDICTIONS}", f"random_{PREDICTIONS}")
    for name in (PREDICTIONS, *tables):
        if (folder / name).is_file():
            return read_predictions(folder / name)
    return _read_counts(path / METRICS_FILE if path.is_dir() else path)


def _read_counts(path: Path) -> tuple[RecordingLabelCounts, ...]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return tuple(map(_parse_counts, values["per_recording"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else repr(error)
        raise OutputError(
            f"{path} cannot be read as an evaluation: {why}. Give the folder of 'har evaluate', "
            f"'har crossval' or 'har score-events'; those of earlier versions lack {PREDICTIONS}, "
            "so run the command again"
        ) from error


def _parse_counts(values: Mapping[str, Any]) -> RecordingLabelCounts:
    n_pairs = tuple(int(n) for n in values["n_pairs"])
    if len(n_pairs) != len(F1_IOUS):
        raise ValueError(f"{len(n_pairs)} counts of pairs")
    most = min(int(values["n_true"]), int(values["n_found"]))
    if not all(0 <= n <= most for n in n_pairs):
        raise ValueError(f"{values['name']}: expected from 0 to {most} pairs, received {n_pairs}")
    duration_s = values["duration_s"]
    if duration_s is not None and not 0 < float(duration_s) < math.inf:
        raise ValueError(f"{values['name']}: a length of {duration_s} s")
    return RecordingLabelCounts(
        str(values["name"]),
        str(values["group"]),
        str(values["label"]),
        int(values["n_true"]),
        int(values["n_found"]),
        n_pairs,
        None if duration_s is None else float(duration_s),
    )


def compare(first: Evaluation, second: Evaluation, names: tuple[str, str]) -> Comparison:
    """Compare two evaluations on the clips, or recordings and labels, that both have.

    Args:
        first: One.
        second: The other, of the same kind.
        names: What they are called.

    Raises:
        ConfigError: They are of different kinds, have nothing in common, or disagree about what is
            true.
    """
    match first, second:
        case ClipPredictions(), ClipPredictions():
            found, notes = _compare_clips(first, second, names)
        case tuple(), tuple():
            found, notes = _compare_events(first, second, names)
        case _:
            raise ConfigError(
                f"{names[0]} and {names[1]} cannot be compared: one evaluates clips, the other "
                "events"
            )
    what = "groups" if found.kind == "clips" else "groups of recordings"
    few = warn_few_groups(found.n_groups, what)
    return replace(found, notes=tuple(filter(None, [*notes, few])))


def _compare_clips(
    first: ClipPredictions, second: ClipPredictions, names: tuple[str, str]
) -> tuple[Comparison, list[str]]:
    theirs = {clip_id: place for place, clip_id in enumerate(second.clip_ids)}
    shared = [place for place, clip_id in enumerate(first.clip_ids) if clip_id in theirs]
    if not shared:
        raise ConfigError(f"{names[0]} and {names[1]} have no clip in common")
    places = [theirs[first.clip_ids[place]] for place in shared]
    for mine, other in zip(shared, places, strict=True):
        if first.truth[mine] != second.truth[other]:
            raise ConfigError(
                f"The clip {first.clip_ids[mine]} is {first.truth[mine]!r} in {names[0]} and "
                f"{second.truth[other]!r} in {names[1]}; evaluate both on the same clips"
            )
    labels = list(dict.fromkeys((*first.labels, *second.labels)))
    found = compare_clips(
        names,
        np.array([labels.index(first.truth[place]) for place in shared]),
        _spread(first, labels)[:, shared],
        _spread(second, labels)[:, places],
        [first.groups[place] for place in shared],
    )
    used = {first.clip_ids[place] for place in shared}
    notes = [
        *_note_alone(names[0], [clip for clip in first.clip_ids if clip not in used]),
        *_note_alone(names[1], [clip for clip in second.clip_ids if clip not in used]),
        *name_some(
            "Labels that one of the two models does not have count as never predicted by it",
            [label for label in labels if label not in first.labels or label not in second.labels],
        ),
    ]
    return found, notes


def _spread(predictions: ClipPredictions, labels: list[str]) -> np.ndarray:
    """Return (S, N, len(labels)) probabilities, 0 for labels that the model does not have."""
    wide = np.zeros((*predictions.probs.shape[:2], len(labels)))
    wide[:, :, [labels.index(label) for label in predictions.labels]] = predictions.probs
    return wide


def _note_alone(name: str, things: list[str]) -> list[str]:
    return name_some(f"Only in {name}, so left out", things)


def _compare_events(
    first: tuple[RecordingLabelCounts, ...],
    second: tuple[RecordingLabelCounts, ...],
    names: tuple[str, str],
) -> tuple[Comparison, list[str]]:
    ours, theirs = ({(item.name, item.label): item for item in items} for items in (first, second))
    shared = [key for key in ours if key in theirs]
    for name, items, found in zip(names, (first, second), (ours, theirs), strict=True):
        if len(found) < len(items):
            raise ConfigError(f"{name} has a recording and label twice; score the events again")
    for key in shared:
        if ours[key].n_true != theirs[key].n_true:
            raise ConfigError(
                f"{key[0]} has {ours[key].n_true} coded events of {key[1]!r} in {names[0]} and "
                f"{theirs[key].n_true} in {names[1]}; score both against the same coding"
            )
    found = compare_events(names, [ours[key] for key in shared], [theirs[key] for key in shared])
    alone = (
        [f"{recording} ({label})" for recording, label in mine if (recording, label) not in other]
        for mine, other in ((ours, theirs), (theirs, ours))
    )
    return found, [
        note
        for name, things in zip(names, alone, strict=True)
        for note in _note_alone(name, things)
    ]


def explain_difference(comparison: Comparison, name: str) -> str:
    """Return what a difference means, in a sentence; empty where it is not defined."""
    found = comparison.figures[name]
    gap = found.difference
    if gap.mean is None:
        return ""
    better = gap.mean < 0 if name == "false_alarms_per_hour" else gap.mean > 0
    winner = comparison.second if better else comparison.first
    if gap.low is None or gap.high is None:
        return f"{NAMES[name]}: there is no interval ({gap.reason})."
    if gap.low <= 0 <= gap.high:
        what = "clips" if comparison.kind == "clips" else "recordings"
        return f"{NAMES[name]}: these {what} do not show that either is better."
    return f"{NAMES[name]}: {winner} is better, by {_format_ends(found)} (95 % interval)."


def _format_ends(found: Difference) -> str:
    low, high = sorted(abs(end) for end in (found.difference.low, found.difference.high) if end)
    return f"{low:.3f} to {high:.3f}"


def explain_mcnemar(comparison: Comparison) -> str:
    """Return what McNemar's test of clips says, in a sentence; empty for events."""
    test = comparison.mcnemar
    if test is None:
        return ""
    return (
        f"McNemar: {comparison.first} alone is right on {test.n_first} clips, {comparison.second} "
        f"alone on {test.n_second}; so uneven by chance {test.p:.3f} of the time (exact; it takes "
        "clips for independent, so with groups rely on the intervals)."
    )


def write_comparison(folder: Path, comparison: Comparison) -> None:
    """Write ``comparison.json``, and ``groups.csv`` with the figure of each group.

    Raises:
        OutputError: A file cannot be written.
    """
    write_json(folder / "comparison.json", comparison.to_json())
    rows = (
        [guard_cell(item.group), item.n, *("" if x is None else f"{x:.6g}" for x in figures)]
        for item, figures in ((g, (g.first, g.second)) for g in comparison.per_group)
    )
    write_csv(folder / "groups.csv", ("group", "n", "first", "second"), rows)
