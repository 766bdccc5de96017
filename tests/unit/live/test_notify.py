"""Notices: a real web server gets them; failures are tried again, bounded, and leak nothing."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from moments import make_alert, make_event

from har.config import NotifyConfig
from har.errors import ConfigError
from har.live.alerts import describe
from har.live.notify import Notifier, mask

HIDDEN = "s3cr3t-token"


class _Hook:
    """A webhook that answers with the given codes, the last one for ever, while it is awake."""

    def __init__(self, codes: list[int], is_awake: bool) -> None:
        self.codes = codes
        self.awake = Event()
        if is_awake:
            self.awake.set()
        self.bodies: list[dict[str, str]] = []
        self.came = Event()
        self.url = ""


@contextmanager
def _serve(*codes: int, is_awake: bool = True) -> Iterator[_Hook]:
    hook = _Hook(list(codes) or [200], is_awake)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.awake.wait(10)
            hook.bodies.append(json.loads(body))
            code = hook.codes.pop(0) if len(hook.codes) > 1 else hook.codes[0]
            self.send_response(code)
            self.end_headers()
            if code < 300:
                hook.came.set()

        def log_message(self, *_: object) -> None:
            """Return nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    hook.url = f"json://me:{HIDDEN}@127.0.0.1:{server.server_port}/hook/{HIDDEN}"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _said(caplog: pytest.LogCaptureFixture) -> str:
    """Return what har logs; pytest also catches what Apprise says, which nobody else sees."""
    records = [record for record in caplog.records if record.name.startswith("har")]
    return "\n".join(record.getMessage() for record in records)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_webhook_gets_the_notification_for_review() -> None:
    with _serve() as hook:
        notifier = Notifier(NotifyConfig(urls=(hook.url,)))
        notifier.send(*describe(make_alert(make_event(is_open=True)), "hall_2025_hit"))
        assert hook.came.wait(10)
        notifier.close()
    (body,) = hook.bodies
    assert body["title"] == "For review: hit, camera hall"
    assert "2.0 s so far, score 0.90" in body["message"]
    assert "for review by a person" in body["message"]
    assert "hall_2025_hit" in body["message"]
    assert not {"detected", "abuse"} & set(f"{body['title']} {body['message']}".lower().split())


def test_nothing_is_sent_without_an_address() -> None:
    notifier = Notifier(NotifyConfig())
    notifier.send("title", "text")
    notifier.close()


def test_failure_is_tried_again_and_logged_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with _serve(500, 503, 200) as hook, caplog.at_level(logging.INFO):
        notifier = Notifier(NotifyConfig(urls=(hook.url,), n_tries=4, retry_s=0.01))
        notifier.send("title", "text")
        assert hook.came.wait(10)
        notifier.close()
    assert len(hook.bodies) == 3
    first, second = _said(caplog).splitlines()
    assert "address 1 (json://...) failed and is tried again" in first
    assert "error=500" in first
    assert "error=503" in second
    assert HIDDEN not in _said(caplog)


def test_tries_are_bounded_and_the_next_notification_has_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with _serve(500, 500, 200) as hook:
        notifier = Notifier(NotifyConfig(urls=(hook.url,), n_tries=2, retry_s=0.01))
        notifier.send("first", "text")
        notifier.send("second", "text")
        assert hook.came.wait(10)
        notifier.close()
    assert [body["title"] for body in hook.bodies] == ["first", "first", "second"]
    assert "failed after 2 tries" in _said(caplog)
    assert notifier.n_undelivered == 1


def test_address_that_answers_nothing_neither_holds_up_the_caller_nor_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dead = f"json://me:{HIDDEN}@127.0.0.1:9/hook"
    with _serve() as hook, _serve(is_awake=False) as slow:
        notifier = Notifier(NotifyConfig(urls=(dead, slow.url, hook.url), retry_s=0.01))
        notifier.send("title", "text")
        assert hook.came.wait(10)
        assert not slow.bodies
        slow.awake.set()
        notifier.close()
        assert len(slow.bodies) == 1
    assert "address 1 (json://...)" in _said(caplog)
    assert HIDDEN not in _said(caplog)


@pytest.mark.parametrize("url", [f"nothing://{HIDDEN}", HIDDEN, f"json://:{HIDDEN}@:/"])
def test_address_that_cannot_be_used_is_refused_without_showing_it(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        Notifier(NotifyConfig(urls=("json://localhost", url)))
    assert "address 2" in str(caught.value)
    captured = capfd.readouterr()
    assert HIDDEN not in f"{caught.value}{_said(caplog)}{captured.out}{captured.err}"


def test_mask_leaves_nothing_of_an_address() -> None:
    url = "tgram://123456:AAbb%2FCC/chat42?token=xyz9"
    text = "POST 123456:AAbb/CC and aabb%2fcc to CHAT42, token xyz9, failed"
    cleaned = mask(text, url)
    for part in ("123456", "aabb", "chat42", "xyz9"):
        assert part not in cleaned.lower()
    assert "failed" in cleaned
