"""Files of scores and of events: CSV, and WebVTT that players show with the video."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from har import files
from har.errors import OutputError
from har.escaping import guard_cell, show_controls, show_line, unguard_cell
from har.types import TIME_EPS_S, Event, People, Scores

SCORES_ENDING = ".scores.csv"
"""Ends the names of files of scores; before it is the stem of all files of the video."""

RESULT_ENDING = ".result.json"
"""Ends the names of the cache files with all else of a video, beside its scores."""

_GRID_COLUMNS = ["time_s", "step_s"]
_ROUNDING = 1e-3
_MAX_TIME_S, _MAX_STEP_S, _MAX_PERSON = 1e9, 3600.0, 1e9
_CONFIDENCE, _OLD_CONFIDENCE = "confidence", "sureness"


def save_scores(path: Path, scores: Scores) -> None:
    """Write one line a time step, without any loss: ``time_s,step_s`` and a column a label.

    Where people are known, there follow ``confidence`` and for each label a column
    ``subject:LABEL``, then for each a column ``target:LABEL``, with the numbers of people; 0 is
    nobody.

    Raises:
        OutputError: The file cannot be written.
    """
    header = [*_GRID_COLUMNS, *scores.labels]
    columns = [scores.times_s.tolist(), [scores.step_s] * len(scores.times_s), *scores.values.T]
    if scores.people is not None:
        header += _name_people_columns(scores.labels)
        columns += [scores.people.confidence, *scores.people.subjects.T, *scores.people.targets.T]
    files.write_csv(path, header, (map(str, row) for row in zip(*columns, strict=True)))


def _name_people_columns(labels: Sequence[str]) -> list[str]:
    named = [f"{role}:{label}" for role in ("subject", "target") for label in labels]
    return [_CONFIDENCE, *named]


def load_scores(path: Path) -> Scores:
    """Read what `save_scores` wrote.

    Raises:
        OutputError: There is no such file, or it holds something else.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file), [])
            header = [_CONFIDENCE if name == _OLD_CONFIDENCE else name for name in header]
            return _parse_scores(header, file.readlines())
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise OutputError(
            f"{path} cannot be read as saved scores: {error}. Give a scores file "
            f"written by 'har predict'."
        ) from error


def find_scores(paths: Iterable[Path]) -> list[Path]:
    """Return the given files of scores, and for each folder those in it, by name.

    Raises:
        OutputError: A folder holds none, or there is no such file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.glob(f"*{SCORES_ENDING}")) if path.is_dir() else [path]
        if not path.exists():
            raise OutputError(f"There is no file of scores or folder {path}; check the name")
        if not inside:
            raise OutputError(
                f"The folder {path} holds no file that ends in {SCORES_ENDING}; give an output "
                f"folder of 'har predict'"
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
        raise ValueError(f"it has {table.shape[1]} columns but {len(header)} names")
    grid, values, rest = np.split(table, [n_grid, n_grid + n_labels], axis=1)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("a score is not from 0 to 1")
    _check_grid(grid)
    sums = values.sum(axis=1)
    wrong = (np.abs(sums - 1) > _ROUNDING) & (sums > 0)
    if wrong.any():
        raise ValueError(f"the scores of a row sum to {sums[wrong][0]:g}, not 1")
    return Scores(
        labels=tuple(header[n_grid : n_grid + n_labels]),
        times_s=grid[:, 0],
        values=values.astype(np.float32),
        step_s=float(grid[0, 1]),
        people=_parse_people(rest, n_labels) if rest.shape[1] else None,
    )


def _check_grid(grid: np.ndarray) -> None:
    times_s, step_s = grid[:, 0], grid[0, 1]
    if not (np.all(np.diff(times_s) > 0) and np.all(grid[:, 1] == step_s)):
        raise ValueError("its times do not ascend in even steps")
    if not 0 <= times_s[0] <= times_s[-1] <= _MAX_TIME_S:
        raise ValueError(f"its times must be from 0 to {_MAX_TIME_S:g} s")
    least_s = TIME_EPS_S if len(grid) > 1 else 0.0  # a lone picture lasts no time
    if not least_s <= step_s <= _MAX_STEP_S:
        raise ValueError(f"its step must be above 0 and up to {_MAX_STEP_S:g} s, not {step_s:g}")


def _count_labels(header: list[str]) -> int:
    """Return how many labels a file's first line names, with or without people after them."""
    names = header[len(_GRID_COLUMNS) :]
    n_labels = (len(names) - 1) // 3
    has_people = names[n_labels:] == _name_people_columns(names[:n_labels])
    return n_labels if has_people else len(names)


def _parse_people(columns: np.ndarray, n_labels: int) -> People:
    confidence, numbers = columns[:, 0], columns[:, 1:]
    if not np.all((confidence >= 0) & (confidence <= 1)):
        raise ValueError("a confidence is not from 0 to 1")
    if not np.all((numbers >= 0) & (numbers % 1 == 0) & (numbers <= _MAX_PERSON)):
        raise ValueError("the number of a person is not a whole number")
    subjects, targets = np.split(numbers.astype(np.int64), [n_labels], axis=1)
    return People(subjects, targets, confidence.astype(np.float32))


_TABLE = "events.csv"
_EVENTS_ENDING, _VTT_ENDING = ".events.csv", ".events.vtt"

EVENT_COLUMNS = ("video", "start_s", "end_s", "label", "score", "subject", "target")


def write_events_csv(
    path: Path, found: Iterable[tuple[str, Iterable[Event]]], guard: bool = True
) -> None:
    """Write one line an event, seconds to the millisecond.

    Names and labels that a spreadsheet would take for a formula have a ``'`` before them, see
    `har.escaping`.

    Subject and target are numbers of people within a video; empty where they are not known.

    Args:
        path: Gets the table; missing folders are created.
        found: Names of videos for the table, and the events of each.
        guard: Make cells safe that a spreadsheet would take for a formula.

    Raises:
        OutputError: The file cannot be written.
    """
    rows = (_to_row(video, event) for video, events in found for event in events)
    files.write_csv(path, EVENT_COLUMNS, (_guard(row, guard) for row in rows))


def write_event_files(base: Path, video: str, events: Iterable[Event], guard: bool = True) -> None:
    """Write the events of one video as CSV and as WebVTT.

    Args:
        base: Folder and stem of the video's files.
        video: Its name in the table.
        events: By onset.
        guard: As of `write_events_csv`.

    Raises:
        OutputError: A file cannot be written.
    """
    events = tuple(events)
    write_events_csv(files.add_ending(base, _EVENTS_ENDING), [(video, events)], guard)
    write_vtt(files.add_ending(base, _VTT_ENDING), events)


def join_events(folder: Path, guard: bool = True) -> Path:
    """Write ``events.csv``: the events of all videos of which there are files in a folder.

    Returns:
        The table's path.

    Raises:
        OutputError: A file cannot be read or is something else, or the table cannot be written.
    """
    table = folder / _TABLE
    parts = sorted(folder.glob(f"*{_EVENTS_ENDING}"))
    files.write_csv(
        table, EVENT_COLUMNS, (_guard(row, guard) for part in parts for row in _read_rows(part))
    )
    return table


def read_events_of(base: Path) -> list[tuple[str, float, float, str, float, int, int]]:
    """Return the events of a video as its table has them: the columns of `EVENT_COLUMNS`.

    Args:
        base: Folder and stem of the video's files.

    Returns:
        Rows; subject and target are 0 where they are not known.

    Raises:
        OutputError: The table cannot be read or is something else.
    """
    path = files.add_ending(base, _EVENTS_ENDING)
    try:
        return [
            (row[0], float(row[1]), float(row[2]), row[3], float(row[4]), *_read_who(row))
            for row in _read_rows(path)
        ]
    except (ValueError, IndexError, TypeError) as error:
        raise _explain(path, error) from error


def _read_who(row: list[str]) -> tuple[int, int]:
    return int(row[5] or 0), int(row[6] or 0)


def _to_row(video: str, event: Event) -> list[str]:
    who = [str(number or "") for number in (event.subject, event.target)]
    span = [f"{event.onset_s:.3f}", f"{event.offset_s:.3f}"]
    return [video, *span, event.label, f"{event.score:.4f}", *who]


def _guard(row: list[str], guard: bool) -> list[str]:
    return [guard_cell(show_controls(cell), guard) for cell in row]


def _read_rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        if tuple(header) != EVENT_COLUMNS:
            raise ValueError(f"its first line is {','.join(header)[:80]!r}")
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise _explain(path, error) from error
    return [[unguard_cell(cell) for cell in row] for row in rows]


def _explain(path: Path, error: Exception) -> OutputError:
    return OutputError(
        f"{path} cannot be read as events of a video: {error}. Move it to another folder."
    )


_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def write_vtt(path: Path, events: Iterable[Event]) -> None:
    """Write one cue an event: its label, who acts and on whom, and its score.

    Args:
        path: Usually a ``.vtt`` beside the video; missing folders are created.
        events: In any order; cues are written by onset.

    Raises:
        OutputError: The file cannot be written.

    Source: WebVTT, https://www.w3.org/TR/webvtt1/, sections 4.1 to 4.3.
    """
    write_cues(path, [(event.onset_s, event.offset_s, _describe(event)) for event in events])


def _describe(event: Event) -> str:
    who = [str(number) for number in (event.subject, event.target) if number]
    return describe_cue(event.label, who, event.score)


def describe_cue(label: str, who: Iterable[str], score: float | None) -> str:
    """Return a cue's text: what happens, who acts and on whom, and its score.

    >>> describe_cue("hit", ("2", "1"), 0.874)
    'hit 2→1 87%'
    """
    parts = (label, "→".join(who), "" if score is None else f"{score:.0%}")
    return show_line(" ".join(part for part in parts if part))


def write_cues(path: Path, cues: Iterable[tuple[float, float, str]], is_srt: bool = False) -> None:
    """Write texts that players show with a video, as WebVTT or as SubRip (SRT).

    Args:
        path: Gets the file; missing folders are created.
        cues: Start and end in seconds and a line of text each, in any order; each lasts a
            millisecond at least.
        is_srt: Write SubRip.

    Raises:
        OutputError: The file cannot be written.
    """
    texts = [
        f"{number}\n{_format_cue(*cue, is_srt)}\n"
        for number, cue in enumerate(sorted(cues), start=1)
    ]
    files.write_text(path, "\n".join(texts if is_srt else ["WEBVTT\n", *texts]))


def _format_cue(start_s: float, end_s: float, text: str, is_srt: bool) -> str:
    r"""Return the times and the text of a cue.

    >>> print(_format_cue(3599.9996, 3601.5, "hit <hard> 87%", False))
    01:00:00.000 --> 01:00:01.500
    hit &lt;hard&gt; 87%
    >>> print(_format_cue(1.0, 1.0, "hit <hard>", True))
    00:00:01,000 --> 00:00:01,001
    hit <hard>
    """
    start_ms, end_ms = (round(time_s * 1000) for time_s in (start_s, end_s))
    times = " --> ".join(map(_format_ms, (start_ms, max(end_ms, start_ms + 1))))
    if is_srt:
        return f"{times.replace('.', ',')}\n{text.replace('-->', '→')}"
    return f"{times}\n{text.translate(_ESCAPES)}"


def _format_ms(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"
