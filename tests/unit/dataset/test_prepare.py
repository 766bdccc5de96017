import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import videos
from videos import make_clip, read_number

from har.config import PrepareConfig
from har.dataset.prepare import choose_size, prepare
from har.dataset.store import Store
from har.errors import NoClipsError, SplitError, StoreError

CONFIG = PrepareConfig(size=(64, 96), n_folds=2, jobs=1, group_by=r"/(g\d)")
BY_LOOK = PrepareConfig(size=(64, 96), n_folds=2, jobs=2)


@pytest.fixture
def store_dir(tmp_path):
    return tmp_path / "store"


def numbers_of(store, clip):
    return [read_number(frame) for frame in store.open_frames(clip.clip_id)]


def changed_files(folder, before=None):
    """Return the time stamps of the frames' files, or the names that differ from ``before``."""
    stamps = {path.name: path.stat().st_mtime_ns for path in (folder / "frames").iterdir()}
    return stamps if before is None else {n for n in stamps if stamps[n] != before.get(n)}


# What is stored


def test_frames_times_and_index_are_those_of_the_videos(make_source, store_dir):
    summary = prepare(make_source(), store_dir, CONFIG)
    store = Store.load(store_dir)
    assert store == summary.store
    assert store.labels == ("hit", "play")
    assert [clip.path.parent.name for clip in store.clips] == ["hit"] * 4 + ["play"] * 4
    for clip in store.clips:
        number = 4096 * (int(clip.path.stem[1]) + 1) + (clip.label == "play")
        assert numbers_of(store, clip) == [number + 16 * i for i in range(12)]
        assert np.allclose(store.load_times(clip.clip_id), np.arange(12) / 25)
        assert (clip.n_frames, clip.fps, clip.width, clip.height) == (12, 25.0, 96, 64)
        assert clip.duration_s == pytest.approx(0.48)
        assert clip.group == clip.path.stem


def test_frames_are_mapped_and_cannot_be_written(make_source, store_dir):
    store = prepare(make_source(), store_dir, CONFIG).store
    frames = store.open_frames(store.clips[0].clip_id)
    assert isinstance(frames, np.memmap)
    assert frames.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        frames[0] = 0


def test_summary_has_the_promised_fields(make_source, store_dir):
    summary = json.loads(json.dumps(prepare(make_source(), store_dir, CONFIG).to_json()))
    assert (summary["n_clips"], summary["n_rejects"], summary["n_groups"]) == (8, 0, 4)
    assert summary["labels"] == {"hit": 4, "play": 4}
    assert sum(summary["splits"].values()) == 8
    assert set(summary["baseline"]) == {"accuracy", "auc", "majority"}
    assert (summary["n_cut"], summary["n_reused"]) == (8, 0)


def test_rgb_store(make_source, store_dir):
    config = PrepareConfig(size=(64, 64), color="rgb", n_folds=2, jobs=1)
    store = prepare(make_source(), store_dir, config).store
    assert store.color == "rgb"
    assert store.open_frames(store.clips[0].clip_id).shape == (12, 64, 64, 3)


def test_origin_is_kept(make_source, store_dir):
    source = make_source()
    files = [p.relative_to(source) for p in sorted(source.rglob("*.mp4"))]
    lines = ["path,label,origin", *(f"{path},{path.parent.name},made" for path in files)]
    (source / "manifest.csv").write_text("\n".join(lines))
    prepare(source, store_dir, PrepareConfig(size=(64, 96), n_folds=2, jobs=1))
    assert Store.load(store_dir).is_synthetic


def test_workers_make_the_same_store(make_source, tmp_path):
    source = make_source()
    one = prepare(source, tmp_path / "one", CONFIG).store
    two = prepare(source, tmp_path / "two", PrepareConfig(**{**vars(CONFIG), "jobs": 2})).store
    assert one.data_hash == two.data_hash
    assert one.clips == two.clips


def test_clips_of_one_video_are_cut_where_the_manifest_says(tmp_path, store_dir):
    make_clip(tmp_path / "long.mp4", 200)
    make_clip(tmp_path / "other.mp4", 50)
    manifest = tmp_path / "m.csv"
    manifest.write_text(
        "path,label,start_s,end_s\nlong.mp4,hit,6,7\nlong.mp4,play,6.4,7.2\nlong.mp4,hit,7.5,\n"
        "other.mp4,play,,\nlong.mp4,hit,7.9,8\nlong.mp4,hit,90,99\n"
    )
    store = prepare(manifest, store_dir, PrepareConfig(size=(64, 96), jobs=1)).store
    cut = {(clip.path.stem, clip.start_s): numbers_of(store, clip) for clip in store.clips}
    assert cut == {
        ("long", 6.0): list(range(150, 175)),
        ("long", 6.4): list(range(160, 180)),
        ("long", 7.5): list(range(188, 200)),
        ("other", 0.0): list(range(50)),
    }
    late = next(clip for clip in store.clips if clip.start_s == 7.5)
    assert store.load_times(late.clip_id)[0] == pytest.approx(0.02)
    reasons = sorted(reject.reason for reject in store.rejects)
    assert reasons == ["only 2 frames, at least 5 are needed", "the video has no frame from 90 s"]
    assert len({clip.group for clip in store.clips if clip.path.stem == "long"}) == 1


def test_fast_video_is_thinned(tmp_path, store_dir):
    for label in ("hit", "play"):
        make_clip(tmp_path / "data" / label / "a.mp4", 60, 60.0)
    store = prepare(tmp_path / "data", store_dir, PrepareConfig(size=(64, 96), jobs=1)).store
    clip = store.clips[0]
    assert numbers_of(store, clip) == list(range(0, 60, 2))
    assert (clip.n_frames, clip.fps) == (30, 60.0)


# Bad input


def test_bad_files_are_rejected_with_reasons_and_no_good_one_is_lost(
    make_source, bad_files, store_dir
):
    source = make_source()
    for name, (write, _) in bad_files.items():
        write(source / "hit" / name)
    summary = prepare(source, store_dir, BY_LOOK)
    assert summary.report.n_clips == 8
    reasons = {reject.path.name: reject.reason for reject in summary.store.rejects}
    assert set(reasons) == set(bad_files)
    for name, (_, part) in bad_files.items():
        assert part in reasons[name], name


def test_cut_off_clip_is_kept_with_the_place_of_the_damage(make_source, store_dir):
    source = make_source()
    videos.make_truncated_mp4(source / "hit" / "g9.mp4", keep=0.5)
    summary = prepare(source, store_dir, CONFIG)
    (clip,) = [clip for clip in summary.store.clips if clip.damaged_s is not None]
    assert clip.path.name == "g9.mp4"
    assert 5 <= clip.n_frames < 50
    assert clip.duration_s == pytest.approx(clip.damaged_s, abs=0.1)
    assert summary.report.damaged == {clip.clip_id: clip.damaged_s}


def test_same_name_in_two_folders_and_formats_does_not_collide(tmp_path, store_dir):
    for number, name in enumerate(["hit/a.mp4", "hit/a.mkv", "hit/day/a.mp4", "play/a.mp4"]):
        make_clip(
            tmp_path / "data" / name, 10, paint=lambda _, n=number: videos.paint_number(n, (64, 96))
        )
    store = prepare(tmp_path / "data", store_dir, PrepareConfig(size=(64, 96), jobs=1)).store
    assert sorted(numbers_of(store, clip)[0] for clip in store.clips) == [0, 1, 2, 3]


def test_label_of_which_nothing_is_left_is_said(make_source, store_dir):
    source = make_source()
    videos.make_empty_file(source / "rest" / "a.mp4")
    summary = prepare(source, store_dir, BY_LOOK)
    assert summary.store.labels == ("hit", "play")
    shutil.rmtree(source / "play")
    with pytest.raises(NoClipsError, match=r"at least two labels .* of hit, rest.*of hit.*empty"):
        prepare(source, store_dir, BY_LOOK)


def test_nothing_usable_at_all(tmp_path, store_dir):
    for label in ("hit", "play"):
        videos.make_not_a_video(tmp_path / "data" / label / "a.mp4")
    with pytest.raises(NoClipsError, match="there are 0, of none"):
        prepare(tmp_path / "data", store_dir, PrepareConfig(jobs=1))


def test_one_group_a_class_is_told_and_not_split(tmp_path, store_dir):
    for label, seed in (("hit", 0), ("play", 1)):
        room = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), np.uint8)
        room = room.repeat(8, axis=0).repeat(8, axis=1)
        for take in range(3):
            make_clip(tmp_path / "data" / label / f"{take}.mp4", 8, paint=lambda _, p=room: p)
    summary = prepare(tmp_path / "data", store_dir, PrepareConfig(size=(64, 96), jobs=1))
    assert summary.report.n_groups == 2
    assert summary.report.baseline is None
    assert summary.report.splits == {"train": 6, "val": 0, "test": 0}
    assert any("No honest test is possible" in warning for warning in summary.report.warnings)
    with pytest.raises(SplitError, match="--group-by"):
        summary.store.indices("test")


def test_store_in_a_place_that_cannot_be_written(make_source, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        prepare(make_source(), tmp_path / "file" / "store", CONFIG)


# Running again


def test_unchanged_videos_are_not_decoded_again(make_source, store_dir):
    source = make_source()
    first = prepare(source, store_dir, CONFIG).store
    before = changed_files(store_dir)
    os.utime(source / "hit" / "g0.mp4")
    again = prepare(source, store_dir, CONFIG)
    assert (again.n_cut, again.n_reused) == (0, 8)
    assert changed_files(store_dir, before) == set()
    assert again.store.data_hash == first.data_hash


def test_only_what_changed_is_cut_again_and_what_is_gone_vanishes(make_source, store_dir):
    source = make_source()
    first = prepare(source, store_dir, CONFIG).store
    make_clip(source / "hit" / "g0.mp4", 20)
    (source / "play" / "g1.mp4").unlink()
    make_clip(source / "play" / "g8.mp4", 9)
    second = prepare(source, store_dir, CONFIG)
    assert (second.n_cut, second.n_reused) == (2, 6)
    by_name = {f"{clip.label}/{clip.path.name}": clip for clip in second.store.clips}
    assert "play/g1.mp4" not in by_name
    assert by_name["hit/g0.mp4"].n_frames == 20
    assert by_name["play/g8.mp4"].n_frames == 9
    files = {path.name for path in (store_dir / "frames").iterdir()}
    assert files == {
        f"{c.clip_id}{end}" for c in second.store.clips for end in (".npy", ".times.npy")
    }
    assert second.store.data_hash != first.data_hash


def test_changed_settings_make_all_anew(make_source, store_dir):
    source = make_source()
    prepare(source, store_dir, CONFIG)
    other = prepare(source, store_dir, PrepareConfig(**{**vars(CONFIG), "size": (32, 32)}))
    assert other.n_cut == 8
    assert other.store.open_frames(other.store.clips[0].clip_id).shape == (12, 32, 32)


def test_new_label_and_group_need_no_decoding(make_source, store_dir):
    source = make_source()
    first = prepare(source, store_dir, CONFIG).store
    again = prepare(source, store_dir, PrepareConfig(**{**vars(CONFIG), "group_by": r"(\d)\.mp4"}))
    assert again.n_cut == 0
    assert {clip.group for clip in again.store.clips} == set("0123")
    assert again.store.data_hash != first.data_hash


def test_interrupted_run_goes_on_and_is_not_loaded_meanwhile(make_source, store_dir):
    source = make_source()
    whole = prepare(source, store_dir, CONFIG).store
    lines = (store_dir / "index.csv").read_text().splitlines(keepends=True)
    (store_dir / "index.csv").unlink()
    (store_dir / "progress.csv").write_text("".join(lines[:5]) + lines[5][:80])
    (store_dir / "frames" / "left-over.part").write_bytes(b"half a clip")
    with pytest.raises(StoreError, match="unfinished; run har prepare again"):
        Store.load(store_dir)
    resumed = prepare(source, store_dir, CONFIG)
    assert (resumed.n_cut, resumed.n_reused) == (4, 4)
    assert resumed.store.data_hash == whole.data_hash
    assert not list(store_dir.rglob("*.part"))
    assert not (store_dir / "progress.csv").exists()


def test_lost_frames_are_made_again(make_source, store_dir):
    source = make_source()
    store = prepare(source, store_dir, CONFIG).store
    (store_dir / "frames" / f"{store.clips[0].clip_id}.npy").unlink()
    assert prepare(source, store_dir, CONFIG).n_cut == 1


# The shape of the pictures


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(360, 640)], (128, 224)),
        ([(480, 640)], (160, 224)),
        ([(640, 360)], (224, 128)),
        ([(500, 500)], (224, 224)),
        ([(1080, 1920)] * 3 + [(480, 640)], (128, 224)),
    ],
)
def test_chosen_shape(sizes, expected):
    assert choose_size(sizes, 224) == expected


def test_shape_is_chosen_by_the_videos(tmp_path, store_dir):
    for label in ("hit", "play"):
        make_clip(tmp_path / "data" / label / "a.mp4", 8, size=(96, 54))
    config = PrepareConfig(long_side=64, jobs=1)
    assert prepare(tmp_path / "data", store_dir, config).store.size == (64, 32)


# Real clips


@pytest.mark.real
def test_real_clips_all_become_part_of_the_store(shared_data: Path, store_dir):
    manifest = shared_data / "ut_interaction_set1" / "manifest.csv"
    summary = prepare(manifest, store_dir, PrepareConfig(long_side=64))
    assert (summary.report.n_clips, summary.report.n_rejects) == (60, 0)
    assert summary.report.n_groups == 10
    assert all(count == 10 for count in summary.to_json()["labels"].values())
    assert summary.report.baseline is not None
    assert summary.report.baseline.auc > 0.7


def test_odd_videos_are_warned_of_and_survive_a_second_run(make_source, store_dir):
    source = make_source()
    label = next(folder for folder in sorted(source.iterdir()) if folder.is_dir())
    videos.make_video(
        label / "jump.mkv", [i / 25 for i in range(40)] + [60 + i / 25 for i in range(9)]
    )
    videos.make_video(label / "slow.mkv", [float(i) for i in range(8)])
    for _ in range(2):
        report = prepare(source, store_dir, PrepareConfig(jobs=1, size=(64, 96))).report
        assert sum("no frames for a while from 1.56 s on" in item for item in report.warnings) == 1
        (rare,) = [item for item in report.warnings if "are too few" in item]
        assert "slow" in rare
        assert "1 frame(s) a second" in rare


def test_a_recording_is_never_divided_whatever_its_groups_are_called(tmp_path, store_dir):
    """Clips 0 and 1 are of one video, and so are 2 and 3: kid1, kid2 and kid3 hang together."""
    rows = ["a.mp4,hit,0,1,kid1", "a.mp4,play,1,2,kid2", "b.mp4,hit,0,1,kid2", "b.mp4,play,1,2,"]
    rows += ["c.mp4,hit,0,1,kid4", "c.mp4,play,1,2,kid4"]
    for number, name in enumerate("abc"):
        make_clip(tmp_path / f"{name}.mp4", n_frames=60 + number)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label,start_s,end_s,group\n" + "\n".join(rows))
    found = prepare(manifest, store_dir, PrepareConfig(size=(64, 64), jobs=1))
    assert {(clip.path.name, clip.group) for clip in found.store.clips} == {
        *[("a.mp4", "kid1"), ("b.mp4", "kid1"), ("c.mp4", "kid4")],
    }
    assert found.report.warnings[0] == (
        "Groups that share a recording count as one: 'kid1' and 'kid2' and 'video b.mp4'"
    )


def test_the_same_bytes_in_groups_that_a_person_named_are_said(tmp_path, store_dir):
    """The copy without a group is one with its original; kid2 has another copy of it."""
    for number, name in enumerate(("a", "b", "c")):
        make_clip(tmp_path / f"{name}.mp4", n_frames=60 + number)
    for name in ("copy", "kid2"):
        shutil.copy(tmp_path / "a.mp4", tmp_path / f"{name}.mp4")
    rows = [
        "a.mp4,hit,kid1",
        "copy.mp4,hit,",
        "kid2.mp4,hit,kid2",
        "b.mp4,play,kid1",
        "c.mp4,play,",
    ]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label,group\n" + "\n".join(rows))
    found = prepare(manifest, store_dir, PrepareConfig(size=(64, 64), jobs=1))
    groups = {clip.path.stem: clip.group for clip in found.store.clips}
    assert (groups["copy"], groups["kid2"], groups["c"]) == ("kid1", "kid2", "video c.mp4")
    assert found.report.warnings[:2] == (
        "Groups that share a recording count as one: 'kid1' and 'video copy.mp4'",
        "Groups have the same bytes under several names, so a recording may be in training and "
        "test at once; if it is one, name one group: 'kid1' and 'kid2'",
    )
