"""Names of clips."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path


def make_clip_id(path: Path, root: Path, start_s: float, end_s: float | None) -> str:
    """Gives a readable name that the same stretch always has and no other.

    The digest is over the path relative to the source, so two files of one name differ and a
    moved data folder keeps its ids.
    """
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    key = f"{inside.as_posix()}|{start_s!r}|{end_s!r}"
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:10]
    readable = re.sub(r"[^A-Za-z0-9_]+", "-", path.stem).strip("-")[:40]
    return f"{readable}-{digest}" if readable else digest
