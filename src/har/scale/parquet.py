"""All events and scores of an output folder as two Parquet files, for DuckDB, pandas and Spark.

    events.parquet    video, start_s, end_s, label, score, subject, target
    scores.parquet    video, time_s, step_s, label, score, subject, target, confidence

A row of scores is one label at one time step, so that videos of models with different labels share
a table. Subject and target are null where they are not known, and so is confidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from har.errors import OutputError
from har.escaping import show_controls
from har.events.files import RESULT_ENDING, SCORES_ENDING, load_scores, read_events_of
from har.files import replacing
from har.types import Scores

EVENTS, SCORES = "events.parquet", "scores.parquet"

_GROUP_ROWS = 1_000_000
"""Rows that are held in memory, and written together."""

_TEXTS = ("video", "label")
_WHOLE = ("subject", "target")


def write_parquet(folder: Path) -> tuple[Path, Path]:
    """Write `EVENTS` and `SCORES` of all videos that have files in a folder, of any run.

    Memory does not grow with their number.

    Returns:
        The paths of both.

    Raises:
        OutputError: A file cannot be read or written.
    """
    names = _name_videos(folder)
    events, scores = folder / EVENTS, folder / SCORES
    columns = ("video", "start_s", "end_s", "label", "score", "subject", "target")
    _write(events, columns, (_list_events(folder / stem) for stem in names))
    columns = ("video", "time_s", "step_s", "label", "score", "subject", "target", "confidence")
    _write(
        scores,
        columns,
        (
            _list_scores(video, load_scores(folder / f"{stem}{SCORES_ENDING}"))
            for stem, video in names.items()
        ),
    )
    return events, scores


def _name_videos(folder: Path) -> dict[str, str]:
    """Return the video by the stem of its files, in the order of stems."""
    names: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{RESULT_ENDING}")):
        try:
            video = json.loads(path.read_text(encoding="utf-8"))["info"]["path"]
            shown = show_controls(str(video)).encode("utf-8", "backslashreplace").decode("utf-8")
            names[path.name.removesuffix(RESULT_ENDING)] = shown
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise OutputError(
                f"{path} cannot be read as what was found in a video: {error}. Run 'har predict' "
                "again, or move it to another folder"
            ) from error
    return names


def _list_events(base: Path) -> dict[str, Any]:
    rows = read_events_of(base)
    return {
        "video": [row[0] for row in rows],
        "start_s": np.array([row[1] for row in rows], dtype=np.float64),
        "end_s": np.array([row[2] for row in rows], dtype=np.float64),
        "label": [row[3] for row in rows],
        "score": np.array([row[4] for row in rows], dtype=np.float32),
        "subject": np.array([row[5] for row in rows], dtype=np.int32),
        "target": np.array([row[6] for row in rows], dtype=np.int32),
    }


def _list_scores(video: str, scores: Scores) -> dict[str, Any]:
    n_steps, n_labels = scores.values.shape
    n_rows, people = n_steps * n_labels, scores.people
    nobody = np.zeros(n_rows, dtype=np.int32)
    return {
        "video": [video] * n_rows,
        "time_s": np.repeat(scores.times_s, n_labels),
        "step_s": np.full(n_rows, scores.step_s),
        "label": list(scores.labels) * n_steps,
        "score": scores.values.ravel(),
        "subject": nobody if people is None else people.subjects.ravel().astype(np.int32),
        "target": nobody if people is None else people.targets.ravel().astype(np.int32),
        "confidence": None if people is None else np.repeat(people.confidence, n_labels),
    }


def _write(path: Path, columns: tuple[str, ...], parts: Iterator[Mapping[str, Any]]) -> None:
    """Write parts of a table as they come, some together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.dictionary(pa.int32(), pa.string())
    types = {name: text if name in _TEXTS else pa.float64() for name in columns}
    types |= {name: pa.int32() for name in _WHOLE} | {"score": pa.float32()}
    if "confidence" in columns:
        types["confidence"] = pa.float32()
    schema = pa.schema([(name, types[name]) for name in columns])

    def to_table(part: Mapping[str, Any]) -> pa.Table:
        arrays = []
        for name in columns:
            values = part[name]
            if values is None:
                arrays.append(pa.nulls(len(part["video"]), types[name]))
            elif name in _TEXTS:
                arrays.append(pa.array(values, pa.string()).dictionary_encode())
            else:
                none = np.asarray(values) == 0 if name in _WHOLE else None
                arrays.append(pa.array(values, types[name], mask=none))
        return pa.Table.from_arrays(arrays, schema=schema)

    with replacing(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        held, n_rows = list[pa.Table](), 0
        for table in map(to_table, parts):
            held.append(table)
            n_rows += table.num_rows
            if n_rows >= _GROUP_ROWS:
                writer.write_table(pa.concat_tables(held).unify_dictionaries())
                held, n_rows = [], 0
        if held:
            writer.write_table(pa.concat_tables(held).unify_dictionaries())
