"""Frames read in a thread of its own: all of them, in order, and nothing left behind."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from videos import make_clip, make_truncated_mp4

from har.errors import VideoDecodeError
from har.types import Frame
from har.video.file.reader import open_video, read_ahead

IMAGE = np.zeros((2, 2), np.uint8)


def _count(n_frames: int, seen: list[int] | None = None) -> Iterator[Frame]:
    for index in range(n_frames):
        if seen is not None:
            seen.append(index)
        yield Frame(index, index / 25, IMAGE)


def _take_all(frames: Iterator[Frame], into: list[Frame]) -> None:
    for frame in frames:
        into.append(frame)  # noqa: PERF402  what came before an error counts


def _leave_early(seen: list[int]) -> None:
    with read_ahead(_count(10_000, seen), 2) as frames:
        next(frames)
        raise RuntimeError("enough")


def _has_reader() -> bool:
    return any(thread.name == "reader" for thread in threading.enumerate())


@pytest.mark.parametrize("n_ahead", [1, 8])
def test_all_frames_come_in_order(tmp_path: Path, n_ahead: int) -> None:
    path = make_clip(tmp_path / "a.mp4", n_frames=40)
    with open_video(path) as reader:
        expected = list(reader)
    with open_video(path) as reader, read_ahead(reader, n_ahead) as frames:
        found = list(frames)
    assert [frame.time_s for frame in found] == [frame.time_s for frame in expected]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(found, expected, strict=True))
    assert not _has_reader()


def test_no_frames() -> None:
    with read_ahead(iter(()), 4) as frames:
        assert list(frames) == []


def test_damage_is_raised_after_the_last_readable_frame(tmp_path: Path) -> None:
    path = make_truncated_mp4(tmp_path / "a.mp4", n_frames=100)
    found: list[Frame] = []
    with (
        open_video(path) as reader,
        read_ahead(reader, 4) as frames,
        pytest.raises(VideoDecodeError, match="damaged or cut off"),
    ):
        _take_all(frames, found)
    assert len(found) > 20


def test_reading_waits_while_the_queue_is_full() -> None:
    seen: list[int] = []
    with read_ahead(_count(100, seen), 5) as frames:
        next(frames)
        time.sleep(0.3)
        assert len(seen) <= 1 + 5 + 1  # taken, waiting, in hand
        assert len(list(frames)) == 99


def test_leaving_early_stops_the_thread() -> None:
    seen: list[int] = []
    with pytest.raises(RuntimeError, match="enough"):
        _leave_early(seen)
    assert not _has_reader()
    assert len(seen) < 10
