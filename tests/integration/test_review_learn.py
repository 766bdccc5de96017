"""From verdicts to a model that has learned from them: a bar that moves or rests."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient
from stores import LABELS, SIZE, draw_bar, make_store
from videos import make_video

from har.api.learning import Learned
from har.api.model import load
from har.api.review import open_project
from har.bundle_files import find_bundle
from har.cli import har
from har.errors import ConfigError
from har.metrics.comparison import Comparison
from har.review.server import create_app, name_cookie
from har.review.store import FoundEvent, Recording, ReviewStore, Verdict

pytestmark = pytest.mark.slow
CONFIG = """
[cnn.fit]
epochs = {0}
[temporal.fit]
epochs = {0}
[system.fit]
epochs = 0
"""
N_RECORDINGS, N_PARTS = 3, 4


def run(*words, fails=False):
    result = CliRunner().invoke(har, list(map(str, words)))
    assert (result.exit_code != 0) is fails, (result.stderr, result.exception)
    return result


def paint(group):
    def draw(index: int) -> np.ndarray:
        return draw_bar(index % 25, LABELS[index // 25 % 2], group)

    return draw


def make_review(folder):
    """Recordings that move in even seconds and rest in odd ones; the model said all of it moves."""
    folder.mkdir()
    store = ReviewStore(f"sqlite:///{folder}/review.db")
    for group in range(N_RECORDINGS):
        path = folder / f"r{group}.mp4"
        times_s = [index / 25 for index in range(25 * N_PARTS)]
        make_video(path, times_s, SIZE, paint=paint(group))
        found = [FoundEvent(0, 0, "model", "moves", k, k + 1.0, 0.6) for k in range(N_PARTS)]
        number = store.add_recording(
            Recording(0, str(path), float(N_PARTS), 25.0, f"g{group}", LABELS), found
        )
        for event in store.list_events(number):
            kind = "keep" if event.start_s % 2 == 0 else "reject"
            span = (event.start_s, event.end_s)
            verdict = Verdict(str(uuid.uuid4()), "Ada", number, event.key, 1, kind, "moves", *span)
            store.add_verdict(verdict)
    store.close()
    return folder / "review.db"


@pytest.fixture(scope="module")
def present(tmp_path_factory):
    """A bundle that has hardly learned anything."""
    folder = tmp_path_factory.mktemp("learn")
    make_store(folder, n_groups=3)
    (folder / "short.toml").write_text(CONFIG.format(1))
    (folder / "long.toml").write_text(CONFIG.format(4))
    words = ("train", "all", "--recipe", "tiny", "--streams", "motion")
    words = (*words, "--config", folder / "short.toml", "--store", folder / "store")
    run(*words, "--out", folder / "bundle", "--results", folder / "results")
    return folder


def test_the_loop_from_verdicts_to_a_new_bundle(present, tmp_path):
    database = make_review(tmp_path / "out")
    before = (present / "bundle" / "bundle.json").read_bytes()
    words = ("train", "all", "--verdicts", database, "--from", present / "bundle")
    words = (*words, "--background", "rests", "--recipe", "tiny", "--config", present / "long.toml")
    words = (*words, "--results", tmp_path / "results")
    done = run(*words, "--out", tmp_path / "new", "--take", "--json")
    found = json.loads(done.stdout)
    n_each = N_RECORDINGS * N_PARTS // 2
    assert (found["n_confirmed"], found["n_rejected"]) == (n_each, n_each)
    comparison = found["comparison"]
    assert (comparison["n"], comparison["n_groups"]) == (2 * n_each, N_RECORDINGS)
    assert comparison["figures"]["accuracy"]["second"] is not None
    taken = (present / "bundle" / "bundle.json").read_bytes()
    assert taken == (tmp_path / "new" / "bundle.json").read_bytes()
    assert (present / "bundle-before-1" / "bundle.json").read_bytes() == before != taken


def test_a_model_that_comes_with_har_is_not_replaced():
    comparison = Comparison("clips", "a", "b", 0, 0, {}, None, ())
    learned = Learned(load("fight"), find_bundle(Path("fight")), comparison, 0, 0)
    with pytest.raises(ConfigError, match="comes with har"):
        learned.take()


def test_what_cannot_be_learned_is_said(present, tmp_path):
    database = make_review(tmp_path / "out")
    words = ("train", "all", "--verdicts", database)
    assert "--from" in run(*words, fails=True).stderr
    store = ReviewStore(f"sqlite:///{database}")
    store.add_verdict(Verdict("x", "Ada", 1, "n-1", 1, "keep", "jumps", 0.0, 1.0))
    store.close()
    words = (*words, "--from", present / "bundle", "--out", tmp_path / "n")
    assert "--background" in str(run(*words, fails=True).exception)
    failed = run(*words, "--background", "rests", fails=True)
    assert "jumps" in str(failed.exception)


def test_a_person_learns_and_takes_the_new_model_from_the_page(present, tmp_path):
    database = make_review(tmp_path / "out")
    (tmp_path / "out" / "results.json").write_text("[]")
    bundle = tmp_path / "bundle"
    shutil.copytree(present / "bundle", bundle)
    project = open_project(
        tmp_path / "out", database=f"sqlite:///{database}", model=bundle, background="rests"
    )
    host = "127.0.0.1:8123"
    app = create_app(project, "a-token-of-this-run", (host,))
    cookies = {name_cookie(host): "a-token-of-this-run"}
    with TestClient(app, base_url=f"http://{host}", cookies=cookies) as client:
        options = {"json": {}, "headers": {"origin": f"http://{host}"}}
        assert client.post("/api/learn", params={"observer": "Ada"}, **options).status_code == 202
        again = client.post("/api/learn", params={"observer": "Ada"}, **options)
        assert "trained already" in again.json()["error"]
        while (found := client.get("/api/learn").json())["state"] == "running":
            time.sleep(0.5)
        assert (found["state"], found["error"]) == ("done", "")
        assert found["result"]["comparison"]["figures"]["accuracy"]["second"] is not None
        before = (bundle / "bundle.json").read_bytes()
        assert client.post("/api/learn/take", **options).json()["state"] == "taken"
        assert (bundle / "bundle.json").read_bytes() != before
        assert (tmp_path / "bundle-before-1" / "bundle.json").read_bytes() == before
    project.store.close()
