import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from har.config import PrepareConfig
from har.dataset.index import COLUMNS, read_rows, write_rows
from har.dataset.prepare import prepare
from har.dataset.store import FrameSettings, Store, StoreSettings
from har.dataset.store_writer import ClipWriter
from har.errors import SplitError, StoreError


@pytest.fixture
def store(make_source, tmp_path):
    config = PrepareConfig(size=(32, 32), n_folds=2, jobs=1, group_by=r"/(g\d)")
    return prepare(make_source(n_frames=6), tmp_path / "store", config).store


def test_no_store(tmp_path):
    with pytest.raises(StoreError, match=r"no prepared clips .store. in .*har prepare"):
        Store.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("store.json", "{", "cannot be used"),
        ("store.json", "[]", "holds list, not an object"),
        ("store.json", '{"version": 99}', "format 99, this har reads 1"),
        ("splits.json", '{"parts": []}', "cannot be used"),
        (
            "store.json",
            '{"version": 1, "labels": ["uncertain"], "group_source": "", "frames": '
            '{"size": [32, 32], "color": "gray", "max_rate_hz": 30}}',
            "'uncertain' is what results say",
        ),
        ("index.csv", ",".join(COLUMNS) + "\n1,2,3\n", "line of .*index.csv"),
        ("rejects.csv", "a,b\n1,2\n", "rejects.csv cannot be read"),
    ],
)
def test_damaged_store_is_said(store, name, content, message):
    (store.path / name).write_text(content)
    with pytest.raises(StoreError, match=message):
        Store.load(store.path)


def test_damaged_frames_are_said(store):
    clip_id = store.clips[0].clip_id
    (store.path / "frames" / f"{clip_id}.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(StoreError, match="run har prepare again"):
        store.open_frames(clip_id)
    with pytest.raises(StoreError, match="run har prepare again"):
        store.load_times("no-such-clip")


def test_pickled_frames_are_refused(store):
    clip_id = store.clips[0].clip_id
    path = store.path / "frames" / f"{clip_id}.times.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(StoreError, match="allow_pickle"):
        store.load_times(clip_id)


def test_indices_and_labels(store):
    assert store.indices("all").tolist() == list(range(8))
    parts = np.concatenate([store.indices(part) for part in ("train", "val", "test")])
    assert sorted(parts.tolist()) == list(range(8))
    assert store.label_indices.tolist() == [0] * 4 + [1] * 4


def test_missing_part_is_refused(store):
    values = json.loads((store.path / "splits.json").read_text())
    values.update(parts=dict.fromkeys(values["parts"], "train"), possible=False, reason="Because.")
    (store.path / "splits.json").write_text(json.dumps(values))
    with pytest.raises(SplitError, match=r"no test part\. Because\."):
        Store.load(store.path).indices("test")


def test_data_hash_does_not_depend_on_the_place(store, tmp_path):
    moved = store.path.rename(tmp_path / "moved")
    assert Store.load(moved).data_hash == store.data_hash
    assert len(store.data_hash) == 64


def test_weights_count_in_the_hash_only_where_they_are_not_1(store, tmp_path):
    lighter = replace(store, clips=(replace(store.clips[0], weight=0.5), *store.clips[1:]))
    assert lighter.weights.tolist() == [0.5] + [1.0] * (len(store.clips) - 1)
    assert lighter.data_hash != store.data_hash
    write_rows(tmp_path / "light.csv", lighter.clips)
    assert tuple(read_rows(tmp_path / "light.csv")) == lighter.clips
    lines = (tmp_path / "light.csv").read_text().splitlines()
    old = [line.rpartition(",")[0] for line in lines]  # as earlier versions wrote it
    (tmp_path / "old.csv").write_text("\n".join(old) + "\n")
    assert tuple(read_rows(tmp_path / "old.csv")) == store.clips


def test_index_survives_its_csv(store, tmp_path):
    write_rows(tmp_path / "again.csv", store.clips)
    assert tuple(read_rows(tmp_path / "again.csv")) == store.clips


def test_settings_survive_their_json():
    settings = StoreSettings(FrameSettings((128, 224), "rgb", 30.0), ("b", "a"), "column group")
    assert StoreSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


@pytest.mark.parametrize("n_frames", [0, 1, 9, 12345])
def test_clip_is_written_frame_by_frame(tmp_path, n_frames):
    (tmp_path / "frames").mkdir()
    frames = np.random.default_rng(0).integers(0, 256, (n_frames, 3, 5), np.uint8)
    writer = ClipWriter(tmp_path, "c", (3, 5))
    for index, frame in enumerate(frames):
        writer.append(frame, index / 25)
    assert not (tmp_path / "frames" / "c.npy").exists()
    digest = writer.finish()
    times_s = np.arange(n_frames) / 25
    assert np.array_equal(np.load(tmp_path / "frames" / "c.npy"), frames)
    assert np.array_equal(np.load(tmp_path / "frames" / "c.times.npy"), times_s)
    assert digest == hashlib.sha256(frames.tobytes() + times_s.tobytes()).hexdigest()


def test_discarded_clip_leaves_nothing(tmp_path):
    (tmp_path / "frames").mkdir()
    writer = ClipWriter(tmp_path, "c", (3, 5))
    writer.append(np.zeros((3, 5), np.uint8), 0.0)
    writer.discard()
    assert list((tmp_path / "frames").iterdir()) == []


@pytest.mark.parametrize("weight", [float("nan"), -1.0, float("inf"), 1e308])
def test_no_weight_that_training_would_fail_on_is_read(weight, store, tmp_path):
    write_rows(tmp_path / "index.csv", [replace(store.clips[0], weight=weight)])
    with pytest.raises(StoreError, match=r"the weight of .* must be from 0 to 1000, received"):
        read_rows(tmp_path / "index.csv")
