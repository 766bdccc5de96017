"""A bundle as one file, and files that only look like one."""

import json
import stat
import zipfile
from pathlib import Path

import pytest
from bundles import LABELS, make_bundle, make_people_bundle

import har
from har.bundle import BUNDLE_FILE
from har.bundle_files import FOLDER
from har.errors import BundleIntegrityError, BundleNotFoundError, ConfigError, OutputError
from har.sharing import archive
from har.sharing.archive import check_names, pack, unpack


@pytest.fixture
def bundle(tmp_path) -> Path:
    return make_bundle(tmp_path / "mine")


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_zip(path: Path, files: dict[str, bytes], **more: int) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = more.get(name, stat.S_IFREG | 0o644) << 16
            opened.writestr(entry, data)
    return path


def test_there_and_back(bundle, tmp_path):
    (bundle / "card.md").write_text("# Card\n")
    packed = har.pack_model(bundle, tmp_path / "a.zip")
    model = har.unpack_model(packed)
    assert model.path == tmp_path / "a"
    assert read_files(model.path) == read_files(bundle)
    assert model.labels == LABELS


@pytest.mark.parametrize("name", ["fight", "three_class"])
def test_the_shipped_bundles_come_through(name, tmp_path):
    packed = pack(FOLDER / name, tmp_path / "a.zip")
    assert unpack(packed, tmp_path / "a").labels == har.load(name.replace("_", "-")).labels


def test_the_same_bundle_gives_the_same_bytes(bundle, tmp_path):
    first = pack(bundle, tmp_path / "a.zip")
    (bundle / "frame_cnn.onnx").touch()
    (bundle / "frame_cnn.onnx").chmod(0o600)
    assert pack(bundle, tmp_path / "b.zip").read_bytes() == first.read_bytes()


def test_only_what_belongs_to_it_is_packed(bundle, tmp_path):
    (bundle / "child.mp4").write_bytes(b"private")
    names = zipfile.ZipFile(pack(bundle, tmp_path / "a.zip")).namelist()
    assert names == [BUNDLE_FILE, "frame_cnn.onnx", "temporal.onnx"]


def test_neither_way_writes_over_what_is_there(bundle, tmp_path):
    packed = pack(bundle, tmp_path / "a.zip")
    with pytest.raises(OutputError, match="is there already"):
        pack(bundle, packed)
    with pytest.raises(ConfigError, match="is there already"):
        unpack(packed, bundle)
    (tmp_path / "empty").mkdir()
    assert unpack(packed, tmp_path / "empty").labels == LABELS


def test_what_is_altered_is_neither_packed_nor_unpacked(bundle, tmp_path):
    files = read_files(bundle)
    (bundle / "temporal.onnx").write_bytes(b"x")
    with pytest.raises(BundleIntegrityError, match="SHA-256"):
        pack(bundle, tmp_path / "a.zip")
    write_zip(tmp_path / "b.zip", files | {"temporal.onnx": b"x"})
    with pytest.raises(BundleIntegrityError, match="SHA-256"):
        unpack(tmp_path / "b.zip", tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../a.onnx",
        "/etc/a",
        "a/../../b",
        "C:\\a",
        "a\\b",
        "a//b",
        "con.onnx",
        "a/NUL",
        "dot.",
        ".hidden",
        "",
        "a\nb",
        "e\u0301",
        "x" * 121,
        "a/b/c/d/e",
    ],
)
def test_names_that_no_bundle_has(name, bundle, tmp_path):
    with pytest.raises(BundleIntegrityError, match="no bundle may hold"):
        check_names([name], "a.zip")
    packed = write_zip(tmp_path / "a.zip", read_files(bundle) | {name: b"x"})
    with pytest.raises(BundleIntegrityError):
        unpack(packed, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "mine"]


def test_names_that_fall_together(bundle, tmp_path):
    packed = write_zip(tmp_path / "a.zip", read_files(bundle) | {"BUNDLE.json": b"{}"})
    with pytest.raises(BundleIntegrityError, match="twice"):
        unpack(packed, tmp_path / "out")


def test_links_and_strangers(bundle, tmp_path):
    files = read_files(bundle)
    link = {"card.md": stat.S_IFLNK | 0o777}
    packed = write_zip(tmp_path / "a.zip", files | {"card.md": b"/etc/passwd"}, **link)
    with pytest.raises(BundleIntegrityError, match="no plain file"):
        unpack(packed, tmp_path / "out")
    packed = write_zip(tmp_path / "b.zip", files | {"setup.py": b"raise SystemExit"})
    with pytest.raises(BundleIntegrityError, match=r"setup\.py, which its contract has no hash"):
        unpack(packed, tmp_path / "out")
    (bundle / "card.md").symlink_to("/etc/hostname")
    with pytest.raises(BundleIntegrityError, match="link"):
        pack(bundle, tmp_path / "c.zip")


def test_sizes_are_bounded_before_anything_is_written(bundle, tmp_path, monkeypatch):
    packed = pack(bundle, tmp_path / "a.zip")
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    for way in (lambda: unpack(packed, tmp_path / "out"), lambda: pack(bundle, tmp_path / "b.zip")):
        with pytest.raises(BundleIntegrityError, match="MB"):
            way()
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    with pytest.raises(BundleIntegrityError, match="3 files"):
        unpack(packed, tmp_path / "out")


def test_a_bomb_that_lies_of_its_size_is_stopped(bundle, tmp_path):
    """The directory of the file says 3 bytes where many more come."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in (read_files(bundle) | {"card.md": b"0" * 5_000_000}).items():
            opened.writestr(name, data)
    content = path.read_bytes()
    size = (5_000_000).to_bytes(4, "little")
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, (3).to_bytes(4, "little")))
    with pytest.raises(BundleIntegrityError, match="read as a zip"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_files_that_are_no_bundle(content, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(BundleIntegrityError, match=r"read as a zip|holds no bundle\.json"):
        unpack(path, tmp_path / "out")
    assert har.verify_model(path).problems
    assert not (tmp_path / "out").exists()


def test_a_cut_off_file(bundle, tmp_path):
    content = pack(bundle, tmp_path / "a.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(content[:-40])
    with pytest.raises(BundleIntegrityError, match="read as a zip"):
        unpack(tmp_path / "b.zip", tmp_path / "out")
    with pytest.raises(BundleNotFoundError):
        unpack(tmp_path / "none.zip", tmp_path / "out")


def test_verify_says_all_that_is_wrong(bundle, tmp_path):
    whole = har.verify_model(bundle)
    assert (whole.problems, len(whole.files)) == ((), 3)
    assert whole.n_bytes == sum(path.stat().st_size for path in bundle.iterdir())
    assert har.verify_model(pack(bundle, tmp_path / "a.zip")) == whole
    (bundle / "temporal.onnx").write_bytes(b"x")
    (bundle / "frame_cnn.onnx").unlink()
    first, second = har.verify_model(bundle).problems
    assert "frame_cnn.onnx" in first
    assert "SHA-256" in second


def test_verify_runs_the_networks(tmp_path):
    other = make_people_bundle(tmp_path / "people")
    contract = json.loads((other / BUNDLE_FILE).read_text())
    contract["labels"].append("third")
    (other / BUNDLE_FILE).write_text(json.dumps(contract))
    (problem,) = har.verify_model(other).problems
    assert "does not fit" in problem
    contract["labels"] = ["one"]
    (other / BUNDLE_FILE).write_text(json.dumps(contract))
    (problem,) = har.verify_model(other).problems
    assert "labels must be two or more" in problem
    with pytest.raises(BundleNotFoundError):
        har.verify_model(tmp_path / "none")


def test_a_damaged_directory_and_a_file_that_is_a_folder_too(bundle, tmp_path):
    files = read_files(bundle)
    write_zip(tmp_path / "a.zip", files | {"b/a.onnx": b"x", "b": b"x"})
    with pytest.raises(BundleIntegrityError, match=r"names the file b/a\.onnx in what is a file"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    packed = write_zip(tmp_path / "b.zip", files | {"\u00e9": b"x"})
    data = packed.read_bytes()
    packed.write_bytes(data.replace(b"\xc3\xa9", b"\xff\xff"))
    with pytest.raises(BundleIntegrityError, match="cannot be read as a zip file: 'utf-8'"):
        unpack(packed, tmp_path / "out")
    data = write_zip(tmp_path / "c.zip", files).read_bytes()
    end = data.rindex(b"PK\x05\x06") + 16  # where the directory begins, which moves all files
    packed.write_bytes(data[:end] + b"\xff\xff\xff\x00" + data[end + 4 :])
    with pytest.raises(BundleIntegrityError, match="cannot be read as a zip file"):
        unpack(packed, tmp_path / "out")
