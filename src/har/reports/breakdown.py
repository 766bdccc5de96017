"""Parts of reports on clips: charts, tables and pictures, each with the sentence that it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from har.dataset.index import StoredClip
from har.dataset.store import Store
from har.files import show_path
from har.metrics.breakdown import (
    GroupAccuracy,
    ThresholdCurve,
    compute_group_accuracy,
    compute_threshold_curves,
    find_best_epoch,
)
from har.metrics.calibration import ReliabilityBin, compute_ece
from har.metrics.clips import ClipMetrics
from har.metrics.intervals import Interval
from har.progress import format_count
from har.render.charts import Axis, LineChart, draw_confusion, draw_interval
from har.render.svg import N_SERIES
from har.render.text import encode_picture
from har.reports.page import Cell, Chart, Charts, Part, Strip, Table, format_figure, format_share

_MOST_POINTS = 240
"""Of a line; a curve with more is thinned evenly."""
_STRIP_FRAMES, _STRIP_HEIGHT_PX = 6, 108
_WELL_CALIBRATED = 0.05


def describe_classes(metrics: ClipMetrics) -> Part:
    """Return precision, recall and F1 of each class."""
    rows = [
        [
            entry.label,
            *map(format_figure, (entry.precision, entry.recall, entry.f1)),
            entry.support,
            draw_interval(Interval(entry.f1, None, None), name=f"F1 of {entry.label}"),
        ]
        for entry in metrics.per_class
    ]
    known = [entry for entry in metrics.per_class if entry.recall is not None]
    worst = min(known, key=lambda entry: entry.recall or 0.0)
    meaning = (
        "Precision is the share of clips called so that are; recall is the share of a class's clips"
        f" that are found. Least found is {worst.label}: {format_share(worst.recall or 0.0)} of "
        "its clips."
    )
    return Table(
        ("class", "precision", "recall", "F1", "clips", "F1, 0 to 1"), rows, "By class", meaning
    )


def describe_confusion(metrics: ClipMetrics, n_seeds: int) -> Part:
    """Return which classes are taken for which."""
    counts = np.array(metrics.confusion)
    wrong = counts - np.diag(np.diag(counts))
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    each = f" Each clip counts {n_seeds} times, once a seed." if n_seeds > 1 else ""
    worst = (
        f"The commonest error: {metrics.labels[row]} is taken for {metrics.labels[column]}, "
        f"{wrong[row, column]} of {counts[row].sum()} times."
        if wrong.any()
        else "No clip is taken for another class."
    )
    header = ["true", *(f"as {label}" for label in metrics.labels)]
    rows = [[label, *map(int, line)] for label, line in zip(metrics.labels, counts, strict=True)]
    return Chart(
        draw_confusion(metrics.labels, metrics.confusion, "clips"),
        f"A row is what clips are, a column what they are called; the diagonal is right. {worst}"
        f"{each}",
        values=Table(header, rows, "Counts", fold="The counts as a table"),
    )


def describe_thresholds(labels: Sequence[str], truth: np.ndarray, probs: np.ndarray) -> list[Part]:
    """Return ROC and precision-recall curves, each class against the rest; none for one class.

    Args:
        labels: K names.
        truth: (N,) int class indices.
        probs: (S, N, K) of S seeds.
    """
    curves = compute_threshold_curves(labels, truth, probs)
    if not curves:
        return []
    shown = curves[:N_SERIES]
    more = f" The first {N_SERIES} classes are drawn." if len(curves) > N_SERIES else ""
    roc, recall = _draw_roc(shown, is_binary=len(labels) == 2), _draw_precision(shown)
    worst = min(curves, key=lambda curve: curve.average_precision)
    values = Table(
        ("class", "AUC", "average precision", "share of clips"),
        [
            (
                curve.label,
                f"{curve.auc:.3f}",
                f"{curve.average_precision:.3f}",
                format_share(curve.n_true / (len(truth) * len(probs))),
            )
            for curve in curves
        ],
        "Areas under the curves",
        fold="The areas as a table",
    )
    at = _read_at(worst.recall, worst.precision, 0.9)
    return [
        Charts(
            (
                Chart(
                    roc,
                    "The nearer to the upper left, the better; the dotted diagonal is guessing. "
                    "With two classes, the curve of the other is its mirror image."
                    if len(labels) == 2
                    else "The nearer to the upper left, the better; the dotted diagonal is "
                    f"guessing.{more}",
                    "ROC",
                ),
                Chart(
                    recall,
                    f"The price of finding more. To find 90 % of {worst.label}, the weakest here, "
                    f"{format_share(1 - at)} of what is called so is wrong.",
                    "Precision and recall",
                    values,
                ),
            )
        )
    ]


def _draw_roc(curves: Sequence[ThresholdCurve], is_binary: bool) -> LineChart:
    drawn = curves[-1:] if is_binary else curves
    areas = ", ".join(f"{curve.label} {curve.auc:.3f}" for curve in drawn)
    chart = LineChart(
        "ROC curves",
        f"Share of a class found over the share of others called so. Area under the curve: {areas}",
        Axis("share of other clips called so", percent=True),
        Axis("share of the class found", percent=True),
    )
    chart.add_hint(((0, 0), (1, 1)))
    for curve in drawn:
        points = _thin(curve.false_positive_rate, curve.recall)
        name = f"{curve.label}: AUC {curve.auc:.3f}"
        chart.add_line(points, curves.index(curve), name)
    return chart


def _draw_precision(curves: Sequence[ThresholdCurve]) -> LineChart:
    areas = ", ".join(f"{curve.label} {curve.average_precision:.3f}" for curve in curves)
    chart = LineChart(
        "Precision over recall",
        f"Share of what is called so that is right, over the share found. Average precision: "
        f"{areas}",
        Axis("recall: share of the class found", percent=True),
        Axis("precision", percent=True),
    )
    for number, curve in enumerate(curves):
        points = _thin(curve.recall, curve.precision)
        chart.add_line(points, number, f"{curve.label}: average {curve.average_precision:.3f}")
    return chart


def _thin(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    places = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST_POINTS)).round().astype(int))
    return [(float(x[place]), float(y[place])) for place in places]


def _read_at(recall: np.ndarray, precision: np.ndarray, least: float) -> float:
    return float(precision[recall >= least - 1e-9].max())


def describe_reliability(bins: Sequence[ReliabilityBin]) -> Chart:
    """Return how often predictions are true, over their probability."""
    error, total = compute_ece(tuple(bins)), sum(item.n_clips for item in bins)
    drawing = LineChart(
        "Reliability",
        f"Share of predictions that is true over their probability; expected calibration error "
        f"{error:.3f}",
        Axis("probability of the predicted label", percent=True),
        Axis("share that is true", percent=True),
    )
    drawing.add_hint(((0, 0), (1, 1)))
    rows, gap = [], 0.0
    for item in bins:
        if item.confidence is None or item.accuracy is None:
            continue
        hint = f"{format_count(item.n_clips, 'clip')}"
        drawing.add_bubble((item.confidence, item.accuracy), item.n_clips / total, hint)
        limits = f"{format_share(item.low)} to {format_share(item.high)}"
        rows.append((limits, f"{item.confidence:.3f}", f"{item.accuracy:.3f}", item.n_clips))
        gap += item.n_clips * (item.confidence - item.accuracy) / total
    kind = (
        "so a stated probability can be taken as it is"
        if error <= _WELL_CALIBRATED
        else "on the whole it states more confidence than is right"
        if gap > 0
        else "on the whole it is right more often than it states"
    )
    header = ("stated probability", "mean", "true", "clips")
    return Chart(
        drawing,
        "On the dotted diagonal a stated probability is right as often as it says, above it more "
        "often, below it less often. A disk's area is its share of the clips. Stated "
        f"probabilities are off by {error:.3f} on average (expected calibration error): {kind}.",
        values=Table(header, rows, "Reliability", fold="The values as a table"),
    )


def describe_history(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Part]:
    """Return loss and accuracy over the epochs of each stage that was trained."""
    return [
        Charts(
            tuple(
                _draw_history(stage, history, name)
                for name in ("loss", "accuracy")
                if len(history.get(name, ())) > 0
            )
        )
        for stage, history in histories.items()
        if history.get("loss")
    ]


def _draw_history(stage: str, history: Mapping[str, Sequence[float]], name: str) -> Chart:
    ours, held = (np.array(history.get(key, ()), float) for key in (name, f"val_{name}"))
    values = np.concatenate([ours, held])
    top = 1.0 if name == "accuracy" else 1.05 * float(np.nanmax(values, initial=1e-9))
    drawing = LineChart(
        f"{name.capitalize()} of the stage {stage} over epochs",
        f"Last epoch: {ours[-1]:.3f} in training"
        + (f", {held[-1]:.3f} in validation" if len(held) else ""),
        Axis("epoch", 1.0, max(float(len(ours)), 2.0)),
        Axis(name, 0.0, top, percent=name == "accuracy"),
    )
    for number, (label, line) in enumerate((("training", ours), ("validation", held))):
        points = [(k + 1.0, float(v)) for k, v in enumerate(line) if np.isfinite(v)]
        if points:
            drawing.add_line(points, number, label)
            drawing.add_dots(points, number, 2.5)
    best = find_best_epoch(history.get("val_loss", ()))
    used = "" if best is None else f" Used are the weights of epoch {best + 1}."
    meaning = (
        f"From {ours[0]:.3f} to {ours[-1]:.3f} in training"
        + (f"; in validation to {held[-1]:.3f}" if len(held) else "; nothing was held back")
        + f". Where the lines part, the model learns its clips by heart.{used}"
    )
    rows = [
        (str(k + 1), *(f"{line[k]:.3f}" for line in (ours, held) if k < len(line)))
        for k in range(len(ours))
    ]
    header = ("epoch", "training", "validation")[: 2 + bool(len(held))]
    table = Table(header, rows, f"{name.capitalize()} by epoch", fold="The values as a table")
    return Chart(drawing, meaning, f"{name.capitalize()}, stage {stage}", table)


def describe_groups(truth: np.ndarray, probs: np.ndarray, groups: Sequence[str]) -> list[Part]:
    """Return the accuracy of each group, worst first; nothing where there is one group.

    Args:
        truth: (N,) int class indices.
        probs: (S, N, K) of S seeds.
        groups: N names.
    """
    found = compute_group_accuracy(truth, probs, groups)
    if len(found) < 2:
        return []
    return [
        Table(
            ("group", "accuracy", "clips", "accuracy, 0 to 1"),
            [_list_group(item) for item in found],
            "Accuracy by group",
            f"A group is what is never divided between training and test: a person, a place, a "
            f"source. The figure falls to {format_share(found[0].accuracy)} in {found[0].group} "
            f"({format_count(found[0].n_clips, 'clip')}); {_count_whole(found)} of "
            f"{len(found)} groups are all "
            "right. Look at the worst before relying on the mean.",
        )
    ]


def _list_group(item: GroupAccuracy) -> list[Cell]:
    bar = draw_interval(Interval(item.accuracy, None, None), name=item.group)
    return [item.group, f"{item.accuracy:.3f}", item.n_clips, bar]


def _count_whole(found: Sequence[GroupAccuracy]) -> int:
    return sum(item.accuracy == 1.0 for item in found)


def describe_errors(
    labels: Sequence[str], clips: Sequence[StoredClip], probs: np.ndarray, worst: Sequence[int]
) -> list[Part]:
    """Return the clips that are most confidently taken for another class, as a table.

    Args:
        labels: K names.
        clips: N clips.
        probs: (N, K).
        worst: Places in ``clips``.
    """
    if not worst:
        return []
    rows = [
        (
            _name_clip(clips[place]),
            clips[place].label,
            labels[int(probs[place].argmax())],
            clips[place].group,
            f"{probs[place].max():.2f}",
        )
        for place in worst
    ]
    return [
        Table(
            ("clip", "is", "was called", "group", "probability"),
            rows,
            "The most confident errors",
            "Wrong labels show up here first: look at these clips before changing the recipe.",
            n_text=4,
        )
    ]


FrameReader = Callable[[Store, StoredClip], np.ndarray]
"""Gives the frames of a clip for a strip: (F, H, W) or (F, H, W, 3) uint8."""


def read_stored(store: Store, clip: StoredClip) -> np.ndarray:
    """Return the frames of a clip as they are in the store; the video is not opened.

    Raises:
        StoreError: They are missing or damaged.
    """
    return store.open_frames(clip.clip_id)


def draw_strips(
    store: Store,
    labels: Sequence[str],
    clips: Sequence[StoredClip],
    probs: np.ndarray,
    worst: Sequence[int],
    read_frames: FrameReader = read_stored,
) -> tuple[Strip, ...]:
    """Return frames of some clips.

    Clips that are keypoints without pictures are left out.

    Args:
        store: Has the frames.
        labels: K names.
        clips: N clips.
        probs: (N, K).
        worst: Places in ``clips``.
        read_frames: Gives the frames of a clip.

    Raises:
        StoreError: Frames are missing or damaged.
    """
    strips = []
    for place in (place for place in worst if clips[place].clip_id not in store.keypoint_clips):
        clip, called = clips[place], labels[int(probs[place].argmax())]
        says = f"{clip.label}, called {called} at {probs[place].max():.2f}"
        strips.append(
            Strip(
                f"{_name_clip(clip)}: {says}",
                encode_picture(_join_frames(store, read_frames(store, clip)), ".jpg"),
                f"{_STRIP_FRAMES} frames over the clip {_name_clip(clip)}",
            )
        )
    return tuple(strips)


def _join_frames(store: Store, frames: np.ndarray) -> np.ndarray:
    places = np.linspace(0, len(frames) - 1, _STRIP_FRAMES + 2).round().astype(int)[1:-1]
    height, width = store.size
    size = (max(round(_STRIP_HEIGHT_PX * width / height), 1), _STRIP_HEIGHT_PX)
    small = [cv2.resize(np.asarray(frames[k]), size, interpolation=cv2.INTER_AREA) for k in places]
    row = np.concatenate(small, axis=1)
    return row if row.ndim == 3 else np.repeat(row[..., None], 3, axis=2)


def _name_clip(clip: StoredClip) -> str:
    name = show_path(clip.path.name)
    return name if clip.end_s is None else f"{name}, {clip.start_s:.1f} to {clip.end_s:.1f} s"
