"""The same work as on one machine, done by the machines of a cluster."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from har.config import ScaleConfig
from har.dataset.catalog import Reject
from har.errors import WorkerError
from har.files import writing
from har.inference.engines import check_engine
from har.inference.folder import Finished, Plan, Standing, VideoJob, find_key, recognize_folder
from har.parallel import Crew, Lost, StartCrew
from har.scale.crew import RayCrew
from har.scale.failed import FailedVideos
from har.scale.ray_cluster import joining_cluster
from har.version import __version__


def recognize_on_cluster(
    plan: Plan,
    jobs: Sequence[VideoJob],
    folder: Path,
    config: ScaleConfig,
    again: bool = False,
    progress: Callable[[Standing], None] | None = None,
) -> Iterator[Finished]:
    """Recognize videos as `har.inference.folder.recognize_folder` does, on a cluster.

    The files are the same, and they alone say what is done: a run that lost a worker, a machine or
    its own process goes on when it is started again. Videos that were set aside are passed over.

    Args:
        plan: What to do; paths are those of every machine of the cluster.
        jobs: Different videos, whose files do not clash.
        folder: Of all files.
        config: The cluster.
        again: Also recognize those whose files are there, or that were set aside.
        progress: Is told now and then how far all is.

    Yields:
        Each video once, as it is finished.

    Raises:
        WorkerError: The cluster is not reached, or none of its machines can take part.
        OutputError: Files cannot be written on any of them.
    """
    settings = plan.describe()
    failed = FailedVideos(folder)
    keys = {str(job.path): find_key(job, settings) for job in jobs}
    failed.forget(keys)
    tried: list[VideoJob] = []
    for job in jobs:
        why = "" if again else failed.find(keys[str(job.path)])
        if why:
            yield Finished(job, Reject("", job.path, why))
        else:
            tried.append(job)

    def on_lost(job: VideoJob, lost: Lost, n_tries: int) -> None:
        failed.add(keys[str(job.path)], job.path, lost.reason, n_tries)

    paths = [folder, *(job.path for job in tried)]
    start = start_on_cluster(config, folder, paths, partial(_check_plan, plan, settings), on_lost)
    yield from recognize_folder(plan, tried, again, progress, start)


def start_on_cluster(
    config: ScaleConfig,
    folder: Path,
    paths: Iterable[Path],
    check: Callable[[], None] | None = None,
    on_lost: Callable[[VideoJob, Lost, int], None] | None = None,
) -> StartCrew:
    """Return what starts workers on a cluster, for what takes a crew.

    Args:
        config: The cluster.
        folder: What workers write to; all machines must see the same.
        paths: What they are told of; if one is relative, it is so to this process's own folder.
        check: Raises a `HarError` on a machine that does not fit.
        on_lost: Is told of a job that is given up, by its video.
    """
    here = Path.cwd() if not all(path.is_absolute() for path in paths) else None

    @contextmanager
    def start(on_wait: Callable[[], None]) -> Iterator[Crew]:
        def tell(task: object, lost: Lost, n_tries: int) -> None:
            job = getattr(task, "job", None)
            if on_lost is not None and isinstance(job, VideoJob):
                on_lost(job, lost, n_tries)

        with joining_cluster(config), _marking(folder) as mark:
            checks = partial(_check_machine, mark, here, __version__, check)
            with RayCrew(config, checks, on_wait, tell) as crew:
                yield crew

    return start


@contextmanager
def _marking(folder: Path) -> Iterator[Path]:
    """Put a file into a folder that tells whether another machine sees the same one."""
    mark = folder.absolute() / f".har.{secrets.token_hex(8)}"
    with writing(mark):
        folder.mkdir(parents=True, exist_ok=True)
        mark.touch()
    try:
        yield mark
    finally:
        with suppress(OSError):
            mark.unlink()


def _check_machine(
    mark: Path, here: Path | None, version: str, check: Callable[[], None] | None
) -> None:
    """Refuse a machine that would write elsewhere, or other files.

    Raises:
        WorkerError: It would.
    """
    if version != __version__:
        raise WorkerError(f"it has har {__version__}, this machine {version}; install the same")
    if not mark.exists():
        raise WorkerError(
            f"it does not see the folder {mark.parent} of this machine; results need a folder that "
            "all machines share, under the same path"
        )
    if here is not None:
        try:
            os.chdir(here)
        except OSError as error:
            raise WorkerError(
                f"it does not see the folder {here}, to which paths are relative; name absolute "
                "ones that all machines share"
            ) from error
    if check is not None:
        check()


def _check_plan(plan: Plan, settings: str) -> None:
    """Refuse a machine that would find something else: another engine, or another model.

    Raises:
        WorkerError: It would.
        MissingDependencyError: It has not the engine that was chosen here.
        OSError: It does not see the model.
    """
    if plan.describe() != settings:
        raise WorkerError(
            f"the model {plan.bundle} or the engine is another one there than here; install the "
            "same packages, or set HAR_ENGINE"
        )
    for engine in (plan.engines or {}).values():
        check_engine(engine)
