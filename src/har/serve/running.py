"""Runs the service until it is stopped."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from threading import current_thread, main_thread
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from har.config import ServeConfig
from har.errors import ConfigError

_MAX_CONNECTIONS = 128
_GRACE_S = 5.0
"""After the longest time for a body the application refuses it in words; then the line is cut."""


class _Impatient(H11Protocol):
    """Cuts lines on which a request does not arrive whole: the server itself waits for ever."""

    def __init__(self, *args: Any, head_s: float, body_s: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits_s = {h11.IDLE: head_s, h11.SEND_BODY: body_s}
        self._stage: object = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the head of a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Wait for what is still to come of the request."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Start to wait where another part of a request is due, else go on waiting."""
        stage = self.conn.their_state
        if stage is not self._stage:
            self._stop()
            self._stage = stage
            if stage in self._limits_s:
                self._timer = self.loop.call_later(self._limits_s[stage], self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def run_app(app: ASGIApp, bound: socket.socket, config: ServeConfig) -> None:
    """Answer requests until Ctrl-C or a service manager ends it."""
    protocol = partial(_Impatient, head_s=config.head_s, body_s=config.upload_s + _GRACE_S)
    settings = uvicorn.Config(
        app,
        http=protocol,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=5,
    )
    with closing(bound), _interrupted_by_sigterm(), suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[bound])


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
