"""Many videos: each recognized by a process of its own, here or on a cluster, and its files."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from ctypes import Array, c_double
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from traceback import format_exc

import numpy as np

from har.bundle import BUNDLE_FILE
from har.config import DecodeConfig, Engine, PredictConfig
from har.dataset.catalog import Reject
from har.errors import HarError, VideoError, VideoWriteError
from har.feature_files import FEATURES_ENDING, FeatureWriter
from har.files import add_ending, compute_file_hash
from har.inference.cache import compute_key, load_result, save_result, start_result
from har.inference.engines import find_named_engine
from har.inference.features import build_header, is_encoded, recognize_encoded
from har.inference.model import Recognizer
from har.inference.people import find_people_in
from har.inference.steps import Networks, build_networks, open_networks
from har.inference.video import recognize_video
from har.parallel import Lost, StartCrew, Workers, count_cores, describe_fault, share_numbers
from har.result import Progress, VideoResult
from har.types import Streams
from har.version import __version__

_log = logging.getLogger(__name__)

_COLUMNS = 2


class SharedProgress:
    """Numbers that all processes have in their memory, which ends with the last of them.

    There is no lock, so a process that is killed holds up nobody. Each row is written by one
    process alone; the last one is the word to stop.

    Attributes:
        memory: What a pool's processes are handed when they start.
    """

    def __init__(self, memory: Array[c_double]) -> None:
        """Take memory of `share_progress`."""
        self.memory = memory
        self._cells = np.ctypeslib.as_array(memory).reshape(-1, _COLUMNS)

    def note(self, row: int, done_s: float, total_s: float | None) -> None:
        """Note how far a video is.

        Raises:
            KeyboardInterrupt: The word to stop was given.
        """
        if self._cells[-1, 0]:
            raise KeyboardInterrupt
        self._cells[row] = done_s, total_s or 0.0

    def stop(self) -> None:
        """Return the word to stop: every process ends with its next `note`."""
        self._cells[-1, 0] = 1.0

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (N,) seconds done of each video, and (N,) seconds in all, 0 if unknown."""
        cells = self._cells[:-1].copy()
        return cells[:, 0], cells[:, 1]


def share_progress(n_rows: int) -> SharedProgress:
    """Return zeros for so many videos, which worker processes can be handed.

    Raises:
        WorkerError: The system does not let processes share memory.
    """
    return SharedProgress(share_numbers((n_rows + 1) * _COLUMNS))


def _build_own_progress(n_rows: int) -> SharedProgress:
    """Return zeros for so many videos, for this process alone."""
    return SharedProgress((c_double * ((n_rows + 1) * _COLUMNS))())


_own: dict[str, SharedProgress] = {}
"""In a worker process, what it was handed when it started."""


def _take_progress(memory: Array[c_double]) -> None:
    _own["progress"] = SharedProgress(memory)


Write = Callable[[Path, VideoResult], None]
"""Writes files of a result, whose names begin with the given path and a dot."""

_TELL_EVERY_S = 0.2
_SEEN_AFTER_S = (0.1, 1.0, 5.0)
_DIED = (
    "the process that recognized it was killed, by the system if memory ran out, or by a fault in "
    "the decoder; run the same command again, and if it ends so again repair or replace the file"
)


@dataclass(frozen=True)
class StoredFile:
    """What is known of a video that is in an object store.

    Attributes:
        version: Changes with what is in it.
        n_bytes: Its size.
    """

    version: str
    n_bytes: int


Fetch = Callable[[Path, StoredFile], AbstractContextManager[Path]]
"""Brings a video of an object store to this machine, for as long as a ``with`` block lasts."""


@dataclass(frozen=True)
class Plan:
    """What is done with each of many videos.

    Attributes:
        bundle: The trained model's folder.
        write: What is written beside the scores; a function that worker processes can be sent.
        outputs: Says in words all on which ``write`` depends, but for ``keeps``.
        config: How videos are recognized; with ``jobs`` of them at once.
        decode: How scores become events; the bundle's own when None.
        fetch: Brings videos that are in an object store.
        streams: Which of the bundle's streams are used; all when None.
        engines: What runs each network, in all processes and on all machines alike, as in
            ``engines`` of a `Recognizer`; what ``HAR_ENGINE`` names, else the default, when None.
        keeps: What is written of each video for a later run, such as ``features``. A video of which
            more was kept is done, too.
    """

    bundle: Path
    write: Write
    outputs: str = ""
    config: PredictConfig = field(default_factory=PredictConfig)
    decode: DecodeConfig | None = None
    fetch: Fetch | None = None
    streams: Streams | None = None
    engines: Mapping[str, Engine] | None = None
    keeps: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return all that shapes a video's files, as text; how many cores are used is no part.

        Nor is which engine was fastest here, if that changes no more than last digits: another
        machine would do all videos again. One that is named by hand is.
        """
        same = replace(self.config, jobs=0, n_ahead=1, keep_places=False)
        decode = None if self.decode is None else asdict(self.decode)
        bundle_hash = compute_file_hash(self.bundle / BUNDLE_FILE)
        engine = find_named_engine() or ("" if same.precision == "full" else self.engines)
        made_by = (__version__, engine, bundle_hash, *filter(None, [self.streams]))
        return json.dumps([*made_by, self.outputs, asdict(same), decode])


@dataclass(frozen=True)
class VideoJob:
    """One of many videos.

    Attributes:
        path: The video.
        base: What the names of its files begin with: their folder and the stem.
        stored: What is known of it, if it is in an object store.
    """

    path: Path
    base: Path
    stored: StoredFile | None = None


@dataclass(frozen=True)
class Finished:
    """What became of a video.

    Attributes:
        job: The video.
        outcome: What was found, or why nothing could be.
        is_unchanged: An earlier run found it, and nothing has changed since.
    """

    job: VideoJob
    outcome: VideoResult | Reject
    is_unchanged: bool = False


@dataclass(frozen=True)
class Standing:
    """How far a run is with the videos that it has to recognize.

    Attributes:
        done_s: Seconds of video that are recognized.
        share: Of the whole work, from 0 to 1; videos count by their bytes.
        n_done: Videos that are finished.
        n_videos: All of them.
    """

    done_s: float
    share: float
    n_done: int
    n_videos: int


@dataclass(frozen=True)
class _Task:
    """A job as a worker process gets it."""

    row: int
    job: VideoJob
    plan: Plan
    settings: str


_Outcomes = Generator[tuple[_Task, VideoResult | Reject]]


def recognize_folder(
    plan: Plan,
    jobs: Sequence[VideoJob],
    again: bool = False,
    progress: Callable[[Standing], None] | None = None,
    start_crew: StartCrew | None = None,
) -> Iterator[Finished]:
    """Recognize videos and write the files of each as soon as it is done.

    Several videos are recognized at once, each in a process of its own on one core; a single one
    uses all cores. A video that cannot be read, or makes its process die, never stops the others.

    Args:
        plan: What to do.
        jobs: Different videos, whose files do not clash.
        again: Also recognize those whose files are there already, from the same video, bundle and
            settings.
        progress: Is told now and then how far all is.
        start_crew: Who recognizes them, on machines that see the same folders; this machine when
            None.

    Yields:
        Each video once, as it is finished.

    Raises:
        BundleError: The bundle is absent, damaged or does not fit this version.
        ConfigError: The background label is none of the bundle's.
        OutputError: Files cannot be written; those of finished videos stay.
        VideoWriteError: Likewise, of an annotated video.
    """
    recognizer = Recognizer(plan.bundle, 1, plan.engines, plan.config.exact, plan.streams)
    settings = plan.describe()
    pending: list[VideoJob] = []
    for job in jobs:
        kept = None if again else _find_unchanged(job, settings, plan.keeps)
        if kept is None:
            pending.append(job)
        else:
            yield Finished(job, kept, is_unchanged=True)
    n_cores = plan.config.jobs or count_cores()
    tasks = [_Task(row, job, plan, settings) for row, job in enumerate(pending)]
    if start_crew is not None:
        meter = _Meter(tasks, _build_own_progress(len(tasks)), progress)
        found = _run_elsewhere(tasks, meter, start_crew)
    elif min(n_cores, len(tasks)) <= 1:
        meter = _Meter(tasks, _build_own_progress(len(tasks)), progress)
        found = _run_here(tasks, recognizer, n_cores, meter)
    else:
        meter = _Meter(tasks, share_progress(len(tasks)), progress)
        found = _run_apart(tasks, n_cores, meter)
    with closing(found):
        for task, outcome in found:
            meter.finish(task.row)
            trace = outcome.trace if isinstance(outcome, Reject) else ""
            _log.info("Finished %s%s", task.job.path, trace and f"\n{trace}")
            yield Finished(task.job, outcome)


def _find_unchanged(job: VideoJob, settings: str, keeps: Collection[str]) -> VideoResult | None:
    key = find_key(job, settings)
    return load_result(job.base, key, keeps) if key else None


def find_key(job: VideoJob, settings: str) -> str:
    """Return what is the same as long as a video and settings do not change; empty without one."""
    try:
        return compute_key(job.path, settings, version=job.stored.version if job.stored else "")
    except OSError:  # the reader says what is wrong with it
        return ""


def _run_here(
    tasks: Sequence[_Task], recognizer: Recognizer, n_cores: int, meter: _Meter
) -> _Outcomes:
    """Recognize one video after another, each on all cores."""
    with open_networks(recognizer, n_cores) as networks:
        for task in tasks:
            yield task, _run_task(task, recognizer, networks, meter.shared, meter.update)


def _run_apart(tasks: Sequence[_Task], n_cores: int, meter: _Meter) -> _Outcomes:
    """Recognize several videos at once, the largest files first, each on one core."""
    ordered = sorted(tasks, key=lambda task: -meter.n_bytes[task.row])
    with Workers(
        min(n_cores, len(tasks)),
        on_wait=meter.update,
        on_stop=meter.shared.stop,
        on_start=partial(_take_progress, meter.shared.memory),
    ) as workers:
        for task, outcome in workers.run(_work, ordered):
            yield task, _to_reject(task, outcome) if isinstance(outcome, Lost) else outcome


def _to_reject(task: _Task, lost: Lost) -> Reject:
    return Reject("", task.job.path, lost.reason or _DIED)


def _work(task: _Task) -> VideoResult | Reject:
    """Do a task in a worker process."""
    return _run_on_one_core(task, _own["progress"])


def _run_on_one_core(task: _Task, shared: SharedProgress) -> VideoResult | Reject:
    recognizer, networks = _load_for(task.plan)
    one_core = replace(task, plan=replace(task.plan, config=replace(task.plan.config, jobs=1)))
    return _run_task(one_core, recognizer, networks, shared)


def _run_elsewhere(tasks: Sequence[_Task], meter: _Meter, start_crew: StartCrew) -> _Outcomes:
    """Recognize videos on other machines, whose files say here what was found."""
    ordered = sorted(tasks, key=lambda task: -meter.n_bytes[task.row])
    with start_crew(meter.update) as crew:
        for task, outcome in crew.run(_work_elsewhere, ordered):
            if isinstance(outcome, Lost):
                yield task, _to_reject(task, outcome)
                continue
            found = outcome or _read_back(task)
            if isinstance(found, VideoResult):
                meter.shared.note(task.row, found.duration_s, found.duration_s)
            yield task, found


def _work_elsewhere(task: _Task) -> Reject | None:
    """Do a task in a process that shares no memory; None says that its files are there."""
    done = _run_on_one_core(replace(task, row=0), _build_own_progress(1))
    return done if isinstance(done, Reject) else None


def _read_back(task: _Task) -> VideoResult | Reject:
    """Return what another machine wrote; a shared folder may show it a moment later."""
    for pause_s in (0.0, *_SEEN_AFTER_S):
        time.sleep(pause_s)
        found = _find_unchanged(task.job, task.settings, task.plan.keeps)
        if found is not None:
            return found
    why = "its files were written on another machine, but are not seen here; run again"
    return Reject("", task.job.path, why)


def _load_for(plan: Plan) -> tuple[Recognizer, Networks]:
    """Return a plan's bundle and its networks without threads: a process loads them once."""
    bundle_hash = compute_file_hash(plan.bundle / BUNDLE_FILE)
    engines = None if plan.engines is None else tuple(plan.engines.items())
    return _load(plan.bundle, bundle_hash, plan.config.exact, plan.streams, engines)


@lru_cache(maxsize=1)
def _load(
    bundle: Path,
    _bundle_hash: str,
    exact: bool,
    streams: Streams | None,
    engines: tuple[tuple[str, Engine], ...] | None,
) -> tuple[Recognizer, Networks]:
    engine = None if engines is None else dict(engines)
    recognizer = Recognizer(bundle, 1, engine, exact, streams)
    return recognizer, build_networks(recognizer)


def _run_task(
    task: _Task,
    recognizer: Recognizer,
    networks: Networks,
    shared: SharedProgress,
    on_frame: Callable[[], None] | None = None,
) -> VideoResult | Reject:
    """Recognize a video and write its files; whatever fails about it alone makes it a reject."""
    job, plan = task.job, task.plan

    def note(done_s: float, total_s: float | None) -> None:
        shared.note(task.row, done_s, total_s)
        if on_frame is not None:
            on_frame()

    key = find_key(job, task.settings)
    try:
        with _fetching(job, plan) as file, _keeping_features(file, job, plan) as features:
            found = _recognize(file, plan, recognizer, networks, note, features)
            result = replace(found, info=replace(found.info, path=job.path), file=file)
            start_result(job.base, result)
            plan.write(job.base, result)
            if features is not None:
                header = build_header(recognizer, result)
                features.save(add_ending(job.base, FEATURES_ENDING), header)
            save_result(job.base, key, result, plan.keeps)
    except VideoWriteError:
        raise
    except VideoError as error:
        return Reject("", job.path, str(error))
    except HarError:  # not of this video: the disk, the bundle
        raise
    except Exception as error:  # noqa: BLE001, one video must not end the others
        return Reject("", job.path, describe_fault(error), format_exc())
    return replace(result, file=None)


@contextmanager
def _fetching(job: VideoJob, plan: Plan) -> Iterator[Path]:
    """Have a video on this machine; what goes wrong with it is told of its own place."""
    if job.stored is None or plan.fetch is None:
        yield job.path
        return
    with plan.fetch(job.path, job.stored) as file:
        try:
            yield file
        except VideoWriteError:
            raise
        except VideoError as error:
            text = str(error).replace(str(file), str(job.path))
            raise VideoError(text) from error


def _keeping_features(
    file: Path, job: VideoJob, plan: Plan
) -> AbstractContextManager[FeatureWriter | None]:
    keeps = "features" in plan.keeps and not is_encoded(file)
    return FeatureWriter(job.base.parent) if keeps else nullcontext()


def _recognize(
    file: Path,
    plan: Plan,
    recognizer: Recognizer,
    networks: Networks,
    note: Progress,
    features: FeatureWriter | None,
) -> VideoResult:
    if is_encoded(file):
        decode = plan.decode or recognizer.info.decode
        return recognize_encoded(recognizer, file, plan.config.poses, decode)
    result = recognize_video(
        recognizer,
        file,
        config=plan.config,
        decode=plan.decode,
        progress=note,
        networks=networks,
        features=features,
    )
    if plan.config.find_people:
        return replace(result, people=find_people_in(file, plan.config.jobs))
    return result


class _Meter:
    """Adds up how far all videos are and tells it."""

    def __init__(
        self,
        tasks: Sequence[_Task],
        shared: SharedProgress,
        progress: Callable[[Standing], None] | None,
    ) -> None:
        self.shared = shared
        self.n_bytes = np.array([_count_bytes(task.job) for task in tasks], dtype=np.float64)
        self._is_done = np.zeros(len(tasks), dtype=bool)
        self._progress = progress
        self._told_s = 0.0

    def finish(self, row: int) -> None:
        """Count a video as done, whatever became of it."""
        self._is_done[row] = True
        self._tell()

    def update(self) -> None:
        """Tell how far all is, unless it was told just before."""
        now_s = time.monotonic()
        if now_s - self._told_s >= _TELL_EVERY_S:
            self._told_s = now_s
            self._tell()

    def _tell(self) -> None:
        if self._progress is None:
            return
        done_s, total_s = self.shared.read()
        shares = np.minimum(np.divide(done_s, total_s, np.zeros_like(done_s), where=total_s > 0), 1)
        shares[self._is_done] = 1.0
        weights = self.n_bytes / max(self.n_bytes.sum(), 1.0)
        n_done = int(self._is_done.sum())
        self._progress(Standing(float(done_s.sum()), float(shares @ weights), n_done, len(shares)))


def _count_bytes(job: VideoJob) -> int:
    try:
        return job.stored.n_bytes if job.stored else job.path.stat().st_size
    except OSError:  # the reader says what is wrong with it
        return 0
