"""Cameras as frames with the times at which they came: the only place that opens them.

OpenCV reads the camera; nothing is buffered here beyond what its driver keeps.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import av
import cv2
import cv2.utils.logging as cv2_logging

from har.errors import CameraError
from har.parallel import Closing
from har.types import Frame
from har.video.camera.frames import LiveFrame, LiveSetup, SegmentPictures


class Camera(Closing):
    """An open camera; made by `open_camera`. Iterate it once, inside its ``with`` block.

    Who reads more slowly than the camera films gets fewer frames, each with the time at which it
    was read. After a pause in reading the first few frames may be old ones that the driver kept.
    """

    def __init__(self, capture: cv2.VideoCapture, name: str) -> None:
        """Take over a capture that is open.

        Args:
            capture: Is released at the end of the ``with`` block.
            name: What messages call it, such as ``camera 0``.
        """
        self._capture = capture
        self._name = name

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """Return RGB frames for ever, timed in seconds since the first by a clock that never jumps.

        Raises:
            CameraError: The camera has stopped, as when it is unplugged.
        """
        start_s, index = None, 0
        while True:
            done, image = self._capture.read()
            now_s = time.monotonic()
            if not done:
                raise CameraError(
                    f"{self._name} gave no picture after {index} frames; check its cable and "
                    "whether another program has taken it, then run the same command again"
                )
            start_s = now_s if start_s is None else start_s
            yield Frame(index, now_s - start_s, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            index += 1


def open_camera(number: int) -> Camera:
    """Open a camera in the size and rate that it offers, to be read in a ``with`` block.

    Args:
        number: The operating system's, from 0.

    Raises:
        CameraError: There is none of that number, or it may not be used.
    """
    before = cv2_logging.setLogLevel(cv2_logging.LOG_LEVEL_SILENT)
    try:
        capture = cv2.VideoCapture(number)
    finally:
        cv2_logging.setLogLevel(before)
    if not capture.isOpened():
        raise CameraError(
            f"Camera {number} cannot be opened; check that it is plugged in, that no other program "
            "uses it and that this one may (the system's privacy settings), or try another number"
        )
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return Camera(capture, f"Camera {number}")


class WebcamSource(Closing):
    """A webcam, whose pictures are timed by their arrival."""

    def __init__(self, camera: Camera, setup: LiveSetup) -> None:
        """Take over an open camera; it is let go at the end of the ``with`` block."""
        self._camera, self._setup = camera, setup
        self._pictures = SegmentPictures(setup)
        setup.timeline.restart()

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()

    def __iter__(self) -> Iterator[LiveFrame]:
        """As of `LiveSource`."""
        setup = self._setup
        for seen in self._camera:
            if setup.stop.is_set():
                return
            arrived_s = time.monotonic()
            placed = setup.timeline.place(None, arrived_s, 0.0)
            setup.summary.n_frames += 1
            if setup.tap is not None:
                setup.tap.push_frame(setup.name, Frame(seen.index, placed.time_s, seen.image))
            frame = av.VideoFrame.from_ndarray(seen.image, format="rgb24")
            made = self._pictures.make(frame, placed, arrived_s, 1.0)
            if made is not None:
                yield made


def open_webcam(number: int, setup: LiveSetup) -> WebcamSource:
    """Open a webcam in the size and rate that it offers.

    Raises:
        CameraError: There is none of that number, or it may not be used.
    """
    return WebcamSource(open_camera(number), setup)
