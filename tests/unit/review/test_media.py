"""What a browser is given of a video in which people are to be hidden."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from puppet import iter_times, make_film, paint_moment

from har.config import PrivacyConfig
from har.review.media import MediaFolder, Playable
from har.video.file.reader import open_video


def _wait(media: MediaFolder, video: Path) -> Playable:
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        found = media.find(video)
        if found.path or found.error:
            return found
        time.sleep(0.05)
    raise TimeoutError


def _edges(video: Path) -> list[float]:
    with open_video(video) as reader:
        faces = [frame.image[32:52, 150:170].astype(np.float32).mean(axis=2) for frame in reader]
    return [float(np.abs(cv2.Laplacian(face, cv2.CV_32F)).max()) for face in faces]


def test_the_file_itself_is_never_given_where_faces_are_hidden(tmp_path: Path) -> None:
    video = make_film(tmp_path / "a.mp4", [paint_moment(t) for t in iter_times(2)])
    assert MediaFolder(tmp_path / "plain").find(video).path == video
    media = MediaFolder(tmp_path / "copies", PrivacyConfig("blur"))
    assert media.find(video).path is None
    copy = _wait(media, video).path
    assert copy is not None
    assert copy.parent == tmp_path / "copies"
    assert len(_edges(copy)) == 20
    assert max(_edges(copy)) < 25
    assert min(_edges(video)) > 50
    other = MediaFolder(tmp_path / "copies", PrivacyConfig("black"))
    assert _wait(other, video).path != copy  # what was hidden otherwise is not given for it


@pytest.mark.parametrize("name", ["a.features.npz", "a.keypoints.npz"])
def test_results_without_a_video_say_so(tmp_path: Path, name: str) -> None:
    error = MediaFolder(tmp_path).find(tmp_path / name).error
    assert f"were scored from {name}" in error
