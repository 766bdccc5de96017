import csv
import dataclasses

import cv2
import numpy as np
import pytest

from har.config import SynthConfig
from har.render.sheet import CELL_PX, MARGIN_PX, N_FRAMES, write_synthetic_sheet
from har.synthetic.clips import plan_clips, write_clips
from har.video.file.reader import open_video

CONFIG = SynthConfig(
    n_clips=7, n_scenes=2, clip_s=0.6, size=(96, 128), fps=10.0, variety=0.5, seed=5
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out_dir = tmp_path_factory.mktemp("made")
    return write_clips(out_dir, CONFIG, jobs=1)


def read_rows(manifest):
    with manifest.open(newline="") as file:
        return list(csv.DictReader(file))


def read_bytes(manifest):
    return {
        row["path"]: (manifest.parent / row["path"]).read_bytes() for row in read_rows(manifest)
    }


def test_the_manifest_says_who_is_who(made):
    rows = read_rows(made)
    assert list(rows[0]) == ["path", "label", "group", "subject", "target", "style", "origin"]
    assert len(rows) == 7
    for row in rows:
        assert row["path"].startswith(f"{row['label']}/{row['group']}_")
        assert row["subject"] in ("p1", "p2", "p3")
        assert (row["target"] != "") == (row["label"] == "hitting_others")
        assert row["style"]
    files = {path.relative_to(made.parent).as_posix() for path in made.parent.rglob("*.mp4")}
    assert files == {row["path"] for row in rows}


def test_every_scene_has_all_three_classes():
    labels = {}
    for plan in plan_clips(SynthConfig(n_clips=36, n_scenes=6)):
        labels.setdefault(plan.scene, []).append(plan.label)
    assert set(labels) == set(range(6))
    for found in labels.values():
        assert sorted(found) == ["hitting_others"] * 2 + ["hitting_self"] * 2 + ["playing"] * 2


def test_clips_are_videos_of_the_settings(made):
    for row in read_rows(made):
        with open_video(made.parent / row["path"], color="gray") as video:
            frames = list(video)
            assert video.info.codec == "h264"
        assert frames[0].image.shape == CONFIG.size
        assert len(frames) == round(CONFIG.clip_s * video.info.fps)
        assert np.ptp(frames[0].image) > 60


def test_two_processes_give_the_same_bytes(made, tmp_path):
    again = write_clips(tmp_path / "again", CONFIG, jobs=2)
    assert again.read_bytes() == made.read_bytes()
    assert read_bytes(again) == read_bytes(made)


def test_other_sizes_repeat_too(tmp_path):
    config = dataclasses.replace(CONFIG, n_clips=3, size=(120, 160), clip_s=1.5)
    runs = [read_bytes(write_clips(tmp_path / str(run), config, jobs=1)) for run in range(4)]
    assert all(run == runs[0] for run in runs[1:])


def test_finished_clips_are_kept_and_missing_ones_made_again(tmp_path):
    config = dataclasses.replace(CONFIG, n_clips=3)
    manifest = write_clips(tmp_path, config, jobs=1)
    before = read_bytes(manifest)
    kept, lost = (tmp_path / path for path in list(before)[:2])
    stamp = kept.stat().st_mtime_ns
    lost.unlink()
    assert read_bytes(write_clips(tmp_path, config, jobs=1)) == before
    assert kept.stat().st_mtime_ns == stamp


def test_more_clips_keep_the_first_ones(made, tmp_path):
    few = write_clips(tmp_path, dataclasses.replace(CONFIG, n_clips=3), jobs=1)
    first = read_bytes(few)
    more = read_bytes(write_clips(tmp_path, CONFIG, jobs=1))
    assert more == read_bytes(made)
    assert {path: more[path] for path in first} == first


def test_clips_of_other_settings_are_removed_and_foreign_files_left(tmp_path):
    config = dataclasses.replace(CONFIG, n_clips=3)
    before = read_bytes(write_clips(tmp_path, config, jobs=1))
    (tmp_path / "playing" / "own.mp4").write_bytes(b"mine")
    after = read_bytes(write_clips(tmp_path, dataclasses.replace(config, seed=6), jobs=1))
    assert set(after) == set(before)
    assert all(after[path] != before[path] for path in after)
    assert (tmp_path / "playing" / "own.mp4").read_bytes() == b"mine"


def test_no_clips_make_an_empty_manifest(tmp_path):
    manifest = write_clips(tmp_path, dataclasses.replace(CONFIG, n_clips=0), jobs=1)
    assert manifest.read_text() == "path,label,group,subject,target,style,origin\n"


def test_the_sheet_has_a_strip_a_clip(made, tmp_path):
    path = write_synthetic_sheet(tmp_path / "sheet.png", made, per_label=2)
    sheet = cv2.imread(str(path))
    assert sheet.shape == (3 * CELL_PX[0], 2 * (MARGIN_PX + N_FRAMES * CELL_PX[1]), 3)
    assert sheet[:, MARGIN_PX : MARGIN_PX + CELL_PX[1]].std() > 10.0
