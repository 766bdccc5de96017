"""Shards: every video is in one of them, and all of them together are one run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bundles import make_bundle
from hypothesis import given
from hypothesis import strategies as st
from outputs import read_outputs
from videos import make_clip, make_not_a_video

import har
from har.errors import ConfigError, LockedError
from har.locks import joining, locking, locking_shard
from har.scale.shards import Shard, name_videos

NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=30)


@given(NAMES, st.integers(1, 40))
def test_every_video_is_in_one_shard(names: list[str], count: int) -> None:
    shards = [Shard(number, count) for number in range(1, count + 1)]
    assert all(sum(shard.has(name) for shard in shards) == 1 for name in names)


def test_a_shard_is_the_same_in_every_process_and_on_every_machine() -> None:
    # first 8 bytes of SHA-256("day1/a.mp4") as a number, modulo 7, by sha256sum and bc
    script = (
        "from har.scale.shards import Shard\n"
        "print([n for n in range(1, 8) if Shard(n, 7).has('day1/a.mp4')])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert said == {b"[1]\n"}


def test_shards_are_of_much_the_same_size() -> None:
    names = [f"camera{number % 7}/{number}.mp4" for number in range(10_000)]
    sizes = [sum(Shard(number, 10).has(name) for name in names) for number in range(1, 11)]
    assert sum(sizes) == 10_000
    assert all(850 < size < 1150 for size in sizes)  # 5 standard deviations are 150


def test_a_folder_that_is_mounted_elsewhere_gives_the_same_names(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place / "day").mkdir(parents=True)
    here, there = ([tmp_path / place / "day" / "a.mp4"] for place in ("here", "there"))
    assert name_videos(here, [tmp_path / "here"]) == name_videos(there, [tmp_path / "there"])
    assert name_videos(here, [tmp_path / "here"]) == ["day/a.mp4"]
    assert name_videos(here, here) == [here[0].as_posix()]


@pytest.mark.parametrize(("number", "count"), [(0, 4), (5, 4), (1, 0)])
def test_a_shard_that_there_is_not_is_refused(number: int, count: int) -> None:
    with pytest.raises(ConfigError, match="counted from 1"):
        Shard(number, count)


@pytest.mark.filterwarnings("ignore:Left out")
def test_shards_in_one_folder_are_as_one_run_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_bundle(Path("bundle"))
    names = ["a/one.mp4", "a/two.mp4", "b/one.mp4", "b/three.avi"]
    for number, name in enumerate(names):
        make_clip(Path("videos") / name, n_frames=20 + 5 * number)
    make_not_a_video(Path("videos/b/noise.mp4"))

    def run(**options: object) -> har.Predictions:
        return har.predict("videos", model="bundle", jobs=1, **options)

    whole = run(out="whole")
    parts = [run(out="parts", shard=(number, 3)) for number in (3, 1, 2)]
    assert sum(len(part.results) for part in parts) == len(whole.results) == 5
    assert read_outputs(Path("parts")) == read_outputs(Path("whole"))
    again = run(out="parts")
    assert again.n_unchanged == 4
    assert read_outputs(Path("parts")) == read_outputs(Path("whole"))


def test_shards_share_a_folder_with_their_kin_and_nobody_else(tmp_path: Path) -> None:
    with locking_shard(tmp_path, 1, 4), locking_shard(tmp_path, 2, 4):
        with joining(tmp_path, 0.0):
            pass
        for other in (locking_shard(tmp_path, 1, 4), locking_shard(tmp_path, 1, 3)):
            with pytest.raises(LockedError, match="in use by"), other:
                pass
        with pytest.raises(LockedError, match="in use by"), locking(tmp_path):
            pass
    with locking(tmp_path), pytest.raises(LockedError), joining(tmp_path, 0.0):
        pass


def test_what_does_not_go_with_a_shard_is_refused(tmp_path: Path) -> None:
    for more in ({"to": "boris"}, {"on": "ray"}):
        with pytest.raises(ConfigError, match="shard"):
            har.predict(tmp_path, model="fight", shard=(1, 2), **more)
