"""One suite over every kind of file: right frames, right times, right shape."""

import itertools

import numpy as np
import pytest
from videos import make_b_frames, make_clip, make_oriented, make_rotated, make_video, read_number

from har.video.file.reader import open_video, probe_video
from har.video.geometry import compute_letterbox

N_FRAMES = 30
FPS = 25.0
KINDS = {
    "h264.mp4": {},
    "h264.mkv": {},
    "h264.mov": {},
    "h264.ts": {},
    "h264.h264": {},
    "mpeg4.avi": {"codec": "mpeg4"},
    "vp8.webm": {"codec": "libvpx"},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "ten_bits.mkv": {"pix_fmt": "yuv420p10le"},
    "yuv444.mp4": {"pix_fmt": "yuv444p"},
    "lossless_rgb.mkv": {"codec": "ffv1", "pix_fmt": "bgr0"},
    "odd.mkv": {"codec": "ffv1", "size": (63, 97)},
    "odd.avi": {"codec": "mpeg4", "size": (63, 97)},
    "with_sound.mp4": {"audio": True},
    "raw_bottom_up.avi": {"codec": "rawvideo", "pix_fmt": "bgr24"},
    "no_ending": {},
}


@pytest.fixture(scope="module", params=KINDS)
def video(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    name, options = request.param, KINDS[request.param]
    size = options.get("size", (64, 96))
    if name == "no_ending":
        path = make_clip(folder / "clip.mp4", N_FRAMES, FPS)
        return path.rename(folder / name), size
    return make_clip(folder / name, N_FRAMES, FPS, **options), size


def crop(image, size):
    box = compute_letterbox(size, image.shape[:2])
    return image[box.rows, box.columns]


def test_container_is_described(video):
    path, size = video
    info = probe_video(path)
    assert (info.height, info.width) == size
    assert info.fps == pytest.approx(FPS)
    assert info.rotation_deg == 0


@pytest.mark.parametrize("color", ["gray", "rgb"])
@pytest.mark.parametrize("target", [None, (64, 64), (96, 160)])
def test_every_frame_once_in_order_with_its_time(video, color, target):
    path, size = video
    with open_video(path, target, color) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(N_FRAMES))
    numbers = [read_number(crop(frame.image, size)) for frame in frames]
    assert numbers == list(range(N_FRAMES))
    assert np.allclose([frame.time_s for frame in frames], np.arange(N_FRAMES) / FPS, atol=6e-4)
    shape = (target or size) if color == "gray" else (*(target or size), 3)
    assert {frame.image.shape for frame in frames} == {shape}
    assert {frame.image.dtype for frame in frames} == {np.dtype(np.uint8)}


def test_stretch_is_half_open(video):
    path, size = video
    with open_video(path, None, "gray", start_s=0.2, end_s=0.6) as reader:
        frames = list(reader)
    assert [read_number(crop(frame.image, size)) for frame in frames] == list(range(5, 15))
    assert frames[0].index == 0
    assert frames[0].time_s == pytest.approx(0.2, abs=6e-4)


def test_thinning_keeps_every_second_frame(video):
    path, _ = video
    with open_video(path, None, "gray", 13.0) as reader:
        assert [read_number(frame.image) for frame in reader] == list(range(0, N_FRAMES, 2))


def test_number_of_threads_changes_nothing(video):
    path, _ = video
    read = []
    for n_threads in (1, 2):
        with open_video(path, (48, 48), "gray", n_threads=n_threads) as reader:
            read.append(list(reader))
    for one, two in itertools.zip_longest(*read):
        assert one.time_s == two.time_s
        assert np.array_equal(one.image, two.image)


@pytest.mark.parametrize("name", ["variable.mp4", "variable.mkv"])
def test_variable_frame_rate_keeps_its_times(tmp_path, name):
    times_s = [0.0, 0.04, 0.1, 0.3, 0.31, 0.9, 2.5]
    path = make_video(tmp_path / name, times_s)
    with open_video(path, None, "gray") as reader:
        frames = list(reader)
    assert [read_number(frame.image) for frame in frames] == list(range(7))
    assert np.allclose([frame.time_s for frame in frames], times_s, atol=1e-3)


@pytest.mark.parametrize(("turn", "k"), [(90, -1), (180, 2), (270, 1)])
def test_rotation_metadata_is_applied(tmp_path, turn, k):
    path = make_rotated(tmp_path / "turned.mp4", turn, n_frames=5)
    info = probe_video(path)
    assert info.rotation_deg == turn
    assert (info.height, info.width) == ((64, 96) if turn == 180 else (96, 64))
    with open_video(path, None, "gray") as reader:
        pictures = [frame.image for frame in reader]
    assert [read_number(np.rot90(picture, -k)) for picture in pictures] == list(range(5))


ORIENTATIONS = {  # display matrix (a, b, c, d) to what is shown of a picture
    (1, 0, 0, 1): lambda image: image,
    (-1, 0, 0, 1): np.fliplr,
    (1, 0, 0, -1): np.flipud,
    (-1, 0, 0, -1): lambda image: np.rot90(image, 2),
    (0, 1, -1, 0): lambda image: np.rot90(image, -1),
    (0, -1, 1, 0): np.rot90,
    (0, 1, 1, 0): np.transpose,
    (0, -1, -1, 0): lambda image: np.rot90(image, 2).T,
}


@pytest.mark.parametrize("matrix", ORIENTATIONS)
def test_all_eight_orientations_are_applied_by_the_matrix(tmp_path, matrix):
    plain = make_clip(tmp_path / "plain.mp4", 5)
    turned = make_oriented(tmp_path / "turned.mp4", matrix, n_frames=5)
    with open_video(plain, None, "gray") as reader:
        expected = [ORIENTATIONS[matrix](frame.image) for frame in reader]
    with open_video(turned, None, "gray") as reader:
        shown, info = [frame.image for frame in reader], reader.info
    assert np.array_equal(shown, expected)
    assert (info.height, info.width) == expected[0].shape
    a, b, c, d = matrix
    assert info.is_mirrored == (a * d - b * c < 0)


@pytest.mark.parametrize("name", ["b.avi", "b.mp4", "b.mkv", "b.ts", "wrong.mkv", "wrong.ts"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_b_frames_are_all_there_in_order_and_time(tmp_path, name, n_threads):
    path = make_b_frames(tmp_path / name, keep_pts=not name.startswith("wrong"))
    with open_video(path, None, "gray", n_threads=n_threads) as reader:
        frames = list(reader)
    assert [read_number(frame.image) for frame in frames] == list(range(50))
    assert np.allclose([frame.time_s for frame in frames], np.arange(50) / FPS, atol=2e-3)
