"""Loss and accuracy of a stage of training as a PNG; no window is opened, no state is shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from har.files import replacing
from har.metrics.breakdown import find_best_epoch

_INK, _TRAINING, _VALIDATION = "#22303c", "#2f6db3", "#d9702b"
_DPI = 130


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


def _draw_curves(
    axes: Axes, history: Mapping[str, Sequence[float]], name: str, best: int | None
) -> None:
    for key, label, color in (
        (name, "training", _TRAINING),
        (f"val_{name}", "validation", _VALIDATION),
    ):
        values = history.get(key, ())
        epochs = range(1, len(values) + 1)
        if values:
            marker = "o" if len(values) < 20 else ""
            axes.plot(epochs, values, color=color, label=label, marker=marker, markersize=3.5)
    marked = history.get(f"val_{name}", ())
    if best is not None and best < len(marked):
        label = f"best epoch {best + 1}: {marked[best]:.3f}"
        axes.axvline(best + 1, color=_INK, linewidth=0.8, linestyle=":")
        axes.plot(best + 1, marked[best], "o", color=_VALIDATION, markersize=9, fillstyle="none")
        axes.plot([], [], "o", color=_VALIDATION, fillstyle="none", label=label)
    axes.set_title(name.capitalize(), size=11, color=_INK, loc="left")
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
