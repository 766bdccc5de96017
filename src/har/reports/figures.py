"""Pictures of results, written as PNG; no window is opened and no state is shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from har.files import replacing
from har.metrics.alarms import AlarmCurve
from har.metrics.calibration import Calibration
from har.render.text import PALETTE, Color
from har.reports.page import ACCENT, INK, WARNING

_FAINT = "#a7b3bd"
_DPI = 130
_LINEAR_UNTIL = 1.0
_TICKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def write_confusion(path: Path, labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> None:
    """Draw counts of true by predicted classes, colored by the share of each true class.

    Args:
        path: The PNG to write; its folder is created.
        labels: K names.
        confusion: (K, K) counts, row is the truth, column the prediction.
    """
    counts = np.asarray(confusion)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    side_in = 1.8 + len(labels) * max(0.7, 1.2 - 0.06 * len(labels))
    figure = Figure(figsize=(side_in + 0.6, side_in), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share > 0.55 else INK if share > 0 else _FAINT
        count = counts[row, column]
        axes.text(column, row - 0.06, str(count), ha="center", va="center", size=13, color=color)
        if count:
            axes.text(column, row + 0.24, f"{share:.0%}", ha="center", size=8.5, color=color)
    ticks = range(len(labels))
    turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(ticks, labels, parse_math=False, **turned)
    axes.set_yticks(ticks, labels, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Clips, and their share of the row", size=10.5, color=INK)
    axes.set_xticks(np.arange(len(labels) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(labels) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    _save(figure, path)


def write_history(path: Path, history: Mapping[str, Sequence[float]]) -> None:
    """Draw loss and accuracy over the epochs, in training and validation.

    The best epoch by `find_best_epoch` of the validation loss, whose weights are used, is marked;
    without validation none is.

    Args:
        path: The PNG to write; its folder is created.
        history: One value an epoch of each of ``loss``, ``accuracy``, ``val_loss`` and
            ``val_accuracy``; what is missing is left out.
    """
    figure = Figure(figsize=(9.5, 3.7), layout="constrained")
    best = find_best_epoch(history.get("val_loss", ()))
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    _draw_curves(loss_axes, history, "loss", best)
    _draw_curves(accuracy_axes, history, "accuracy", best)
    loss_axes.set_ylim(0, 1.05 * loss_axes.get_ylim()[1])
    accuracy_axes.set_ylim(0, 1.02)
    _save(figure, path)


def write_reliability(path: Path, calibration: Calibration) -> None:
    """Draw how often predictions were true, over their probability.

    Points on the diagonal are calibrated; a point's size grows with its number of clips.
    """
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1, linestyle=":")
    total = sum(item.n_clips for item in calibration.bins)
    for item in calibration.bins:
        if item.confidence is None or item.accuracy is None:
            continue
        where, size = (item.confidence, item.accuracy), 30 + 600 * item.n_clips / total
        axes.scatter(*where, s=size, color=ACCENT, alpha=0.75)
        axes.annotate(str(item.n_clips), where, ha="center", va="center", size=7, color=INK)
    axes.set_xlim(0.0, 1.02)
    axes.set_ylim(0.0, 1.05)
    axes.set_xlabel("probability of the predicted label")
    axes.set_ylabel("share that is true")
    axes.set_title(f"Expected calibration error {calibration.ece:.3f}", size=10.5, color=INK)
    _clear(axes)
    _save(figure, path)


def write_curves(path: Path, curves: Sequence[AlarmCurve]) -> None:
    """Draw recall against false alarms per hour, one line a label, the settings in use as a ring.

    The line steps from one best point to the next; all points are drawn faintly. Up to one false
    alarm an hour the axis is linear, above it logarithmic.

    Args:
        path: The PNG to write; its folder is created.
        curves: At least one.

    Raises:
        OutputError: The file cannot be written.
    """
    figure = Figure(figsize=(7.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    greatest = max(p.false_alarms_per_hour for curve in curves for p in curve.points)
    end = max(2.0 * greatest, 10.0)
    for number, curve in enumerate(curves):
        _draw_alarms(axes, curve, PALETTE[number % len(PALETTE)], end)
    axes.set_xscale("symlog", linthresh=_LINEAR_UNTIL)
    axes.set_xlim(-0.05, end)
    axes.set_xticks([tick for tick in _TICKS if tick <= end], minor=False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_tick_params(which="minor", length=0)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("false alarms per hour")
    axes.set_ylabel("recall: share of coded events that are found")
    axes.set_title(
        f"Over all start thresholds, {curves[0].hours:.3g} h; ring: the settings in use",
        size=10.5,
        color=INK,
        loc="left",
    )
    _clear(axes)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    _save(figure, path)


def _draw_alarms(axes: Axes, curve: AlarmCurve, rgb: Color, end: float) -> None:
    color = tuple(value / 255 for value in rgb)
    best, chosen = curve.best_points, curve.chosen
    rates = [*(point.false_alarms_per_hour for point in best), end]
    recalls = [*(point.recall for point in best), best[-1].recall]
    axes.plot(rates, recalls, color=color, drawstyle="steps-post", linewidth=1.8)
    axes.plot(
        [point.false_alarms_per_hour for point in curve.points],
        [point.recall for point in curve.points],
        ".",
        color=color,
        alpha=0.3,
        markersize=4,
    )
    text = f"{chosen.recall:.0%} found at {chosen.false_alarms_per_hour:.3g} an hour"
    axes.plot(
        [chosen.false_alarms_per_hour],
        [chosen.recall],
        "o",
        color=color,
        markersize=10,
        fillstyle="none",
        markeredgewidth=2,
        clip_on=False,
        label=f"{curve.label.replace('$', '')}: {text} ({curve.n_true} coded)",
    )


def find_best_epoch(losses: Sequence[float]) -> int | None:
    """Return the index of the lowest loss, the last of several as low; None where none is finite.

    >>> find_best_epoch([0.9, 0.5, float("nan"), 0.5, 0.6])
    3
    """
    finite = [(loss, -epoch) for epoch, loss in enumerate(losses) if np.isfinite(loss)]
    return -min(finite)[1] if finite else None


def _draw_curves(
    axes: Axes, history: Mapping[str, Sequence[float]], name: str, best: int | None
) -> None:
    for key, label, color in (
        (name, "training", ACCENT),
        (f"val_{name}", "validation", WARNING),
    ):
        values = history.get(key, ())
        epochs = range(1, len(values) + 1)
        if values:
            marker = "o" if len(values) < 20 else ""
            axes.plot(epochs, values, color=color, label=label, marker=marker, markersize=3.5)
    marked = history.get(f"val_{name}", ())
    if best is not None and best < len(marked):
        label = f"best epoch {best + 1}: {marked[best]:.3f}"
        axes.axvline(best + 1, color=INK, linewidth=0.8, linestyle=":")
        axes.plot(best + 1, marked[best], "o", color=WARNING, markersize=9, fillstyle="none")
        axes.plot([], [], "o", color=WARNING, fillstyle="none", label=label)
    axes.set_title(name.capitalize(), size=11, color=INK, loc="left")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, max(len(history.get(name, ())), 1) + 0.5)
    _clear(axes)
    if axes.has_data():
        axes.legend(frameon=False, fontsize=9)
    else:
        axes.text(0.5, 0.5, "no epoch was trained", ha="center", transform=axes.transAxes)


def _clear(axes: Axes) -> None:
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    with replacing(path) as part:
        figure.savefig(part, dpi=_DPI, format="png", bbox_inches="tight", pad_inches=0.12)
