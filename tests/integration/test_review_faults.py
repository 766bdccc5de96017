"""No verdict that was acknowledged is lost: kills while saving, a full disk, two windows."""

from __future__ import annotations

import random
import threading
import time
from http.client import HTTPException

import pytest
from reviewing import CHROMIUM, Caller, ReviewServer, Watched, make_results, open_browser

from har.review.store import ReviewStore, replay

pytestmark = pytest.mark.slow

N_EVENTS = 12
EVENTS = [("hit", 2.0 * k, 2.0 * k + 1.0, 0.5 + k / 50) for k in range(N_EVENTS)]


@pytest.fixture
def out(tmp_path):
    return make_results(tmp_path / "out", {"kitchen": EVENTS}, 30.0)


@pytest.fixture
def server(out):
    server = ReviewServer(out, "--samples", "0")
    yield server
    server.kill()


def read_log(out):
    store = ReviewStore(f"sqlite:///{out}/review.db")
    try:
        log, newest = store.read_log(), store.list_verdicts()
    finally:
        store.close()
    assert sorted(v.uuid for v in replay(log)) == sorted(v.uuid for v in newest)
    return log


def make_verdict(uuid, **changes):
    values = {"uuid": uuid, "observer": "Ada", "recording": 1, "key": uuid, "version": 1}
    return values | {"kind": "keep", "label": "hit", "start_s": 1, "end_s": 2} | changes


def test_five_kills_while_four_windows_save(out, server):
    acknowledged, sent = set(), set()

    def save(server, name, seconds):
        caller, number = Caller(server), 0
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            number += 1
            uuid = f"{name}-{number}"
            sent.add(uuid)
            try:
                status, _ = caller.post(make_verdict(uuid))
            except (OSError, HTTPException):
                return
            if status == 201:
                acknowledged.add(uuid)

    draw = random.Random(1)  # noqa: S311
    for turn in range(5):
        server.start()
        windows = [
            threading.Thread(target=save, args=[server, f"{turn}-{k}", 10.0]) for k in range(4)
        ]
        for window in windows:
            window.start()
        time.sleep(draw.uniform(0.2, 0.8))
        server.kill()
        for window in windows:
            window.join()
    stored = [verdict.uuid for verdict in read_log(out)]
    assert len(stored) == len(set(stored))
    assert len(acknowledged) > 20
    assert acknowledged <= set(stored) <= sent

    with server:
        caller = Caller(server)
        assert {caller.post(make_verdict(uuid))[0] for uuid in sorted(sent)} == {201}
    assert {verdict.uuid for verdict in read_log(out)} == sent


def test_a_full_disk_refuses_in_words_and_keeps_what_it_took(out, server):
    server.start()
    server.kill()
    server.start(most_kib=160)
    caller = Caller(server)
    answers = {
        uuid: caller.post(make_verdict(uuid, comment="x" * 400)) for uuid in map(str, range(300))
    }
    taken = {uuid for uuid, (status, _) in answers.items() if status == 201}
    refused = {uuid for uuid, (status, _) in answers.items() if status == 500}
    server.kill()
    assert len(taken) + len(refused) == 300
    assert taken
    assert refused
    assert all("review database" in answers[uuid][1] for uuid in refused)
    assert {verdict.uuid for verdict in read_log(out)} == taken
    with server:
        caller = Caller(server)
        assert {caller.post(make_verdict(uuid))[0] for uuid in refused} == {201}
    assert len(read_log(out)) == 300


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_two_windows_and_a_kill_in_between(out, server):
    with open_browser() as browser, server:
        windows = [Watched(browser, server, 1280) for _ in range(2)]
        for window in windows:
            window.sign_in()
            window.open("kitchen")
        first, second = windows
        for _ in range(3):
            first.page.keyboard.press("n")
            first.page.keyboard.press("Enter")
        first.wait_saved()
        for _ in range(5):
            second.page.keyboard.press("n")
            second.page.keyboard.press("x")
        second.page.get_by_role("alert").wait_for()
        second.wait_saved()
        assert "another window" in second.page.get_by_role("alert").inner_text()
        assert len(second.list_own()) == 3

        server.kill()
        for _ in range(4):
            first.page.keyboard.press("n")
            first.page.keyboard.press("Enter")
        first.page.get_by_text("not saved yet").wait_for()
        assert first.page.evaluate("Object.keys(localStorage).length") == 4
        server.start()
        tab = first.context.new_page()
        tab.goto(server.address)
        first.wait_saved()
        assert first.page.evaluate("Object.keys(localStorage).length") == 0
        for window in windows:
            window.close()
    newest = replay(read_log(out))
    assert sum(v.kind == "reject" for v in newest) + sum(v.kind == "keep" for v in newest) >= 7
    kept = {verdict.key for verdict in newest if verdict.kind == "keep"}
    assert {"e1", "e2", "e3"} <= kept
