import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import videos

from har.config import PrepareConfig
from har.dataset.baseline import compute_shortcut_baseline
from har.dataset.index import StoredClip
from har.dataset.prepare import prepare
from har.dataset.splits import build_folds
from har.dataset.validation import _warn_of_contradictions, _warn_of_labels, build_report
from har.reports.store import format_report, write_report


def make_stored(index, label, group, **figures):
    values = {"n_frames": 50, "fps": 25.0, "duration_s": 2.0, "width": 640, "height": 360}
    return StoredClip(
        clip_id=f"c{index}",
        path=Path(f"{index}.mp4"),
        label=label,
        group=group,
        damaged_s=None,
        scene_hashes=(index,),
        hash="0" * 64,
        video_bytes=1,
        video_mtime_ns=1,
        video_hash="0" * 64,
        **{**values, **figures},
    )


def make_clips(n, figures_of):
    """Return n clips in groups of four with two labels in turn."""
    return [
        make_stored(i, ("hit", "play")[i % 2], f"g{i // 4}", **figures_of(i % 2, i))
        for i in range(n)
    ]


def test_floor_of_a_format_that_gives_the_label_away_is_one():
    clips = make_clips(80, lambda label, _: {"width": 640 + 160 * label})
    baseline = compute_shortcut_baseline(clips, build_folds(clips, 5, 0))
    assert (baseline.accuracy, baseline.auc, baseline.majority) == (1.0, 1.0, 0.5)


def test_floor_of_equal_formats_is_a_guess():
    clips = make_clips(80, lambda label, i: {})
    assert compute_shortcut_baseline(clips, build_folds(clips, 5, 0)).auc == pytest.approx(
        0.5, abs=0.15
    )


def test_floor_of_noise_is_near_a_guess():
    noise = np.random.default_rng(0).uniform(1, 5, 400)
    clips = make_clips(400, lambda label, i: {"duration_s": noise[i]})
    baseline = compute_shortcut_baseline(clips, build_folds(clips, 5, 0))
    assert baseline.auc == pytest.approx(0.5, abs=0.1)
    assert baseline.accuracy == pytest.approx(0.5, abs=0.1)


def test_floor_of_three_labels_and_the_majority():
    labels = ["a", "a", "b", "c"] * 20
    clips = [
        make_stored(i, label, f"g{i // 4}", duration_s=1.0 + "abc".index(label))
        for i, label in enumerate(labels)
    ]
    baseline = compute_shortcut_baseline(clips, build_folds(clips, 5, 0))
    assert (baseline.accuracy, baseline.auc, baseline.majority) == (1.0, 1.0, 0.5)


@pytest.fixture
def store(make_source, tmp_path):
    source = make_source()
    videos.make_empty_file(source / "hit" / "g7.mp4")
    videos.make_truncated_mp4(source / "hit" / "g6.mp4")
    videos.make_clip(source / "play" / "g6.mp4", 40, 20.0, size=(96, 64))
    config = PrepareConfig(size=(64, 96), n_folds=2, jobs=1, group_by=r"/(g\d)")
    return prepare(source, tmp_path / "store", config).store


def test_counts(store):
    report = build_report(store)
    hit, play = report.labels
    assert (hit.label, hit.n_clips, hit.n_groups, hit.rates, hit.sizes) == (
        "hit",
        5,
        5,
        {"25": 5},
        {"96x64": 5},
    )
    assert play.rates == {"25": 4, "20": 1}
    assert play.sizes == {"96x64": 4, "64x96": 1}
    assert play.duration_s == (0.48, 0.48, 2.0)
    assert report.groups["g0"] == {"hit": 1, "play": 1}
    assert sum(report.splits.values()) == report.n_clips == 10
    assert report.n_folds == 2
    text = " ".join(report.warnings)
    assert "1 clip is damaged part-way (" in text
    assert re.search(r"part-way \(\S*g6\S* at \d\.\d\d s\)", text)
    assert "1 clip, file or folder was left out" in text
    assert "'hit' has only 5 clips" in text


def test_near_duplicates_across_parts_are_found(store):
    same = tuple(replace(clip, scene_hashes=(0b1011,)) for clip in store.clips[:3])
    far = tuple(
        replace(c, scene_hashes=(2**63 + (2**i - 1) * 2**20,))
        for i, c in enumerate(store.clips[3:], 20)
    )
    ids = [clip.clip_id for clip in store.clips]
    parts = {**dict.fromkeys(ids, "train"), ids[2]: "test"}
    changed = replace(store, clips=same + far, splits=replace(store.splits, parts=parts))
    pairs = [
        (pair.first, pair.second, pair.parts) for pair in build_report(changed).near_duplicates
    ]
    near_test = [pair for pair in pairs if ids[2] in pair[:2]]
    assert near_test[:2] == [
        (ids[0], ids[2], ("train", "test")),
        (ids[1], ids[2], ("train", "test")),
    ]
    assert (ids[0], ids[1], ("train", "train")) not in pairs


def test_guessed_groups_are_said(make_source, tmp_path):
    config = PrepareConfig(size=(64, 96), n_folds=2, jobs=1)
    report = prepare(make_source(), tmp_path / "store", config).report
    assert report.group_source == "scenes"
    assert report.warnings[0].startswith("The groups are guessed")


def test_labels_that_are_spelt_almost_alike_are_named(store):
    other = replace(store, settings=replace(store.settings, labels=("Hit ", "hit", "play")))
    said = [text for text in _warn_of_labels(other.labels) if "differ in case" in text]
    assert said == [
        "The labels 'Hit ' and 'hit' differ in case or blanks alone and count as different "
        "classes; spell them alike if they are one."
    ]


def test_the_same_video_under_two_labels_is_named(store):
    first, second = store.clips[0], next(c for c in store.clips if c.label != store.clips[0].label)
    twin = replace(second, video_hash=first.video_hash, start_s=first.start_s, end_s=first.end_s)
    (said,) = _warn_of_contradictions([first, twin])
    assert f"{first.path} as {first.label!r} and {twin.path} as {twin.label!r}" in said


def test_files_of_the_report(store):
    write_report(build_report(store), store)
    values = json.loads((store.path / "report.json").read_text())
    assert values["labels"] == {"hit": 5, "play": 5}
    sheet = cv2.imread(str(store.path / "sheet.png"))
    assert sheet.shape == (2 * (26 + 128), 4 * (192 + 6), 3)
    assert sheet.std() > 20


def test_page_says_it_in_words(store):
    write_report(build_report(store), store)
    page = format_report(build_report(store), store)
    assert page == (store.path / "report.md").read_text()
    assert "10 clips of 2 labels in 5 groups; 1 left out." in page
    assert "the pattern `/(g\\d)` in the files' paths" in page
    assert "| hit | 5 | 5 |" in page
    assert "## Left out" in page
    assert "the file is empty" in page
    assert "Always guessing the" in page
