"""How a bundle is exported (`har export`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from har.config.bounds import check, check_range

ExportFormat = Literal["onnx", "openvino", "litert", "saved_model"]


@dataclass(frozen=True)
class ExportConfig:
    """What is written, and what it may cost.

    Attributes:
        format: ``onnx`` makes a bundle that har itself reads; the others are for other programs.
        int8: Store the frame CNN as 8-bit integers, calibrated on real clips.
        max_loss: int8 is refused where it costs a larger share of accuracy than this.
        n_calibration: Clips that int8 is calibrated on.
        steps_per_clip: Time steps of each of them.
        n_timed: Runs of each network of which the fastest counts.
    """

    format: ExportFormat = "onnx"
    int8: bool = False
    max_loss: float = 0.01
    n_calibration: int = 64
    steps_per_clip: int = 4
    n_timed: int = 20

    def __post_init__(self) -> None:
        check_range(
            self,
            max_loss=(0.0, 1.0),
            n_calibration=(1, 10_000),
            steps_per_clip=(1, 1024),
            n_timed=(1, 10_000),
        )
        known = get_args(ExportFormat)
        check(self.format in known, "format", self.format, f"one of {', '.join(known)}")
        allowed = "onnx, openvino or litert with int8"
        check(not (self.int8 and self.format == "saved_model"), "format", self.format, allowed)
