"""What an earlier run found in a video, kept beside its files, so that the next run can go on.

`STEM.result.json` is written after all other files of a video: where it is, they are whole.
"""

from __future__ import annotations

import dataclasses
import glob
import hashlib
import json
from pathlib import Path
from typing import Any

from har.errors import OutputError
from har.events.saved import RESULT_ENDING, SCORES_ENDING, load_scores, save_scores
from har.files import add_ending, write_json
from har.inference.recording import VideoResult
from har.types import Event, VideoInfo

_APART = ("info", "events", "scores", "sightings", "views")
"""Fields that are no plain values. Sightings and views are not kept: only drawing needs them."""


def compute_key(video: Path, *settings: str) -> str:
    """Gives a hash that is the same only for an unchanged file and the same settings.

    Args:
        video: Its name, size and time of change count.
        settings: All else on which the result depends.

    Raises:
        OSError: The file cannot be looked at.
    """
    found = video.stat()
    parts = [str(video), found.st_size, found.st_mtime_ns, *settings]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def save_result(base: Path, key: str, result: VideoResult) -> None:
    """Keeps a result under a key, with the names of all files that begin with ``base``.

    Raises:
        OutputError: It cannot be written.
    """
    plain = {
        field.name: getattr(result, field.name)
        for field in dataclasses.fields(result)
        if field.name not in _APART
    }
    values = {
        "key": key,
        "files": _list_files(base),
        "info": {**dataclasses.asdict(result.info), "path": str(result.info.path)},
        "events": [dataclasses.asdict(event) for event in result.events],
        "rest": plain,
    }
    write_json(add_ending(base, RESULT_ENDING), values)


def start_result(base: Path, result: VideoResult) -> None:
    """Writes a result's scores; what an earlier run kept does not count from here on.

    Raises:
        OutputError: They cannot be written.
    """
    try:
        add_ending(base, RESULT_ENDING).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{base}{RESULT_ENDING} cannot be removed: {error.strerror}. Check that the folder "
            f"may be written to, or name another one with --out"
        ) from error
    save_scores(add_ending(base, SCORES_ENDING), result.scores)


def load_result(base: Path, key: str) -> VideoResult | None:
    """Gives what was kept under the key; None if there is nothing, or some of it is gone."""
    try:
        values = json.loads(add_ending(base, RESULT_ENDING).read_text(encoding="utf-8"))
        is_whole = all((base.parent / name).exists() for name in values["files"])
        return _parse(values, base) if values["key"] == key and is_whole else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OutputError):
        return None


def _parse(values: dict[str, Any], base: Path) -> VideoResult:
    return VideoResult(
        info=VideoInfo(**{**values["info"], "path": Path(values["info"]["path"])}),
        events=tuple(Event(**event) for event in values["events"]),
        scores=load_scores(add_ending(base, SCORES_ENDING)),
        **values["rest"],
    )


def _list_files(base: Path) -> list[str]:
    """Gives the names of the files that begin with a stem, whole ones only."""
    found = base.parent.glob(f"{glob.escape(base.name)}.*")
    return sorted(path.name for path in found if path.suffix != ".part")
