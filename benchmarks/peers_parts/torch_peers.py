"""A network of PyTorch over a whole recording; runs in the peers' environment, without `har`.

python benchmarks/peers_parts/torch_peers.py NAME VIDEO THREADS SECONDS
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from peers_parts.clips import Taking, measure, tell

_N_CLASSES = 3
_MEAN, _DEVIATION = 0.45, 0.225
"""Any will do: they cost the same."""


def _build_videomae(sides: dict[str, int]) -> Any:
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification

    return VideoMAEForVideoClassification(VideoMAEConfig(num_labels=_N_CLASSES, **sides))


def _build_videomae_base() -> Any:
    return _build_videomae({})


def _build_videomae_small() -> Any:
    sides = {"hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 1536}
    return _build_videomae(sides)


def _build_r2plus1d() -> Any:
    from torchvision.models.video import r2plus1d_18

    return r2plus1d_18(num_classes=_N_CLASSES)


def _build_x3d_xs() -> Any:
    from pytorchvideo.models.x3d import create_x3d

    return create_x3d(input_clip_length=4, input_crop_size=160, model_num_class=_N_CLASSES)


PEERS: dict[str, tuple[Callable[[], Any], Taking]] = {
    "VideoMAE-base": (_build_videomae_base, Taking(16, 4 / 25, 224)),
    "VideoMAE-small": (_build_videomae_small, Taking(16, 4 / 25, 224)),
    "R(2+1)D-18": (_build_r2plus1d, Taking(16, 1 / 15, 112)),
    "X3D-XS": (_build_x3d_xs, Taking(4, 12 / 30, 160)),
}
"""How each is built, with random weights, and what a clip of its published recipe is.

Source: the model cards and configurations of transformers (16 frames of 224, every fourth),
torchvision (16 frames of 112, 15 a second) and pytorchvideo (4 frames of 160, every twelfth of 30).
"""


def main() -> None:
    """Measure one and print a line of JSON."""
    import torch

    name, video, n_threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(n_threads)
    build, taking = PEERS[name]
    network = build().eval()
    is_transformer = name.startswith("VideoMAE")

    def classify(images: np.ndarray) -> Any:
        values = torch.from_numpy(images).float().div_(255).sub_(_MEAN).div_(_DEVIATION)
        order = (0, 3, 1, 2) if is_transformer else (3, 0, 1, 2)
        with torch.inference_mode():
            return network(values.permute(order)[None].contiguous())

    weights = sum(each.numel() * each.element_size() for each in network.parameters())
    tell(measure(video, taking, n_threads, float(sys.argv[4]), classify), weights)


if __name__ == "__main__":
    main()
