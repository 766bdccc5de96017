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
from har.types import Event, Scores

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
_LANE_SHARE = 0.808
"""Part of the picture's width that shows time."""
_TOP, _BAR = 1.38, 0.26
"""Top of a lane and height of an event's bar, in units of the scores."""
_LETTER_IN = 0.062
_INK = "#22252a"
_UNKNOWN, _HATCH = "#eceef0", "#c3c8ce"
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


def format_people(event: Event) -> str:
    """Writes who acts and on whom; empty where it is not known.

    >>> format_people(Event("hit", 0.0, 1.0, 0.9, subject=2, target=1))
    '2→1'
    """
    return "→".join(str(number) for number in (event.subject, event.target) if number)


def write_timeline(path: Path, result: VideoResult, config: DecodeConfig) -> None:
    """Draws one lane a label: its score over time, and above it a bar for each of its events.

    In long recordings a point of the curve is the highest score of a stretch, so that no short
    peak is lost; the lowest line says how long the stretch is. Where the model cannot tell the
    lanes are hatched. A bar has the numbers of who acts and of whom on, where there is room.

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
        left=0.16,
        right=0.16 + _LANE_SHARE,
        top=1 - 0.5 / height_in,
        bottom=0.6 / height_in,
        hspace=0.3,
    )
    times_s, values, stretch_s = _thin_scores(result)
    colors = compute_colors(labels, config.background)
    for column, (label, axes) in enumerate(zip(labels, lanes, strict=True)):
        color = _to_matplotlib(colors[label])
        _draw_lane(axes, times_s, values[:, column], color)
        events = [event for event in result.events if event.label == label]
        _draw_events(axes, events, color, result.duration_s)
        _draw_unknown(axes, result.scores)
        overall = f"{result.probs[label]:.0%} overall" if result.prob else ""
        _draw_label(axes, label, overall, color)
        if label != config.background:
            axes.axhline(config.onset, color=_FAINT, linewidth=0.7, linestyle=(0, (4, 3)))
            axes.axhline(config.offset, color=_FAINT, linewidth=0.7, linestyle=(0, (1, 3)))
    _draw_time_axis(lanes[-1], result, stretch_s)
    _draw_title(figure, result)
    _save_figure(path, figure)


def _thin_scores(result: VideoResult) -> tuple[np.ndarray, np.ndarray, float]:
    """Gives at most so many points as the picture has columns, and how long each stands for.

    Points of which nothing is known are NaN.
    """
    scores = result.scores
    n_each = -(-len(scores.times_s) // _MAX_COLUMNS)
    firsts = np.arange(0, len(scores.times_s), n_each)
    values = np.maximum.reduceat(scores.values, firsts, axis=0)
    values = np.where(values.any(axis=1, keepdims=True), values, np.nan)
    times_s = scores.times_s[firsts] + (n_each - 1) / 2 * scores.step_s
    times_s = np.concatenate([[0.0], times_s, [result.duration_s]])
    return times_s, values[[0, *range(len(values)), -1]], n_each * scores.step_s


def _draw_lane(axes: Axes, times_s: np.ndarray, values: np.ndarray, color: str) -> None:
    axes.fill_between(times_s, values, color=color, alpha=0.28, linewidth=0)
    axes.plot(times_s, values, color=color, linewidth=0.6 if len(times_s) > 1000 else 1.1)
    axes.set_xlim(0.0, times_s[-1])
    axes.set_ylim(0.0, _TOP)
    axes.set_yticks([0, 1], labels=["0", "1"], fontsize=7, color=_FAINT)
    axes.tick_params(axis="both", length=0, labelcolor=_FAINT)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d5d8dc")


def _draw_events(axes: Axes, events: list[Event], color: str, duration_s: float) -> None:
    spans = [(event.onset_s, event.offset_s - event.onset_s) for event in events]
    axes.broken_barh(spans, (1.1, _BAR), facecolor=color, edgecolor=color, linewidth=1.0)
    for event, (onset_s, length_s) in zip(events, spans, strict=True):
        axes.axvspan(onset_s, onset_s + length_s, ymax=1.1 / _TOP, color=color, alpha=0.1, lw=0)
        text = format_people(event)
        if text and length_s / duration_s * _WIDTH_IN * _LANE_SHARE > _LETTER_IN * (len(text) + 1):
            place = (onset_s + length_s / 2, 1.1 + _BAR / 2)
            style = {"color": "white", "weight": "bold", "fontsize": 7}
            axes.annotate(text, place, ha="center", va="center_baseline", **style)


def _draw_unknown(axes: Axes, scores: Scores) -> None:
    edges = np.flatnonzero(np.diff(np.pad(scores.is_unknown.astype(np.int8), 1)))
    for first, end in edges.reshape(-1, 2):
        begin_s, end_s = scores.times_s[[first, end - 1]] + scores.step_s * np.array([-0.5, 0.5])
        axes.axvspan(begin_s, end_s, facecolor=_UNKNOWN, edgecolor=_HATCH, hatch="////", lw=0)


def _draw_label(axes: Axes, label: str, overall: str, color: str) -> None:
    place = {"transform": axes.transAxes, "ha": "right", "parse_math": False}
    axes.text(-0.022, 0.52, _shorten(label, 22), color=color, weight="bold", fontsize=10, **place)
    axes.text(-0.022, 0.14, overall, color=_FAINT, fontsize=8, **place)


def _draw_time_axis(axes: Axes, result: VideoResult, stretch_s: float) -> None:
    duration_s = result.duration_s
    tick_s = next((tick for tick in _TICKS_S if duration_s / tick <= _MAX_TICKS), duration_s)
    digits = 0 if tick_s >= 1 else 1
    axes.xaxis.set_major_locator(MultipleLocator(tick_s))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: format_time(time_s, digits)))
    axes.tick_params(axis="x", length=3, labelsize=9, labelcolor=_INK)
    text = (
        f"time; the highest score in every {stretch_s:.3g} s, events as bars; an event starts at "
        "the dashed line and ends under the dotted one"
    )
    if any(event.subject for event in result.events):
        text += "; 1→2: person 1 acts on person 2"
    if result.unknown_share:
        text += "; hatched: cannot tell"
    axes.set_xlabel(text, fontsize=8, color=_FAINT)


def _draw_title(figure: Figure, result: VideoResult) -> None:
    top = 1 - 0.28 / figure.get_figheight()
    n = len(result.events)
    answer = f"{result.label} {result.prob:.0%}" if result.prob else result.label
    summary = f"{answer}   |   {n} event{'s' * (n != 1)} in {format_time(result.duration_s)}"
    if result.prob and result.unknown_share:
        summary += f"   |   cannot tell {result.unknown_share:.0%} of the time"
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
