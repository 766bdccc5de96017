"""Which engine runs the graphs, and in which precision."""

from __future__ import annotations

from typing import Literal

Engine = Literal[
    "onnxruntime",
    "onnxruntime-int8",
    "onnxruntime-cuda",
    "onnxruntime-rocm",
    "onnxruntime-migraphx",
    "onnxruntime-directml",
    "onnxruntime-coreml",
    "openvino",
    "openvino-bf16",
]
"""A package, and behind the dash what it does otherwise than in fp32 on the processor."""

ENGINE: Engine = "onnxruntime"
"""The one that others are compared with, and that runs where no other is installed or faster.

In fp32 it was as fast as OpenVINO or faster on every graph but one, loads several times faster, and
takes less than half of the disk: docs/decisions/010-engines.md.
"""

Precision = Literal["full", "fast"]
"""``full``: only engines that give the same scores to within rounding. ``fast``: also bfloat16, and
8-bit integers where the model has them."""

PRECISION: Precision = "full"

FASTER = 0.1
"""An engine is taken in the place of `ENGINE` only if it saves this share of its time: less is not
worth scores with other last digits, and may be chance."""
