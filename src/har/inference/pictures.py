"""A recording at a glance: its scores over time and its events, as one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from har.config import DecodeConfig
from har.files import replacing
from har.inference.recording import VideoResult
from har.types import Event

Color = tuple[int, int, int]

_PALETTE: tuple[Color, ...] = (
    (213, 94, 0),
    (0, 114, 178),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (148, 103, 40),
)
"""Colours that people with any colour vision tell apart.

Source: M. Okabe and K. Ito, "Color universal design", 2008; the last one is added.
"""

_BACKGROUND_COLOR: Color = (130, 134, 140)
_MAX_COLUMNS = 2000
_MAX_TICKS = 12
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_LANE_IN = 0.62
_MARGIN_IN = 1.25
_WIDTH_IN = 12.0
_DPI = 120
_INK = "#22252a"
_FAINT = "#8a9099"


def compute_colors(labels: tuple[str, ...], background: str = "") -> dict[str, Color]:
    """Gives each label its RGB colour, the same in all pictures and videos; background is gray.

    >>> compute_colors(("play", "hit"), background="play")
    {'play': (130, 134, 140), 'hit': (213, 94, 0)}
    """
    others = [label for label in labels if label != background]
    colors = {label: _PALETTE[i % len(_PALETTE)] for i, label in enumerate(others)}
    return {label: colors.get(label, _BACKGROUND_COLOR) for label in labels}


def format_time(time_s: float, digits: int = 0) -> str:
    """Writes a time as people read it off a player.

    >>> format_time(7.26, 1), format_time(75), format_time(3675)
    ('0:07.3', '1:15', '1:01:15')
    """
    ticks = round(time_s * 10**digits)
    seconds, fraction = divmod(ticks, 10**digits)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{text}.{fraction:0{digits}}" if digits else text


def write_timeline(path: Path, result: VideoResult, config: DecodeConfig) -> None:
    """Draws one lane a label: its score over time, and above it a bar for each of its events.

    In long recordings a point of the curve is the highest score of a stretch, so that no short
    peak is lost; the lowest line says how long the stretch is.

    Args:
        path: A ``.png`` file; missing folders are made.
        result: What was found.
        config: The rule that made the events; its thresholds are drawn in.

    Raises:
        OutputError: The file cannot be written.
    """
    labels = result.scores.labels
    figure = Figure(figsize=(_WIDTH_IN, _MARGIN_IN + _LANE_IN * len(labels)), dpi=_DPI)
    FigureCanvasAgg(figure)
    lanes = figure.subplots(len(labels), 1, sharex=True, squeeze=False)[:, 0]
    height_in = figure.get_figheight()
    figure.subplots_adjust(
        left=0.16, right=0.968, top=1 - 0.5 / height_in, bottom=0.6 / height_in, hspace=0.3
    )
    times_s, values, stretch_s = _thin_scores(result)
    colors = compute_colors(labels, config.background)
    for column, (label, axes) in enumerate(zip(labels, lanes, strict=True)):
        color = _to_matplotlib(colors[label])
        _draw_lane(axes, times_s, values[:, column], color)
        _draw_events(axes, [event for event in result.events if event.label == label], color)
        _draw_label(axes, label, result.probs[label], color)
        if label != config.background:
            axes.axhline(config.onset, color=_FAINT, linewidth=0.7, linestyle=(0, (4, 3)))
            axes.axhline(config.offset, color=_FAINT, linewidth=0.7, linestyle=(0, (1, 3)))
    _draw_time_axis(lanes[-1], result.duration_s, stretch_s)
    _draw_title(figure, result)
    _save_figure(path, figure)


def _thin_scores(result: VideoResult) -> tuple[np.ndarray, np.ndarray, float]:
    """Gives at most so many points as the picture has columns, and how long each stands for."""
    scores = result.scores
    n_each = -(-len(scores.times_s) // _MAX_COLUMNS)
    firsts = np.arange(0, len(scores.times_s), n_each)
    values = np.maximum.reduceat(scores.values, firsts, axis=0)
    times_s = scores.times_s[firsts] + (n_each - 1) / 2 * scores.step_s
    times_s = np.concatenate([[0.0], times_s, [result.duration_s]])
    return times_s, values[[0, *range(len(values)), -1]], n_each * scores.step_s


def _draw_lane(axes: Axes, times_s: np.ndarray, values: np.ndarray, color: str) -> None:
    axes.fill_between(times_s, values, color=color, alpha=0.28, linewidth=0)
    axes.plot(times_s, values, color=color, linewidth=0.6 if len(times_s) > 1000 else 1.1)
    axes.set_xlim(0.0, times_s[-1])
    axes.set_ylim(0.0, 1.32)
    axes.set_yticks([0, 1], labels=["0", "1"], fontsize=7, color=_FAINT)
    axes.tick_params(axis="both", length=0, labelcolor=_FAINT)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d5d8dc")


def _draw_events(axes: Axes, events: list[Event], color: str) -> None:
    spans = [(event.onset_s, event.offset_s - event.onset_s) for event in events]
    axes.broken_barh(spans, (1.1, 0.2), facecolor=color, edgecolor=color, linewidth=1.0)
    for onset_s, length_s in spans:
        axes.axvspan(onset_s, onset_s + length_s, ymax=1.1 / 1.32, color=color, alpha=0.1, lw=0)


def _draw_label(axes: Axes, label: str, prob: float, color: str) -> None:
    place = {"transform": axes.transAxes, "ha": "right", "parse_math": False}
    axes.text(-0.022, 0.52, _shorten(label, 22), color=color, weight="bold", fontsize=10, **place)
    axes.text(-0.022, 0.14, f"{prob:.0%} overall", color=_FAINT, fontsize=8, **place)


def _draw_time_axis(axes: Axes, duration_s: float, stretch_s: float) -> None:
    tick_s = next((tick for tick in _TICKS_S if duration_s / tick <= _MAX_TICKS), duration_s)
    digits = 0 if tick_s >= 1 else 1
    axes.xaxis.set_major_locator(MultipleLocator(tick_s))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: format_time(time_s, digits)))
    axes.tick_params(axis="x", length=3, labelsize=9, labelcolor=_INK)
    axes.set_xlabel(
        f"time; the highest score in every {stretch_s:.3g} s, events as bars; an event starts at "
        "the dashed line and ends under the dotted one",
        fontsize=8,
        color=_FAINT,
    )


def _draw_title(figure: Figure, result: VideoResult) -> None:
    top = 1 - 0.28 / figure.get_figheight()
    n = len(result.events)
    summary = (
        f"{result.label} {result.probs[result.label]:.0%}   |   {n} event{'s' * (n != 1)} in "
        f"{format_time(result.duration_s)}"
    )
    if result.note:
        summary += "   |   incomplete: the file is damaged"
    figure.text(
        0.012,
        top,
        _shorten(result.info.path.name, 60),
        fontsize=12,
        weight="bold",
        color=_INK,
        parse_math=False,
    )
    figure.text(0.968, top, summary, fontsize=10, ha="right", color=_INK, parse_math=False)


def _shorten(text: str, n_characters: int) -> str:
    return text if len(text) <= n_characters else text[: n_characters - 1] + "…"


def _to_matplotlib(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _save_figure(path: Path, figure: Figure) -> None:
    with replacing(path) as part:
        figure.savefig(part, format="png", facecolor="white")
