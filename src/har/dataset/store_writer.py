"""Writing a store so that an interrupted run goes on and nobody reads half a store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from har.dataset.catalog import Reject
from har.dataset.index import (
    StoredClip,
    append_row,
    read_rows,
    write_rejects,
    write_rows,
)
from har.dataset.splits import Splits
from har.dataset.store import (
    FORMAT_VERSION,
    FRAMES,
    INDEX,
    PROGRESS,
    REJECTS,
    SETTINGS,
    SPLITS,
    FrameSettings,
    Store,
    StoreSettings,
    frames_path,
    keypoints_path,
    read_json,
    times_path,
)
from har.files import replacing, write_json, writing


class StoreWriter:
    """Creates a store, or goes on with one that was interrupted or whose source has changed.

    Until `finish` the folder has no index and is therefore unfinished.

    Attributes:
        reusable: The clips that were cut before with the same settings, by id.
    """

    def __init__(self, path: Path, frames: FrameSettings) -> None:
        self._path = path
        self.reusable: dict[str, StoredClip] = {}
        (path / FRAMES).mkdir(parents=True, exist_ok=True)
        if read_frame_settings(path) == frames:
            self.reusable = read_known_clips(path)
        with replacing(path / PROGRESS) as part:
            write_rows(part, self.reusable.values())
        (path / INDEX).unlink(missing_ok=True)
        write_json(path / SETTINGS, {"version": FORMAT_VERSION, "frames": frames.to_json()})

    def add(self, clip: StoredClip) -> None:
        """Note a clip that is cut, so that an interrupted run need not cut it again."""
        append_row(self._path / PROGRESS, clip)

    def finish(
        self,
        settings: StoreSettings,
        clips: Sequence[StoredClip],
        splits: Splits,
        rejects: Iterable[Reject],
    ) -> Store:
        """Write the index, remove the frames of clips that are gone, and return the store."""
        path = self._path
        _remove_strays(path, clips)
        write_json(path / SETTINGS, settings.to_json())
        write_json(path / SPLITS, splits.to_json())
        with replacing(path / REJECTS) as part:
            write_rejects(part, rejects)
        with replacing(path / INDEX) as part:
            write_rows(part, clips)
        (path / PROGRESS).unlink(missing_ok=True)
        return Store.load(path)


class ClipWriter:
    """Writes one clip's frames as they come, in constant memory; raises OutputError if it cannot.

    The file is an ``.npy`` whose header is written again with the final count: NumPy pads headers
    so that the first axis can grow in place. End with `finish` or `discard`.
    """

    def __init__(
        self, store: Path, clip_id: str, frame_shape: tuple[int, ...], ending: str = ""
    ) -> None:
        """Start a clip; ``ending`` tells apart the writers of its segments."""
        self._store = store
        self._clip_id = clip_id
        self._frame_shape = frame_shape
        self._times_s: list[float] = []
        self._part = frames_path(store, clip_id).with_suffix(f"{ending}.part")
        self._digest = hashlib.sha256()
        with writing(self._part):
            self._file: BinaryIO = self._part.open("wb")
        self._write_header(0)

    @property
    def times_s(self) -> np.ndarray:
        """(F,) float64: the times of the frames so far."""
        return np.array(self._times_s, dtype=np.float64)

    def append(self, image: np.ndarray, time_s: float) -> None:
        """Add a frame and its time in seconds from the clip's start."""
        data = np.ascontiguousarray(image)
        with writing(self._part):
            self._file.write(data.data)
        self._digest.update(data.data)
        self._times_s.append(time_s)

    def finish(self) -> str:
        """Put the clip in its place and return the SHA-256 of its frames and times."""
        times_part = self._part.with_suffix(".times.part")
        with writing(self._part):
            self._file.seek(0)
            self._write_header(len(self._times_s))
            self._file.close()
            with times_part.open("wb") as lines:
                np.save(lines, self.times_s, allow_pickle=False)
            times_part.replace(times_path(self._store, self._clip_id))
            self._part.replace(frames_path(self._store, self._clip_id))
        self._digest.update(self.times_s.tobytes())
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Remove what was written and is not finished; does nothing after `finish`."""
        with suppress(OSError):  # what is still to be written on a full disk
            self._file.close()
        self._part.unlink(missing_ok=True)

    def _write_header(self, n_frames: int) -> None:
        shape = (n_frames, *self._frame_shape)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, header)


def write_keypoints(store: Path, clip_id: str, points: np.ndarray, times_s: np.ndarray) -> str:
    """Write the keypoints of a clip and return the SHA-256 of them and their times.

    Args:
        store: Its folder.
        clip_id: Of the clip.
        points: (F, P, 17, 3) float32.
        times_s: (F,) float64 seconds from the clip's start.

    Raises:
        OutputError: They cannot be written.
    """
    arrays = (times_path(store, clip_id), times_s), (keypoints_path(store, clip_id), points)
    digest = hashlib.sha256()
    for path, values in arrays:
        with replacing(path) as part, part.open("wb") as file:
            np.save(file, values, allow_pickle=False)
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def read_known_clips(path: Path) -> dict[str, StoredClip]:
    """Return the clips of a finished or unfinished store by id, whatever their settings."""
    rows = [
        *read_rows(path / INDEX, skip_broken=True),
        *read_rows(path / PROGRESS, skip_broken=True),
    ]
    return {clip.clip_id: clip for clip in rows}


def read_frame_settings(path: Path) -> FrameSettings | None:
    """Return what a finished or unfinished store's frames were prepared with, or None."""
    try:
        values = read_json(path / SETTINGS)
        if values.get("version") != FORMAT_VERSION:
            return None
        return FrameSettings.from_json(values["frames"])
    except (OSError, ValueError, KeyError):
        return None


def _remove_strays(store: Path, clips: Sequence[StoredClip]) -> None:
    wanted = {frames_path(store, clip.clip_id) for clip in clips}
    wanted |= {times_path(store, clip.clip_id) for clip in clips}
    wanted |= {keypoints_path(store, clip.clip_id) for clip in clips}
    for path in (store / FRAMES).iterdir():
        if path not in wanted and path.suffix in (".npy", ".part"):
            path.unlink()
