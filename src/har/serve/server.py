"""The service's addresses: who may call them, what they take, and what they give."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from har.config import ServeConfig
from har.escaping import cut_line
from har.serve.description import describe_service
from har.serve.jobs import FullError, Job, JobQueue

_MEGABYTE = 1_000_000
_MAX_JSON_BYTES = 64 * 1024
_POLL_S = 0.05
_RETRY_S = 5
_CLOSE = {"Connection": "close"}
OPEN_PATHS = frozenset({"/healthz", "/openapi.json"})
"""What is answered without a token: it tells nothing of anybody."""


def create_app(
    jobs: JobQueue, config: ServeConfig, token: str, roots: Sequence[Path], model: str
) -> ASGIApp:
    """Return the application.

    Args:
        jobs: Recognizes.
        config: Limits.
        token: Who has it may do everything.
        roots: Folders of which videos may be named by their path.
        model: What the service says it recognizes with.
    """
    views = _Views(jobs, config, [root.resolve() for root in roots], model)
    routes = [
        Route("/healthz", views.health),
        Route("/openapi.json", views.description),
        Route("/predict", views.predict, methods=["POST"]),
        Route("/jobs", views.list_jobs),
        Route("/jobs/{id}", views.job),
        Route("/jobs/{id}", views.delete, methods=["DELETE"]),
        Route("/jobs/{id}/events", views.events),
        Route("/jobs/{id}/scores", views.scores),
    ]
    handlers: Any = {HTTPException: _answer_refusal, FullError: _answer_full}
    return _Guard(Starlette(routes=routes, exception_handlers=handlers), token)


class _Guard:
    """Lets through who has the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._expected = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            given = Request(scope).headers.get("authorization", "").encode("utf-8", "replace")
            if not hmac.compare_digest(given, self._expected):
                headers = {"WWW-Authenticate": "Bearer", "Connection": "close"}
                refusal = JSONResponse({"error": "A token is required"}, 401, headers)
                await refusal(scope, receive, send)
                return
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)


class _Views:
    def __init__(self, jobs: JobQueue, config: ServeConfig, roots: list[Path], model: str) -> None:
        self._jobs, self._config, self._roots, self._model = jobs, config, roots, model

    async def health(self, _: Request) -> Response:
        return JSONResponse({"healthy": True, "model": self._model})

    async def description(self, _: Request) -> Response:
        return JSONResponse(describe_service(self._config))

    async def predict(self, request: Request) -> Response:
        """Take a video and answer with its job, or with the result if it comes in time."""
        wait_s = _read_wait(request, self._config.max_wait_s)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            job = await self._take_path(request)
        elif kind.startswith("multipart/"):  # curl calls all that it sends with --data urlencoded
            text = "Send the video itself as the body, not a form: curl --data-binary @VIDEO"
            raise HTTPException(415, text)
        else:
            job = await self._take_upload(request)
        self._jobs.submit(job)
        until_s = asyncio.get_running_loop().time() + wait_s
        while not job.over.is_set() and asyncio.get_running_loop().time() < until_s:
            await asyncio.sleep(_POLL_S)
        status = 200 if job.over.is_set() else 202
        return JSONResponse(_show(job), status, {"Location": f"/jobs/{job.id}"})

    async def list_jobs(self, _: Request) -> Response:
        return JSONResponse({"jobs": [job.to_json() for job in self._jobs.list_jobs()]})

    async def job(self, request: Request) -> Response:
        return JSONResponse(_show(self._find(request)))

    async def delete(self, request: Request) -> Response:
        self._jobs.remove(self._find(request))
        return Response(status_code=204)

    async def events(self, request: Request) -> Response:
        job = self._find_done(request)
        return JSONResponse({"events": json.loads(job.result_path.read_text())["events"]})

    async def scores(self, request: Request) -> Response:
        return FileResponse(self._find_done(request).scores_path, media_type="application/json")

    def _find(self, request: Request) -> Job:
        job = self._jobs.get(request.path_params["id"])
        if job is None:
            raise HTTPException(404, "There is no such job, or it is forgotten")
        return job

    def _find_done(self, request: Request) -> Job:
        job = self._find(request)
        if job.state == "failed":
            raise HTTPException(422, job.error)
        if job.state != "done":
            raise HTTPException(409, f"The job is {job.state}; its result is not there yet")
        return job

    async def _take_upload(self, request: Request) -> Job:
        max_bytes = self._config.max_mb * _MEGABYTE
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > max_bytes:
            raise HTTPException(413, self._explain_size(), _CLOSE)
        name = cut_line(PurePosixPath(request.query_params.get("name", "video.mp4")).name)
        job, is_whole = self._jobs.begin(name or "video.mp4"), False
        try:
            async with asyncio.timeout(self._config.upload_s):
                with job.path.open("xb") as file:
                    async for chunk in request.stream():
                        if job.n_bytes + len(chunk) > max_bytes:
                            raise HTTPException(413, self._explain_size(), _CLOSE)
                        self._jobs.store(job, len(chunk))
                        file.write(chunk)
            if not job.n_bytes:
                raise HTTPException(400, "The body is empty; send a video as the body")
            is_whole = True
        except TimeoutError as error:
            text = f"The upload took longer than {self._config.upload_s:g} s"
            raise HTTPException(408, text, _CLOSE) from error
        except ClientDisconnect as error:
            raise HTTPException(400, "The upload was broken off") from error
        except OSError as error:
            raise HTTPException(507, f"The upload cannot be stored: {error.strerror}") from error
        finally:
            self._jobs.end_upload()
            if not is_whole:
                self._jobs.remove(job)
        return job

    def _explain_size(self) -> str:
        return f"The video is larger than the {self._config.max_mb} MB that are taken here"

    async def _take_path(self, request: Request) -> Job:
        data = b""
        try:
            async with asyncio.timeout(self._config.head_s):
                async for chunk in request.stream():
                    data += chunk
                    if len(data) > _MAX_JSON_BYTES:
                        raise HTTPException(413, "The request is too large", _CLOSE)
        except TimeoutError as error:
            text = f"The request took longer than {self._config.head_s:g} s"
            raise HTTPException(408, text, _CLOSE) from error
        try:
            values = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, "The body must be JSON") from error
        given = values.get("path") if isinstance(values, dict) else None
        if not isinstance(given, str):
            raise HTTPException(400, 'Expected {"path": "FOLDER/VIDEO"}')
        path = self._find_file(given)
        if path is None:
            raise HTTPException(404, "There is no such video in a folder of --root")
        return self._jobs.begin(cut_line(given), path)

    def _find_file(self, given: str) -> Path | None:
        """Return a file in one of the roots, links followed; None where there is none."""
        for root in self._roots:
            try:
                path = (root / given).resolve()
                if path.is_relative_to(root) and path.is_file():
                    return path
            except (OSError, ValueError, RuntimeError):  # too long, a null byte, a loop of links
                continue
        return None


def _show(job: Job) -> dict[str, Any]:
    shown = job.to_json()
    if job.state == "done":
        shown["result"] = json.loads(job.result_path.read_text())
    return shown


def _read_wait(request: Request, most_s: float) -> float:
    try:
        wait_s = float(request.query_params.get("wait", "0"))
    except ValueError:
        wait_s = -1.0
    if not 0.0 <= wait_s <= most_s:
        raise HTTPException(400, f"wait must be seconds from 0 to {most_s:g}")
    return wait_s


async def _answer_refusal(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _answer_full(_: Request, error: Exception) -> Response:
    headers = {"Retry-After": str(_RETRY_S), "Connection": "close"}
    return JSONResponse({"error": f"No room now: {error}; try again later"}, 503, headers)
