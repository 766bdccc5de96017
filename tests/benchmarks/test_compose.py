from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import videos
from hypothesis import given, settings
from hypothesis import strategies as st

from har.dataset.index import StoredClip
from har.errors import ConfigError, NoClipsError
from har.types import Event
from har.video.file.reader import open_video
from recordings_parts.compose import (
    ComposeConfig,
    Composition,
    Piece,
    compose_recording,
    write_composition,
)

CONFIG = ComposeConfig(length_s=120.0, gap_s=(5.0, 15.0), max_run=3, size=(64, 96), fps=25.0)


def make_clip(name: str, label: str, group: str, duration_s: float, path: str = "x.mp4"):
    return StoredClip(
        clip_id=name,
        path=Path(path),
        label=label,
        group=group,
        n_frames=50,
        fps=25.0,
        duration_s=duration_s,
        width=96,
        height=64,
        damaged_s=None,
        scene_hashes=(),
        hash="",
        video_bytes=0,
        video_mtime_ns=0,
        video_hash="",
    )


CLIPS = [
    make_clip(f"{label}{group}{number}", label, group, 1.0 + 0.3 * number)
    for label in ("calm", "fight")
    for group in "ab"
    for number in range(4)
]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_pieces_follow_without_a_gap_and_truth_is_the_acts(seed):
    made = compose_recording(CLIPS, "calm", CONFIG, seed)
    ends_s = [piece.onset_s + piece.n_frames / CONFIG.fps for piece in made.pieces]
    assert made.pieces[0].onset_s == 0.0
    np.testing.assert_allclose([piece.onset_s for piece in made.pieces[1:]], ends_s[:-1])
    assert made.duration_s == pytest.approx(ends_s[-1])
    assert CONFIG.length_s <= made.duration_s < CONFIG.length_s + 2 * CONFIG.max_run * 2.0
    acting = [
        any(act.onset_s - 1e-9 <= piece.onset_s < act.offset_s for act in made.truth)
        for piece in made.pieces
    ]
    assert acting == [piece.clip.label == "fight" for piece in made.pieces]
    assert not acting[0]
    assert not acting[-1]
    assert {act.label for act in made.truth} == {"fight"}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_an_act_is_a_run_of_one_group_and_background_lies_between(seed):
    made = compose_recording(CLIPS, "calm", CONFIG, seed)
    for before, after in zip(made.truth, made.truth[1:], strict=False):
        assert after.onset_s > before.offset_s
    for act in made.truth:
        inside = [p for p in made.pieces if act.onset_s - 1e-9 <= p.onset_s < act.offset_s]
        assert len({piece.clip.group for piece in inside}) == 1
        assert 1 <= len(inside) <= CONFIG.max_run


def test_all_clips_come_before_one_comes_again_mirrored():
    made = compose_recording(CLIPS, "calm", CONFIG, 3)
    calm = [piece for piece in made.pieces if piece.clip.label == "calm"]
    assert {piece.clip.clip_id for piece in calm[:8]} == {c.clip_id for c in CLIPS[:8]}
    assert [piece.is_mirrored for piece in calm[:16]] == [False] * 8 + [True] * 8


def test_the_seed_says_all():
    first = compose_recording(CLIPS, "calm", CONFIG, 1)
    assert first == compose_recording(CLIPS, "calm", CONFIG, 1)
    assert first != compose_recording(CLIPS, "calm", CONFIG, 2)


def test_both_kinds_are_needed():
    for part in (CLIPS[:8], CLIPS[8:]):
        with pytest.raises(NoClipsError, match="'calm'"):
            compose_recording(part, "calm", CONFIG, 0)


def test_settings_have_bounds():
    with pytest.raises(ConfigError, match="gap_s"):
        replace(CONFIG, gap_s=(5.0, 1.0))
    with pytest.raises(ConfigError, match="size"):
        replace(CONFIG, size=(63, 96))


def test_frames_are_the_nearest_in_time_and_mirrored_where_it_says(tmp_path):
    even = videos.make_clip(tmp_path / "even.mp4", 25, 25.0)
    fast = videos.make_clip(tmp_path / "fast.mp4", 50, 50.0)
    pieces = (
        Piece(make_clip("a", "calm", "a", 1.0, str(even)), 0.0, 25, False),
        Piece(make_clip("b", "fight", "a", 1.0, str(fast)), 1.0, 25, True),
        Piece(
            replace(make_clip("c", "calm", "a", 0.4, str(even)), start_s=0.2, end_s=0.6),
            2,
            10,
            False,
        ),
    )
    path = tmp_path / "out" / "long.mp4"
    write_composition(path, Composition(pieces, (Event("fight", 1.0, 2.0, 1.0),), 2.4), CONFIG)
    with open_video(path) as reader:
        frames = list(reader)
        assert reader.info.fps == pytest.approx(25.0)
    mirrored = [videos.read_number(frame.image[:, ::-1]) for frame in frames[25:50]]
    assert [videos.read_number(frame.image) for frame in frames[:25]] == list(range(25))
    assert mirrored == list(range(0, 50, 2))
    assert [videos.read_number(frame.image) for frame in frames[50:]] == list(range(5, 15))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(60) / 25, atol=1e-4)


def test_the_readable_part_of_a_damaged_clip_is_shown(tmp_path):
    broken = videos.make_truncated_mp4(tmp_path / "broken.mp4")
    piece = Piece(make_clip("a", "calm", "a", 1.0, str(broken)), 0.0, 50, False)
    path = tmp_path / "long.mp4"
    write_composition(path, Composition((piece,), (), 2.0), CONFIG)
    with open_video(path) as reader:
        numbers = [videos.read_number(frame.image) for frame in reader]
    assert len(numbers) == 50
    assert numbers[-1] == max(numbers) < 49  # the last readable one stays
