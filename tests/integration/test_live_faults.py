"""Cameras that misbehave, over a real connection: each fault is told, and recognition goes on."""

import re
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle
from cameras import (
    FPS,
    SIZE,
    HttpCamera,
    Memory,
    Pause,
    Send,
    make_ts,
    paint_moving,
    paint_still,
    watching,
)
from videos import make_tagged_avi, make_video

from har.config import DecodeConfig, WatchConfig
from har.errors import BundleMismatchError
from har.inference.model import Recognizer

SPEED = 2.0
QUICK = WatchConfig(
    frozen_s=0.6,
    lost_s=2.0,
    still_s=1.5,
    retry_first_s=0.05,
    retry_most_s=0.2,
    state_every_s=0.1,
    max_wait_s=5.0,
)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    decode = DecodeConfig(background="still", min_s=0.25, merge_gap_s=0.25)
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle"), decode=decode), n_threads=1)


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_ts(tmp_path_factory.mktemp("ts") / "moving.ts", 3.0, paint_moving)


def _send(content: bytes, length_s: float) -> Send:
    return Send(content, length_s / SPEED)


def _has_passed(memory: Memory, states: list[str]) -> bool:
    """Tell whether the camera was in these states in this order, whatever was between."""
    walk = iter(memory.walk("a"))
    return all(state in walk for state in states)


def test_garbage_is_counted_and_passed_over(
    recognizer: Recognizer, moving: bytes, tmp_path: Path
) -> None:
    later = make_ts(tmp_path / "later.ts", 3.0, paint_moving, begin_s=3.0)
    rng = np.random.default_rng(0)
    hurt = np.frombuffer(later, np.uint8).copy()
    places = rng.integers(len(hurt) // 4, len(hurt) // 2, 400)
    hurt[places] = rng.integers(0, 256, len(places))
    acts = [_send(moving, 3.0), Send(rng.bytes(50_000), 0.1), _send(hurt.tobytes(), 3.0), Pause(9)]
    with HttpCamera([acts]) as camera, watching(recognizer, [f"a={camera.url}"], QUICK) as watch:
        memory, wait = watch
        wait(lambda: any(s.times_s[-1:] > 4.5 for s in memory.scores), 20.0)
    last = memory.states[-1]
    assert last.n_damaged > 0
    assert "lost" not in memory.walk("a")[:2]
    assert {event.event.label for event in memory.events} == {"active"}


def _stop_clock(content: bytes) -> bytes:
    """Return the stream with the first picture's times in every picture."""
    stopped = bytearray(content)
    starts = [
        found.end() for found in re.finditer(rb"\x00\x00\x01\xe0..[\x80-\x8f]", content, re.S)
    ]
    first = starts[0]
    for start in starts:
        n_bytes = 10 if content[start] >> 6 == 3 else 5
        begin = first + 2
        stopped[start + 2 : start + 2 + n_bytes] = content[begin : begin + n_bytes]
    return bytes(stopped)


def test_a_camera_whose_times_stand_still_is_connected_anew(
    recognizer: Recognizer, moving: bytes, tmp_path: Path
) -> None:
    stuck = _stop_clock(make_ts(tmp_path / "stuck.ts", 6.0, paint_moving, begin_s=3.0))
    acts = [[_send(moving, 3.0), _send(stuck, 6.0)], [_send(moving, 3.0), Pause(9)]]
    with HttpCamera(acts) as camera, watching(recognizer, [f"a={camera.url}"], QUICK) as watch:
        memory, wait = watch
        wait(lambda: _has_passed(memory, ["live", "frozen", "lost", "live"]), 20.0)
    assert any("has shown nothing new" in note for note in memory.notes())


def test_a_camera_that_freezes_is_told_and_connected_anew(
    recognizer: Recognizer, moving: bytes
) -> None:
    acts = [[_send(moving, 3.0), Pause(9)], [_send(moving, 3.0), Pause(9)]]
    with HttpCamera(acts) as camera, watching(recognizer, [f"a={camera.url}"], QUICK) as watch:
        memory, wait = watch
        wait(lambda: _has_passed(memory, ["starting", "live", "frozen", "lost", "live"]), 20.0)
        wait(lambda: memory.events[-1].event.onset_s > 3.0, 20.0)
    assert any("no new frame for" in note for note in memory.notes())
    assert any("is back after" in note for note in memory.notes())
    assert memory.states[-1].n_reconnects == 1
    first, second = memory.final()[0], memory.final()[-1]
    assert first.event.offset_s == pytest.approx(3.0, abs=0.3), "closed at the last seen time"
    assert second.event.onset_s > first.event.offset_s
    apart_s = (second.began_at - first.began_at).total_seconds()
    assert 3.0 / SPEED + QUICK.lost_s < apart_s < 3.0 / SPEED + QUICK.lost_s + 5.0
    assert not any("secret" in str(state) for state in memory.states)


def test_the_very_same_picture_again_and_again_counts_as_frozen(
    recognizer: Recognizer, moving: bytes, tmp_path: Path
) -> None:
    stuck = make_ts(tmp_path / "stuck.ts", 5.0, lambda _: paint_still(0), begin_s=3.0)
    later = make_ts(tmp_path / "later.ts", 2.0, paint_moving, begin_s=8.0)
    acts = [_send(moving, 3.0), _send(stuck, 5.0), _send(later, 2.0), Pause(9)]
    with HttpCamera([acts]) as camera, watching(recognizer, [f"a={camera.url}"], QUICK) as watch:
        memory, wait = watch
        wait(lambda: any("the very same picture" in note for note in memory.notes()), 20.0)
        wait(lambda: memory.walk("a")[-2:] == ["frozen", "live"], 20.0)
    assert any("the very same picture" in note for note in memory.notes())
    assert memory.states[-1].n_reconnects == 0


@pytest.mark.parametrize(("begin_s", "said"), [(500.0, "leapt ahead"), (-40.0, "went back")])
def test_a_clock_that_jumps_begins_time_steps_anew_and_loses_no_event(
    recognizer: Recognizer, tmp_path: Path, begin_s: float, said: str
) -> None:
    before = make_ts(tmp_path / "before.ts", 3.0, paint_moving, begin_s=100.0)
    after = make_ts(tmp_path / "after.ts", 3.0, paint_moving, begin_s=100.0 + begin_s)
    acts = [_send(before, 3.0), _send(after, 3.0), Pause(9)]
    with HttpCamera([acts]) as camera, watching(recognizer, [f"a={camera.url}"], QUICK) as watch:
        memory, wait = watch
        wait(lambda: any(said in note for note in memory.notes()), 20.0)
        wait(lambda: memory.states[-1].n_frames > 5.5 * FPS, 20.0)
    assert "lost" not in memory.walk("a")[:2]
    first, second = memory.final()[0], memory.final()[-1]
    assert first.event.onset_s == pytest.approx(0.0, abs=0.3)
    assert first.event.offset_s == pytest.approx(3.0, abs=0.3)
    assert second.event.onset_s >= first.event.offset_s
    assert second.event.onset_s < 8.0


def test_a_change_of_size_in_mid_stream_is_told_and_bridged(
    recognizer: Recognizer, moving: bytes, tmp_path: Path
) -> None:
    size = (SIZE[0] * 2, SIZE[1] * 2)
    larger = make_ts(
        tmp_path / "larger.ts",
        3.0,
        lambda i: np.kron(paint_moving(i), np.ones((2, 2, 1), np.uint8)),
        begin_s=3.0,
        size=size,
    )
    acts = [_send(moving, 3.0), _send(larger, 3.0), Pause(9)]
    with HttpCamera([acts]) as camera, watching(recognizer, [f"a={camera.url}"], QUICK) as watch:
        memory, wait = watch
        wait(lambda: memory.states != [] and memory.states[-1].n_frames > 5.5 * FPS, 20.0)
    assert "the picture is 192x128 now, was 96x64" in memory.notes()
    assert memory.walk("a")[:2] == ["starting", "live"]
    (event,) = memory.final()
    assert 5.0 < event.event.offset_s - event.event.onset_s < 6.5


def test_a_file_that_nothing_can_decode_ends_alone(
    recognizer: Recognizer, moving: bytes, tmp_path: Path
) -> None:
    odd = make_tagged_avi(tmp_path / "odd.avi", b"ZQQZ")
    film = tmp_path / "film.ts"
    film.write_bytes(moving)
    with watching(recognizer, [f"a={odd}", f"b={film}"], QUICK) as (memory, wait):
        wait(lambda: memory.final() != [], 20.0)
        wait(lambda: memory.walk("a")[-1:] == ["ended"], 20.0)
    assert any("odd.avi is coded with the codec 'ZQQZ'" in note for note in memory.notes())
    assert {event.camera for event in memory.events} == {"b"}


def test_a_rate_below_what_the_lags_need_is_told_and_no_clock_blamed(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    film = make_video(tmp_path / "slow.mp4", [float(i) for i in range(9)])
    with watching(recognizer, [f"a={film}"], QUICK) as (memory, wait):
        wait(lambda: memory.walk("a")[-1:] == ["ended"], 20.0)
    (note,) = [note for note in memory.notes() if "a second are too few" in note]
    assert note.startswith("a: 1 frame(s) a second are too few")
    assert not any("clock" in note for note in memory.notes())


def _paint_until_white(index: int) -> np.ndarray:
    return paint_moving(index) if index < 2.5 * FPS else np.full((*SIZE, 3), 255, np.uint8)


@pytest.fixture(scope="module")
def delicate(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """Return a model whose network fails on white pictures."""
    decode = DecodeConfig(background="still", min_s=0.25, merge_gap_s=0.25)
    folder = make_bundle(tmp_path_factory.mktemp("bundle"), decode=decode, fails_on_white=True)
    return Recognizer(folder, n_threads=1)


def test_a_camera_whose_pictures_cannot_be_recognized_fails_alone_and_comes_back(
    delicate: Recognizer, moving: bytes, tmp_path: Path
) -> None:
    white = make_ts(tmp_path / "white.ts", 4.0, _paint_until_white)
    ours = [[_send(white, 4.0), Pause(9)], [_send(moving, 3.0), Pause(9)]]
    others = [[_send(moving, 3.0)] + [_send(moving, 3.0)] * 2 + [Pause(9)]]
    with (
        HttpCamera(ours) as first,
        HttpCamera(others) as second,
        watching(delicate, [f"a={first.url}", f"b={second.url}"], QUICK) as (memory, wait),
    ):
        wait(lambda: _has_passed(memory, ["live", "lost", "live"]), 20.0)
        wait(lambda: any(e.camera == "a" and e.event.onset_s > 2.5 for e in memory.events), 20.0)
    assert any("a cannot be recognized: " in note for note in memory.notes())
    assert not any("b cannot be recognized" in note for note in memory.notes())
    assert "lost" not in memory.walk("b")[:2]
    events = [event for event in memory.events if event.camera == "a"]
    assert [event.is_open for event in events[:2]] == [True, False], "what was open is closed"
    assert 0.5 < events[1].event.offset_s <= 2.75
    assert {event.camera for event in memory.final()} == {"a", "b"}


def test_a_file_whose_pictures_cannot_be_recognized_ends_and_the_other_is_watched(
    delicate: Recognizer, moving: bytes, tmp_path: Path
) -> None:
    make_ts(tmp_path / "white.ts", 4.0, _paint_until_white)
    (tmp_path / "film.ts").write_bytes(moving)
    names = [f"{name}={tmp_path / name}.ts" for name in ("white", "film")]
    with watching(delicate, names, QUICK) as (memory, wait):
        wait(lambda: memory.walk("white")[-1:] == memory.walk("film")[-1:] == ["ended"], 20.0)
    assert {event.camera for event in memory.final()} == {"white", "film"}
    (film,) = [event.event for event in memory.final() if event.camera == "film"]
    assert film.offset_s - film.onset_s == pytest.approx(3.0, abs=0.3)


def test_a_watch_that_can_recognize_no_camera_ends_and_says_why(
    delicate: Recognizer, tmp_path: Path
) -> None:
    white = make_ts(tmp_path / "white.ts", 3.0, lambda _: np.full((*SIZE, 3), 255, np.uint8))
    acts = [[_send(white, 3.0), Pause(9)]] * 4
    with (
        HttpCamera(acts) as camera,
        pytest.raises(BundleMismatchError, match="does not take an input of shape"),
        watching(delicate, [f"a={camera.url}", f"b={tmp_path / 'white.ts'}"], QUICK) as (_, wait),
    ):
        wait(lambda: False, 20.0)
