"""Jobs of the service: they wait in turn, one runs, their results are files for a while."""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Literal

from har import files
from har.config import ServeConfig
from har.errors import HarError, VideoError
from har.parallel import Closing, describe_fault
from har.progress import format_count
from har.result import Progress

_log = logging.getLogger(__name__)

JobState = Literal["waiting", "running", "done", "failed"]
Recognize = Callable[[Path, Progress], tuple[dict[str, Any], dict[str, Any]]]
"""Returns the result of a video without its scores, and these."""

_MEGABYTE = 1_000_000
_JOIN_S = 10.0


class FullError(Exception):
    """There is no room for another job or upload now."""


@dataclass
class Job:
    """One video that is to be recognized.

    Attributes:
        id: Cannot be guessed.
        name: What the sender calls the video.
        folder: Of its upload and its results.
        path: The video.
        n_bytes: Of the upload so far; 0 for a video that was there.
        state: How far it is.
        done_s: Seconds of the video that are recognized.
        length_s: Of the video, as soon as that is known.
        error: Why it failed.
        ended_at_s: When it was over, by the monotonic clock.
        is_canceled: Whether nobody needs it any more.
    """

    id: str
    name: str
    folder: Path
    path: Path
    n_bytes: int = 0
    state: JobState = "waiting"
    done_s: float = 0.0
    length_s: float | None = None
    error: str = ""
    ended_at_s: float | None = None
    is_canceled: bool = False
    over: Event = field(default_factory=Event)

    @property
    def result_path(self) -> Path:
        """Return the file of the result."""
        return self.folder / "result.json"

    @property
    def scores_path(self) -> Path:
        """Return the file of the scores."""
        return self.folder / "scores.json"

    def to_json(self) -> dict[str, Any]:
        """Return what a client gets to know."""
        share = min(self.done_s / self.length_s, 1.0) if self.length_s else 0.0
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "progress": 1.0 if self.state == "done" else round(share, 3),
            "error": self.error or None,
        }


class JobQueue(Closing):
    """Recognizes one video after the other on a thread of its own, inside its ``with`` block."""

    def __init__(self, folder: Path, config: ServeConfig, recognize: Recognize) -> None:
        """Start the thread.

        Args:
            folder: Of uploads and results, its own.
            config: Limits.
            recognize: Is called with one video at a time.
        """
        self._folder, self._config, self._recognize = folder, config, recognize
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()
        self._n_stored = 0
        self._n_uploads = 0
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="har-serve", daemon=True)
        self._thread.start()

    def begin(self, name: str, path: Path | None = None) -> Job:
        """Return a new job, which waits for `submit`.

        Args:
            name: What the sender calls the video.
            path: The video; None for an upload, which is to be written to the job's own.

        Raises:
            FullError: Too many wait, or are being uploaded.
        """
        self._forget()
        with self._lock:
            n_waiting = sum(job.ended_at_s is None for job in self._jobs.values())
            if n_waiting >= self._config.max_waiting:
                raise FullError(f"{format_count(n_waiting, 'video waits', 'videos wait')} already")
            if path is None and self._n_uploads >= self._config.max_uploads:
                raise FullError(
                    f"{format_count(self._n_uploads, 'upload is', 'uploads are')} under way already"
                )
            job_id = secrets.token_urlsafe(12)
            folder = self._folder / job_id
            folder.mkdir(mode=0o700)
            job = Job(job_id, name, folder, path or folder / f"upload{_find_suffix(name)}")
            self._jobs[job_id] = job
            self._n_uploads += path is None
        return job

    def store(self, job: Job, n_bytes: int) -> None:
        """Count bytes of an upload before they are written.

        Raises:
            FullError: All uploads together would take too much of the disk.
        """
        with self._lock:
            if self._n_stored + n_bytes > self._config.max_stored_mb * _MEGABYTE:
                raise FullError("the uploads that wait take all the room there is for them")
            self._n_stored += n_bytes
            job.n_bytes += n_bytes

    def end_upload(self) -> None:
        """Make room for another upload."""
        with self._lock:
            self._n_uploads -= 1

    def submit(self, job: Job) -> None:
        """Let a job wait for its turn."""
        self._queue.put(job)

    def get(self, job_id: str) -> Job | None:
        """Return a job, None where there is none of that id any more."""
        self._forget()
        with self._lock:
            return self._jobs.get(job_id)

    def list_jobs(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        self._forget()
        with self._lock:
            return list(self._jobs.values())

    def remove(self, job: Job) -> None:
        """Forget a job and delete its files; one that waits or runs ends."""
        job.is_canceled = True
        with self._lock:
            known = self._jobs.pop(job.id, None)
        if known is not None and job.state != "running":
            self._delete(job)

    def close(self) -> None:
        """End what runs, and delete everything."""
        for job in self.list_jobs():
            self.remove(job)
        self._queue.put(None)
        self._thread.join(_JOIN_S)

    def _forget(self) -> None:
        """Remove what is too old or too much."""
        now_s = time.monotonic()
        with self._lock:
            over = [job for job in self._jobs.values() if job.ended_at_s is not None]
        over.sort(key=lambda job: job.ended_at_s or 0.0)
        n_extra = max(len(over) - self._config.max_results, 0)
        for number, job in enumerate(over):
            if number < n_extra or now_s - (job.ended_at_s or 0.0) > self._config.keep_s:
                self.remove(job)

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            if not job.is_canceled:
                job.state = "running"
                self._work(job)
            self._drop_upload(job)
            if job.is_canceled:
                self._delete(job)
            job.ended_at_s = time.monotonic()
            job.over.set()

    def _work(self, job: Job) -> None:
        def follow(done_s: float, length_s: float | None) -> None:
            job.done_s, job.length_s = done_s, length_s
            if job.is_canceled:
                raise VideoError("It was canceled")
            if max(done_s, length_s or 0.0) > self._config.max_video_s:
                raise VideoError(
                    f"The video is longer than the {self._config.max_video_s:g} s that are "
                    "recognized here; cut it, or set another limit"
                )

        try:
            result, scores = self._recognize(job.path, follow)
            if not job.is_canceled:
                files.write_json(job.result_path, {**result, "video": job.name})
                files.write_json(job.scores_path, scores)
            job.state = "done"
        except HarError as error:
            job.error, job.state = str(error).replace(str(job.path), job.name), "failed"
        except Exception as error:  # noqa: BLE001, one video never ends the others
            _log.warning("A video cannot be recognized", exc_info=True)
            job.error, job.state = describe_fault(error), "failed"

    def _drop_upload(self, job: Job) -> None:
        if job.path.parent == job.folder:
            job.path.unlink(missing_ok=True)
        with self._lock:
            self._n_stored -= job.n_bytes
            job.n_bytes = 0

    def _delete(self, job: Job) -> None:
        self._drop_upload(job)
        shutil.rmtree(job.folder, ignore_errors=True)


def _find_suffix(name: str) -> str:
    """Return the ending of a video's name where it is a plain one; what is inside decides."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 5 else ".mp4"
