"""Scores with their time grid as CSV: read back as the same bits, opened by any spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from har import files
from har.errors import OutputError
from har.types import People, Scores

SCORES_ENDING = ".scores.csv"
"""Ends the names of files of scores; before it stands what all files of the video begin with."""

RESULT_ENDING = ".result.json"
"""Ends the names of files in which all else of a video is kept beside its scores."""

_GRID_COLUMNS = ["time_s", "step_s"]
_SURENESS = "sureness"


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
            header = next(csv.reader(file), [])
            return _parse_scores(header, file.readlines())
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise OutputError(
            f"{path} cannot be read as saved scores: {error}. Give a scores file that "
            f"'har predict' wrote."
        ) from error


def find_scores(paths: Iterable[Path]) -> list[Path]:
    """Gives the files of scores that are named, and for each folder those in it by their names.

    Raises:
        OutputError: A folder holds none.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.glob(f"*{SCORES_ENDING}")) if path.is_dir() else [path]
        if not inside:
            raise OutputError(
                f"The folder {path} holds no file that ends in {SCORES_ENDING}; give one into "
                f"which 'har predict' wrote"
            )
        found |= dict.fromkeys(inside)
    return list(found)


def _parse_scores(header: list[str], lines: list[str]) -> Scores:
    n_grid = len(_GRID_COLUMNS)
    n_labels = _count_labels(header)
    if header[:n_grid] != _GRID_COLUMNS or n_labels < 2:
        raise ValueError(f"its first line is {','.join(header)[:80]!r}")
    if not lines:
        raise ValueError("it has no rows")
    table = np.loadtxt(lines, dtype=np.float64, delimiter=",", comments=None, ndmin=2)
    if table.shape != (len(lines), len(header)):
        raise ValueError(f"it has {table.shape[1]} columns and not the {len(header)} of its names")
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
