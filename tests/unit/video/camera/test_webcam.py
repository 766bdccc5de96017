"""Cameras: what there is without one, and frames through OpenCV from a file in its place."""

import itertools

import cv2
import pytest
from videos import make_clip, read_number

from har.errors import CameraError, VideoError
from har.video.camera.webcam import Camera, open_camera


def test_a_camera_that_does_not_exist_says_what_to_do(capfd):
    with pytest.raises(CameraError, match="Camera 99 cannot be opened; check"):
        open_camera(99)
    assert capfd.readouterr().err == "", "OpenCV's own messages are not for people"
    assert issubclass(CameraError, VideoError)
    assert issubclass(CameraError, OSError)


@pytest.fixture
def capture(tmp_path):
    return cv2.VideoCapture(str(make_clip(tmp_path / "a.mp4", n_frames=5)))


def test_frames_come_in_order_in_rgb_with_the_clock_s_times(capture):
    with Camera(capture, "Camera 0") as camera:
        frames = list(itertools.islice(camera, 5))
    assert [frame.index for frame in frames] == list(range(5))
    assert [read_number(frame.image) for frame in frames] == list(range(5))
    times_s = [frame.time_s for frame in frames]
    assert times_s[0] == 0.0
    assert times_s == sorted(set(times_s))
    assert frames[0].image.shape == (64, 96, 3)


def test_colors_are_red_green_blue(tmp_path):
    import numpy as np

    red = np.full((64, 96, 3), (200, 30, 20), np.uint8)
    path = make_clip(tmp_path / "red.mp4", n_frames=2, paint=lambda _: red)
    with Camera(cv2.VideoCapture(str(path)), "Camera 0") as camera:
        image = next(iter(camera)).image
    assert np.abs(image.mean(axis=(0, 1)) - (200, 30, 20)).max() < 12


def test_a_camera_that_stops_is_an_error_and_is_let_go(capture):
    with (
        pytest.raises(CameraError, match="no picture after 5 frames"),
        Camera(capture, "Camera 0") as camera,
    ):
        list(camera)
    assert not capture.isOpened()
