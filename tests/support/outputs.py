"""Output folders of `har predict`, to hold one beside another."""

import json
import re
from pathlib import Path

_WALL = re.compile(rb'"wall_s": [0-9.e-]+')


def read_outputs(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file, but for the seconds that a video took."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(".har"):
            found[name] = _WALL.sub(b"", path.read_bytes())
    return found


def read_labels(folder: Path) -> dict[str, str]:
    """Return what ``results.json`` says of each video: its label, or why there is none."""
    entries = json.loads((folder / "results.json").read_text())
    return {entry["video"]: entry.get("label", entry.get("error")) for entry in entries}
