"""Files of features: what was written is read back, and what cannot be is refused in one line."""

import io
import json
import resource
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from bundles import SPEC
from fuzzing import mutate_bytes, mutate_json

from har.errors import BundleMismatchError, FeatureFileError, OutputError
from har.feature_files import (
    MAX_STEPS,
    FeatureHeader,
    FeatureWriter,
    compute_times,
    open_features,
)
from har.types import VideoInfo

INFO = VideoInfo(Path("day1.mp4"), 96, 64, 25.0, 2.0, 50, 0, "h264")
HEADER = FeatureHeader("ab" * 32, SPEC, 4, "onnxruntime fp32", {"least": 2.0}, 2.5, INFO, "", "")
STEPS = [np.array([n, 0.1, -65504, 1e-8], np.float32) for n in range(3)]


def save(path: Path) -> Path:
    """Two segments, 1 s and 0.5 s, with still steps and a frame that stands for two steps."""
    with FeatureWriter(path.parent) as writer:
        writer.push([(STEPS[0], 1), (None, 2), (None, 1), (STEPS[1], 4)])
        writer.end_segment(0.0, 1.0, 25)
        writer.push([(STEPS[2], 1)])
        writer.push([(None, 3)])
        writer.end_segment(3.0, 0.5, 12)
        writer.save(path, HEADER)
    return path


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = save(tmp_path / "a.features.npz")
    with open_features(path) as file:
        assert file.header == HEADER
        assert file.segments.tolist() == [[0.0, 1.0], [3.0, 0.5]]
        assert file.n_frames.tolist() == [25, 12]
        steps = list(file.iter_steps())
    expected = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert [int(step[0]) for step in steps] == expected
    assert steps[0].dtype == np.float32
    assert steps[0].tolist() == [0.0, 0.0999755859375, -65504.0, 0.0]
    whole = np.load(path, allow_pickle=False)
    assert whole["features"].shape == (3, 4)
    assert whole["still"].tolist() == [n in (1, 2, 3, 9, 10, 11) for n in range(12)]
    assert whole["times_s"].tolist() == [
        *[0.0625 + n / 8 for n in range(8)],
        *[3.0625 + n / 8 for n in range(4)],
    ]
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_the_same_features_are_the_same_bytes(tmp_path: Path) -> None:
    one, other = (save(tmp_path / name).read_bytes() for name in ("a", "b"))
    assert one == other


def test_what_16_bits_do_not_hold_is_refused(tmp_path: Path) -> None:
    with FeatureWriter(tmp_path) as writer:
        for value in (70000.0, np.nan):
            with pytest.raises(BundleMismatchError, match="above 65504"):
                writer.push([(np.full(4, value, np.float32), 1)])


def fill(folder: Path) -> None:
    with FeatureWriter(folder) as writer:
        for _ in range(100):
            writer.push([(np.ones(1024, np.float32), 1)])


def test_a_full_disk_is_an_error_of_the_output(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OutputError, match="could not be written"):
            fill(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_features(tmp_path: Path) -> None:
    n_steps, n_features = 8000, 1024
    with FeatureWriter(tmp_path) as writer:
        batch = [(np.ones(n_features, np.float32), 1)] * 16
        tracemalloc.start()
        for _ in range(n_steps // 16):
            writer.push(batch)
        writer.end_segment(0.0, n_steps / 8, n_steps)
        header = FeatureHeader(**{**vars(HEADER), "n_features": n_features})
        writer.save(tmp_path / "a.features.npz", header)
        with open_features(tmp_path / "a.features.npz") as file:
            assert sum(1 for _ in file.iter_steps()) == n_steps
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert np.load(tmp_path / "a.features.npz")["features"].nbytes == 2 * n_steps * n_features
    assert peak < 13e6


Change = Callable[[dict[str, Any]], object]


def rewrite(path: Path, change: Change) -> Path:
    """Write a file anew after its arrays and its header have been changed."""
    arrays: dict[str, Any] = dict(np.load(path))
    arrays["header"] = json.loads(arrays.pop("header.json"))
    change(arrays)
    header = arrays.pop("header")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", header if isinstance(header, bytes) else json.dumps(header))
        for name, values in arrays.items():
            data = io.BytesIO()
            np.save(data, values)
            archive.writestr(f"{name}.npy", data.getvalue())
    return path


def read_all(path: Path) -> int:
    with open_features(path) as file:
        return sum(1 for _ in file.iter_steps())


def put(name: str, values: object) -> Change:
    return lambda arrays: arrays.update({name: np.asarray(values)})


def head(**values: object) -> Change:
    return lambda arrays: arrays["header"].update(values)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (put("features", np.full((3, 4), np.nan, np.float16)), "no finite number"),
        (put("features", np.zeros((3, 5), np.float16)), r"expected features of \(3, 4\)"),
        (put("features", np.zeros((2, 4), np.float16)), r"expected features of \(3, 4\)"),
        (put("features", np.zeros((3, 4), np.float32)), "expected features of <f2"),
        (put("features", np.zeros((4, 3), np.float16).T), "row by row"),
        (put("features", np.array([[{}]], dtype=object)), "Python objects"),
        (put("rows", np.arange(12) % 3), "go up by 1"),
        (put("rows", np.full(12, 2**62)), "go up by 1"),
        (put("rows", np.arange(12)), "go up by 1"),
        (put("still", np.zeros(11, bool)), "do not belong together"),
        (put("times_s", np.arange(12.0)), "do not follow"),
        (put("segments", [[0.0, 1.0], [3.0, 1e12]]), "from 0 to"),
        (put("segments", [[0.0, 1.0], [3.0, np.nan]]), "from 0 to"),
        (put("segments", [[0.0, 1.0], [3.0, 1e9]]), "more steps than"),
        (put("segments", [[0.0, 1.0], [0.5, 0.5]]), "do not follow"),
        (put("segments", np.zeros((0, 2))), "do not belong together"),
        (put("n_frames", np.array([25, 0])), "do not follow"),
        (lambda arrays: arrays.pop("still"), "still.npy"),
        (head(format_version=2), "this har reads 1"),
        (head(n_features=10**9), "n_features must be"),
        (head(threshold=float("nan")), "finite numbers"),
        (head(more=1), "unexpected keyword"),
        (head(note="x" * 70_000), "header is larger"),
        (head(spec={"size": [1, 2]}), "contract"),
        (head(mark="../../etc"), "mark"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(tmp_path: Path, change: Change, problem: str) -> None:
    path = rewrite(save(tmp_path / "a.features.npz"), change)
    with pytest.raises(FeatureFileError, match=problem) as caught:
        read_all(path)
    assert str(caught.value).startswith(f"{path} cannot be read as features: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_shape_that_is_claimed_takes_no_memory(tmp_path: Path) -> None:
    path = save(tmp_path / "a.features.npz")
    for name, kind, shape in (("rows", "<i8", (10**12,)), ("features", "<f2", (10**12, 4))):
        with zipfile.ZipFile(path) as archive:
            members = {item.filename: archive.read(item) for item in archive.infolist()}
        data = io.BytesIO()
        form = {"descr": kind, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(data, form)
        members[f"{name}.npy"] = data.getvalue() + bytes(96)
        with zipfile.ZipFile(tmp_path / "forged.npz", "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        tracemalloc.start()
        with pytest.raises(FeatureFileError, match="claims to be larger"):
            read_all(tmp_path / "forged.npz")
        assert tracemalloc.get_traced_memory()[1] < 2e6
        tracemalloc.stop()
    many = rewrite(path, put("still", np.zeros(MAX_STEPS + 1, bool)))
    with pytest.raises(FeatureFileError, match=f"at most {MAX_STEPS}"):
        read_all(many)


def test_part_of_a_file_and_none_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.features.npz")
    data = path.read_bytes()
    for end in (0, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:end])
        with pytest.raises(FeatureFileError, match="cannot be read as features"):
            read_all(path)
    with pytest.raises(FeatureFileError, match="no such file"):
        read_all(tmp_path / "b.features.npz")


def test_whatever_is_damaged_is_read_or_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.features.npz")
    data, rng, n_refused = path.read_bytes(), Random(7), 0  # noqa: S311
    for number in range(200):
        if number % 2:
            path.write_bytes(mutate_bytes(data, rng))
        else:
            path.write_bytes(data)
            rewrite(path, lambda arrays: arrays.update(header=mutate_json(arrays["header"], rng)))
        try:
            assert read_all(path) == 12
        except FeatureFileError:
            n_refused += 1
    assert 50 < n_refused < 200


def test_times_are_those_of_all_segments() -> None:
    segments = np.array([[0.0, 0.25], [2.0, 0.06]])
    assert compute_times(segments, 8.0).tolist() == [0.0625, 0.1875, 2.03]
