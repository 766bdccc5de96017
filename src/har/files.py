"""Files that are written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from har.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside ``path`` to write to; afterwards it takes its place.

    On any error the temporary file is removed and what was there before stays. The folder is made.

    Raises:
        OutputError: The file cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}. Check that the folder may "
            f"be written to and that the disk is not full."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8.

    Raises:
        OutputError: It cannot be written.
    """
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Any) -> None:
    """Writes plain values as readable JSON; what is not a number is refused.

    Raises:
        OutputError: It cannot be written.
        ValueError: A value is no plain one, or not finite.
    """
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
