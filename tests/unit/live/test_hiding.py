"""A clip of an alert that hides people holds no picture that shows a face, not even its first."""

import logging
from dataclasses import replace
from pathlib import Path
from threading import Event

import av
import cv2
import numpy as np
import pytest
from puppet import FPS, SIZE, iter_times, paint_moment

from har.config import ClipsConfig, PrivacyConfig
from har.live.clips import ClipKeeper
from har.types import Frame
from har.video.camera.ring import PacketRing, iter_pictures

CONFIG = ClipsConfig(before_s=1.0, after_s=1.0, max_s=8.0, jpeg_hz=FPS)
LENGTH_S = 5.0


def _paint(time_s: float) -> np.ndarray:
    """Return a moment of one who walks from left to right."""
    return paint_moment(time_s, (round(0.3 + 0.08 * time_s, 3),), size=SIZE)


def _encode(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        options = {"g": "10", "bf": "2", "sc_threshold": "0", "crf": "18"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for time_s in iter_times(LENGTH_S):
            frame = av.VideoFrame.from_ndarray(_paint(time_s), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _encode(tmp_path_factory.mktemp("stream") / "a.ts")


def _push(keeper: ClipKeeper, stream: Path, is_webcam: bool) -> None:
    if is_webcam:
        for index, time_s in enumerate(iter_times(LENGTH_S)):
            keeper.push_frame("hall", Frame(index, time_s, _paint(time_s)))
        return
    with av.open(str(stream)) as container:
        video = container.streams.video[0]
        keeper.open("hall", video)
        for packet in container.demux(video):
            if packet.size:
                keeper.push("hall", packet, float(packet.dts * packet.time_base) - 1.4)


def _record(
    folder: Path, stream: Path, privacy: PrivacyConfig, is_webcam: bool = False
) -> list[np.ndarray]:
    """Return the pictures of a clip whose event began within what the camera had sent before."""
    keeper, came = ClipKeeper(CONFIG, privacy=privacy), Event()
    _push(keeper, stream, is_webcam)
    assert keeper.begin("hall", folder / "a", 2.0, lambda *_: came.set())
    keeper.close()
    assert came.is_set()
    assert [path.name for path in folder.iterdir()] == ["a.mp4"]
    with av.open(str(folder / "a.mp4")) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def _measure_faces(pictures: list[np.ndarray]) -> list[float]:
    """Return for each picture the strongest edge within the face that walks through it.

    The clip holds the last pictures that were sent, to the end.
    """
    found: list[float] = []
    times_s = list(iter_times(LENGTH_S))[-len(pictures) :]
    for picture, time_s in zip(pictures, times_s, strict=True):
        x = round(round(0.3 + 0.08 * time_s, 3) * SIZE[1])
        face = picture[30:50, x - 8 : x + 8].astype(np.float32).mean(axis=2)
        found.append(float(np.abs(cv2.Laplacian(face, cv2.CV_32F)).max()))
    return found


@pytest.mark.parametrize("is_webcam", [False, True], ids=["packets", "pictures"])
@pytest.mark.parametrize("faces", ["blur", "black"])
def test_no_picture_shows_a_face_from_the_first_on(
    stream: Path, tmp_path: Path, faces: str, is_webcam: bool
) -> None:
    pictures = _record(tmp_path, stream, PrivacyConfig(faces), is_webcam)
    assert len(pictures) >= 30
    assert max(_measure_faces(pictures)) < 25


def test_without_it_they_are_seen(stream: Path, tmp_path: Path) -> None:
    shown = _measure_faces(_record(tmp_path, stream, PrivacyConfig()))
    assert min(shown) > 50


def test_skeletons_show_nobody(stream: Path, tmp_path: Path) -> None:
    shirt = np.array([60, 90, 170])
    for picture in _record(tmp_path, stream, PrivacyConfig(people="skeleton")):
        is_shirt = np.abs(picture.astype(int) - shirt).max(axis=2) < 25
        assert is_shirt.mean() < 0.005
    # of the shirt alone the puppet has about 0.05 of the picture


def test_footage_that_cannot_be_decoded_gives_no_clip(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper, done = ClipKeeper(CONFIG, privacy=PrivacyConfig("blur")), Event()
    keeper.push_frame("hall", Frame(0, 0.0, _paint(0.0)))
    reel = keeper._find("hall")
    piece = reel.ring._groups[0][0]
    reel.ring._groups[0][0] = replace(piece, data=b"no picture")
    with caplog.at_level(logging.WARNING, "har"):
        keeper.begin("hall", tmp_path / "a", 0.0, lambda *_: done.set())
        keeper.close()
    assert "Could not write a clip" in caplog.text
    assert not done.is_set()
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_packets_keep_their_times(stream: Path) -> None:
    ring = PacketRing(60.0, 10**8, FPS)
    with av.open(str(stream)) as container:
        video = container.streams.video[0]
        ring.open(video)
        for packet in container.demux(video):
            if packet.size:
                ring.push(packet, float(packet.dts * packet.time_base))
        footage = ring.take(0.0)
    frames = list(iter_pictures(footage))
    times_s = np.array([frame.time_s for frame in frames])
    assert len(frames) == round(LENGTH_S * FPS)
    np.testing.assert_allclose(np.diff(times_s), 1 / FPS, atol=2e-3)
    assert np.abs(frames[7].image.astype(int) - _paint(0.7)).mean() < 4


def _take(keeper: ClipKeeper, time_s: float, most_px: int = 4096) -> np.ndarray:
    """Return the picture of an alert as who gets it sees it."""
    got: list[bytes] = []
    keeper.take_picture("hall", time_s, most_px, got.append)
    keeper.close()
    (jpeg,) = got
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _measure_face(picture: np.ndarray, time_s: float) -> float:
    x = round(round(0.3 + 0.08 * time_s, 3) * SIZE[1])
    face = picture[30:50, x - 8 : x + 8].astype(np.float32).mean(axis=2)
    return float(np.abs(cv2.Laplacian(face, cv2.CV_32F)).max())


PACKETS_LATE_S = 1.4 - 0.2
"""What `_push` takes from the times of packets, less the stream's delay of two pictures."""


def test_the_picture_of_an_alert_shows_no_face(stream: Path) -> None:
    keeper = ClipKeeper(CONFIG, privacy=PrivacyConfig("blur"))
    _push(keeper, stream, is_webcam=False)
    assert _measure_face(_take(keeper, 3.0), 3.0 + PACKETS_LATE_S) < 25


@pytest.mark.parametrize("is_webcam", [False, True], ids=["packets", "pictures"])
def test_the_picture_of_an_alert_shows_its_moment(stream: Path, is_webcam: bool) -> None:
    keeper = ClipKeeper(CONFIG)
    _push(keeper, stream, is_webcam)
    time_s = 3.0 if is_webcam else 3.0 + PACKETS_LATE_S
    picture = _take(keeper, 3.0)
    assert _measure_face(picture, time_s) > 50
    moments = {round(0.1 * n, 1): _paint(round(0.1 * n, 1)) for n in range(50)}
    differs = {at: np.abs(shown.astype(int) - picture).mean() for at, shown in moments.items()}
    assert min(differs, key=lambda at: differs[at]) == pytest.approx(time_s, abs=0.11)


def test_a_picture_in_which_nobody_is_found_is_made_coarse() -> None:
    """What a network does not find may be a person all the same."""
    keeper = ClipKeeper(CONFIG, privacy=PrivacyConfig("black"))
    board = np.kron(np.indices((12, 16)).sum(axis=0) % 2, np.ones((20, 20))).astype(np.uint8) * 255
    for index in range(30):
        image = np.repeat(board[..., None], 3, axis=2)
        keeper.push_frame("hall", Frame(index, index / 12.5, image))
    shown = _take(keeper, 2.0, most_px=160)
    assert shown.shape == (120, 160, 3)
    assert float(shown.astype(np.float32).std()) < 60, "of a board of black and white it is 127"


def test_a_camera_of_which_nothing_is_held_gives_no_picture() -> None:
    keeper, got = ClipKeeper(CONFIG), list[bytes]()
    keeper.take_picture("hall", 1.0, 640, got.append)
    keeper.close()
    assert not got
