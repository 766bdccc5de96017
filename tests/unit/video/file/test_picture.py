import av
import cv2
import numpy as np
import pytest

from har.video.file.picture import PictureMaker, downsample
from har.video.geometry import Orientation


def make_frame(rgb, pix_fmt, **marks):
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)
    for name, value in marks.items():
        setattr(frame, name, value)
    return frame


def flat(value, size=(48, 64)):
    return np.full((*size, 3), value, np.uint8)


def color_bars(size=(48, 64)):
    """Six saturated and mixed colors side by side, each wide enough for chroma to settle."""
    colors = [
        (200, 40, 40),
        (40, 200, 40),
        (40, 40, 200),
        (230, 230, 230),
        (20, 20, 20),
        (180, 160, 30),
    ]
    picture = np.zeros((*size, 3), np.uint8)
    for index, color in enumerate(colors):
        picture[:, index * size[1] // 6 : (index + 1) * size[1] // 6] = color
    return picture


PLANAR = ["yuv420p", "yuv422p", "yuv444p", "nv12", "yuvj420p", "yuvj444p"]
OTHERS = ["yuv420p10le", "gray", "gray10le", "rgb24", "bgra", "yuyv422", "gbrp"]


@pytest.mark.parametrize("pix_fmt", PLANAR + OTHERS)
@pytest.mark.parametrize("level", [0, 16, 100, 235, 255])
def test_gray_has_the_same_level_in_every_pixel_format(pix_fmt, level):
    maker = PictureMaker((24, 32), "gray", Orientation(), 1.0)
    picture = maker.make_picture(make_frame(flat(level), pix_fmt))
    assert picture.shape == (24, 32)
    assert picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - level).max() <= 2


def test_limited_range_is_spread_to_the_ends():
    frame = av.VideoFrame(64, 48, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    maker = PictureMaker(None, "gray", Orientation(), 1.0)
    assert maker.make_picture(frame).max() == 0
    frame.planes[0].update(bytes([235]) * frame.planes[0].buffer_size)
    assert maker.make_picture(frame).min() == 255


def test_full_range_is_left_alone():
    frame = av.VideoFrame(64, 48, "yuv420p")
    frame.color_range = 2
    for plane in frame.planes:
        plane.update(bytes([77]) * plane.buffer_size)
    assert np.unique(
        PictureMaker(None, "gray", Orientation(), 1.0).make_picture(frame)
    ).tolist() == [77]


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "nv12", "yuvj420p", "yuv420p10le", "bgra"]
)
def test_rgb_has_the_colors_that_were_painted(pix_fmt):
    picture = PictureMaker(None, "rgb", Orientation(), 1.0).make_picture(
        make_frame(color_bars(), pix_fmt)
    )
    assert picture.shape == (48, 64, 3)
    middle = [(index * 2 + 1) * 64 // 12 for index in range(6)]
    error = np.abs(picture[24, middle].astype(int) - color_bars()[24, middle])
    assert error.max() <= 4


def test_rgb_follows_the_color_space_that_the_frame_names():
    source = av.VideoFrame.from_ndarray(color_bars(), format="rgb24")
    frame = source.reformat(format="yuv444p", dst_colorspace="itu709")
    frame.colorspace = 1
    picture = PictureMaker(None, "rgb", Orientation(), 1.0).make_picture(frame)
    assert np.abs(picture.astype(int) - color_bars()).max() <= 4


@pytest.mark.parametrize(
    ("turn", "code"),
    [
        (Orientation(True, True, False), cv2.ROTATE_90_CLOCKWISE),
        (Orientation(False, True, True), cv2.ROTATE_180),
        (Orientation(True, False, True), cv2.ROTATE_90_COUNTERCLOCKWISE),
    ],
)
@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_rotation_turns_the_whole_picture(turn, code, color):
    frame = make_frame(color_bars(), "yuv444p")
    upright = PictureMaker(None, color, Orientation(), 1.0).make_picture(frame)
    turned = PictureMaker(None, color, turn, 1.0).make_picture(frame)
    assert np.array_equal(turned, cv2.rotate(upright, code))


def test_rotated_picture_is_letterboxed_upright():
    frame = make_frame(flat(200, (48, 96)), "yuv420p")
    picture = PictureMaker((96, 96), "gray", Orientation(True, True), 1.0).make_picture(frame)
    columns = np.flatnonzero(picture.max(axis=0) > 100)
    assert (columns.min(), columns.max(), len(columns)) == (24, 71, 48)
    assert (picture[:, 24:72] > 190).all()


def test_bars_are_black_and_the_content_is_centered():
    picture = PictureMaker((64, 64), "rgb", Orientation(), 1.0).make_picture(
        make_frame(flat(220), "yuv420p")
    )
    assert picture[:8].max() == 0
    assert picture[56:].max() == 0
    assert picture[8:56].min() > 210


def test_wide_pixels_widen_the_picture():
    frame = make_frame(flat(220, (64, 64)), "yuv420p")
    picture = PictureMaker((64, 128), "gray", Orientation(), 2.0).make_picture(frame)
    assert picture.min() > 210
    assert PictureMaker(None, "gray", Orientation(), 2.0).make_picture(frame).shape == (64, 64)


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_odd_sides(color):
    rgb = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
    picture = PictureMaker(None, color, Orientation(), 1.0).make_picture(make_frame(rgb, "yuv420p"))
    assert picture.shape[:2] == (33, 47)


def test_picture_is_the_callers_own():
    frame = make_frame(flat(100), "yuvj420p")
    maker = PictureMaker(None, "gray", Orientation(), 1.0)
    first = maker.make_picture(frame)
    first[:] = 0
    assert maker.make_picture(frame).max() == 100


@pytest.mark.parametrize("size", [(24, 32), (30, 40), (37, 51), (96, 128), (200, 160)])
def test_shrink_keeps_the_mean_and_the_shape(size):
    plane = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (96, 128), np.uint8), (9, 9), 3
    )
    small = downsample(plane, *size)
    assert small.shape == size
    assert abs(float(small.mean()) - float(plane.mean())) < 1.0


def test_shrink_does_not_alias_a_fine_chequerboard():
    plane = (np.indices((192, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    for size in [(48, 64), (42, 56), (70, 90), (63, 85)]:
        assert np.ptp(downsample(plane, *size).astype(int)) <= 40


def test_shrink_of_own_shape_is_the_plane_itself():
    plane = np.zeros((5, 7), np.uint8)
    assert downsample(plane, 5, 7) is plane
