"""Which engine runs the graphs."""

from __future__ import annotations

from typing import Literal

Engine = Literal["onnxruntime", "openvino"]

ENGINE: Engine = "onnxruntime"
"""Runs unless another is asked for.

In fp32 it was as fast as OpenVINO or faster on every graph but one, loads several times faster, and
takes less than half of the disk: docs/decisions/010-engines.md.
"""
