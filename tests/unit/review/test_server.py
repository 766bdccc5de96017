"""Who is let in, what is refused, and what the addresses give."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import numpy as np
import pytest
from coded import make_scores
from starlette.testclient import TestClient
from videos import make_clip

from har.errors import InterchangeError
from har.events.files import save_scores
from har.interchange.formats import read_events
from har.review.media import MediaFolder
from har.review.project import Project, add_results, add_samples
from har.review.server import create_app, name_cookie
from har.review.store import ReviewStore

TOKEN = "a-token-of-this-run"  # noqa: S105
HOST = "127.0.0.1:8123"
COOKIE = name_cookie(HOST)
HEADERS = {"origin": f"http://{HOST}"}
NAME = 'a<img src=x onerror="x">.mp4'


@pytest.fixture
def folder(tmp_path):
    """Results of two recordings, one in a format that browsers do not play."""
    make_clip(tmp_path / NAME, n_frames=50)
    make_clip(tmp_path / "b.avi", n_frames=50)
    event = {"label": "<b>hit</b>", "onset_s": 0.5, "offset_s": 1.0, "score": 0.7}
    entries = [
        {"video": str(tmp_path / name), "events": [event], "probs": {"<b>hit</b>": 1, "calm": 0}}
        | {"totals": {"duration_s": 2.0}}
        for name in (NAME, "b.avi")
    ]
    (tmp_path / "results.json").write_text(json.dumps(entries))
    save_scores(tmp_path / "b.scores.csv", make_scores(20, [(1, 2, 0.7)]))
    return tmp_path


@pytest.fixture
def project(folder):
    store = ReviewStore(f"sqlite:///{folder}/review.db")
    add_results(store, folder)
    add_samples(store, 1, 1.0, 0)
    yield Project(store, MediaFolder(folder / ".review"))
    store.close()


@pytest.fixture
def client(project):
    app = create_app(project, TOKEN, (HOST,))
    with TestClient(app, base_url=f"http://{HOST}", cookies={COOKIE: TOKEN}) as client:
        yield client


def verdict(**changes):
    values = {"uuid": "u1", "observer": "Ada", "recording": 1, "key": "e1", "version": 1}
    values |= {"kind": "keep", "label": "hit", "start_s": 0.5, "end_s": 1}
    return values | changes


def test_the_token_lets_in_once_and_then_the_cookie(project):
    app = create_app(project, TOKEN, (HOST,))
    with TestClient(app, base_url=f"http://{HOST}", follow_redirects=False) as client:
        assert client.get("/").status_code == 401
        assert client.get("/?token=wrong").status_code == 401
        entered = client.get(f"/?token={TOKEN}")
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert "HttpOnly" in entered.headers["set-cookie"]
        assert "SameSite=strict" in entered.headers["set-cookie"]
        assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/", {"headers": {"host": "evil.example"}}, 421),
        ("GET", "/", {"headers": {"origin": "http://evil.example"}}, 403),
        ("GET", "/api/project", {"cookies": {COOKIE: "wrong"}}, 401),
        ("DELETE", "/api/verdicts", {}, 405),
        ("POST", "/api/verdicts", {"json": verdict()}, 403),
        ("POST", "/api/verdicts", {"content": "{}", "headers": HEADERS}, 415),
        ("POST", "/api/verdicts", {"json": {"x": "y" * 70_000}, "headers": HEADERS}, 413),
        ("POST", "/api/verdicts", {"json": [], "headers": HEADERS}, 400),
        ("POST", "/api/verdicts", {"json": verdict(version="1"), "headers": HEADERS}, 400),
        ("POST", "/api/verdicts", {"json": verdict(start_s=True), "headers": HEADERS}, 400),
        ("POST", "/api/verdicts", {"json": verdict(kind="drop"), "headers": HEADERS}, 400),
        ("POST", "/api/verdicts", {"json": verdict(recording=99), "headers": HEADERS}, 404),
        ("GET", "/static/../server.py", {}, 404),
        ("GET", "/static/%2e%2e/server.py", {}, 404),
        ("GET", "/static/..%2f..%2fpyproject.toml", {}, 404),
        ("GET", "/api/recordings/99", {"params": {"observer": "Ada"}}, 404),
        ("GET", "/api/recordings/1", {}, 400),
        ("GET", "/api/queue", {"params": {"observer": "Ada", "order": "best"}}, 400),
        ("GET", "/api/queue", {"params": {"observer": "x" * 81}}, 400),
        ("GET", "/api/export", {"params": {"format": "../csv"}}, 400),
        ("GET", "/api/export", {"params": {"format": "har"}}, 400),
    ],
)
def test_what_is_refused(client, method, path, options, status):
    if "cookies" in options:
        client.cookies.clear()
        client.cookies.update(options.pop("cookies"))
    answer = client.request(method, path, **options)
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text
    if path == "/api/verdicts":
        assert client.get("/api/progress", params={"observer": "Ada"}).json()["n_done"] == 0


def test_every_answer_forbids_what_is_from_elsewhere(client):
    for path in ("/", "/api/project", "/static/app.js", "/nowhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in headers["content-security-policy"]


def test_a_recording_a_verdict_and_what_others_see(client):
    values = client.get("/api/recordings/1", params={"observer": "Ada"}).json()
    (event,) = (event for event in values["events"] if event["source"] == "model")
    assert (values["name"], event["label"], event["key"]) == (NAME, "<b>hit</b>", "e1")
    sent = client.post("/api/verdicts", json=verdict(key="e1"), headers=HEADERS)
    assert sent.status_code == 201
    again = client.post("/api/verdicts", json=verdict(key="e1", uuid="u2"), headers=HEADERS)
    assert (again.status_code, again.json()["newest"]["uuid"]) == (409, "u1")
    ahead = client.post(
        "/api/verdicts", json=verdict(key="e1", uuid="u3", version=9), headers=HEADERS
    )
    assert (ahead.status_code, ahead.json()["newest"]["uuid"]) == (409, "u1")
    first = client.post(
        "/api/verdicts", json=verdict(key="n", uuid="u4", version=2), headers=HEADERS
    )
    assert (first.status_code, first.json()["newest"]) == (409, None)
    seen = client.get("/api/recordings/1", params={"observer": "Ben"}).json()
    assert (len(seen["verdicts"]), len(seen["others"])) == (0, 1)
    blind = client.get("/api/recordings/1", params={"observer": "Ben", "blind": "1"}).json()
    assert (blind["events"], blind["others"], blind["has_scores"]) == ([], [], False)


def test_scores_are_rows_of_floats(client):
    answer = client.get("/api/recordings/2/scores")
    labels = json.loads(answer.headers["x-labels"])
    rows = np.frombuffer(answer.content, "<f4").reshape(-1, len(labels) + 1)
    assert rows[0, 0] >= 0
    assert ((rows[:, 1:] >= 0) & (rows[:, 1:] <= 1)).all()
    assert client.get("/api/recordings/1/scores").status_code == 404


def test_a_video_is_sent_in_ranges_and_a_foreign_one_as_a_copy(client):
    whole = client.get("/api/recordings/1/media")
    part = client.get("/api/recordings/1/media", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    for _ in range(200):
        answer = client.get("/api/recordings/2/media")
        if answer.status_code == 200:
            break
        assert answer.status_code == 202
    assert answer.content[4:8] == b"ftyp"


def test_the_page_names_nothing_from_elsewhere():
    static = files("har.review") / "static"
    for name in (
        "index.html",
        "style.css",
        "app.js",
        "recording.js",
        "server.js",
        "timeline.js",
        "words.js",
    ):
        text = (static / name).read_text()
        assert "http:" not in text
        assert "https:" not in text
        assert "innerHTML" not in text
        assert "eval(" not in text


def test_parts_of_others_are_as_they_were_pinned():
    vendor = files("har.review") / "static" / "vendor"
    pinned = json.loads((vendor / "vendor.json").read_text())
    for name, item in pinned.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == item["sha256"]
        for license_name in item["licenses"]:
            assert (vendor / license_name).is_file()


@pytest.mark.parametrize(
    "changes",
    [
        '"start_s": Infinity',
        '"start_s": NaN',
        '"start_s": -5',
        '"end_s": 1' + 400 * "0",
        '"recording": 1' + 30 * "0",
        '"label": "\\ud800"',
        '"observer": "' + 81 * "x" + '"',
    ],
)
def test_no_verdict_breaks_the_page_of_its_recording(client, changes):
    text = json.dumps(verdict(kind="reject")).removesuffix("}")
    headers = {**HEADERS, "content-type": "application/json"}
    answer = client.post("/api/verdicts", content=f"{text}, {changes}}}", headers=headers)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert client.get("/api/recordings/1?observer=Ada").json()["verdicts"] == []


def test_numbers_of_any_length_are_answered(client):
    for what in ("media", "scores", "?observer=Ada"):
        path = f"/api/recordings/1{30 * '0'}/{what}".replace("/?", "?")
        assert client.get(path).status_code == 404
    headers = {**HEADERS, "content-type": "application/json", "content-length": 5000 * "9"}
    assert client.post("/api/verdicts", content="{}", headers=headers).status_code == 413


def test_every_format_takes_the_kept_events_along(client, folder):
    client.post("/api/verdicts", json=verdict(label="hit"), headers=HEADERS)
    client.post("/api/verdicts", json=verdict(uuid="u2", observer="Ben"), headers=HEADERS)
    for name in client.get("/api/project").json()["formats"]:
        answer = client.get("/api/export", params={"format": name})
        needs_fps = answer.status_code == 400 and "frames" in answer.text
        assert needs_fps or (answer.status_code == 200 and answer.content), (name, answer.text)
    own = client.get("/api/export", params={"observer": "Ada"})
    assert 'filename="verdicts.csv"' in own.headers["content-disposition"]
    (folder / "own.csv").write_bytes(own.content)
    assert [event.annotator for event in read_events(folder / "own.csv").events] == ["Ada"]


def test_the_database_is_a_coding(client, folder, project):
    client.post("/api/verdicts", json=verdict(label="hit"), headers=HEADERS)
    client.post("/api/verdicts", json=verdict(uuid="u2", version=2, end_s=1.5), headers=HEADERS)
    client.post("/api/verdicts", json=verdict(uuid="u3", key="n-1", kind="reject"), headers=HEADERS)
    table = read_events(folder / "review.db")
    ((event,), media) = table.events, table.media
    assert (event.label, event.end_s, event.annotator) == ("hit", 1.5, "Ada")
    assert [item.video for item in media] == [event.video]  # nobody has looked at the other one
    assert table.notes == ()
    other = verdict(uuid="u4", key="n-2", recording=2)
    client.post("/api/verdicts", json=other, headers=HEADERS)
    table = read_events(folder / "review.db")
    assert (len(table.media), len(table.events)) == (2, 2)
    assert table.notes == ("Found events that nobody has decided on count as rejected: 1",)
    (folder / "other.db").write_bytes((folder / "review.db").read_bytes()[:5000])
    with pytest.raises(InterchangeError, match="cannot be read"):
        read_events(folder / "other.db")


def test_figures_so_far_are_the_page_of_agreement(client):
    assert client.get("/report").status_code == 400  # nobody has decided on anything
    for number in (1, 2):
        sent = verdict(recording=number, uuid=f"r{number}", key=f"new-{number}", label="<b>hit</b>")
        assert client.post("/api/verdicts", json=sent, headers=HEADERS).status_code == 201
    answer = client.get("/report")
    assert answer.status_code == 200
    assert "Agreement of observers" in answer.text
    assert "&lt;b&gt;hit&lt;/b&gt;" in answer.text
    assert "<b>hit</b>" not in answer.text
    assert "script" not in answer.headers["content-security-policy"]


def test_learning_is_offered_only_with_a_model(client):
    assert client.get("/api/learn").json()["is_offered"] is False
    refused = client.post("/api/learn", params={"observer": "Ada"}, json={}, headers=HEADERS)
    assert "start har review with --bundle" in refused.json()["error"]
    assert "no new model to take" in client.post("/api/learn/take", json={}, headers=HEADERS).text
