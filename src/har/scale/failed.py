"""The list of videos that a run on a cluster has set aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from har.files import write_json

FILE = "failed.json"

_HELP = (
    "These videos ended their worker, or took too long, again and again, and are passed over until "
    "they or the settings change. To try one again, take its entry out of this file, or delete the "
    "file, and run the same command again. One that always fails should be repaired or replaced."
)


class FailedVideos:
    """Videos with a reason, kept in a file of the output folder."""

    def __init__(self, folder: Path) -> None:
        """Read the file; what is not understood in it counts as taken out."""
        self._path = folder / FILE
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))["videos"]
            self._entries = {
                entry["key"]: entry for entry in entries if entry["reason"] and entry["video"]
            }
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            self._entries: dict[str, dict[str, Any]] = {}

    def find(self, key: str) -> str:
        """Return why the video of a key was set aside; empty if it was not."""
        entry = self._entries.get(key)
        if entry is None:
            return ""
        return f"{entry['reason']}; it was set aside, see {self._path}"

    def add(self, key: str, video: Path, reason: str, n_tries: int) -> None:
        """Set a video aside.

        Raises:
            OutputError: The file cannot be written.
        """
        self._entries[key] = {
            "video": str(video),
            "reason": reason,
            "n_tries": n_tries,
            "key": key,
        }
        self._write()

    def forget(self, keys: Mapping[str, str]) -> None:
        """Forget videos that have another key now, for they or the settings have changed.

        Args:
            keys: The present key by the video.

        Raises:
            OutputError: The file cannot be written.
        """
        stale = [
            key for key, entry in self._entries.items() if keys.get(entry["video"], key) != key
        ]
        for key in stale:
            del self._entries[key]
        if stale:
            self._write()

    def _write(self) -> None:
        write_json(self._path, {"what": _HELP, "videos": list(self._entries.values())})
