"""Videos that a model has learned from: marks of them in its contract, by which they are known.

A mark is the size of a video's file and the beginning of its SHA-256, so that a file of another
size need not be read to know that it is another one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from har.files import compute_file_hash

MOST_MARKS = 20_000
"""A model of more videos keeps no marks: its contract stays small."""
MARK = re.compile(r"[0-9]+-[0-9a-f]{12}")
NOTE = "the model has learned from this video, so what is found in it is no honest figure"


def build_mark(n_bytes: int, sha256: str) -> str:
    """Return the mark of a video.

    >>> build_mark(1200, "ab" * 32)
    '1200-abababababab'
    """
    return f"{n_bytes}-{sha256[:12]}"


def join_marks(marks: Iterable[str]) -> tuple[str, ...]:
    """Return marks in order and none twice; none at all where they are more than `MOST_MARKS`."""
    found = sorted(set(marks))
    return tuple(found) if len(found) <= MOST_MARKS else ()


def is_learned(path: Path, marks: Collection[str]) -> bool:
    """Return whether one of the marks is that of a file; it is read only if one is of its size."""
    try:
        n_bytes = path.stat().st_size
        if not any(mark.startswith(f"{n_bytes}-") for mark in marks):
            return False
        return build_mark(n_bytes, compute_file_hash(path)) in marks
    except OSError:
        return False
