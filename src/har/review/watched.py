"""What `har watch` leaves in its folder: alerts to decide on, and how the cameras are."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from har.review.store import FoundEvent, Recording, ReviewStore

ALERTS = "alerts"
_EVENTS, _CHANGES = "events.jsonl", "log.jsonl"
_TAIL_BYTES = 1 << 20
"""Of each log, so that a page that asks every other second costs little after months, too."""
_MAX_RECORD_BYTES = 1 << 16
_STATE = "cameras.json"
_SILENT_S = 15.0
"""A watch that has not renewed its state for so long does not run; it writes every two seconds."""


def is_watch_folder(folder: Path) -> bool:
    """Return whether `har watch` writes to a folder."""
    return (folder / ALERTS).is_dir() or (folder / _EVENTS).is_file()


class WatchFolder:
    """Reads a folder of `har watch`, also while that runs; writes nothing there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._added: dict[str, int] = {}
        self._lock = threading.Lock()

    def add_alerts(self, store: ReviewStore) -> int:
        """Add the alerts that are over and have a clip, each clip as a recording of its camera.

        Returns:
            How many are new since the last call.
        """
        with self._lock:
            n_before = len(self._added)
            for record, values in self._iter_records():
                alert = None if record.name in self._added else _to_alert(record, values)
                if alert is not None:
                    self._added[record.name] = store.add_recording(alert[0], [alert[1]])
            return len(self._added) - n_before

    def describe(self, now: datetime) -> dict[str, Any]:
        """Return each camera's state, newest score and last event, and the alerts of the day."""
        cameras: dict[str, dict[str, Any]] = {}
        for values in _read_tail(self.path / _CHANGES):
            if values.get("kind") == "camera":
                state = {"since": str(values.get("at", ""))}
                state |= {name: str(values.get(name, "")) for name in ("state", "note")}
                _camera(cameras, values).update(state)
        for values in _read_tail(self.path / _EVENTS):
            if values.get("kind") == "event":
                names = ("label", "score", "at", "is_open")
                _camera(cameras, values)["last"] = {name: values.get(name) for name in names}
        cameras = _add_newest(cameras, _read_state(self.path / _STATE), now)
        alerts = [
            {
                "id": record.stem,
                "recording": self._added.get(record.name),
                "is_empty": _is_empty(record, values),
                **{name: values.get(name) for name in ("camera", "label", "score", "began_at")},
            }
            for record, values in self._iter_records()
            if _is_same_day(values.get("began_at"), now)
        ]
        alerts.sort(key=lambda alert: str(alert["began_at"]), reverse=True)
        return {"cameras": [cameras[name] for name in sorted(cameras)], "alerts": alerts}

    def _iter_records(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        folder = self.path / ALERTS
        for record in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            try:
                if record.is_symlink() or record.stat().st_size > _MAX_RECORD_BYTES:
                    continue
                values = json.loads(record.read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                continue  # deleted meanwhile, or no record
            if isinstance(values, dict) and values.get("made_by") == "har watch":
                yield record, values


def _to_alert(record: Path, values: dict[str, Any]) -> tuple[Recording, FoundEvent] | None:
    """Return an alert as a recording with one event; None while it is open or has no clip."""
    try:
        clip = record.parent / Path(values["clip"]["file"]).name
        length_s, onset_s = float(values["clip"]["length_s"]), -float(values["clip"]["start_s"])
        end_s = min(onset_s + float(values["length_s"]), length_s)
        if values["is_open"] or not clip.is_file() or not 0 <= onset_s < end_s:
            return None
        label, camera = str(values["label"]), str(values["camera"])
        who = (str(values.get("subject") or ""), str(values.get("target") or ""))
        score = float(values["score"])
    except (KeyError, TypeError, ValueError):
        return None
    recording = Recording(0, str(clip), length_s, None, camera, (label,))
    return recording, FoundEvent(0, 0, "alert", label, onset_s, end_s, score, *who)


def _is_empty(record: Path, values: dict[str, Any]) -> bool:
    """Return whether an alert is over and its clip does not show it: the watch was too late."""
    is_over = values.get("is_open") is False and values.get("clip") is not None
    return is_over and _to_alert(record, values) is None


def _camera(cameras: dict[str, dict[str, Any]], values: dict[str, Any]) -> dict[str, Any]:
    name = str(values.get("camera", ""))
    return cameras.setdefault(name, _build_camera(name))


def _build_camera(name: str) -> dict[str, Any]:
    return {"name": name, "state": "", "since": "", "note": "", "last": None, "newest": None}


def _read_state(path: Path) -> dict[str, dict[str, Any]]:
    """Return what a watch last wrote of its cameras; nothing where there is no such file."""
    try:
        if path.is_symlink() or path.stat().st_size > _MAX_RECORD_BYTES:
            return {}
        values = json.loads(path.read_text(encoding="utf-8"))
        found = dict(values["cameras"]) if values["made_by"] == "har watch" else {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}
    return {str(name): item for name, item in found.items() if isinstance(item, dict)}


def _add_newest(
    cameras: dict[str, dict[str, Any]], states: dict[str, dict[str, Any]], now: datetime
) -> dict[str, dict[str, Any]]:
    """Return the cameras of the watch that runs or ran last, each with its newest score.

    A watch that was killed has said nothing of it: its cameras are those that it no longer writes
    of, although none has ended.
    """
    if not states:
        return cameras
    found: dict[str, dict[str, Any]] = {}
    for name, values in states.items():
        camera = found[name] = cameras.get(name, _build_camera(name))
        state, at = str(values.get("state", "")), str(values.get("at", ""))
        if state != camera["state"]:
            camera |= {"state": state, "since": at, "note": ""}
        camera["newest"] = _find_newest(values.get("scores"))
        if state != "ended" and _is_over(at, now):
            camera |= {"state": "har watch has stopped", "since": at, "note": "", "newest": None}
    return found


def _find_newest(scores: Any) -> dict[str, Any] | None:
    """Return label, score and time of the highest of the newest scores; label "" if uncertain."""
    try:
        score, label = max((float(value), str(name)) for name, value in scores["values"].items())
        at = str(scores["at"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    return {"label": label if score > 0 else "", "score": score, "at": at}


def _is_over(text: str, now: datetime) -> bool:
    try:
        return (now - datetime.fromisoformat(text)).total_seconds() > _SILENT_S
    except (ValueError, TypeError):
        return False


def _is_same_day(text: object, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(text)).astimezone().date() == now.astimezone().date()
    except ValueError:
        return False


def _read_tail(path: Path) -> Iterator[dict[str, Any]]:
    """Give the values of the last lines of a log, the first of which may be cut."""
    try:
        with path.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - _TAIL_BYTES, 0))
            lines = file.read(_TAIL_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, dict):
            yield values
