"""What the service takes and refuses, over its own addresses, with a real model."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundles import make_bundle
from starlette.testclient import TestClient
from videos import make_clip

from har import load
from har.config import ServeConfig
from har.serve.description import describe_service
from har.serve.jobs import JobQueue
from har.serve.server import create_app

KEY = "a-token-of-this-test"
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", n_frames=50).read_bytes()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, clip: bytes) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("serve")
    model = load(make_bundle(home / "bundle"))
    root = home / "root"
    (root / "ward").mkdir(parents=True)
    (root / "ward" / "b.mp4").write_bytes(clip)
    (home / "outside.mp4").write_bytes(clip)
    (root / "link.mp4").symlink_to(home / "outside.mp4")
    (home / "jobs").mkdir()

    def recognize(path, progress):
        result = model.predict(path, progress=progress)
        return result.to_json(), {"values": result.scores.values.tolist()}

    config = ServeConfig(max_mb=1, max_uploads=2)
    with JobQueue(home / "jobs", config, recognize) as jobs:
        app = create_app(jobs, config, KEY, [root], "small")
        with TestClient(app, headers=HEADERS) as client:
            yield client


def _predict(client: TestClient, body: bytes, query: str = "wait=20&name=a.mp4", **more: str):
    return client.post(f"/predict?{query}", content=body, headers=more)


def test_an_upload_is_answered_with_its_events(client: TestClient, clip: bytes) -> None:
    answer = _predict(client, clip)
    assert answer.status_code == 200
    job = answer.json()
    assert (job["state"], job["progress"], job["name"]) == ("done", 1.0, "a.mp4")
    assert job["result"]["duration_s"] == pytest.approx(2.0)
    address = answer.headers["Location"]
    assert client.get(address).json() == job
    assert client.get(f"{address}/events").json() == {"events": job["result"]["events"]}
    n_steps = len(client.get(f"{address}/scores").json()["values"])
    assert n_steps > 10
    assert client.get("/jobs").json()["jobs"][-1]["id"] == job["id"]
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_a_job_may_be_followed(client: TestClient, clip: bytes) -> None:
    answer = _predict(client, clip, query="")
    assert answer.status_code == 202
    assert "result" not in answer.json()
    until_s = time.monotonic() + 20
    while (job := client.get(answer.headers["Location"]).json())["state"] != "done":
        assert time.monotonic() < until_s, job
        time.sleep(0.02)
    assert job["result"]["video"] == "video.mp4"


def test_a_video_may_be_named(client: TestClient) -> None:
    answer = client.post("/predict?wait=20", json={"path": "ward/b.mp4"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["video"] == "ward/b.mp4"


@pytest.mark.parametrize(
    "path", ["../outside.mp4", "/etc/passwd", "link.mp4", "ward", "x\0y", "a" * 5000, "none.mp4"]
)
def test_nothing_outside_of_the_roots_is_read(client: TestClient, path: str) -> None:
    answer = client.post("/predict", json={"path": path})
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no such video in a folder of --root"}


def test_what_is_no_video_fails_with_its_reason(client: TestClient) -> None:
    job = _predict(client, b"no video").json()
    assert job["state"] == "failed"
    assert job["error"].startswith("a.mp4 cannot be read as a video")
    events = client.get(f"/jobs/{job['id']}/events")
    assert (events.status_code, events.json()["error"]) == (422, job["error"])


def _iter_chunks() -> Iterator[bytes]:
    for _ in range(30):
        yield b"x" * 50_000


def test_too_much_is_refused(client: TestClient) -> None:
    assert _predict(client, b"x" * 1_000_001).status_code == 413
    answer = client.post("/predict", content=_iter_chunks())
    assert answer.status_code == 413
    assert answer.json()["error"] == "The video is larger than the 1 MB that are taken here"
    assert client.post("/predict", json={"path": "x" * 70_000}).status_code == 413
    assert _predict(client, b"", query="wait=99").status_code == 400
    assert _predict(client, b"", query="wait=nan").status_code == 400


def test_an_upload_as_curl_calls_it_is_taken(client: TestClient) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/predict", content=b"a video", headers=kind).status_code == 202


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "video/mp4", 400),
        (b"{", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"path": 3}', "application/json", 400),
        (b"--x", "multipart/form-data; boundary=x", 415),
    ],
)
def test_what_is_no_request_is_refused(
    client: TestClient, body: bytes, kind: str, status: int
) -> None:
    answer = client.post("/predict", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("given", ["", "Bearer ", f"Bearer {KEY}x", KEY, "Bearer \xff"])
def test_without_the_token_nothing_is_told(client: TestClient, given: str) -> None:
    headers = {"Authorization": given.encode("latin-1")}
    for path in ("/jobs", "/jobs/x", "/jobs/x/scores", "/nothing"):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"error": "A token is required"})
    assert client.post("/predict", content=b"x", headers=headers).status_code == 401
    assert client.get("/healthz", headers=headers).json() == {"healthy": True, "model": "small"}


def test_the_description_is_of_what_there_is(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document == json.loads(json.dumps(describe_service(ServeConfig(max_mb=1))))
    source = (Path(__file__).parents[3] / "src/har/serve/server.py").read_text()
    routes = re.findall(r'Route\("([^"]+)", views\.\w+(?:, methods=\["(\w+)"\])?\)', source)
    described = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item
    }
    assert described == {(path, method or "GET") for path, method in routes}
    names = set(re.findall(r'#/components/schemas/(\w+)"', json.dumps(document)))
    assert names == document["components"]["schemas"].keys()
