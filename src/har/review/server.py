"""The review page's server: who may call it, and what each address gives.

It listens on the loopback and answers only to a browser that came with the token of this run: the
first address carries it and sets a cookie. A page of another origin, another host name (DNS
rebinding) or another method gets nothing. The policy of the page allows no script, style or request
from anywhere else.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from har.errors import (
    ConfigError,
    HarError,
    InterchangeError,
    MissingDependencyError,
    ReviewConflictError,
    ReviewError,
)
from har.events.files import load_scores
from har.interchange.formats import FORMATS
from har.reports.page import render_page
from har.review.figures import build_figures
from har.review.project import Project, build_verdict_table, pack_events
from har.review.queue import build_queue, compute_progress, parse_order
from har.review.store import FoundEvent, Recording, Verdict

MAX_BODY_BYTES = 64 * 1024
MAX_OBSERVER = 80
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Of the report, which has no script; its own policy allows one style, by hash."""
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_STATIC = Path(str(files("har.review") / "static"))


def create_app(project: Project, token: str, hosts: tuple[str, ...]) -> ASGIApp:
    """Return the application.

    Args:
        project: What is reviewed.
        token: Secret of this run, at least 16 characters.
        hosts: Values of the header ``Host`` that are answered, such as ``127.0.0.1:8123``.
    """
    views = _Views(project)
    routes = [
        Route("/", views.page),
        Route("/live", views.page),
        Route("/api/project", views.project),
        Route("/api/live", views.live),
        Route("/api/recordings/{id:int}", views.recording),
        Route("/api/recordings/{id:int}/scores", views.scores),
        Route("/api/recordings/{id:int}/media", views.media),
        Route("/api/queue", views.queue),
        Route("/api/progress", views.progress),
        Route("/api/export", views.export),
        Route("/api/learn", views.learning),
        Route("/api/learn", views.learn, methods=["POST"]),
        Route("/api/learn/take", views.take, methods=["POST"]),
        Route("/report", views.report),
        Route("/api/verdicts", views.add_verdict, methods=["POST"]),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    app = Starlette(routes=routes, exception_handlers={HarError: _answer_error})
    return Guard(app, token, hosts)


def name_cookie(host: str) -> str:
    """Return the name of the cookie with the token: one a port, since browsers share them.

    >>> name_cookie("127.0.0.1:8123")
    'har_review_8123'
    """
    return f"har_review_{host.rpartition(':')[2]}"


class Guard:
    """Lets through what comes from this run's own page, and nothing else."""

    def __init__(self, app: ASGIApp, token: str, hosts: tuple[str, ...]) -> None:
        if len(token) < 16:
            raise ConfigError("Expected a token of at least 16 characters")
        self._app, self._token, self._hosts = app, token, hosts
        self._cookie = name_cookie(hosts[0])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        refusal = self._check(request)
        answer = refusal or self._app
        await answer(scope, receive, _with_headers(send))

    def _check(self, request: Request) -> Response | None:
        if request.headers.get("host", "") not in self._hosts:
            return _refuse(421, "This page answers to its own address only")
        origin = request.headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return _refuse(403, "Requests from other pages are refused")
        if request.method not in ("GET", "HEAD", "POST"):
            return _refuse(405, "This page only reads and posts")
        given = request.query_params.get("token")
        if given is not None and request.url.path == "/" and request.method == "GET":
            return self._enter(given)
        if not _is_same(request.cookies.get(self._cookie, ""), self._token):
            return _refuse(
                401, "Open the address that har review printed: it holds the token of this run"
            )
        if request.method == "POST":
            return _check_post(request, origin)
        return None

    def _enter(self, given: str) -> Response:
        if not _is_same(given, self._token):
            return _refuse(401, "The token is that of another run")
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer


def _check_post(request: Request, origin: str | None) -> Response | None:
    if origin is None:
        return _refuse(403, "Posts need an origin")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return _refuse(415, "Expected application/json")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY_BYTES:
        return _refuse(413, f"Expected a body of at most {MAX_BODY_BYTES} bytes")
    return None


def _is_same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _refuse(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            extra = [
                (name.encode(), value.encode())
                for name, value in _HEADERS.items()
                if name.encode() not in own
            ]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return wrapped


def _answer_error(_request: Request, error: Exception) -> Response:
    if isinstance(error, ReviewConflictError):
        newest = error.newest
        newest = _verdict_to_json(newest) if isinstance(newest, Verdict) else None
        return JSONResponse({"error": str(error), "newest": newest}, status_code=409)
    told = (ConfigError, InterchangeError, MissingDependencyError)
    status = 400 if isinstance(error, told) else 500
    if isinstance(error, ReviewError) and str(error).startswith("There is no"):
        status = 404
    return JSONResponse({"error": str(error)}, status_code=status)


class _Views:
    """What each address gives."""

    def __init__(self, project: Project) -> None:
        self._store, self._media, self._watched = project.store, project.media, project.watched
        self._teacher = project.teacher

    async def page(self, _request: Request) -> Response:
        return FileResponse(_STATIC / "index.html", media_type="text/html")

    async def project(self, _request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._describe_project))

    def _describe_project(self) -> dict[str, Any]:
        recordings = self._store.list_recordings()
        events, verdicts = self._store.list_events(), self._store.list_verdicts()
        labels = dict.fromkeys(label for item in recordings for label in item.labels)
        labels |= dict.fromkeys(event.label for event in events if event.label)
        labels |= dict.fromkeys(verdict.label for verdict in verdicts if verdict.label)
        counts: dict[int, int] = {}
        for event in events:
            if event.is_of_model:
                counts[event.recording] = counts.get(event.recording, 0) + 1
        return {
            "labels": list(labels),
            "is_watched": bool(self._watched),
            "formats": {item.name: item.title for item in FORMATS if item.write},
            "observers": sorted({verdict.observer for verdict in verdicts}),
            "recordings": [
                _recording_to_json(item) | {"n_events": counts.get(item.id, 0)}
                for item in recordings
            ],
        }

    async def live(self, _request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._describe_live))

    def _describe_live(self) -> dict[str, Any]:
        """Return cameras and the day's alerts, once new alerts have come into the queue."""
        for folder in self._watched:
            folder.add_alerts(self._store)
        found = [folder.describe(datetime.now().astimezone()) for folder in self._watched]
        return {
            "cameras": [camera for item in found for camera in item["cameras"]],
            "alerts": [
                alert | {"is_decided": self._is_decided(alert["recording"])}
                for item in found
                for alert in item["alerts"]
            ],
        }

    def _is_decided(self, recording: int | None) -> bool:
        """Return whether anybody has decided on an alert."""
        if recording is None:
            return False
        return any(item.kind != "clear" for item in self._store.list_verdicts(recording))

    async def recording(self, request: Request) -> Response:
        values = await run_in_threadpool(
            self._describe_recording, request.path_params["id"], _observer(request), _blind(request)
        )
        return JSONResponse(values)

    def _describe_recording(self, number: int, observer: str, blind: bool) -> dict[str, Any]:
        recording = self._store.load_recording(number)
        events = [] if blind else self._store.list_events(number)
        verdicts = self._store.list_verdicts(number, observer if blind else None)
        own = [item for item in verdicts if item.observer == observer]
        others = [item for item in verdicts if item.observer != observer]
        return {
            **_recording_to_json(recording),
            "has_scores": bool(recording.scores) and not blind,
            "events": [_event_to_json(event) for event in events],
            "verdicts": [_verdict_to_json(verdict) for verdict in own],
            "others": [_verdict_to_json(verdict) for verdict in others],
        }

    async def scores(self, request: Request) -> Response:
        return await run_in_threadpool(self._send_scores, request.path_params["id"])

    def _send_scores(self, number: int) -> Response:
        """Return float32 rows of time and a score a label; names and step are in headers."""
        recording = self._store.load_recording(number)
        if not recording.scores:
            raise ReviewError(f"There is no file of scores for {recording.path}")
        scores = load_scores(Path(recording.scores))
        rows = np.column_stack([scores.times_s, scores.values]).astype("<f4")
        headers = {"x-labels": json.dumps(scores.labels), "x-step-s": repr(scores.step_s)}
        return Response(rows.tobytes(), media_type="application/octet-stream", headers=headers)

    async def media(self, request: Request) -> Response:
        recording = await run_in_threadpool(self._store.load_recording, request.path_params["id"])
        found = await run_in_threadpool(self._media.find, Path(recording.path))
        if found.error:
            return JSONResponse({"error": found.error}, status_code=404)
        if found.path is None:
            return JSONResponse({"share": found.share}, status_code=202)
        kind = "video/webm" if found.path.suffix == ".webm" else "video/mp4"
        return FileResponse(found.path, media_type=kind)

    async def queue(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._describe_queue, request))

    def _describe_queue(self, request: Request) -> list[dict[str, Any]]:
        query = request.query_params
        items = build_queue(
            self._store.list_recordings(),
            self._store.list_events(),
            self._store.list_verdicts(observer=_observer(request)),
            parse_order(query.get("order", "uncertain")),
            query.get("label", ""),
        )
        return [
            {
                "event": _event_to_json(item.event),
                "done": item.is_done,
                "verdict": None if item.verdict is None else _verdict_to_json(item.verdict),
            }
            for item in items
        ]

    async def progress(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._describe_progress, _observer(request)))

    def _describe_progress(self, observer: str) -> dict[str, Any]:
        verdicts = self._store.list_verdicts(observer=observer)
        queue = build_queue(self._store.list_recordings(), self._store.list_events(), verdicts)
        return compute_progress(queue, verdicts).to_json()

    async def export(self, request: Request) -> Response:
        return await run_in_threadpool(self._send_export, request)

    def _send_export(self, request: Request) -> Response:
        """Return what the observer keeps, or all do without one, as a file of a format."""
        observer = request.query_params.get("observer") or None
        verdicts = self._store.list_verdicts(observer=observer)
        table = build_verdict_table(self._store.list_recordings(), verdicts)
        data, ending = pack_events(table, request.query_params.get("format", "csv"))
        names = {"content-disposition": f'attachment; filename="verdicts{ending}"'}
        return Response(data, media_type="application/octet-stream", headers=names)

    async def learning(self, _request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._teacher.describe))

    async def learn(self, request: Request) -> Response:
        await run_in_threadpool(self._teacher.start, _observer(request))
        return JSONResponse(self._teacher.describe(), status_code=202)

    async def take(self, _request: Request) -> Response:
        await run_in_threadpool(self._teacher.take)
        return JSONResponse(self._teacher.describe())

    async def report(self, _request: Request) -> Response:
        page = await run_in_threadpool(build_figures, self._store)
        policy = {"content-security-policy": _REPORT_POLICY}
        return Response(render_page(page), media_type="text/html", headers=policy)

    async def add_verdict(self, request: Request) -> Response:
        verdict = _parse_verdict(await request.body())
        stored = await run_in_threadpool(self._store.add_verdict, verdict)
        return JSONResponse(_verdict_to_json(stored), status_code=201)


_TEXTS = ("uuid", "observer", "key", "kind", "label", "subject", "target", "comment")
_NUMBERS, _WHOLE = ("start_s", "end_s"), ("recording", "version")


def _parse_verdict(body: bytes) -> Verdict:
    try:
        values: dict[str, Any] = json.loads(body)
        known = {name: values[name] for name in (*_TEXTS, *_NUMBERS, *_WHOLE) if name in values}
        for names, kind in ((_TEXTS, str), (_NUMBERS, int | float), (_WHOLE, int)):
            for name in names:
                value = known.get(name)
                if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
                    raise TypeError(f"{name} is {type(value).__name__}")
        verdict = Verdict(**known)
        if len(verdict.observer) > MAX_OBSERVER:
            raise ConfigError(f"Expected an observer of at most {MAX_OBSERVER} letters")
        return verdict
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"The verdict cannot be read: {error}") from error


def _observer(request: Request) -> str:
    name = request.query_params.get("observer", "")
    if not 0 < len(name) <= MAX_OBSERVER:
        raise HTTPException(400, "Say who you are: observer=NAME")
    return name


def _blind(request: Request) -> bool:
    return request.query_params.get("blind", "") == "1"


def _recording_to_json(recording: Recording) -> dict[str, Any]:
    return {
        "id": recording.id,
        "name": Path(recording.path.replace("\\", "/")).name,
        "duration_s": recording.duration_s,
        "fps": recording.fps,
        "group": recording.group,
        "labels": list(recording.labels),
    }


def _event_to_json(event: FoundEvent) -> dict[str, Any]:
    return {**vars(event), "key": event.key}


def _verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    return dict(vars(verdict))
