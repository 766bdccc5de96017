import subprocess
import sys

import numpy as np
import pytest
from videos import make_clip, make_joined_ts, make_rotated, make_tagged_avi, make_video, read_number

from har.dataset.cut import CutJob, cut_video, probe_size
from har.dataset.store import FrameSettings
from har.errors import OutputError
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


GAP_TIMES_S = [i / 25 for i in range(20)] + [3600 + i / 25 for i in range(50)]


def numbers_of(tmp_path, clip):
    return [read_number(image) for image in np.load(tmp_path / "frames" / f"{clip.clip_id}.npy")]


def test_of_a_clip_with_a_gap_the_longest_part_is_stored_and_said(tmp_path):
    path = make_video(tmp_path / "jump.mkv", GAP_TIMES_S)
    (clip,) = cut_video(make_job(tmp_path, path, (0.0, None))).clips
    assert numbers_of(tmp_path, clip) == list(range(20, 70))
    times_s = np.load(tmp_path / "frames" / "c0.times.npy")
    assert np.allclose(times_s, np.arange(50) / 25, atol=1e-3)
    assert clip.duration_s < 2.1, "an hour of steps would be sampled from it otherwise"
    assert "no frames for a while from 0.76 s on" in clip.note
    assert sorted(file.name for file in (tmp_path / "frames").iterdir()) == [
        "c0.npy",
        "c0.times.npy",
    ]


def test_clips_before_in_and_behind_a_gap(tmp_path):
    path = make_video(tmp_path / "jump.mkv", GAP_TIMES_S)
    spans = [(0.0, 0.4), (10.0, 20.0), (100.0, 3600.8), (3600.4, 3600.8)]
    result = cut_video(make_job(tmp_path, path, *spans))
    assert [numbers_of(tmp_path, clip) for clip in result.clips] == [
        list(range(10)),
        list(range(20, 40)),
        list(range(30, 40)),
    ]
    assert [clip.note for clip in result.clips] == ["", "", ""]
    (reject,) = result.rejects
    assert reject.clip_id == "c1"
    assert reject.reason == "the video has no frame from 10 s"
    late = cut_video(make_job(tmp_path, path, (100.0, 3600.8)))
    assert np.load(tmp_path / "frames" / "c0.times.npy")[0] == 0.0
    assert late.clips[0].n_frames == 20


def test_a_clip_of_joined_recordings_is_of_the_right_one(tmp_path):
    path = make_joined_ts(tmp_path / "joined.ts")
    (clip,) = cut_video(make_job(tmp_path, path, (12.0, 12.4))).clips
    assert numbers_of(tmp_path, clip) == list(range(300, 310))


def test_a_length_that_is_not_the_container_s_is_noted(tmp_path):
    (clip,) = cut_video(make_job(tmp_path, make_joined_ts(tmp_path / "a.ts"), (0.0, None))).clips
    assert clip.note.startswith("the container gives a length of 10.00 s, its frames last 20.00 s")
    assert clip.duration_s == 20.0


def test_a_codec_that_nothing_can_decode_is_a_reject(tmp_path):
    path = make_tagged_avi(tmp_path / "odd.avi", b"ZQQZ")
    assert probe_size(path) is None
    (reject,) = cut_video(make_job(tmp_path, path, (0.0, None))).rejects
    assert "'ZQQZ'" in reject.reason


def test_an_error_that_nobody_foresaw_leaves_out_one_video(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise AttributeError("'NoneType' object has no attribute 'name'")

    monkeypatch.setattr("har.dataset.cut.open_video", fail)
    result = cut_video(make_job(tmp_path, tmp_path / "a.mp4", (0.0, None), (1.0, 2.0)))
    assert [reject.clip_id for reject in result.rejects] == ["c0", "c1"]
    assert result.rejects[0].reason.startswith("unexpected AttributeError: 'NoneType' object")
    assert "Traceback" in result.rejects[0].trace


def test_a_store_that_cannot_be_written_is_no_fault_of_the_video(tmp_path):
    job = make_job(tmp_path, make_clip(tmp_path / "a.mp4"), (0.0, None))
    (tmp_path / "frames").rmdir()
    with pytest.raises(OutputError, match="c0"):
        cut_video(job)
