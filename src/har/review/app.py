"""Runs the review page on this machine's loopback."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable
from contextlib import closing

import uvicorn

from har.errors import ReviewError
from har.review.project import Project
from har.review.server import create_app

HOST = "127.0.0.1"


def serve(
    project: Project, port: int, is_opened: bool, on_start: Callable[[str], None] | None
) -> None:
    """Serve the page until the process is told to stop.

    Args:
        project: What is reviewed.
        port: On the loopback; 0 takes a free one.
        is_opened: Whether to open a browser.
        on_start: Gets the address with the token of this run.

    Raises:
        ReviewError: The port is taken.
    """
    token = secrets.token_urlsafe(24)
    with closing(_bind(port)) as bound:
        number = bound.getsockname()[1]
        hosts = (f"{HOST}:{number}", f"localhost:{number}")
        app = create_app(project, token, hosts)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        address = f"http://{HOST}:{number}/?token={token}"
        if on_start is not None:
            on_start(address)
        if is_opened:
            webbrowser.open(address)
        uvicorn.Server(config).run(sockets=[bound])


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen()  # who opens the address at once waits for the server
    except OSError as error:
        bound.close()
        raise ReviewError(
            f"Port {port} of {HOST} cannot be used: {error.strerror}; choose another with --port"
        ) from error
    return bound
