import subprocess
import sys

import numpy as np
from videos import make_clip, make_rotated

from har.dataset.cut import CutJob, cut_video, probe_size
from har.dataset.store import FrameSettings
from har.types import Clip


def make_job(tmp_path, path, *spans):
    (tmp_path / "frames").mkdir(exist_ok=True)
    clips = [
        Clip(f"c{i}", path, "hit", start_s=start, end_s=end) for i, (start, end) in enumerate(spans)
    ]
    return CutJob(path, tuple(clips), FrameSettings((64, 96), "gray", 30.0), 5, tmp_path)


def test_workers_import_nothing_heavy():
    code = "import har.dataset.cut, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pandas", "sklearn", "scipy", "matplotlib", "keras", "tensorflow", "onnxruntime"}
    assert not heavy & set(done.stdout.split())


def test_size_as_seen_on_a_screen(tmp_path):
    assert probe_size(make_rotated(tmp_path / "a.mp4", 90, n_frames=3)) == (96, 64)
    assert probe_size(tmp_path / "gone.mp4") is None


def test_many_clips_of_one_video_in_one_pass(tmp_path):
    path = make_clip(tmp_path / "a.mp4", 200)
    spans = [(i * 0.04, i * 0.04 + 0.4) for i in range(150)]
    result = cut_video(make_job(tmp_path, path, *spans))
    assert [clip.n_frames for clip in result.clips] == [10] * 150
    assert result.rejects == ()
    for clip in result.clips:
        times_s = np.load(tmp_path / "frames" / f"{clip.clip_id}.times.npy")
        assert np.allclose(times_s, np.arange(10) / 25, atol=1e-6)


def test_same_stretch_has_the_same_hash_and_another_has_not(tmp_path):
    path = make_clip(tmp_path / "a.mp4", 50)
    first, same, other = cut_video(
        make_job(tmp_path, path, (0.0, 1.0), (0.0, 1.0), (0.4, 1.4))
    ).clips
    assert first.hash == same.hash
    assert first.hash != other.hash
    assert first.video_hash == other.video_hash
