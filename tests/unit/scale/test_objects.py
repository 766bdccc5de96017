"""Videos in object stores: recognized as files are, and nothing of them stays on the machine."""

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundles import make_bundle
from outputs import read_labels, read_outputs
from videos import make_clip, make_not_a_video

import har
from har.addresses import ObjectPath, to_source
from har.config import DecodeConfig, FetchConfig
from har.errors import ConfigError, OutputError, VideoOpenError
from har.inference.folder import StoredFile
from har.scale.objects import list_videos

fsspec = pytest.importorskip("fsspec")
pytestmark = pytest.mark.filterwarnings("ignore:Left out")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with a bundle, and videos in it and in a store in memory."""
    monkeypatch.chdir(tmp_path)
    make_bundle(Path("bundle"), decode=DecodeConfig(background="still"))
    make_clip(Path("bucket/day1/a.mp4"), n_frames=25)
    make_clip(Path("bucket/day2/a.mp4"), n_frames=30)
    make_not_a_video(Path("bucket/day2/noise.mp4"))
    Path("bucket/day2/notes.txt").write_text("no video")
    memory = fsspec.filesystem("memory")
    memory.put("bucket", "/bucket", recursive=True)
    yield tmp_path
    memory.rm("/bucket", recursive=True)


def predict(source: str, out: str, **options: object) -> har.Predictions:
    return har.predict(source, model="bundle", out=out, jobs=1, **options)


def test_an_address_is_a_path_that_shows_as_it_was_written() -> None:
    address = to_source(Path("s3://bucket/day 1/a.b.mp4"))
    assert isinstance(address, ObjectPath)
    assert str(address) == "s3://bucket/day 1/a.b.mp4"
    assert (address.name, address.stem, address.suffix) == ("a.b.mp4", "a.b", ".mp4")
    assert address == ObjectPath(str(address)) == pickle.loads(pickle.dumps(address))  # noqa: S301
    assert address.resolve() == address.absolute() == address
    assert to_source("data/s3/a.mp4") == Path("data/s3/a.mp4")
    assert to_source("file:///data/a.mp4") == Path("/data/a.mp4")


def test_a_folder_of_a_store_is_as_one_on_disk(store: Path) -> None:
    predict("bucket", "disk", thumbnails=True, annotate=True)
    found = predict("memory://bucket", "memory", thumbnails=True, annotate=True, scratch="scratch")
    assert len(found.recognized) == 2
    assert list(Path("scratch").iterdir()) == []
    disk, memory = (read_outputs(store / name) for name in ("disk", "memory"))
    assert set(disk) == set(memory)
    assert any(name.endswith(".annotated.mp4") for name in disk)
    for name, data in disk.items():
        if not name.endswith("result.json"):  # has the time of the file
            assert data == memory[name].replace(b"memory://bucket", b"bucket"), name
    assert set(read_labels(store / "memory")) == {
        f"memory://bucket/{name}" for name in ("day1/a.mp4", "day2/a.mp4", "day2/noise.mp4")
    }
    assert "scratch" not in (store / "memory/results.json").read_text()


def test_a_run_goes_on_until_what_is_in_the_store_changes(store: Path) -> None:
    assert predict("memory://bucket/day1", "out").n_unchanged == 0
    assert predict("memory://bucket", "out").n_unchanged == 1
    fsspec.filesystem("memory").put("bucket/day2/a.mp4", "/bucket/day1/a.mp4")
    assert predict("memory://bucket", "out").n_unchanged == 1
    parts = [predict("memory://bucket", "parts", shard=(number, 2)) for number in (1, 2)]
    assert sum(len(part.results) for part in parts) == 3
    assert read_labels(store / "parts") == read_labels(store / "out")


def test_features_in_a_store_are_scored_but_not_beside_their_video(store: Path) -> None:
    predict("memory://bucket/day1", "out", keep="features")
    memory = fsspec.filesystem("memory")
    memory.put("out/a.features.npz", "/bucket/day1/a.features.npz")
    memory.put("out/a.features.npz", "/bucket/day3/b.features.npz")
    found = predict("memory://bucket", "again")
    there = [str(result.info.path) for result in found.recognized]
    assert there == [
        f"memory://bucket/{name}" for name in ("day1/a.mp4", "day2/a.mp4", "day3/b.features.npz")
    ]
    named = predict("memory://bucket/day1/a.features.npz", "named").recognized[0]
    assert named.label == found.recognized[0].label == found.recognized[2].label


def test_what_cannot_be_fetched_is_left_out_with_the_reason(store: Path) -> None:
    found = predict("memory://bucket/day1/a.mp4", "out", max_gb=1e-6, scratch="scratch")
    assert "files above 1e-06 GB are not fetched" in found.results[0].error
    found = predict("memory://bucket/nothing", "out")
    assert "There is no video at memory://bucket/nothing" in found.results[0].error
    found = predict("memory://bucket/day2/noise.mp4", "out")
    assert found.results[0].error.startswith("memory://bucket/day2/noise.mp4 cannot be read")
    Path("scratch").touch()
    with pytest.raises(OutputError, match="scratch could not be written"):
        predict("memory://bucket/day1", "out", scratch="scratch")


def test_what_grows_while_it_is_fetched_is_stopped_at_the_limit(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from har.scale import objects

    path, stored = ObjectPath("memory://bucket/day1/a.mp4"), StoredFile("", n_bytes=10)
    limit = FetchConfig(Path("scratch"), max_gb=1e-6)
    fetched = objects.fetching(limit, path, stored)
    with pytest.raises(VideoOpenError, match="not fetched"), fetched:
        pass
    assert list(Path("scratch").iterdir()) == []
    monkeypatch.setattr(objects, "_PAUSES_S", (0.0,))
    gone = ObjectPath("memory://bucket/gone.mp4")
    fetched = objects.fetching(FetchConfig(Path("scratch")), gone, stored)
    with pytest.raises(VideoOpenError, match=r"gone\.mp4 cannot be fetched"), fetched:
        pass


def test_what_a_killed_process_left_in_scratch_goes_with_the_next_video(store: Path) -> None:
    left = store / "scratch" / "har-fetched-old"
    left.mkdir(parents=True)
    (left / "video.mp4").write_bytes(b"big")
    os.utime(left, (0, 0))
    predict("memory://bucket/day1", "out", scratch="scratch")
    assert list((store / "scratch").iterdir()) == []


def test_addresses_of_the_web_are_refused_as_ever(store: Path) -> None:
    with pytest.raises(ConfigError, match="received an address"):
        predict("https://host/a.mp4", "out")


@pytest.mark.parametrize(
    "address", ["memory://bucket/a.mp4::file:///etc/hostname", "s3://key:secret@bucket/a.mp4"]
)
def test_addresses_that_hold_another_or_a_key_are_not_opened(address: str) -> None:
    with pytest.raises(
        VideoOpenError, match="is not opened: no address of a store has '::'"
    ) as said:
        list_videos(ObjectPath(address))
    assert "secret" not in str(said.value)
