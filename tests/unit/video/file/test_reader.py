import itertools
import os
import re
import subprocess
import sys

import av
import av.filter
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
from har.video.file.picture import PictureMaker
from har.video.file.reader import open_video, probe_video
from har.video.geometry import Letterbox, Orientation, compute_letterbox


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
    numbers = [read_number(frame.image) for frame in frames]
    assert numbers[:10] == list(range(10))
    assert numbers == sorted({*numbers})  # of pictures that need each other some may be lost
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


# Files that are not what they say


def test_a_codec_that_nothing_can_decode(tmp_path):
    path = videos.make_tagged_avi(tmp_path / "odd.avi", b"ZQQZ")
    with pytest.raises(
        VideoOpenError, match=r"odd\.avi is coded with the codec 'ZQQZ'.*convert it"
    ):
        probe_video(path)


@pytest.mark.parametrize("color", ["gray", "rgb"])
@pytest.mark.parametrize("size", [None, (32, 48)])
def test_lines_that_go_backward_in_memory(tmp_path, color, size):
    with open_video(videos.make_tagged_avi(tmp_path / "geox.avi", b"GEOX"), size, color) as reader:
        shown = [frame.image for frame in reader]
    assert [read_number(np.flipud(image)) for image in shown] == list(range(25))


@pytest.mark.parametrize("pix_fmt", ["gray", "rgb24", "bgr24", "yuv420p"])
@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_every_pixel_format_may_be_bottom_up(pix_fmt, color):
    picture = videos.paint_number(0b1000_1100_1110_0001, (64, 96))
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
    graph = av.filter.Graph()
    source = graph.add_buffer(width=96, height=64, format=frame.format, time_base=1)
    flip, sink = graph.add("vflip"), graph.add("buffersink")
    source.link_to(flip)
    flip.link_to(sink)
    graph.configure()
    graph.push(frame)
    flipped = graph.pull()
    assert flipped.planes[0].line_size < 0, "or this test shows nothing"
    image = PictureMaker(None, color, Orientation(), 1.0).make_picture(flipped)
    assert read_number(np.flipud(image)) == 0b1000_1100_1110_0001


@pytest.mark.slow
def test_huge_pictures_are_refused_with_the_number_before_they_take_memory(tmp_path):
    path = videos.make_huge(tmp_path / "huge.avi")
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from har.errors import VideoOpenError\n"
        "from har.video.file.reader import probe_video\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    probe_video(Path(sys.argv[1]))\n"
        "except VideoOpenError as error:\n"
        "    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    said, n_kilobytes = done.stdout.splitlines()
    assert "67,108,864 pixels" in said
    assert int(n_kilobytes) < 100_000


@pytest.mark.slow
def test_huge_pictures_whose_size_is_in_the_header(tmp_path):
    path = make_clip(tmp_path / "huge.mp4", 1, size=(9000, 9000), paint=lambda _: BLANK)
    with pytest.raises(VideoOpenError, match="9000x9000, which is over the 67,108,864 pixels"):
        probe_video(path)


BLANK = np.zeros((9000, 9000, 3), np.uint8)


@pytest.mark.parametrize(
    "name", [b"caf\xe9.mp4", b"a" * 251 + b".mp4", "\u00e9".encode() * 125 + b".mp4"]
)
def test_names_that_are_not_utf_8_or_as_long_as_can_be(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    make_clip(tmp_path / "plain.mp4", 5).rename(path)
    frames, error = read_all(path)
    assert (len(frames), error) == (5, None)


def test_messages_show_any_name_as_text(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9\x1b[31m.mp4")
    with pytest.raises(VideoNotFoundError, match=r"caf\\udce9\\x1b\[31m\.mp4") as caught:
        probe_video(path)
    str(caught.value).encode("utf-8")


def test_metadata_that_is_not_utf_8(tmp_path):
    path = tmp_path / "tagged.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Caf__"
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        picture = videos.paint_number(1, (64, 96))
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"Caf__", b"Caf\xe9\xe8"))
    assert len(read_all(path)[0]) == 1


# Time


@pytest.mark.parametrize(
    ("name", "gap_s"),
    [("a.mkv", 60.0), ("a.mkv", 3600.0), ("a.mkv", 864_000.0), ("a.mp4", 60.0), ("a.mp4", 3600.0)],
)
def test_a_jump_of_the_clock_ends_a_segment(tmp_path, name, gap_s):
    times_s = [i / 25 for i in range(45)] + [1.8 + gap_s + i / 25 for i in range(30)]
    path = make_video(tmp_path / name, times_s)
    with open_video(path, None, "gray") as reader:
        frames = list(reader)
    assert [read_number(frame.image) for frame in frames] == list(range(75))
    assert np.allclose([frame.time_s for frame in frames], times_s, atol=2e-3)
    assert [frame.segment for frame in frames] == [0] * 45 + [1] * 30
    (note,) = reader.notes
    assert note.startswith(f"there are no frames from 1.76 to {1.8 + gap_s:.2f} s: ")
    assert note.endswith("; 3.00 s were read")


def test_a_pause_of_a_slow_recorder_is_no_gap(tmp_path):
    with open_video(
        make_video(tmp_path / "slow.mkv", [0.0, 1.0, 4.0, 5.0]), None, "gray"
    ) as reader:
        assert {frame.segment for frame in reader} == {0}
    assert reader.notes == []


@pytest.mark.parametrize("start_s", [0.0, 6.0, 9.0, 11.0, 15.0])
def test_a_stretch_of_joined_recordings_is_of_the_right_one(tmp_path, start_s):
    path = videos.make_joined_ts(tmp_path / "joined.ts")
    frames, error = read_all(path, start_s=start_s, end_s=start_s + 1)
    first = round(start_s * 25)
    assert [read_number(frame.image) for frame in frames] == list(range(first, first + 25))
    assert frames[0].time_s == pytest.approx(start_s, abs=1e-3)
    assert error is None


def test_joined_recordings_are_not_damaged_and_as_long_as_their_frames(tmp_path):
    with open_video(videos.make_joined_ts(tmp_path / "joined.ts"), None, "gray") as reader:
        assert len(list(reader)) == 500
    assert reader.notes == [
        "the container gives a length of 10.00 s, its frames last 20.00 s, which is what counts"
    ]


@pytest.mark.parametrize("begin_s", [3600.0, 1_700_000_000.0])
@pytest.mark.parametrize("name", ["late.mkv", "late.ts"])
def test_a_clock_that_begins_late_is_no_damage(tmp_path, name, begin_s):
    if name == "late.ts" and begin_s > 1e6:
        pytest.skip("an MPEG clock is shorter")
    path = make_video(tmp_path / name, [begin_s + i / 25 for i in range(100)])
    frames, error = read_all(path)
    assert error is None
    assert [frame.time_s for frame in frames] == pytest.approx(
        [i / 25 for i in range(100)], abs=2e-3
    )
    assert probe_video(path).duration_s == pytest.approx(4.0, abs=0.1)


def test_what_begins_late_and_is_cut_off_is_damaged(tmp_path):
    path = make_video(tmp_path / "late.mkv", [3600 + i / 25 for i in range(100)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames, error = read_all(path)
    assert len(frames) < 90
    assert "damaged or cut off" in str(error)


@pytest.mark.parametrize("start_s", [6.0, 9.0])
def test_a_far_stretch_of_what_begins_late(tmp_path, start_s):
    path = make_video(tmp_path / "late.mkv", [3600 + i / 25 for i in range(300)])
    frames, _ = read_all(path, start_s=start_s, end_s=start_s + 0.2)
    assert read_number(frames[0].image) == round(start_s * 25)


def test_a_far_stretch_of_times_of_decoding(tmp_path):
    path = videos.make_b_frames(tmp_path / "b.avi", 300)
    frames, _ = read_all(path, start_s=8.0, end_s=8.2)
    assert [read_number(frame.image) for frame in frames] == [200, 201, 202, 203, 204]


# Playlists


@pytest.fixture
def folder(tmp_path):
    make_clip(tmp_path / "outside.ts")
    make_clip(tmp_path / "in" / "a.ts", 50)
    make_clip(tmp_path / "in" / "parts" / "b.ts", 50)
    (tmp_path / "in" / "link.ts").symlink_to(tmp_path / "outside.ts")
    return tmp_path / "in"


@pytest.mark.parametrize("name", ["list.m3u8", "list.ffconcat", "concat.mp4"])
def test_a_playlist_of_files_beside_it_is_followed(folder, name):
    frames, _ = read_all(videos.make_playlist(folder / name, ["a.ts", "parts/b.ts"]))
    assert len(frames) == 100


@pytest.mark.parametrize("name", ["list.m3u8", "list.ffconcat", "concat.mp4"])
@pytest.mark.parametrize("first", [[], ["a.ts"]])
@pytest.mark.parametrize(
    "outside", ["../outside.ts", "{root}/outside.ts", "link.ts", "file:{root}/outside.ts"]
)
def test_a_playlist_reaches_nothing_outside_its_folder(folder, name, first, outside):
    path = videos.make_playlist(folder / name, [*first, outside.format(root=folder.parent)])
    with pytest.raises(VideoOpenError, match=r"in its own folder|Operation not permitted"):
        read_all(path)


def test_a_playlist_in_a_playlist_reaches_nothing_outside(folder):
    videos.make_playlist(folder / "inner.m3u8", ["../outside.ts"])
    with pytest.raises(VideoOpenError):
        read_all(videos.make_playlist(folder / "outer.ffconcat", ["inner.m3u8"]))
