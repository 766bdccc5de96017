"""Writes a bundle of the default recipe that has learnt nothing: it costs what a trained one costs.

python benchmarks/live_parts/untrained.py FOLDER motion|pose|both
"""

from __future__ import annotations

import sys
from pathlib import Path

from har.bundle import BundleInfo, MotionContract, PoseContract
from har.config import DecodeConfig, TrainConfig
from har.inference.detector import compute_detector_hash
from har.network.pose_head import build_pose_head
from har.network.saving import save_bundle
from har.network.temporal_head import build_cnn, build_temporal
from har.types import Streams

LABELS = ("hitting_others", "hitting_self", "playing")
BACKGROUND = "playing"
SIZE = (192, 320)
MAX_RATE_HZ = 30.0


def write_untrained(folder: Path, streams: Streams) -> None:
    """Write the bundle; needs Keras."""
    config = TrainConfig()
    spec = config.input.window_spec(SIZE, MAX_RATE_HZ)
    pose = config.pose.pose_spec(LABELS, BACKGROUND, compute_detector_hash())
    cnn = head = people = motion = None
    if streams != "pose":
        cnn = build_cnn(
            config.cnn.backbone, spec, pooling=config.cnn.pooling, downsample=config.cnn.downsample
        )
        n_features = int(cnn.output_shape[-1])
        head = build_temporal(config.temporal, n_features, len(LABELS))
        names = (config.cnn.backbone, config.temporal.kind, config.cnn.pooling)
        motion = MotionContract(spec, n_features, *names)
    if streams != "motion":
        people = build_pose_head(config.pose, pose, LABELS, BACKGROUND)
    info = BundleInfo(
        stage="system",
        labels=LABELS,
        motion=motion,
        pose=PoseContract(pose, spec.pictures, config.pose.weight) if people else None,
        decode=DecodeConfig(background=BACKGROUND),
    )
    save_bundle(folder, info, cnn, head, people)


if __name__ == "__main__":
    write_untrained(Path(sys.argv[1]), sys.argv[2])  # type: ignore[arg-type]
