"""A folder of small clips with some bad ones among them."""

import pytest
import videos
from videos import make_clip, paint_number


@pytest.fixture
def make_source(tmp_path):
    """Write four groups of two labels each; the picture shows the group's number."""

    def make(name="data", n_groups=4, n_frames=12):
        for group in range(n_groups):
            for label in ("hit", "play"):
                number = 4096 * (group + 1) + (label == "play")
                make_clip(
                    tmp_path / name / label / f"g{group}.mp4",
                    n_frames,
                    paint=lambda i, n=number: paint_number(n + 16 * i, (64, 96)),
                )
        return tmp_path / name

    return make


@pytest.fixture
def bad_files():
    """Name to a function that writes the file, and a part of the reason it is left out for."""
    return {
        "empty.mp4": (videos.make_empty_file, "the file is empty"),
        "noise.mp4": (videos.make_not_a_video, "cannot be read as a video"),
        "sound.mp4": (videos.make_audio_only, "only sound"),
        "one.mp4": (lambda path: make_clip(path, 1), "only 1 frames, at least 5"),
        "headless.mp4": (lambda path: videos.make_truncated(path, n_frames=40), "cannot be read"),
        "stub.mp4": (
            lambda path: videos.make_truncated_mp4(path, keep=0.3),
            "only 1 frames, at least 5 are needed; the video is damaged or cut off at 0.04 s",
        ),
    }
