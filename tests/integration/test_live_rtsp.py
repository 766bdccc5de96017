"""A real RTSP server on the loopback: watched, killed, started again; and a soak of ten minutes."""

import os
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from bundles import make_bundle
from cameras import FPS, Memory, RtspServer, paint_moving, paint_still, watching
from videos import make_video

from har.config import DecodeConfig, WatchConfig
from har.inference.model import Recognizer

PERIOD_S = 4.0
ACTIVE_S = 1.5
CONFIG = WatchConfig(
    frozen_s=1.0,
    lost_s=2.0,
    connect_s=2.0,
    retry_first_s=0.1,
    retry_most_s=0.5,
    state_every_s=0.2,
    max_wait_s=5.0,
)
SOAK_S = float(os.environ.get("HAR_SOAK_S", "600"))
_SETTLED_PART = 0.2
_MAX_GROWTH_MIB = 12.0


def _paint(index: int) -> object:
    """Return pictures that move for one and a half of every four seconds."""
    return paint_moving(index) if index / FPS % PERIOD_S < ACTIVE_S else paint_still(index)


def _make_film(path: Path, length_s: float) -> Path:
    times_s = [index / FPS for index in range(round(length_s * FPS))]
    return make_video(path, times_s, paint=_paint)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    decode = DecodeConfig(background="still", min_s=0.25, merge_gap_s=0.25)
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle"), decode=decode), n_threads=1)


def test_a_server_that_is_killed_and_comes_back_is_watched_on(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    film = _make_film(tmp_path / "film.mp4", 30.0)
    with RtspServer(film) as server, ExitStack() as later:
        sources = [f"hall={server.url(0)}", f"yard={server.url(1)}"]
        with watching(recognizer, sources, CONFIG) as (memory, wait):
            wait(lambda: _count_final(memory, "hall") >= 1, 20.0)
            wait(lambda: _count_final(memory, "yard") >= 1, 20.0)
            server.kill()
            wait(lambda: memory.walk("hall")[-1] == memory.walk("yard")[-1] == "lost", 10.0)
            n_before = len(memory.final())
            later.enter_context(RtspServer(film, server.port))
            wait(lambda: _count_final(memory, "hall", n_before) >= 1, 20.0)
    assert memory.walk("hall") == ["starting", "live", "lost", "live", "ended"]
    assert any("hall stopped sending" in note or "hall ended" in note for note in memory.notes())
    assert any("hall is back after" in note for note in memory.notes())
    assert memory.n_closed == 1
    last = [state for state in memory.states if state.name == "hall"][-1]
    assert last.n_reconnects == 1
    assert last.n_dropped == 0
    assert {event.event.label for event in memory.events} == {"active"}
    for event in memory.final():
        assert event.event.offset_s - event.event.onset_s < ACTIVE_S + 0.8
    told = " ".join(map(str, [*memory.states, *memory.events]))
    assert "secret" not in told
    assert "me:" not in told


def _count_final(memory: Memory, camera: str, first: int = 0) -> int:
    return sum(event.camera == camera for event in memory.final()[first:])


@pytest.mark.soak
@pytest.mark.timeout(SOAK_S + 120)
def test_memory_does_not_grow(recognizer: Recognizer, tmp_path: Path) -> None:
    """Watch two cameras whose films end, and so are connected anew, once a minute."""
    film = _make_film(tmp_path / "film.mp4", 60.0)
    with RtspServer(film) as server:
        sources = [server.url(0), server.url(1)]
        with watching(recognizer, sources, CONFIG) as (memory, _):
            begun_s, resident = time.monotonic(), []
            while time.monotonic() - begun_s < SOAK_S:
                time.sleep(min(2.0, SOAK_S / 20))
                resident.append(_read_resident_mib())
                memory.scores.clear()
                memory.states.clear()
    settled = round(len(resident) * _SETTLED_PART)
    print(f"resident MiB: settled {resident[settled]:.1f}, at the end {resident[-1]:.1f}")
    assert resident[-1] - resident[settled] < _MAX_GROWTH_MIB
    n_shown = 2 * SOAK_S / PERIOD_S
    assert len(memory.final()) > n_shown / 4


def _read_resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
