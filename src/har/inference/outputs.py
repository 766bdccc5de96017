"""Files of results: events as CSV, everything as JSON, scores with their time grid as CSV.

Every file appears under its name only once it is complete.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from har import files
from har.dataset.catalog import Reject
from har.errors import OutputError
from har.inference.recording import VideoResult
from har.types import People, Scores

EVENT_COLUMNS = ("video", "start_s", "end_s", "label", "score", "subject", "target")
_GRID_COLUMNS = ["time_s", "step_s"]
_SURENESS = "sureness"


def compute_output_stems(paths: Sequence[Path]) -> list[str]:
    """Gives each video a stem for its files, so that many share a folder without a clash.

    Args:
        paths: Different videos, of any folders.

    Returns:
        The file's own stem where no other has it (whatever the case of its letters), else with
        its ending, with its folder, or with a hash of its path, the first that is enough.

    >>> compute_output_stems([Path("a/x.mp4"), Path("b/x.mp4"), Path("b/y.avi"), Path("b/y.mp4")])
    ['a_x_mp4', 'b_x_mp4', 'y_avi', 'y_mp4']
    """
    names = [_list_names(path) for path in paths]
    levels = [0] * len(paths)
    while True:
        stems = [own[level] for own, level in zip(names, levels, strict=True)]
        counts = Counter(stem.casefold() for stem in stems)
        shared = [
            index
            for index, stem in enumerate(stems)
            if counts[stem.casefold()] > 1 and levels[index] + 1 < len(names[index])
        ]
        if not shared:
            return stems
        for index in shared:
            levels[index] += 1


def _list_names(path: Path) -> list[str]:
    with_ending = path.name.replace(".", "_")
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    return [
        path.stem,
        with_ending,
        f"{path.resolve().parent.name}_{with_ending}",
        f"{with_ending}_{digest}",
    ]


def write_events_csv(path: Path, results: Iterable[VideoResult]) -> None:
    """Writes one line an event, for all videos, seconds to the millisecond.

    Subject and target are numbers of people within a video; empty where they are not known.

    Raises:
        OutputError: The file cannot be written.
    """
    with files.replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(EVENT_COLUMNS)
        for result in results:
            for event in result.events:
                span = (f"{event.onset_s:.3f}", f"{event.offset_s:.3f}")
                who = (event.subject or "", event.target or "")
                score = f"{event.score:.4f}"
                writer.writerow([result.info.path, *span, event.label, score, *who])


def to_json(outcomes: Iterable[VideoResult | Reject]) -> list[dict[str, Any]]:
    """Gives the values of `har predict --json`: a rejected video has ``video`` and ``error``."""
    return [
        {"video": str(outcome.path), "error": outcome.reason}
        if isinstance(outcome, Reject)
        else outcome.to_json()
        for outcome in outcomes
    ]


def write_json(path: Path, outcomes: Iterable[VideoResult | Reject]) -> None:
    """Writes what `to_json` gives.

    Raises:
        OutputError: The file cannot be written.
    """
    files.write_json(path, to_json(outcomes))


def save_scores(path: Path, scores: Scores) -> None:
    """Writes one line a time step, without any loss: ``time_s,step_s`` and a column a label.

    Where people are known, there follow ``sureness`` and for each label a column ``subject:LABEL``,
    then for each a column ``target:LABEL``, with the numbers of people; 0 is nobody.

    Raises:
        OutputError: The file cannot be written.
    """
    header = [*_GRID_COLUMNS, *scores.labels]
    columns = [scores.times_s.tolist(), [scores.step_s] * len(scores.times_s), *scores.values.T]
    if scores.people is not None:
        header += _name_people_columns(scores.labels)
        columns += [scores.people.sureness, *scores.people.subjects.T, *scores.people.targets.T]
    with files.replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in zip(*columns, strict=True):
            writer.writerow(map(str, row))


def _name_people_columns(labels: Sequence[str]) -> list[str]:
    named = [f"{role}:{label}" for role in ("subject", "target") for label in labels]
    return [_SURENESS, *named]


def load_scores(path: Path) -> Scores:
    """Reads what `save_scores` wrote.

    Raises:
        OutputError: There is no such file, or it holds something else.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        return _parse_scores(header, rows)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise OutputError(
            f"{path} cannot be read as saved scores: {error}. Give a scores file that "
            f"'har predict' wrote."
        ) from error


def _parse_scores(header: list[str], rows: list[list[str]]) -> Scores:
    n_grid = len(_GRID_COLUMNS)
    n_labels = _count_labels(header)
    if header[:n_grid] != _GRID_COLUMNS or n_labels < 2:
        raise ValueError(f"its first line is {','.join(header)[:80]!r}")
    table = np.array(rows, dtype=np.float64)
    if table.shape != (len(rows), len(header)) or len(rows) == 0:
        raise ValueError("it has no rows")
    grid, values, rest = np.split(table, [n_grid, n_grid + n_labels], axis=1)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("a score is not from 0 to 1")
    if not (np.all(np.diff(grid[:, 0]) > 0) and np.all(grid[:, 1] == grid[0, 1])):
        raise ValueError("its times do not ascend on an even grid")
    return Scores(
        labels=tuple(header[n_grid : n_grid + n_labels]),
        times_s=grid[:, 0],
        values=values.astype(np.float32),
        step_s=float(grid[0, 1]),
        people=_parse_people(rest, n_labels) if rest.shape[1] else None,
    )


def _count_labels(header: list[str]) -> int:
    """Gives how many labels a file's first line names, with or without people after them."""
    names = header[len(_GRID_COLUMNS) :]
    n_labels = (len(names) - 1) // 3
    has_people = names[n_labels:] == _name_people_columns(names[:n_labels])
    return n_labels if has_people else len(names)


def _parse_people(columns: np.ndarray, n_labels: int) -> People:
    sureness, numbers = columns[:, 0], columns[:, 1:]
    if not np.all((sureness >= 0) & (sureness <= 1)):
        raise ValueError("a sureness is not from 0 to 1")
    if not np.all((numbers >= 0) & (numbers % 1 == 0)):
        raise ValueError("the number of a person is not a whole one")
    subjects, targets = np.split(numbers.astype(np.int64), [n_labels], axis=1)
    return People(subjects, targets, sureness.astype(np.float32))
