"""A hash of what a graph computes: names and order are nothing, numbers, kinds and ways are all."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser

from har.graph_hash import compute_graph_hash

TEXT = """
<ir_version: 10, opset_import: ["" : 18]>
cnn (float[N, 2] stacks) => (float[N, 2] features)
<float[2] low = {0, 1}, float[2] high = {3, 4}>
{
    half = Constant <value = float[1] name {0.5}> ()
    upper = Min (stacks, high)
    bounded = Max (upper, low)
    mean = ReduceMean <keepdims = 1> (stacks)
    both = Add (bounded, mean)
    features = Mul (both, half)
}
"""


def save(path: Path, text: str = TEXT) -> Path:
    onnx.save(parser.parse_model(text), str(path))
    return path


def test_names_and_order_are_nothing(tmp_path: Path) -> None:
    mean = "    mean = ReduceMean <keepdims = 1> (stacks)\n"
    text = TEXT.replace(mean, "").replace("    upper", f"{mean}    upper")
    for old, new in (("low", "c9"), ("high", "c1"), ("upper", "low"), ("name", "other")):
        text = text.replace(old, new)
    first, second = "float[2] c9 = {0, 1}", "float[2] c1 = {3, 4}"
    text = text.replace(f"<{first}, {second}>", f"<{second}, {first}>")
    assert f"<{second}" in text
    one, other = save(tmp_path / "a"), save(tmp_path / "b", text.replace("stacks", "x"))
    assert one.read_bytes() != other.read_bytes()
    assert compute_graph_hash(one) == compute_graph_hash(other)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{3, 4}", "{3, 5}"),
        ("{0.5}", "{0.25}"),
        ("upper, low", "upper, high"),
        ("keepdims = 1", "keepdims = 1, noop_with_empty_axes = 1"),
        ("ReduceMean", "ReduceMax"),
        ('"" : 18', '"" : 17'),
        ("Add (bounded", "Add (upper"),
    ],
)
def test_what_is_computed_is_all(tmp_path: Path, old: str, new: str) -> None:
    assert old in TEXT
    other = save(tmp_path / "b", TEXT.replace(old, new))
    assert compute_graph_hash(save(tmp_path / "a")) != compute_graph_hash(other)


def test_numbers_count_however_they_are_stored(tmp_path: Path) -> None:
    graph = parser.parse_model(TEXT)
    graph.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.float32([0, 2]), graph.graph.initializer[0].name)
    )
    onnx.save(graph, str(tmp_path / "b"))
    assert compute_graph_hash(save(tmp_path / "a")) != compute_graph_hash(tmp_path / "b")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x3a\x02\x0b\x00", b"\xff" * 40, b"har"])
def test_what_is_no_graph_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="no ONNX graph"):
        compute_graph_hash(path)
