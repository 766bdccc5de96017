import itertools
import os
import re
import subprocess
import sys

import av
import numpy as np
import pytest
import videos
from videos import make_clip, make_rotated, make_video, read_number

from har.errors import (
    NoVideoStreamError,
    VideoDecodeError,
    VideoNotFoundError,
    VideoOpenError,
)
from har.video.file.reader import open_video, probe_video
from har.video.geometry import Letterbox, compute_letterbox


def read_all(path, **options):
    """Return the frames and the error that ended them, if one did."""
    frames = []
    try:
        with open_video(path, None, "gray", **options) as reader:
            frames.extend(reader)
    except VideoDecodeError as error:
        return frames, error
    return frames, None


# Bad files


def test_missing_file(tmp_path):
    with pytest.raises(VideoNotFoundError, match=r"no video .*gone\.mp4"):
        probe_video(tmp_path / "gone.mp4")


def test_empty_file(tmp_path):
    with pytest.raises(VideoOpenError, match="the file is empty"):
        probe_video(videos.make_empty_file(tmp_path / "empty.mp4"))


def test_not_a_video(tmp_path):
    with pytest.raises(VideoOpenError, match=r"noise\.mp4 cannot be read as a video"):
        probe_video(videos.make_not_a_video(tmp_path / "noise.mp4"))


def test_a_folder_is_not_a_video(tmp_path):
    with pytest.raises(VideoOpenError):
        probe_video(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(VideoOpenError, match="folder or device"):
        probe_video(tmp_path / "pipe.mp4")


def test_a_name_too_long_for_the_disk(tmp_path):
    with pytest.raises(VideoOpenError, match="cannot be read"):
        probe_video(tmp_path / ("x" * 300))


def test_audio_only(tmp_path):
    with pytest.raises(NoVideoStreamError, match="only sound"):
        probe_video(videos.make_audio_only(tmp_path / "sound.mp4"))


def test_playlist_may_not_reach_into_a_network(tmp_path):
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/part.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(VideoOpenError):
        probe_video(playlist)


def test_name_that_looks_like_an_address_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = make_clip(tmp_path / "plain.mp4", 3).rename(tmp_path / "http:clip 50%d.mp4")
    assert len(read_all(path.relative_to(tmp_path))[0]) == 3


@pytest.mark.parametrize(
    ("name", "make", "options"),
    [
        ("cut.mkv", videos.make_truncated, {"n_frames": 100}),
        (
            "cut.avi",
            videos.make_truncated,
            {"n_frames": 100, "codec": "mjpeg", "pix_fmt": "yuvj420p"},
        ),
        ("cut.mp4", videos.make_truncated_mp4, {}),
    ],
)
def test_cut_off_file_gives_its_frames_and_then_says_where(tmp_path, name, make, options):
    path = make(tmp_path / name, **options)
    frames, error = read_all(path)
    assert len(frames) >= 10
    assert [read_number(frame.image) for frame in frames] == list(range(len(frames)))
    assert error is not None
    end_s = frames[-1].time_s
    where_s = float(str(error).split(" at ")[1].split(" s")[0])
    assert end_s <= where_s <= end_s + 0.1
    assert name in str(error)


def test_mp4_without_its_index_cannot_be_opened(tmp_path):
    with pytest.raises(VideoOpenError):
        probe_video(videos.make_truncated(tmp_path / "cut.mp4", n_frames=50))


def test_damage_inside_is_passed_over_and_said(tmp_path):
    path = make_clip(tmp_path / "hurt.avi", 50, codec="mjpeg", pix_fmt="yuvj420p")
    content = bytearray(path.read_bytes())
    chunks = [found.start() for found in re.finditer(b"00dc", content[: content.index(b"idx1")])]
    chunks = [chunk for chunk in chunks if chunk > content.index(b"movi")]
    for chunk, following in itertools.pairwise(chunks[20:23]):
        content[chunk + 8 : following] = bytes(following - chunk - 8)
    path.write_bytes(content)
    frames, error = read_all(path)
    numbers = [read_number(frame.image) for frame in frames]
    assert numbers == [*range(20), *range(22, 50)]
    assert "0.80 s" in str(error)


def test_stretch_before_the_damage_is_whole(tmp_path):
    path = videos.make_truncated_mp4(tmp_path / "cut.mp4", keep=0.7)
    frames, error = read_all(path, end_s=0.4)
    assert [read_number(frame.image) for frame in frames] == list(range(10))
    assert error is None


def test_nothing_on_standard_error(tmp_path):
    path = videos.make_truncated_mp4(tmp_path / "cut.mp4")
    code = (
        "import sys; from pathlib import Path; from har.errors import VideoError\n"
        "from har.video.file.reader import open_video\n"
        "try:\n    list(open_video(Path(sys.argv[1])))\nexcept VideoError: print('said')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("said", "")


# Unusual but sound files


def test_one_frame(tmp_path):
    frames, error = read_all(make_clip(tmp_path / "one.mp4", 1))
    assert [(frame.index, frame.time_s) for frame in frames] == [(0, 0.0)]
    assert error is None


def test_change_of_size_is_letterboxed_frame_by_frame(tmp_path):
    sizes = [(64, 96), (96, 64)]
    path = videos.make_resolution_change(tmp_path / "change.ts", sizes, n_each=10)
    with open_video(path, (64, 64), "gray") as reader:
        frames = list(reader)
    boxes = [compute_letterbox(size, (64, 64)) for size in sizes for _ in range(10)]
    pictures = [f.image[box.rows, box.columns] for f, box in zip(frames, boxes, strict=True)]
    assert [read_number(picture) for picture in pictures] == list(range(20))


def test_joined_recordings_go_on_in_time(tmp_path):
    parts = [make_clip(tmp_path / f"{part}.ts", 50).read_bytes() for part in range(2)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(parts))
    frames, _ = read_all(path)
    assert [read_number(frame.image) for frame in frames] == [*range(50), *range(50)]
    assert np.allclose(np.diff([frame.time_s for frame in frames]), 0.04, atol=1e-3)


def test_first_timestamp_is_taken_off(tmp_path):
    frames, _ = read_all(make_video(tmp_path / "late.mkv", [3.0, 3.5, 4.0]))
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.5, 1.0])


def test_wide_pixels_are_letterboxed_as_seen(tmp_path):
    path = tmp_path / "wide.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        white = np.full((64, 64, 3), 235, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(white, format="rgb24")))
        container.mux(stream.encode(None))
    with open_video(path, (64, 128), "gray") as reader:
        assert next(iter(reader)).image.min() > 200
        assert reader.letterbox == Letterbox(0, 0, 64, 128)
    with open_video(path, (64, 64), "gray") as reader:
        assert reader.letterbox == Letterbox(16, 0, 32, 64)


@pytest.mark.parametrize(("turn_deg", "shown"), [(90, (96, 64)), (180, (64, 96))])
def test_letterbox_is_where_a_turned_video_is_seen(tmp_path, turn_deg, shown):
    path = make_rotated(tmp_path / "turned.mp4", turn_deg)
    for size in ((64, 128), None):
        with open_video(path, size, "gray") as reader:
            assert reader.letterbox == compute_letterbox(shown, size or shown)


# Stretches and seeking


@pytest.mark.parametrize("name", ["long.mp4", "long.mkv", "long.ts", "long.h264"])
def test_far_stretch_is_the_same_as_by_reading_on(tmp_path, name):
    path = make_clip(tmp_path / name, 300)
    frames, _ = read_all(path, start_s=8.0, end_s=8.4)
    assert [read_number(frame.image) for frame in frames] == list(range(200, 210))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [8 + i / 25 for i in range(10)], abs=6e-4
    )


def test_stretch_after_the_end_is_empty(tmp_path):
    path = make_clip(tmp_path / "short.mp4", 20)
    assert read_all(path, start_s=60.0) == ([], None)


def test_thinning_a_double_rate_keeps_every_second(tmp_path):
    path = make_clip(tmp_path / "fast.mp4", 60, 60.0)
    with open_video(path, None, "gray", 30.0) as reader:
        assert [read_number(frame.image) for frame in reader] == list(range(0, 60, 2))


def test_own_rate_is_not_thinned(tmp_path):
    path = make_clip(tmp_path / "ntsc.mp4", 60, 29.97)
    with open_video(path, None, "gray", 30.0) as reader:
        assert len(list(reader)) == 60


def test_info_of_a_common_file(tmp_path):
    info = probe_video(make_clip(tmp_path / "clip.mp4", 50))
    assert (info.width, info.height, info.codec) == (96, 64, "h264")
    assert info.fps == 25.0
    assert info.duration_s == pytest.approx(2.0)
    assert info.n_frames == 50
