"""`har serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from har.cli.common import PATH, path_option
from har.cli.output import say_result


@click.command()
@path_option("--bundle", "model", help="A trained model's folder.")
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=PATH,
    help="Folder of which videos may be named by their path; several times for several.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, help="0 takes a free one.")
@path_option(
    "--token-file",
    help="File of one line, the token; a new one is printed where there is none.",
)
@click.option("--max-mb", type=int, help="Size of one upload, in megabytes.  [default: 512]")
@click.option("--max-waiting", type=int, help="Videos that may wait.  [default: 100]")
@click.option("--max-video-s", type=float, help="Length of one video.  [default: 14400]")
def serve(token_file: Path | None, **options: Any) -> None:
    """Recognize videos that other programs send over HTTP.

    A program posts a video to /predict and gets the events, or a job that it follows; /openapi.json
    describes all of it. Every request needs the token. Uploads are deleted once they are
    recognized, results when it ends. It runs until Ctrl+C.

    It is reached from this machine only, unless --host names another address; then put a server
    before it that encrypts.
    """
    import har
    from har.config import ServeConfig
    from har.config.secrets import read_secret

    limits = {name: options.pop(name) for name in ("max_mb", "max_waiting", "max_video_s")}
    given = {name: value for name, value in limits.items() if value is not None}
    token = None if token_file is None else read_secret("file", str(token_file))

    def say_start(address: str, new_token: str) -> None:
        say_result(f"Serving at {address}; {address}/openapi.json describes it")
        if token is None:
            say_result(f"Token: {new_token}")

    har.serve_predictions(token=token, config=ServeConfig(**given), on_start=say_start, **options)
