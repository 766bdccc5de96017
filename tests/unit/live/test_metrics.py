"""Health and figures, asked for over HTTP as Prometheus would."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from moments import make_alert, make_event, make_scores, make_state
from prometheus_client.parser import text_string_to_metric_families

from har.config import MetricsConfig
from har.errors import ConfigError
from har.live.metrics import Metrics, MetricsServer


class _Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def metrics(clock: _Clock) -> Metrics:
    return Metrics(stall_s=10.0, now_s=clock)


@pytest.fixture
def server(metrics: Metrics) -> Iterator[MetricsServer]:
    assert MetricsConfig().host == "127.0.0.1"
    with MetricsServer(metrics, MetricsConfig()) as server:
        yield server


def _get(server: MetricsServer, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def _problems(server: MetricsServer) -> list[str]:
    status, body = _get(server, "/healthz")
    values = json.loads(body)
    assert status == (503 if values["problems"] else 200)
    assert values["healthy"] is (status == 200)
    return values["problems"]


def test_figures_are_those_that_were_told(metrics: Metrics, server: MetricsServer) -> None:
    metrics.on_state(make_state())
    metrics.on_state(make_state("yard", "lost"))
    for latency_s in (0.07, 0.18, 0.18, 0.5):
        metrics.on_scores(make_scores([], [], latency_s=latency_s))
    metrics.on_event(make_event(is_open=True))
    metrics.on_event(make_event())
    metrics.on_alert(make_alert(), "hall_1")
    status, body = _get(server, "/metrics")
    assert status == 200
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }
    assert found["har_frames_total", "hall"] == 4210
    assert found["har_dropped_steps_total", "hall"] == 3
    assert found["har_reconnects_total", "hall"] == 1
    assert found["har_damaged_packets_total", "hall"] == 2
    assert found["har_fps", "hall"] == 24.9
    assert found["har_state", "lost", "yard"] == 1
    assert found["har_state", "live", "yard"] == 0
    assert found["har_latency_seconds_bucket", "0.1", "hall"] == 1
    assert found["har_latency_seconds_bucket", "0.2", "hall"] == 3
    assert found["har_latency_seconds_count", "hall"] == 4
    assert found["har_latency_seconds_sum", "hall"] == pytest.approx(0.93)
    assert found["har_events_total", "hall", "hit"] == 1
    assert found["har_alerts_total", "hall", "hit"] == 1


def test_health_needs_every_camera_and_fresh_scores(
    metrics: Metrics, server: MetricsServer, clock: _Clock
) -> None:
    assert _problems(server) == ["no camera yet"]
    metrics.on_state(make_state(state="starting"))
    assert _problems(server) == []
    metrics.on_state(make_state())
    metrics.on_state(make_state("yard", "lost"))
    assert _problems(server) == ["yard is lost"]
    metrics.on_state(make_state("yard", "frozen"))
    assert _problems(server) == ["yard is frozen"]
    metrics.on_state(make_state("yard", "ended"))
    assert _problems(server) == []
    clock.now_s += 8
    metrics.on_state(make_state())
    metrics.on_scores(make_scores([], []))
    clock.now_s += 8
    metrics.on_state(make_state())
    assert _problems(server) == []
    clock.now_s += 3
    metrics.on_state(make_state())
    assert _problems(server) == ["hall has no new scores for 11 s"]
    metrics.on_scores(make_scores([], []))
    assert _problems(server) == []
    clock.now_s += 11
    assert _problems(server) == ["hall has sent no update for 11 s"]


def test_camera_that_never_answers_is_no_health(
    metrics: Metrics, server: MetricsServer, clock: _Clock
) -> None:
    metrics.on_state(make_state(state="starting"))
    clock.now_s += 11
    metrics.on_state(make_state(state="starting"))
    assert _problems(server) == ["hall has no picture for 11 s"]


def test_other_pages_are_not_there(server: MetricsServer) -> None:
    status, body = _get(server, "/../etc/passwd")
    assert status == 404
    assert "/healthz" in body


def test_port_that_is_taken_is_refused(metrics: Metrics, server: MetricsServer) -> None:
    with pytest.raises(ConfigError, match="--metrics-port"):
        MetricsServer(metrics, MetricsConfig(port=server.port))


def test_health_answers_with_a_query_and_to_head(metrics: Metrics, server: MetricsServer) -> None:
    metrics.on_state(make_state())
    assert _get(server, "/healthz?x=1")[0] == 200
    assert _get(server, "/metrics?debug")[0] == 200
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("HEAD", "/healthz")
    answer = connection.getresponse()
    length = int(answer.headers["Content-Length"])
    assert (answer.status, answer.read(), length > 0) == (200, b"", True)


def test_undelivered_notifications_are_counted() -> None:
    text = Metrics(10.0, count_undelivered=lambda: 3).render().decode()
    assert "har_undelivered_notifications_total 3.0" in text
