"""Recognition over HTTP, for programs that are not written in Python."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from har.api.model import Model, load
from har.api.settings import StrPath, extra, list_paths
from har.config import ServeConfig
from har.errors import ConfigError
from har.result import Progress

_LEAST_TOKEN = 16


def serve_predictions(
    model: Model | StrPath | None = None,
    *,
    roots: StrPath | Iterable[StrPath] = (),
    host: str = "127.0.0.1",
    port: int = 8090,
    token: str | None = None,
    config: ServeConfig | None = None,
    on_start: Callable[[str, str], None] | None = None,
) -> None:
    """Recognize videos that come over HTTP, until it is stopped.

    Uploads and results are in a folder of their own, which is deleted at the end; an upload is
    deleted as soon as it is recognized. One video is recognized at a time, the others wait.

    Args:
        model: A loaded one, a folder or a name; the default as of `har.load` when None.
        roots: Folders of which videos may be named by their path; none when empty.
        host: Address to listen on; anything but loopback lets other machines in, without
            encryption.
        port: 0 takes a free one.
        token: Who sends it may do everything; a new one when None.
        config: Limits.
        on_start: Gets the address and the token.

    Raises:
        BundleError: The model is absent or damaged.
        ConfigError: The port is taken, the token is short, or a root is no folder.
        MissingDependencyError: The extra ``serve`` is not installed.

    Example:
        >>> import har
        >>> har.serve_predictions("fight", roots="recordings")  # doctest: +SKIP
    """
    with extra("serve"):
        from har.serve.jobs import JobQueue
        from har.serve.running import bind, run_app
        from har.serve.server import create_app

    token = secrets.token_urlsafe(24) if token is None else token
    if len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable():
        raise ConfigError(f"Expected a token of at least {_LEAST_TOKEN} plain letters and digits")
    folders = list_paths(roots)
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"There is no folder {folder} for roots; make it, or name another")
    limits, loaded = config or ServeConfig(), model if isinstance(model, Model) else load(model)

    def recognize(path: Path, progress: Progress) -> tuple[dict[str, Any], dict[str, Any]]:
        result = loaded.predict(path, progress=progress)
        scores = result.scores
        return result.to_json(), {
            "labels": list(scores.labels),
            "step_s": scores.step_s,
            "times_s": np.round(scores.times_s, 4).tolist(),
            "values": np.round(scores.values.astype(np.float64), 4).tolist(),
        }

    bound = bind(host, port)
    with (
        TemporaryDirectory(prefix="har-serve-") as home,
        JobQueue(Path(home), limits, recognize) as jobs,
    ):
        app = create_app(jobs, limits, token, folders, loaded.name)
        if on_start is not None:
            shown = f"[{host}]" if ":" in host else host
            on_start(f"http://{shown}:{bound.getsockname()[1]}", token)
        run_app(app, bound, limits)
