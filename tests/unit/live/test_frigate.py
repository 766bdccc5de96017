"""Alerts become events of Frigate, over HTTP as its pages describe it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from har.config import FrigateConfig, WatchSettings, load_config
from har.errors import ConfigError
from har.live.frigate import Frigate
from har.live.messages import Alert, LiveEvent
from har.types import Event

BEGAN = datetime(2025, 7, 1, 12, tzinfo=UTC)
Call = tuple[str, str, dict[str, object], str]


@contextmanager
def serving(statuses: list[int]) -> Iterator[tuple[str, list[Call]]]:
    calls: list[Call] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls.append((self.command, self.path, body, self.headers.get("Authorization", "")))
            answer = {"success": True, "event_id": f"17.5-{len(calls)}"}
            data = json.dumps(answer).encode()
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_PUT = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/base/", calls
        server.shutdown()
        thread.join()


def _event(is_open: bool, onset_s: float = 4.0, length_s: float = 2.0) -> LiveEvent:
    known = Event("hits others/self", onset_s, onset_s + length_s, 0.87512)
    return LiveEvent("hall", known, BEGAN, is_open)


def test_an_alert_begins_an_event_and_its_end_ends_it() -> None:
    with serving([]) as (url, calls):
        frigate = Frigate(FrigateConfig(url, "t0k", {"hall": "front"}))
        frigate.on_event(_event(is_open=True))
        frigate.on_alert(Alert(_event(is_open=True), BEGAN), "a")
        frigate.on_event(_event(is_open=False, length_s=7.5))
        frigate.on_event(_event(is_open=False, onset_s=30.0))
        frigate.close()
    assert calls == [
        (
            "POST",
            "/base/api/events/front/hits%20others%2Fself/create",
            {
                "source_type": "har",
                "sub_label": "for review",
                "score": 0.8751,
                "duration": None,
                "include_recording": True,
            },
            "Bearer t0k",
        ),
        (
            "PUT",
            "/base/api/events/17.5-1/end",
            {"end_time": BEGAN.timestamp() + 7.5},
            "Bearer t0k",
        ),
    ]


def test_what_frigate_refuses_is_said_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with serving([404]) as (url, calls):
        frigate = Frigate(FrigateConfig(url))
        frigate.on_alert(Alert(_event(is_open=False), BEGAN), "a")
        frigate.on_alert(Alert(_event(is_open=False, onset_s=9.0), BEGAN), "b")
        frigate.close()
    assert [call[0] for call in calls] == ["POST", "POST", "PUT"]
    assert caplog.text.count("Frigate did not take an event") == 1
    assert "was answered with 404" in caplog.text
    absent = Frigate(FrigateConfig(url))
    absent.on_alert(Alert(_event(is_open=True), BEGAN), "c")
    absent.close()
    assert "refused" in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("url = 'frigate:5000'", "url must be an address such as http://frigate.local:5000"),
        ("url = 'http://me:s3cr3t@host'", "without user and password"),
        ("url = 'http://host:99999'", "url must be an address"),
        ("cameras = {hall = 3}", "cameras must be a table of names"),
        ("token = 3", "token must be a text, received something else"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(f"[frigate]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path, WatchSettings())
    assert said in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
