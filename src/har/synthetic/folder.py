"""The output folder: which files belong to the settings, and tables written whole or not at all."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from har.config import SynthConfig
from har.files import replacing

GENERATOR_VERSION = 2
"""Raised whenever the same settings would give other pictures."""


def keep_only(note: Path, pattern: str, planned: set[str], shaping: SynthConfig) -> None:
    """Removes what other settings have left, and notes down which settings the files are of.

    Args:
        note: A ``.json`` file in the output folder, for files of this pattern; made if missing.
        pattern: Which files in its folder are the generator's own.
        planned: Those that belong to the settings, with ``/`` as separator.
        shaping: The settings that shape each file; what only says how many there are is put to
            its default.
    """
    text = json.dumps(dataclasses.asdict(shaping) | {"version": GENERATOR_VERSION}, indent=1)
    same = note.exists() and note.read_text(encoding="utf-8") == text
    for path in note.parent.glob(pattern):
        if not same or path.relative_to(note.parent).as_posix() not in planned:
            path.unlink()
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(text, encoding="utf-8")


def write_rows(path: Path, columns: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """Writes a CSV file under a temporary name, then gives it its own."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
