"""Which engine runs the graphs."""

from __future__ import annotations

from typing import Literal

Engine = Literal["onnxruntime", "openvino", "openvino-bf16"]

ENGINE: Engine = "onnxruntime"
"""Runs unless another is named.

In fp32 it was as fast as OpenVINO or faster on every graph but one, loads several times faster, and
takes less than half of the disk. ``openvino-bf16`` is nearly twice as fast where the processor has
bfloat16, at features that differ by tenths; elsewhere it is ``openvino``:
docs/decisions/010-engines.md.
"""
