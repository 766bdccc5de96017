"""Two runs into one folder: the second ends at once and says who is there; others go on."""

import os
from pathlib import Path

import pytest
from bundles import make_bundle
from stores import make_clips, make_store
from videos import make_clip

import har
from har.errors import LockedError, NoClipsError, OutputError
from har.locks import locking


def test_predict_prepare_and_watch_refuse_a_folder_that_is_in_use(tmp_path: Path) -> None:
    video, model = make_clip(tmp_path / "a.mp4"), make_bundle(tmp_path / "bundle")
    make_clips(tmp_path / "data", n_groups=2)
    with locking(tmp_path / "out"):
        with pytest.raises(LockedError, match=r"out is in use by process \d+ on "):
            har.predict(video, out=tmp_path / "out", model=model)
        with pytest.raises(LockedError, match="out is in use by"):
            har.prepare(tmp_path / "data", tmp_path / "out")
        with pytest.raises(LockedError, match="out is in use by"):
            har.watch(video, out=tmp_path / "out", model=model)
        found = har.predict(video, out=tmp_path / "other", model=model, jobs=1)
    assert len(found.recognized) == 1


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be deleted")
def test_a_prepare_that_fails_leaves_nothing_where_there_was_nothing(tmp_path: Path) -> None:
    (tmp_path / "data" / "hit").mkdir(parents=True)
    (tmp_path / "data" / "hit" / "a.mp4").write_text("no video")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NoClipsError):
        har.prepare(tmp_path / "data")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("held", ["bundle", "results"])
def test_train_refuses_a_bundle_or_results_that_are_in_use(tmp_path: Path, held: str) -> None:
    store = make_store(tmp_path / "store")
    places = {"out": tmp_path / "bundle", "results": tmp_path / "results"}
    with (
        locking(tmp_path / held, beside=held == "bundle"),
        pytest.raises(LockedError, match=f"{held} is in use by"),
    ):
        har.train(store, **places, progress=False)
    assert not (tmp_path / "bundle").exists()


def test_train_into_a_folder_that_cannot_be_written_ends_before_training(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    (tmp_path / "file").touch()
    lines: list[str] = []
    with pytest.raises(OutputError, match=r"cannot be written: .* Name another folder, or check"):
        har.train(store, out=tmp_path / "file" / "bundle", results=tmp_path, say=lines.append)
    assert lines == []
