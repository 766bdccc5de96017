"""Parquet of all events and scores: what other readers find is what stands in the files."""

import sys
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle, make_people_bundle
from videos import make_clip

import har
from har.config import DecodeConfig
from har.errors import MissingDependencyError, OutputError
from har.events.files import load_scores


def test_without_pyarrow_the_extra_is_named_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    make_clip(tmp_path / "a.mp4")
    with pytest.raises(MissingDependencyError, match=r"\[scale\]"):
        har.predict(tmp_path / "a.mp4", model="fight", out=tmp_path / "out", parquet=True)
    assert not (tmp_path / "out").exists()


def test_other_readers_find_what_stands_in_the_files(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    import pandas as pd

    out = tmp_path / "out"
    make_bundle(tmp_path / "motion", decode=DecodeConfig(background="still"))
    make_people_bundle(tmp_path / "people")
    for name in ("a", "=b"):
        make_clip(tmp_path / "videos" / f"{name}.mp4", n_frames=30)
    make_clip(tmp_path / "more" / "c.mp4", n_frames=30)
    har.predict(tmp_path / "videos", model=tmp_path / "motion", out=out, jobs=1)
    found = har.predict(tmp_path / "more", model=tmp_path / "people", out=out, jobs=1, parquet=True)
    events, scores = (pq.read_table(out / f"{name}.parquet") for name in ("events", "scores"))
    table = pd.read_csv(out / "events.csv")
    assert len(table) >= 2
    assert events.column_names == list(table.columns)
    read = events.to_pandas()
    assert read["start_s"].tolist() == table["start_s"].tolist()
    assert read["video"].astype(str).tolist() == table["video"].tolist()
    assert read["label"].tolist() == table["label"].tolist()
    assert set(events.schema.field("video").type.value_type.__str__().split()) == {"string"}
    for stem in ("a", "=b", "c"):
        saved = load_scores(out / f"{stem}.scores.csv")
        frame = scores.to_pandas()
        own = frame[frame["video"].astype(str).str.endswith(f"{stem}.mp4")]
        assert own["score"].tolist() == saved.values.ravel().tolist()
        assert own["time_s"].tolist() == np.repeat(saved.times_s, 2).tolist()
        assert own["label"].tolist() == list(saved.labels) * len(saved.times_s)
        assert own["confidence"].isna().all() == (saved.people is None)
    assert found.model.info.pose is not None


def test_duckdb_joins_both(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    make_clip(tmp_path / "a.mp4", n_frames=30)
    make_bundle(tmp_path / "bundle", decode=DecodeConfig(background="still"))
    har.predict(tmp_path / "a.mp4", model=tmp_path / "bundle", out=tmp_path, jobs=1, parquet=True)
    events, scores = (str(tmp_path / f"{name}.parquet") for name in ("events", "scores"))
    tables = duckdb.read_parquet(events).set_alias("e"), duckdb.read_parquet(scores).set_alias("s")
    same = "e.video = s.video and e.label = s.label and s.time_s between e.start_s and e.end_s"
    assert len(tables[0].join(tables[1], same).fetchall()) > 0


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from har.scale.parquet import write_parquet

    (tmp_path / "a.result.json").write_text("{}")
    with pytest.raises(OutputError, match=r"a\.result\.json cannot be read"):
        write_parquet(tmp_path)
