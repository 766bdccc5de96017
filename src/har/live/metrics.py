"""Metrics of a watch for Prometheus, and its health, on a small web server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Self, get_args
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client import generate_latest as render_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from har.config import MetricsConfig
from har.errors import ConfigError
from har.live.messages import Alert, CameraState, LiveEvent, LiveScores, State
from har.parallel import Closing

_LATENCY_BUCKETS_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2.0, 5.0)
_POLL_S = 0.1
_COUNTS = {
    "har_frames": ("Frames received.", "n_frames"),
    "har_dropped_steps": ("Time steps dropped because recognition did not keep up.", "n_dropped"),
    "har_reconnects": ("Times the camera was lost and reconnected.", "n_reconnects"),
    "har_damaged_packets": ("Packets that could not be decoded.", "n_damaged"),
}


class Metrics(Collector):
    """Counts what a watch delivers; a listener of the watch and of alerts."""

    def __init__(
        self,
        stall_s: float,
        now_s: Callable[[], float] = time.monotonic,
        count_undelivered: Callable[[], int] = lambda: 0,
    ) -> None:
        """Start at zero.

        Args:
            stall_s: Without new scores for so long, a camera counts as stalled.
            now_s: A clock that never jumps.
            count_undelivered: Returns how many notifications did not arrive.
        """
        self._stall_s = stall_s
        self._now_s = now_s
        self._count_undelivered = count_undelivered
        self._lock = Lock()
        self._states: dict[str, CameraState] = {}
        self._updated_s: dict[str, float] = {}
        self._since_s: dict[str, float] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._latency = Histogram(
            "har_latency_seconds",
            "From a frame's arrival to the scores computed from it.",
            ["camera"],
            buckets=_LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self._events = Counter(
            "har_events", "Events that are over.", ["camera", "label"], registry=self._registry
        )
        self._alerts = Counter(
            "har_alerts", "Alerts raised.", ["camera", "label"], registry=self._registry
        )

    def on_state(self, state: CameraState) -> None:
        """Take over the camera's counts."""
        with self._lock:
            before = self._states.get(state.name)
            self._states[state.name] = state
            self._updated_s[state.name] = self._now_s()
            if before is None or before.state != state.state:
                self._since_s[state.name] = self._now_s()

    def on_scores(self, scores: LiveScores) -> None:
        """Count the latency."""
        self._latency.labels(scores.camera).observe(scores.latency_s)
        with self._lock:
            self._since_s[scores.camera] = self._now_s()

    def on_event(self, event: LiveEvent) -> None:
        """Count an event that is over."""
        if not event.is_open:
            self._events.labels(event.camera, event.event.label).inc()

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Count an alert."""
        self._alerts.labels(alert.event.camera, alert.event.event.label).inc()

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return render_metrics(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Return the counts that cameras keep themselves."""
        with self._lock:
            states = list(self._states.values())
        for name, (text, field) in _COUNTS.items():
            count = CounterMetricFamily(name, text, labels=["camera"])
            for state in states:
                count.add_metric([state.name], getattr(state, field))
            yield count
        fps = GaugeMetricFamily(
            "har_fps", "Frames a second over the last seconds.", labels=["camera"]
        )
        shown = GaugeMetricFamily(
            "har_state",
            "1 for the state that the camera is in, else 0.",
            labels=["camera", "state"],
        )
        for state in states:
            fps.add_metric([state.name], state.fps)
            for name in get_args(State):
                shown.add_metric([state.name, name], float(state.state == name))
        yield from (fps, shown)
        undelivered = CounterMetricFamily(
            "har_undelivered_notifications", "Notifications that were given up."
        )
        undelivered.add_metric([], self._count_undelivered())
        yield undelivered

    def find_problems(self) -> list[str]:
        """Return what is wrong at this moment, camera by camera; nothing where all is well."""
        with self._lock:
            found = [self._find_problem(state) for state in self._states.values()]
            return [problem for problem in found if problem] if found else ["no camera yet"]

    def _find_problem(self, state: CameraState) -> str:
        name, now_s = state.name, self._now_s()
        if state.state == "ended":
            return ""
        if state.state in ("lost", "frozen"):
            return f"{name} is {state.state}"
        if now_s - self._updated_s[name] > self._stall_s:
            return f"{name} has sent no update for {now_s - self._updated_s[name]:.0f} s"
        if now_s - self._since_s[name] > self._stall_s:
            what = "no picture" if state.state == "starting" else "no new scores"
            return f"{name} has {what} for {now_s - self._since_s[name]:.0f} s"
        return ""


class MetricsServer(Closing):
    """Serves ``/healthz`` and ``/metrics`` from a thread of its own, inside its ``with`` block."""

    def __init__(self, metrics: Metrics, config: MetricsConfig) -> None:
        """Bind the port; 0 takes a free one.

        Raises:
            ConfigError: The port or the address is not available.
        """
        handler = type("Handler", (_Handler,), {"metrics": metrics})
        try:
            self._server = ThreadingHTTPServer((config.host, config.port), handler)
        except OSError as error:
            raise ConfigError(
                f"The metrics server cannot listen on {config.host}:{config.port}: "
                f"{error.strerror}; choose another --metrics-port"
            ) from error
        self._thread = Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="har-metrics", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    metrics: Metrics
    timeout = 10.0
    server_version = "har"
    sys_version = ""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/metrics":
            self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, self.metrics.render())
        elif path == "/healthz":
            problems = self.metrics.find_problems()
            status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
            body = json.dumps({"healthy": not problems, "problems": problems})
            self._answer(status, "application/json", body.encode())
        else:
            body = b"Not found: this server has /healthz and /metrics.\n"
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", body)

    do_HEAD = do_GET  # noqa: N815, as it is called

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, as it is called
        """Leave requests out of the log."""

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
