"""What is written is what players show: pictures, times, colors, and never half a file."""

import os
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from videos import paint_number, read_number

from har.errors import VideoWriteError
from har.video.file.reader import probe_video
from har.video.file.writer import open_writer

SIZE = (64, 96)


def _read_back(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def _write(path: Path, times_s: list[float | None]) -> None:
    with open_writer(path, SIZE, fps=25) as writer:
        for number, time_s in enumerate(times_s):
            writer.write(paint_number(number, SIZE), time_s)


def test_frames_come_back_in_order_at_even_times(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.mp4"
    _write(path, [None] * 30)
    frames = _read_back(path)
    assert [read_number(image) for _, image in frames] == list(range(30))
    np.testing.assert_allclose([time_s for time_s, _ in frames], np.arange(30) / 25, atol=1e-9)


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times_s = [0.0, 0.01, 0.05, 0.5, 0.51, 2.0, 2.04]
    _write(tmp_path / "a.mp4", list(times_s))
    found = [time_s for time_s, _ in _read_back(tmp_path / "a.mp4")]
    np.testing.assert_allclose(found, times_s, atol=1 / 90_000)


def test_colors_survive_and_are_named(tmp_path: Path) -> None:
    colors = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}
    with open_writer(tmp_path / "a.mp4", SIZE, fps=5) as writer:
        for color in colors.values():
            writer.write(np.full((*SIZE, 3), color, dtype=np.uint8))
    for (_, image), color in zip(_read_back(tmp_path / "a.mp4"), colors.values(), strict=True):
        assert np.abs(image.reshape(-1, 3).mean(0) - color).max() < 6
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.colorspace == 6  # SMPTE 170M
        assert container.streams.video[0].codec_context.name == "h264"


def test_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        _write(tmp_path / f"{name}.mp4", [None] * 20)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_higher_crf_gives_a_smaller_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, *SIZE, 3), dtype=np.uint8)
    sizes = []
    for crf in (18, 28, 40):
        with open_writer(tmp_path / f"{crf}.mp4", SIZE, fps=25, crf=crf) as writer:
            for image in noise:
                writer.write(image)
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
    assert all(before > after for before, after in pairwise(sizes))


def _write_and_raise(path: Path, error: Exception) -> None:
    with open_writer(path, SIZE, fps=25) as writer:
        writer.write(paint_number(0, SIZE))
        raise error


def test_an_error_in_the_block_leaves_the_earlier_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"earlier")
    with pytest.raises(RuntimeError, match="mine"):
        _write_and_raise(path, RuntimeError("mine"))
    assert [item.name for item in tmp_path.iterdir()] == ["a.mp4"]
    assert path.read_bytes() == b"earlier"


def test_an_error_of_the_reader_is_not_blamed_on_the_writer(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="the source"):
        _write_and_raise(tmp_path / "a.mp4", PermissionError("the source"))


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(VideoWriteError, match="at least one"),
        open_writer(tmp_path / "a.mp4", SIZE, 25),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("size", "fps"), [((63, 96), 25.0), ((64, 95), 25.0), ((64, 96), 0.0)])
def test_odd_sizes_and_no_rate_are_refused(
    tmp_path: Path, size: tuple[int, int], fps: float
) -> None:
    with pytest.raises(VideoWriteError, match="even size"), open_writer(tmp_path / "a", size, fps):
        pass


@pytest.mark.parametrize(
    ("image", "time_s", "message"),
    [
        (np.zeros((32, 96, 3), np.uint8), None, "shape"),
        (np.zeros((64, 96, 3), np.float32), None, "float32"),
        (np.zeros((64, 96, 3), np.uint8), 0.0, "after"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(
    tmp_path: Path, image: np.ndarray, time_s: float | None, message: str
) -> None:
    with open_writer(tmp_path / "a.mp4", SIZE, fps=25) as writer:
        writer.write(paint_number(0, SIZE), 0.0)
        with pytest.raises(VideoWriteError, match=message):
            writer.write(image, time_s)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(VideoWriteError, match="could not be written"),
        open_writer(tmp_path / "file" / "a.mp4", SIZE, fps=25),
    ):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp4.part").symlink_to("/dev/full")
    with pytest.raises(VideoWriteError, match=r"a\.mp4 could not"):
        _write(tmp_path / "a.mp4", [None] * 200)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [b"caf\xe9.mp4", b"a" * 251 + b".mp4"])
def test_names_that_are_not_utf_8_or_as_long_as_can_be(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    with open_writer(path, (32, 48), 25.0) as writer:
        writer.write(np.zeros((32, 48, 3), np.uint8))
    assert list(tmp_path.iterdir()) == [path]
    assert probe_video(path).width == 48
