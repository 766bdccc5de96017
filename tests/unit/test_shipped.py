from pathlib import Path

import pytest

from har import bundle_files as shipped
from har.bundle import BUNDLE_FILE
from har.bundle_files import DEFAULT, FOLDER, find_bundle, list_shipped
from har.errors import BundleNotFoundError
from har.inference.model import Recognizer

MOST_BYTES = 16_000_000


def make_bundle(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / BUNDLE_FILE).write_text("{}")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_folder_is_itself(tmp_path):
    folder = make_bundle(tmp_path / "mine")
    assert find_bundle(folder) == folder


def test_the_name_of_a_shipped_bundle_finds_it():
    for name in list_shipped():
        assert find_bundle(Path(name)).parent == FOLDER


def test_a_folder_of_that_name_goes_before():
    make_bundle(Path(list_shipped()[0]))
    assert find_bundle(Path(list_shipped()[0])) == Path(list_shipped()[0])


def test_ones_own_goes_before_the_shipped_default_and_the_demos_is_only_taken_when_named():
    make_bundle(Path("demo/models/har"))
    assert find_bundle() == FOLDER / DEFAULT
    make_bundle(Path("models/har"))
    assert find_bundle() == Path("models/har")


def test_neither_a_folder_nor_a_name_says_what_there_is():
    with pytest.raises(BundleNotFoundError, match="three-class"):
        find_bundle(Path("nothing-here"))


def test_no_default_names_where_it_looked(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "empty")
    with pytest.raises(BundleNotFoundError, match=r"models/har.*none"):
        find_bundle()


@pytest.mark.parametrize("name", list_shipped())
def test_shipped_bundles_are_whole_small_and_described(name):
    folder = find_bundle(Path(name))
    recognizer = Recognizer(folder)
    assert len(recognizer.info.labels) >= 2
    if recognizer.motion is not None:
        fast = Recognizer(folder, engine="onnxruntime-int8")
        assert fast.describe_engines()["frame_cnn"] == "onnxruntime int8"
    assert sum(path.stat().st_size for path in folder.iterdir()) < MOST_BYTES
    card = Path(__file__).parents[2] / "docs" / "models" / f"{folder.name}.md"
    assert name in card.read_text(encoding="utf-8")
