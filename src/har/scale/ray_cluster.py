"""What har knows of Ray: a cluster is joined, workers are started, asked and ended.

Everything that Ray raises is translated here. Nothing of what it would tell others is sent: its
usage statistics and its dashboard are off.
"""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from har.addresses import mask_address
from har.config import ScaleConfig
from har.errors import HarError, WorkerError
from har.parallel import count_cores, use_one_core

_STORE_BYTES = 100 * 1024 * 1024
"""Of memory that Ray's processes share: only summaries travel, never frames."""

_ANSWERS_WITHIN_S = 5.0

_PASSED_ON = ("HAR_ENGINE",)
"""Variables of this process that shape results, so every worker must have them."""


@dataclass(frozen=True)
class Refused:
    """What a worker answers where its machine, not the job, is to blame: a full disk, say."""

    error: OSError


class Died(Exception):  # noqa: N818, it is what happened, and is caught here
    """A worker has ended.

    Attributes:
        was_taken: The cluster took its machine away, which is nobody's fault.
    """

    def __init__(self, was_taken: bool) -> None:
        super().__init__("a worker has ended")
        self.was_taken = was_taken


class _Actor:
    """A worker process of the cluster; what it has loaded stays until it ends."""

    def start(self, check: Callable[[], None]) -> tuple[str, str]:
        """Return the machine's name, and why it cannot take part; empty if it can."""
        use_one_core()
        try:
            check()
        except (HarError, OSError) as error:
            return socket.gethostname(), str(error)
        return socket.gethostname(), ""

    def run(self, function: Callable[[Any], Any], job: Any) -> Any:
        try:
            return function(job)
        except OSError as error:
            return Refused(error)


@contextmanager
def joining_cluster(config: ScaleConfig) -> Iterator[None]:
    """Be part of a cluster inside the ``with`` block.

    Raises:
        WorkerError: There is no cluster at that address, or none can be started here.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = _load()
    if ray.is_initialized():  # by the script that calls
        yield
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if config.on == "ray":
                _join_or_start(ray, config, quiet)
            else:
                _join_host(ray, config.on, quiet)
    except Exception as error:
        raise WorkerError(
            f"The Ray cluster {mask_address(config.on)} is not reached: {_cut(error)}. Start "
            "one with 'ray start --head', check host, port (10001) and that Ray has the "
            "same version there; if the cluster has a token (~/.ray/auth_token of its head), set "
            "RAY_AUTH_MODE=token and have the token here too; or leave out --on"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _load() -> Any:
    import ray

    return ray


def _join_or_start(ray: Any, config: ScaleConfig, quiet: dict[str, Any]) -> None:
    _forget_gone_cluster()
    try:
        ray.init(address="auto", **quiet)
    except ConnectionError:
        here = {
            "address": "local",
            "num_cpus": config.n_workers or count_cores(),
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
        }
        try:
            ray.init(**here, **quiet)
        except Exception:  # noqa: BLE001, it waits 30 s, which a busy machine may exceed once
            ray.shutdown()
            ray.init(**here, **quiet)


def _forget_gone_cluster() -> None:
    """Delete what Ray noted of a cluster that nothing of answers any more.

    A head that was killed, or whose machine was started anew, leaves the note, and Ray would wait a
    quarter of an hour for it, and then start none.
    """
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
    note = Path(folder) / "ray" / "ray_current_cluster"
    try:
        host, _, port = note.read_text().strip().rpartition(":")
        with socket.create_connection((host, int(port)), _ANSWERS_WITHIN_S):
            return
    except ConnectionRefusedError:
        with suppress(OSError):
            note.unlink()
    except (OSError, ValueError):  # there is no note, or it is not certain that nothing answers
        return


def _join_host(ray: Any, address: str, quiet: dict[str, Any]) -> None:
    try:
        ray.init(address=address, **quiet)
    except ConnectionAbortedError:  # its process for this client died, as gRPC's may after a fork
        ray.init(address=address, **quiet)


def _cut(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def count_processors() -> int:
    """Return the processor cores of all machines that are part of the cluster now."""
    return int(_ask(lambda ray: ray.cluster_resources()).get("CPU", 0))


def has_machines() -> bool:
    """Return whether a machine of the cluster is alive, that of its head among them."""
    return bool(_ask(lambda ray: any(node["Alive"] for node in ray.nodes())))


def start_worker(check: Callable[[], None]) -> tuple[Any, Any]:
    """Start a worker on one core, once the cluster has room for it.

    Args:
        check: Raises a `HarError` where the worker's machine does not fit.

    Returns:
        The worker, and its call of ``check``, for `take`.
    """

    def start(ray: Any) -> tuple[Any, Any]:
        variables = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        options = {"runtime_env": {"env_vars": variables}} if variables else {}
        actor = ray.remote(num_cpus=1, max_restarts=0, **options)(_Actor).remote()
        return actor, actor.start.remote(check)

    return _ask(start)


def call(worker: Any, function: Callable[[Any], Any], job: Any) -> Any:
    """Give a worker a job, and return the call for `take`."""
    return _ask(lambda _: worker.run.remote(function, job))


def wait_for(calls: Sequence[Any], timeout_s: float) -> list[Any]:
    """Return the calls that are answered, all that are as soon as one is, or after a time."""

    def wait(ray: Any) -> list[Any]:
        ready, _ = ray.wait(list(calls), num_returns=1, timeout=timeout_s)
        if not ready:
            return []
        return ray.wait(list(calls), num_returns=len(calls), timeout=0)[0] or ready

    return _ask(wait)


def take(answered: Any) -> Any:
    """Return the answer of a call.

    Raises:
        Died: The worker has ended.
        Exception: What the job raised, but for an OSError, which comes as `Refused`.
    """
    return _ask(lambda ray: ray.get(answered))


def end_worker(worker: Any) -> None:
    """End a worker at once, whatever it is at."""
    _ask(lambda ray: ray.kill(worker, no_restart=True))


def _ask(action: Callable[[Any], Any]) -> Any:
    ray = _load()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return action(ray)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except (ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError) as error:
        raise Died(bool(getattr(error, "preempted", False))) from error
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise WorkerError(
            f"The Ray cluster is no longer reached: {_cut(error)}. Videos that are done stay; run "
            "the same command again to go on"
        ) from error
