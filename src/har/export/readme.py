"""The page on the use of an exported folder."""

from __future__ import annotations

from collections.abc import Sequence

from har.bundle import BundleInfo
from har.config.export import ExportFormat
from har.escaping import escape_markdown
from har.export.parts import Part
from har.types import PoseSpec, WindowSpec

_WAYS: dict[ExportFormat, str] = {
    "onnx": """This folder is a bundle: `har predict VIDEO --bundle THIS_FOLDER` uses it as it is.
Elsewhere:

```python
import onnxruntime

session = onnxruntime.InferenceSession("{file}")
(values,) = session.run(None, {{session.get_inputs()[0].name: batch}})
```""",
    "openvino": """```python
import openvino

settings = {{"INFERENCE_PRECISION_HINT": "f32"}}  # without it OpenVINO may use bfloat16
model = openvino.Core().compile_model("{file}", "CPU", settings)
values = model([batch])[0]
```""",
    "litert": """One item at a time; no TensorFlow operations are needed.

```python
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter("{file}")
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], batch)
interpreter.invoke()
values = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
```""",
    "saved_model": """```python
import keras

values = keras.layers.TFSMLayer("{file}", call_endpoint="serve")(batch)
```""",
}


def format_readme(form: ExportFormat, info: BundleInfo, files: Sequence[tuple[Part, str]]) -> str:
    """Return the page as Markdown.

    Args:
        form: What the folder holds.
        info: The bundle's contract.
        files: Each network and the name of its file in the folder.
    """
    table = ["| file | takes | gives |", "| --- | --- | --- |"]
    for part, name in files:
        shape = ", ".join(str(side) for side in part.shape)
        out = f"(N, T, {len(info.labels)}) logits"
        if part.is_cnn:
            out = f"(N, {info.require_motion().n_features})"
        table.append(f"| `{name}` | (N, {shape}) {part.dtype} | {out} float32 |")
    sections = [
        f"# {', '.join(map(escape_markdown, info.labels))}",
        "Exported by `har export`; `export.json` has the differences from the Keras model.",
        "\n".join(table),
    ]
    if info.motion is not None:
        sections.append(_describe_motion(info.motion.spec))
    if info.pose is not None:
        sections.append(_describe_people(info.pose.spec))
    sections += [_describe_answer(info), "## In code", _WAYS[form].format(file=files[0][1])]
    return "\n\n".join(sections) + "\n"


def _describe_motion(spec: WindowSpec) -> str:
    height, width = spec.size
    channels = "red, green and blue of one frame"
    if spec.input == "motion":
        places = ", ".join(f"{offset:+g}" for offset in spec.offsets_s)
        channels = f"gray frames at {places} s from the step's own frame, one a channel"
    return (
        f"The CNN takes {spec.rate_hz:g} time steps a second: {channels}, {width}x{height} px, "
        f"letterboxed with black, full range 0 to 255.{_describe_motion_crop(spec)} The head takes "
        f"features of {spec.n_steps} steps in a row; steps that are missing at the end are zeros."
    )


def _describe_motion_crop(spec: WindowSpec) -> str:
    if spec.motion_crop == 1:
        return ""
    return (
        f" It takes the motion crop of these: 1/{spec.motion_crop} of the height and of the width, "
        f"where motion has been, each pixel repeated {spec.motion_crop} times in both directions "
        "(`har.sampling.crop`)."
    )


def _describe_people(pose: PoseSpec) -> str:
    return (
        f"The pose head takes {pose.n_steps} steps at {pose.rate_hz:g} a second of one person's "
        "features, computed from keypoints by `har.pose.features`; `har.pose.pooling` combines "
        "steps and people."
    )


def _describe_answer(info: BundleInfo) -> str:
    bias = f" plus {list(info.bias)}" if info.bias else ""
    return (
        "A window's logits are the mean over its real steps; probabilities are the softmax of "
        f"these divided by {info.temperature:g}{bias}, in the order "
        f"{', '.join(map(escape_markdown, info.labels))}. All "
        "of it, with the settings for events, is in the JSON file beside this page."
    )
