"""Which engine is chosen, and how the choice is remembered; never which one is faster."""

import importlib.util
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle

from har.bundle import CNN_GRAPH_FILE, INT8_GRAPH_FILE, TEMPORAL_GRAPH_FILE, load_info, save_info
from har.bundle_files import compute_hashes
from har.config.engine import Engine
from har.inference.engines import ENGINE_VARIABLE, list_engines
from har.inference.model import Recognizer
from har.inference.trial import (
    Network,
    agree,
    choose_engine,
    choose_fastest,
    find_memory,
    try_engines,
)

needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="the extra openvino is not installed"
)
PICTURE = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user who has not run har before."""
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    found = find_memory()
    assert found is not None
    return found


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(make_bundle(tmp_path / "bundle") / CNN_GRAPH_FILE, PICTURE)


@pytest.mark.parametrize(
    ("spent_s", "expected"),
    [
        ({"onnxruntime": 10.0}, "onnxruntime"),
        ({"onnxruntime": 10.0, "openvino": 12.0}, "onnxruntime"),
        ({"onnxruntime": 10.0, "openvino": 9.01}, "onnxruntime"),
        ({"onnxruntime": 10.0, "openvino": 9.0}, "openvino"),
        ({"onnxruntime": 10.0, "openvino": 8.0, "openvino-bf16": 5.0}, "openvino-bf16"),
        ({"onnxruntime": 10.0, "openvino": 8.0, "openvino-bf16": 8.1}, "openvino"),
    ],
)
def test_another_engine_must_save_a_tenth(spent_s: dict[Engine, float], expected: Engine) -> None:
    assert choose_fastest(spent_s) == expected


@pytest.mark.parametrize(
    ("found", "fp32", "bf16"),
    [
        ([0.0, 8.0], True, True),
        ([0.0, 8.008], True, True),
        ([0.009, 8.0], False, True),
        ([0.0, 8.1], False, True),
        ([4.1, 8.0], False, False),
        ([0.0, np.nan], False, False),
        ([0.0, 8.0, 0.0], False, False),
    ],
)
def test_an_answer_is_the_same_to_a_thousandth(found: list[float], fp32: bool, bf16: bool) -> None:
    """Of the largest value, 8; in lower precision to a half of the mean, 4, on the mean."""
    expected = np.array([0.0, 8.0])
    assert agree(expected, np.array(found), "openvino") == fp32
    assert agree(expected, np.array(found), "openvino-bf16") == bf16


def test_with_one_engine_nothing_is_tried(
    monkeypatch: pytest.MonkeyPatch, memory: Path, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    if list_engines("full") != ["onnxruntime"]:
        pytest.skip("this ONNX Runtime has a GPU's engine, too")
    absent = Network(tmp_path / "absent.onnx", PICTURE)
    assert choose_engine(absent, 1, "full") == "onnxruntime"
    assert choose_engine(absent, 1, "fast") == "onnxruntime"
    assert not memory.parent.exists()


@needs_openvino
def test_what_was_chosen_is_remembered(network: Network, memory: Path) -> None:
    assert choose_engine(network, 1, "full") in list_engines("full")
    (key, found), *_ = json.loads(memory.read_text()).items()
    assert set(found["ms"]) == {"onnxruntime", "openvino"}
    for engine in ("openvino", "onnxruntime"):
        memory.write_text(json.dumps({key: {"engine": engine}}))
        assert choose_engine(network, 1, "full") == engine


@needs_openvino
def test_another_graph_setting_or_picture_is_tried_by_itself(
    network: Network, memory: Path, tmp_path: Path
) -> None:
    other = make_bundle(tmp_path / "other", fails_on_white=True) / CNN_GRAPH_FILE
    for each, n_threads in (
        (network, 1),
        (network, 2),
        (replace(network, values=PICTURE[:, :4]), 1),
        (Network(other, PICTURE // 2), 1),
    ):
        choose_engine(each, n_threads, "full")
    choose_engine(network, 1, "fast")
    choose_engine(network, 1, "full")
    assert len(json.loads(memory.read_text())) == 5


@needs_openvino
@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[1]", b'"text"'])
def test_a_damaged_memory_is_made_again(network: Network, memory: Path, damage: bytes) -> None:
    memory.parent.mkdir(parents=True)
    memory.write_bytes(damage)
    chosen = choose_engine(network, 1, "full")
    (found,) = json.loads(memory.read_text()).values()
    assert found["engine"] == chosen


@needs_openvino
@pytest.mark.parametrize("value", [None, 5, {}, {"engine": 1}, {"engine": "abacus"}])
def test_a_damaged_choice_is_made_again(network: Network, memory: Path, value: object) -> None:
    choose_engine(network, 1, "full")
    (key,) = json.loads(memory.read_text())
    memory.write_text(json.dumps({key: value, "other": value}))
    chosen = choose_engine(network, 1, "full")
    values = json.loads(memory.read_text())
    assert values[key]["engine"] == chosen
    assert values["other"] == value


def _take_folder(memory: Path) -> None:
    memory.parent.parent.mkdir()
    memory.parent.write_bytes(b"")


def _take_lock(memory: Path) -> None:
    Path(f"{memory}.lock").mkdir(parents=True)


def _take_file(memory: Path) -> None:
    memory.mkdir(parents=True)


@needs_openvino
@pytest.mark.parametrize("take", [_take_folder, _take_lock, _take_file])
def test_a_memory_that_cannot_be_written_stops_nothing(
    network: Network, memory: Path, take: Callable[[Path], None]
) -> None:
    take(memory)
    assert choose_engine(network, 1, "full") in list_engines("full")


@needs_openvino
def test_who_comes_meanwhile_waits_and_takes_the_same(network: Network, memory: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: choose_engine(network, 1, "full"), range(4)))
    assert len(set(found)) == 1
    (remembered,) = json.loads(memory.read_text()).values()
    assert remembered["engine"] == found[0]


def test_what_gives_another_answer_or_does_not_load_is_out(
    network: Network, tmp_path: Path
) -> None:
    same, other, broken = (tmp_path / name for name in ("same.onnx", "other.onnx", "broken.onnx"))
    same.write_bytes(network.path.read_bytes())
    other.write_bytes((make_bundle(tmp_path / "b") / TEMPORAL_GRAPH_FILE).read_bytes())
    broken.write_bytes(b"no graph")
    for int8, is_tried in ((same, True), (other, False), (broken, False)):
        each = replace(network, int8=int8)
        tried = try_engines(each, ["onnxruntime", "onnxruntime-int8"], 1)
        assert ("onnxruntime-int8" in tried) == is_tried


def test_heads_stay_where_they_are(tmp_path: Path) -> None:
    recognizer = Recognizer(make_bundle(tmp_path / "bundle"), 1, precision="fast")
    assert set(recognizer.engines) == {CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE}
    assert recognizer.engines[TEMPORAL_GRAPH_FILE] == "onnxruntime"
    assert recognizer.describe_engines()["temporal"] == "onnxruntime fp32"


@needs_openvino
def test_an_engine_that_is_named_goes_before(
    monkeypatch: pytest.MonkeyPatch, memory: Path, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    monkeypatch.setenv(ENGINE_VARIABLE, "openvino")
    recognizer = Recognizer(bundle, 1, precision="fast")
    assert set(recognizer.engines.values()) == {"openvino"}
    named = Recognizer(bundle, 1, "onnxruntime", precision="fast")
    assert set(named.engines.values()) == {"onnxruntime"}
    each: dict[str, Engine] = {CNN_GRAPH_FILE: "openvino", TEMPORAL_GRAPH_FILE: "onnxruntime"}
    assert Recognizer(bundle, 1, each).engines == each
    assert not memory.exists()


def test_integers_are_for_the_network_that_has_them(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    plain = Recognizer(bundle, 1, "onnxruntime-int8")
    assert set(plain.engines.values()) == {"onnxruntime"}
    (bundle / INT8_GRAPH_FILE).write_bytes((bundle / CNN_GRAPH_FILE).read_bytes())
    save_info(bundle, replace(load_info(bundle), files=compute_hashes(bundle)))
    found = Recognizer(bundle, 1, "onnxruntime-int8")
    assert found.describe_engines() == {
        "frame_cnn": "onnxruntime int8",
        "temporal": "onnxruntime fp32",
    }


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("linux", "cache/har/engines.json"),
        ("darwin", "Library/Caches/har/engines.json"),
        ("win32", "local/har/engines.json"),
    ],
)
def test_the_memory_is_where_the_system_wants_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert find_memory() == tmp_path / expected
    if system == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
        assert find_memory() == tmp_path / ".cache/har/engines.json"
