"""Runs the service until it is stopped."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import current_thread, main_thread

import uvicorn
from starlette.types import ASGIApp

from har.errors import ConfigError

_MAX_CONNECTIONS = 128


def run_app(app: ASGIApp, bound: socket.socket) -> None:
    """Answer requests until Ctrl-C or a service manager ends it."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=5,
    )
    with closing(bound), _interrupted_by_sigterm(), suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let a service manager's stop end the block as Ctrl-C does, so that uploads are deleted.

    The server raises the signal again once it has ended.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ConfigError: The address or the port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_MAX_CONNECTIONS)
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"Port {port} of {host} cannot be used: {reason}; choose others with --host and --port"
        ) from error
    return bound
