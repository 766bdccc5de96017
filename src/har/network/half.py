"""Weights as 16-bit floats: half the size of what is shipped."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MIN_VALUES = 16
"""Smaller constants stay as they are."""


def round_weights(model: keras.Model) -> None:
    """Rounds a model's weights to what 16 bits hold, so that Keras and graph stay the same."""
    model.set_weights(
        [
            weight.astype(np.float16).astype(weight.dtype) if weight.size >= MIN_VALUES else weight
            for weight in model.get_weights()
        ]
    )


def halve_graph(path: Path) -> None:
    """Stores the large float weights of an ONNX graph as fp16, each behind a cast to fp32."""
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < MIN_VALUES:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    for index, cast in enumerate(casts):
        model.graph.node.insert(index, cast)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
