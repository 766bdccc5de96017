"""The report of a store: figures for programs, a page and a picture for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure

from har.dataset.catalog import RECORDINGS
from har.dataset.index import StoredClip
from har.dataset.store import Store
from har.dataset.validation import Report
from har.escaping import escape_markdown
from har.files import show_path, write_json, write_text
from har.progress import format_count
from har.render.skeletons import draw_people

_SHEET_CLIPS = 4
_SHEET_FRAMES = 4
_SHEET_LABELS = 12
_FRAME_PX = 240
_TITLE_PX = 26
_DPI = 100
_SHOWN = 20
_ROOM, _DRAWN_SHARE = 70, 0.8


def write_report(report: Report, store: Store) -> None:
    """Write ``report.json``, ``report.md`` and ``sheet.png`` into the store's folder."""
    write_json(store.path / "report.json", report.to_json())
    write_text(store.path / "report.md", format_report(report, store))
    draw_sheet(store).savefig(store.path / "sheet.png")


def format_report(report: Report, store: Store) -> str:
    """Return the report as a Markdown page."""
    height, width = report.size
    sections = [
        "# Prepared clips",
        f"{format_count(report.n_clips, 'clip')} of "
        f"{format_count(len(report.labels), 'label')} in {format_count(report.n_groups, 'group')};"
        f" {report.n_rejects} left out. Pictures {width} x {height} px, {store.color}, at most"
        f" {store.max_rate_hz:g} frames a second. Groups: {_describe_source(report.group_source)}.",
        "## What to check",
        "\n".join(f"- {escape_markdown(warning)}" for warning in report.warnings) or "No warnings.",
        "## Labels",
        _format_labels(report),
        "## Formats",
        _format_formats(report),
        "## Chance level from file format (shortcut baseline)",
        _format_baseline(report),
        "## Groups",
        _format_groups(report),
    ]
    if report.near_duplicates:
        sections += ["## Near-duplicates across parts", _format_near(report)]
    if store.rejects:
        sections += ["## Left out", _format_rejects(store)]
    return "\n\n".join(sections) + "\n"


def draw_sheet(store: Store) -> Figure:
    """Draw a few frames of a few clips of each label, one label a row, from different groups."""
    chosen = {label: _choose_clips(store, label) for label in store.labels[:_SHEET_LABELS]}
    rows = [np.concatenate([_stack(store, clip) for clip in row], 1) for row in chosen.values()]
    width = max(row.shape[1] for row in rows)
    titles = [
        f"{label}: {', '.join(show_path(c.path.name) for c in row)}"
        for label, row in chosen.items()
    ]
    height = sum(row.shape[0] + _TITLE_PX for row in rows)
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    top = height
    for title, row in zip(titles, rows, strict=True):
        text_at = (4 / width, (top - _TITLE_PX + 6) / height)
        figure.text(*text_at, title, fontsize=9, va="bottom", parse_math=False)
        top -= row.shape[0] + _TITLE_PX
        figure.figimage(row, 0, top, cmap="gray", vmin=0, vmax=255)
    return figure


def _choose_clips(store: Store, label: str) -> list[StoredClip]:
    clips = [clip for clip in store.clips if clip.label == label]
    first_of_group = list({clip.group: clip for clip in reversed(clips)}.values())[::-1]
    pool = first_of_group if len(first_of_group) >= _SHEET_CLIPS else clips
    places = np.linspace(0, len(pool) - 1, min(_SHEET_CLIPS, len(pool))).round().astype(int)
    return [pool[place] for place in places]


def _stack(store: Store, clip: StoredClip) -> np.ndarray:
    """Return four frames of a clip, two by two, with a white edge."""
    if clip.clip_id in store.keypoint_clips:
        frames: np.ndarray = _draw_keypoints(store, clip.clip_id)
    else:
        frames = store.open_frames(clip.clip_id)
    places = np.linspace(0, len(frames) - 1, _SHEET_FRAMES).round().astype(int)
    step = -(-store.size[1] // _FRAME_PX)
    first, second, third, fourth = (frames[place, ::step, ::step] for place in places)
    upper, lower = np.concatenate([first, second], 1), np.concatenate([third, fourth], 1)
    block = np.concatenate([upper, lower])
    edge = [(0, 0), (0, 6), (0, 0)][: block.ndim]
    return np.pad(block, edge, constant_values=255)


def _draw_keypoints(store: Store, clip_id: str) -> np.ndarray:
    """Return a few pictures of the people of a clip that has none: gray or RGB as the store is."""
    points = store.load_keypoints(clip_id)
    points = points[np.linspace(0, len(points) - 1, _SHEET_FRAMES).round().astype(int)]
    seen = points[points[..., 2] > 0][:, :2]
    low, high = (seen.min(axis=0), seen.max(axis=0)) if len(seen) else (np.zeros(2), np.ones(2))
    middle, sides = (low + high) / 2, np.array(store.size[::-1])
    scale = _DRAWN_SHARE * float((sides / np.maximum(high - low, 1.0)).min())
    pictures = np.full((len(points), *store.size, 3), _ROOM, dtype=np.uint8)
    for picture, people in zip(pictures, points, strict=True):
        placed = people.copy()
        placed[..., :2] = (placed[..., :2] - middle) * scale + sides / 2
        there = {n: body for n, body in enumerate(placed, 1) if body[:, 2].any()}
        draw_people(picture, there, None, (0, 0, 0))
    return pictures if store.color == "rgb" else pictures.mean(axis=-1).astype(np.uint8)


def _describe_source(group_source: str) -> str:
    kind, _, rule = group_source.partition(" ")
    if kind == "column":
        return f"the manifest's column '{escape_markdown(rule)}'"
    if kind == "pattern":
        return f"the pattern `{rule}` in the files' paths"
    if kind == RECORDINGS:
        return "each recording for itself"
    return "guessed from clips that are similar"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    return escape_markdown(str(value))


def _format_labels(report: Report) -> str:
    header = ["label", "clips", "groups", "train", "val", "test", "seconds: least, median, most"]
    rows = [
        [i.label, i.n_clips, i.n_groups, *i.parts.values(), ", ".join(map(str, i.duration_s))]
        for i in report.labels
    ]
    return _table(header, rows)


def _format_formats(report: Report) -> str:
    rows = [
        [item.label, _list_counts(item.sizes), _list_counts(item.rates)] for item in report.labels
    ]
    return _table(["label", "width x height: clips", "frames a second: clips"], rows)


def _list_counts(counts: dict[str, int]) -> str:
    shown = [f"{name}: {count}" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (", ..." if len(counts) > _SHOWN else "")


def _format_baseline(report: Report) -> str:
    if report.baseline is None:
        return "Not measured: there are no folds to measure it on."
    baseline = report.baseline
    return (
        "What width, height, frame rate, number of frames and duration alone predict, on held-out"
        f" groups: accuracy {baseline.accuracy:.3f}, AUC {baseline.auc:.3f}. Always guessing the"
        f" commonest label: {baseline.majority:.3f}."
    )


def _format_groups(report: Report) -> str:
    labels = [item.label for item in report.labels]
    largest = sorted(report.groups.items(), key=lambda item: -sum(item[1].values()))[:_SHOWN]
    rows = [[group, *(counts.get(label, 0) for label in labels)] for group, counts in largest]
    n_more = len(report.groups) - len(largest)
    more = f"\n\nand {n_more} smaller ones; all are in report.json." if n_more else ""
    return _table(["group", *labels], rows) + more


def _format_near(report: Report) -> str:
    rows = [[pair.first, pair.second, *pair.parts] for pair in report.near_duplicates[:_SHOWN]]
    return _table(["clip", "like clip", "in", "and in"], rows)


def _format_rejects(store: Store) -> str:
    rows = [[show_path(reject.path), reject.reason] for reject in store.rejects[:_SHOWN]]
    return _table(["what", "why"], rows)
