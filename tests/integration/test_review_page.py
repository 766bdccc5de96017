"""The review page in a real browser: what a person does there, at both widths."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from bundles import make_bundle
from reviewing import (
    CHROMIUM,
    ReviewServer,
    Watched,
    make_results,
    make_watch,
    open_browser,
)
from videos import make_clip

import har
from har.config import DecodeConfig
from har.review.store import ReviewStore

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
FILMS = {
    "kitchen": [("hit", 4.0, 6.0, 0.8), ("hit", 10.0, 12.0, 0.55), ("push", 20.0, 23.0, 0.7)],
    "garden": [("hit", 3.0 + 2 * k, 4.0 + 2 * k, 0.5 + k / 100) for k in range(12)],
}
WIDTHS = (1280, 820)


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture
def server(tmp_path):
    make_results(tmp_path / "out", FILMS, 30.0)
    watch = make_watch(tmp_path / "watch")
    with ReviewServer(tmp_path / "out", str(watch), "--samples", "1") as server:
        yield server


@pytest.fixture
def verdicts(tmp_path):
    def read():
        store = ReviewStore(f"sqlite:///{tmp_path}/out/review.db")
        try:
            return store.list_verdicts()
        finally:
            store.close()

    return read


@pytest.mark.parametrize("width", WIDTHS)
def test_events_are_mended_undone_and_there_after_a_reload(browser, server, verdicts, width):
    watched = Watched(browser, server, width)
    page, keys = watched.page, watched.page.keyboard
    watched.sign_in()
    watched.open("kitchen")

    keys.press("Space")
    watched.wait_for("document.querySelector('video').currentTime > 0.5")
    keys.press("Space")
    keys.press("Shift+ArrowRight")
    keys.press("n")
    watched.wait_for("Math.abs(document.querySelector('video').currentTime - 4) < 0.05")

    x, y = watched.find_edge("model", "hit", "end_s")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    ((label, start_s, end_s),) = watched.list_own()
    assert (label, start_s) == ("hit", 4.0)
    assert 6.1 < end_s < 8.0

    keys.press("3")
    assert watched.list_own()[0][0] == "push"
    keys.press("Shift+ArrowLeft")
    keys.press("s")
    first, second = watched.list_own()
    assert (first[1], second[2]) == (4.0, end_s)
    assert first[2] == second[1] == pytest.approx(end_s - 1.0, abs=0.02)
    keys.press("m")
    assert watched.list_own() == [("push", 4.0, end_s)]
    keys.press("u")
    assert len(watched.list_own()) == 2
    keys.press("u")
    keys.press("u")
    assert watched.list_own() == [("hit", 4.0, end_s)]
    keys.press("Shift+U")
    assert watched.list_own() == [("push", 4.0, end_s)]
    keys.press("Escape")
    keys.press("2")
    keys.press("l")
    keys.press("a")
    keys.press("Shift+ArrowRight")
    keys.press("a")
    watched.wait_saved()
    before = watched.list_own()
    assert len(before) == 2

    page.reload()
    watched.open("kitchen")
    assert watched.list_own() == before
    kept = [(v.label, v.start_s, v.end_s) for v in verdicts() if v.kind == "keep"]
    assert sorted(kept) == sorted(before)
    assert (watched.errors, watched.outside) == ([], [])
    watched.close()


def test_words_of_list_and_queue_agree_and_names_of_lanes_are_whole(browser, tmp_path):
    coded = "hitting somebody else with something that was taken from the table"
    (tmp_path / "coding.csv").write_text(f"video,label,start_s,end_s\nkitchen.mp4,{coded},1,2\n")
    make_results(tmp_path / "out", FILMS, 30.0)
    options = ("--coding", str(tmp_path / "coding.csv"), "--samples", "0")
    with ReviewServer(tmp_path / "out", *options) as server:
        watched = Watched(browser, server, WIDTHS[1])
        page, keys = watched.page, watched.page.keyboard
        watched.sign_in()
        watched.open("kitchen")
        for key in ("n", "Enter", "n", "]", "n", "1"):
            keys.press(key)
        watched.wait_saved()
        events = page.get_by_role("region", name="Events near this moment")
        assert [text.split()[-1] for text in events.locator("tbody tr").all_inner_texts()] == [
            "kept",
            "mended",
            "relabeled",
        ]
        script = """() => { const t = document.querySelector('canvas').timeline;
          return t.rows.map((r) => [r.lines.join(' '), r.name,
            Math.max(...r.lines.map((l) => t.context.measureText(l).width)) <= t.gutter - 8,
            r.height >= 15 * r.lines.length]); }"""
        rows = page.evaluate(script)
        assert f"coded before: {coded}" in [row[0] for row in rows]
        assert all(text == name and fits and high for text, name, fits, high in rows)
        watched.shoot("names")
        keys.press("q")
        page.get_by_text("1 kept, 1 mended, 1 relabeled, 0 rejected").wait_for()
        watched.shoot("words")
        assert (watched.errors, watched.outside) == ([], [])
        watched.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_queue_of_fifty_is_worked_off_by_keys_alone(browser, tmp_path, width):
    events = [("hit" if k % 2 else "push", 1.0 + k, 1.8 + k, 0.5 + k / 200) for k in range(24)]
    make_results(tmp_path / "out", {"a": events, "b": events}, 26.0)
    with ReviewServer(tmp_path / "out", "--samples", "1", "--sample-s", "5") as server:
        watched = Watched(browser, server, width)
        page, keys = watched.page, watched.page.keyboard
        page.locator(":focus").wait_for()
        keys.type("Ada")
        keys.press("Enter")
        page.get_by_role("heading", name="Recordings").wait_for()
        keys.press("q")
        left = page.locator("[data-left]")
        for n_left in range(50, 0, -1):
            page.locator(f"[data-left='{n_left}']").wait_for()
            chosen = page.locator("aside h2").first
            chosen.wait_for()
            is_sample = "Watch" in chosen.inner_text()
            keys.press("Enter" if is_sample else ("x", "Enter", "2")[n_left % 3])
        page.locator("[data-left='0']").wait_for()
        watched.wait_saved()
        assert left.inner_text() == "0 of 50 left"
        assert (watched.errors, watched.outside) == ([], [])
        watched.close()
    store = ReviewStore(f"sqlite:///{tmp_path}/out/review.db")
    assert len([item for item in store.list_verdicts() if item.kind != "clear"]) == 50
    store.close()


def test_an_alert_of_a_watch_is_accepted(browser, tmp_path):
    """The way of docs/start/care-team.md: a film is watched, its alert played and accepted."""
    make_bundle(tmp_path / "bundle", decode=DecodeConfig(background="still"))
    make_clip(tmp_path / "film.mp4", n_frames=50, fps=25, size=(64, 96))
    settings = tmp_path / "watch.toml"
    settings.write_text("[alerts]\nscore = 0.0\nmin_s = 0.1\n[clips]\nafter_s = 0.5\n")
    film = f"yard={tmp_path / 'film.mp4'}"
    har.watch(film, model=tmp_path / "bundle", out=tmp_path / "watch", settings=settings)
    (record,) = (tmp_path / "watch" / "alerts").glob("*.json")
    with ReviewServer(tmp_path / "watch") as server:
        watched = Watched(browser, server, 1280)
        page, keys = watched.page, watched.page.keyboard
        watched.sign_in()
        keys.press("w")
        page.get_by_role("button", name="Decide", exact=True).wait_for()
        keys.press("q")
        page.locator("[data-left='1']").wait_for()
        page.get_by_role("heading", name="active score").wait_for()
        keys.press("Space")
        watched.wait_for("document.querySelector('video')?.currentTime > 0.1")
        keys.press("Enter")
        page.locator("[data-left='0']").wait_for()
        watched.wait_saved()
        keys.press("w")
        page.get_by_role("button", name="Decided").wait_for()
        assert (watched.errors, watched.outside) == ([], [])
        watched.close()
    (kept,) = har.read_events(tmp_path / "watch" / "review.db").events
    assert (kept.label, kept.annotator, Path(kept.video).stem) == ("active", "Ada", record.stem)


def find_axe() -> str | None:
    """Return axe-core's source: at HAR_AXE, or fetched by npm into a folder that is deleted."""
    named = os.environ.get("HAR_AXE")
    if named:
        return Path(named).read_text()
    if shutil.which("npm") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "axe-core@4"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        script = Path(folder) / "node_modules/axe-core/axe.min.js"
        return script.read_text() if done.returncode == 0 and script.is_file() else None


@pytest.fixture(scope="module")
def axe():
    source = find_axe()
    if source is None:
        pytest.skip("axe-core is neither at HAR_AXE nor can npm fetch it")
    return source


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_serious_keeps_anybody_out(browser, server, axe, width, scheme):
    watched = Watched(browser, server, width, scheme)
    watched.page.get_by_label("Name", exact=True).wait_for()
    problems = {}

    def check(name):
        watched.page.wait_for_timeout(200)
        watched.shoot(f"{name}-{width}-{scheme}")
        watched.page.evaluate(axe)
        found = watched.page.evaluate("axe.run()")["violations"]
        problems[name] = [
            (item["id"], node["html"])
            for item in found
            if item["impact"] in ("serious", "critical")
            for node in item["nodes"]
        ]

    check("sign-in")
    watched.sign_in()
    check("recordings")
    watched.open("kitchen")
    for key in ("n", "Enter", "n", "x", "n"):
        watched.page.keyboard.press(key)
    check("recording")
    watched.page.keyboard.press("?")
    check("keys")
    watched.page.keyboard.press("Escape")
    watched.page.keyboard.press("q")
    watched.page.locator("aside h2").first.wait_for()
    check("queue")
    watched.page.keyboard.press("w")
    watched.page.get_by_role("button", name="Decide").wait_for()
    check("live")
    watched.page.get_by_role("button", name="Decide").click()
    watched.wait_for("document.querySelector('video')?.readyState >= 2")
    watched.page.keyboard.press("n")
    watched.page.keyboard.press("Enter")
    watched.wait_saved()
    assert [event[0] for event in watched.list_own()] == ["hit"]
    watched.page.keyboard.press("r")
    with watched.page.expect_download() as download:
        watched.page.get_by_role("link", name="yours").click()
    assert "hall-1.mp4" in Path(download.value.path()).read_text()
    assert not any(problems.values()), problems
    watched.close()
