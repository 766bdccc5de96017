"""Files watched as cameras: what is told is what a recording of the same frames gives."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from acting import iter_scene
from bundles import PEOPLE_SPEC, make_bundle, make_people_bundle
from cameras import FPS, Memory, make_ts, paint_moving, paint_still, watching
from videos import make_truncated, make_video

from har.bundle import CNN_GRAPH_FILE
from har.config import DecodeConfig, PredictConfig, WatchConfig
from har.errors import ConfigError
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.live import sources as har_sources
from har.live.sources import Source, parse_sources
from har.live.watch import Watch

CONFIG = WatchConfig(max_wait_s=60.0, state_every_s=0.1, max_late_s=59.0, jump_s=60.0)
DECODE = DecodeConfig(background="still", min_s=0.25, merge_gap_s=0.25)
SPEED = 8.0


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer(make_bundle(tmp_path_factory.mktemp("bundle"), decode=DECODE), n_threads=1)


def _paint(index: int) -> np.ndarray:
    return paint_moving(index) if index // 40 % 2 else paint_still(index)


def _make_even(path: Path) -> Path:
    return make_video(path, [index / FPS for index in range(150)], paint=_paint)


def _make_uneven(path: Path) -> Path:
    """Return a film of a changing rate with gaps of up to two seconds."""
    steps_s = np.random.default_rng(0).choice([0.02, 0.04, 0.1, 0.3, 2.0], 150, p=PARTS)
    return make_video(path, np.cumsum(steps_s).tolist(), paint=_paint)


PARTS = [0.2, 0.5, 0.2, 0.08, 0.02]


def _make_two_sizes(path: Path) -> Path:
    small = make_ts(path.with_name("small.ts"), 3.0, _paint)

    def enlarge(index: int) -> np.ndarray:
        return np.kron(_paint(75 + index), np.ones((2, 2, 1), np.uint8))

    large = make_ts(path.with_name("large.ts"), 3.0, enlarge, begin_s=3.0, size=(128, 192))
    path.write_bytes(small + large)
    return path


def _watch(recognizer: Recognizer, sources: list[Source], config: WatchConfig = CONFIG) -> Memory:
    memory = Memory()
    Watch(recognizer, sources, config, [memory]).run()
    return memory


def _assert_is_the_recording(memory: Memory, recognizer: Recognizer, path: Path) -> None:
    config = PredictConfig(n_overlap=CONFIG.n_overlap)
    whole = recognize_video(recognizer, path, config=config)
    name = path.stem
    scores = [told for told in memory.scores if told.camera == name]
    times_s = np.concatenate([told.times_s for told in scores])
    np.testing.assert_array_equal(times_s, whole.scores.times_s)
    values = np.concatenate([told.values for told in scores])
    np.testing.assert_array_equal(values, whole.scores.values)
    events = [told.event for told in memory.final() if told.camera == name]
    assert sorted(events, key=lambda event: event.onset_s) == list(whole.events)
    assert whole.events, "the film shows something"


@pytest.mark.parametrize(
    ("make", "name"),
    [(_make_even, "even.mp4"), (_make_uneven, "uneven.mkv"), (_make_two_sizes, "sizes.ts")],
)
def test_a_file_is_told_of_as_a_recording_is(
    recognizer: Recognizer, tmp_path: Path, make: Callable[[Path], Path], name: str
) -> None:
    path = make(tmp_path / name)
    memory = _watch(recognizer, [Source(path.stem, "file", str(path), SPEED)])
    _assert_is_the_recording(memory, recognizer, path)
    assert memory.walk(path.stem)[-2:] == ["live", "ended"]
    assert memory.n_closed == 1


def test_people_are_told_of_as_in_a_recording(tmp_path: Path) -> None:
    recognizer = Recognizer(make_people_bundle(tmp_path / "bundle", "both"), n_threads=1)
    scene = list(iter_scene(lambda time_s: ((0.3, False), (0.7, 1 <= time_s < 2)), 3.0))
    size = PEOPLE_SPEC.size
    film = make_video(
        tmp_path / "people.mp4",
        [index * 0.1 for index in range(len(scene))],
        size,
        paint=lambda index: cv2.resize(scene[index], size[::-1]),
    )
    memory = _watch(recognizer, [Source("people", "file", str(film), 2.0)])
    _assert_is_the_recording(memory, recognizer, film)
    assert any(event.event.subject for event in memory.final())


def test_several_cameras_are_each_told_of_as_if_alone(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    paths = [_make_even(tmp_path / "one.mp4"), _make_uneven(tmp_path / "two.mkv")]
    memory = _watch(recognizer, [Source(path.stem, "file", str(path), SPEED) for path in paths])
    for path in paths:
        _assert_is_the_recording(memory, recognizer, path)


def test_an_event_is_told_when_it_opens_and_when_it_is_final(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    times_s = [index / FPS for index in range(70)]
    path = make_video(tmp_path / "one.mp4", times_s, paint=lambda i: _paint(i + 40))
    begun_at = datetime.now(UTC)
    memory = _watch(recognizer, [Source("one", "file", str(path))])
    assert abs((memory.final()[0].began_at - begun_at).total_seconds()) < 0.5
    for final in memory.final():
        key = (final.event.label, final.event.onset_s)
        told = [event for event in memory.events if (event.event.label, event.event.onset_s) == key]
        assert [event.is_open for event in told] == [True, False]
        apart_s = (told[1].began_at - told[0].began_at).total_seconds()
        assert abs(apart_s) < 0.1, "the onset stays where it is on the clock"


def test_what_does_not_fit_in_time_is_passed_over_and_counted(tmp_path: Path) -> None:
    slow = Recognizer(make_bundle(tmp_path / "bundle", decode=DECODE), n_threads=1)
    encode = slow.graphs[CNN_GRAPH_FILE]

    def encode_slowly(stacks: np.ndarray) -> np.ndarray:
        time.sleep(0.02)
        return encode(stacks)

    slow = slow.replace({CNN_GRAPH_FILE: encode_slowly})
    path = _make_even(tmp_path / "even.mp4")
    config = WatchConfig(max_wait_s=0.05, max_late_s=59.0, jump_s=60.0)
    memory = _watch(slow, [Source("even", "file", str(path), 600.0)], config)
    times_s = np.concatenate([told.times_s for told in memory.scores])
    np.testing.assert_allclose(times_s, (np.arange(48) + 0.5) / 8, err_msg="no step is missing")
    assert memory.states[-1].n_dropped > 0


def test_a_damaged_file_is_watched_as_far_as_it_goes(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    path = make_truncated(tmp_path / "cut.mkv", n_frames=150, paint=_paint)
    memory = _watch(recognizer, [Source("cut", "file", str(path), SPEED)])
    n_steps = sum(len(told.times_s) for told in memory.scores)
    assert 16 <= n_steps <= 32
    assert memory.walk("cut")[-1] == "ended"


def test_a_file_without_pictures_ends_with_a_note(recognizer: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    memory = _watch(recognizer, [Source("sound", "file", str(path))])
    assert memory.walk("sound")[-1] == "ended"
    assert any("no moving pictures" in note for note in memory.notes())


def test_a_watch_that_is_told_to_stop_tells_what_is_open(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    path = make_video(tmp_path / "long.mp4", [i / FPS for i in range(750)], paint=paint_moving)
    with watching(recognizer, [f"long={path}"], CONFIG) as (memory, wait):
        wait(lambda: len(memory.events) == 1, 10.0)
        assert memory.events[0].is_open
    assert [event.is_open for event in memory.events] == [True, False]
    assert memory.walk("long")[-1] == "ended"
    assert memory.n_closed == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "long"]


def test_an_error_of_a_sink_ends_the_watch_and_closes_the_others(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    class Broken(Memory):
        def on_state(self, state: object) -> None:
            raise RuntimeError("no more")

    memory = Memory()
    path = _make_even(tmp_path / "even.mp4")
    with pytest.raises(RuntimeError, match="no more"):
        Watch(recognizer, parse_sources([str(path)]), CONFIG, [Broken(), memory]).run()
    assert memory.n_closed == 1


def test_names_that_are_the_same_are_refused(recognizer: Recognizer) -> None:
    twice = [Source("a", "webcam", "0"), Source("a", "webcam", "1")]
    for sources in ([], twice):
        with pytest.raises(ConfigError, match="names that differ"):
            Watch(recognizer, sources)


def test_a_camera_that_fails_unforeseen_ends_alone(
    recognizer: Recognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = har_sources.open_played

    def fail(path: Path, *given: object) -> object:
        if path.name == "bad.mp4":
            raise AttributeError("'NoneType' object has no attribute 'name'")
        return played(path, *given)

    monkeypatch.setattr(har_sources, "open_played", fail)
    path = _make_even(tmp_path / "even.mp4")
    cameras = [Source("even", "file", str(path), SPEED), Source("bad", "file", "bad.mp4", SPEED)]
    memory = _watch(recognizer, cameras)
    _assert_is_the_recording(memory, recognizer, path)
    assert memory.walk("bad")[-1] == "ended"
    notes = [state.note for state in memory.states if state.name == "bad"]
    assert any("bad cannot be read: AttributeError: 'NoneType'" in note for note in notes)
