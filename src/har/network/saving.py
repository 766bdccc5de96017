"""Saves and loads the Keras side of a bundle."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from har.bundle import (
    CNN_FILE,
    CNN_GRAPH_FILE,
    POSE_FILE,
    POSE_GRAPH_FILE,
    TEMPORAL_FILE,
    TEMPORAL_GRAPH_FILE,
    BundleInfo,
    MotionContract,
    load_info,
    save_info,
)
from har.bundle_files import compute_hashes, find_verified
from har.config import CnnConfig
from har.errors import BundleIntegrityError
from har.files import replacing_folder
from har.network.frame_cnn import MotionEncoding, PixelScaling
from har.network.pose_head import TakeFeatures
from har.network.temporal_head import MaskedMean, build_cnn
from har.pose.features import N_FEATURES
from har.version import __version__

MIN_VALUES = 16
"""Smaller constants stay as they are."""


def round_weights(model: keras.Model) -> None:
    """Round a model's weights to what 16 bits hold, so that Keras and graph stay the same."""
    model.set_weights(
        [
            weight.astype(np.float16).astype(weight.dtype) if weight.size >= MIN_VALUES else weight
            for weight in model.get_weights()
        ]
    )


def halve_graph(path: Path) -> None:
    """Store the large float weights of an ONNX graph as fp16, each behind a cast to fp32."""
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


SERIALIZABLE = (MotionEncoding, PixelScaling, MaskedMean, TakeFeatures)
"""Layers of our own that a saved model may name; importing them is what lets Keras find them."""


def save_bundle(
    bundle_dir: Path,
    info: BundleInfo,
    cnn: keras.Model | None = None,
    head: keras.Model | None = None,
    pose: keras.Model | None = None,
    half: bool = False,
    cnn_graph: Path | None = None,
) -> BundleInfo:
    """Write a whole bundle in one step: an older one stays until the new one is whole.

    Args:
        bundle_dir: The folder to write; its parent is made.
        info: The contract; ``files`` and ``versions`` are filled in here. Its streams
            say which of the models there must be.
        cnn: (B, H, W, C) uint8 to (B, D).
        head: (B, T, D) to (B, T, K).
        pose: (B, T, P) keypoint features of one person to (B, T, K).
        half: Round the weights to fp16, and store the graphs' weights so.
        cnn_graph: A graph of this very CNN, which is copied; None exports it.

    Returns:
        The contract as written.

    Raises:
        OutputError: The folder cannot be written.
    """
    for model in (cnn, head, pose):
        if half and model is not None:
            round_weights(model)
    with replacing_folder(bundle_dir) as part:
        if info.motion is not None and cnn is not None and head is not None:
            spec = info.motion.spec
            cnn.save(part / CNN_FILE)
            head.save(part / TEMPORAL_FILE)
            stacks = np.zeros((1, *spec.size, spec.n_channels), dtype=np.uint8)
            features = np.zeros((1, spec.n_steps, info.motion.n_features), dtype=np.float32)
            if cnn_graph is None:
                export_graph(cnn, stacks, part / CNN_GRAPH_FILE)
            else:
                shutil.copyfile(cnn_graph, part / CNN_GRAPH_FILE)
            export_graph(head, features, part / TEMPORAL_GRAPH_FILE)
        if pose is not None and info.pose is not None:
            pose.save(part / POSE_FILE)
            people = np.zeros((1, info.pose.spec.n_steps, N_FEATURES), dtype=np.float32)
            export_graph(pose, people, part / POSE_GRAPH_FILE)
        for graph in part.glob("*.onnx") if half else ():
            halve_graph(graph)
        backend = keras.backend.backend()
        versions = {"har": __version__, "keras": keras.__version__, "backend": backend}
        written = replace(info, files=compute_hashes(part), versions=versions)
        save_info(part, written)
    return written


def export_graph(model: keras.Model, example: np.ndarray, path: Path) -> None:
    """Write a model as an ONNX graph; the example gives the input's shape and dtype."""
    model(example)
    with _temporary_files_in(path.with_name(f".{path.name}.temp")):
        model.export(path, format="onnx", verbose=False)


def is_half(graph: Path) -> bool:
    """Return whether an ONNX graph has weights of 16 bits."""
    tensors = onnx.load(graph).graph.initializer
    return any(tensor.data_type == TensorProto.FLOAT16 for tensor in tensors)


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Have temporary files written to a folder that is deleted at once, also of a run before.

    TensorFlow would keep the code that it generates until the process ends, and for ever if that is
    killed.
    """
    usual = tempfile.tempdir
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = usual
        shutil.rmtree(folder, ignore_errors=True)


def load_models(bundle_dir: Path) -> tuple[BundleInfo, keras.Model, keras.Model]:
    """Read a bundle's contract, CNN and head, after their hashes are checked.

    A CNN that comes with the package, and was left as it is, need not be in the bundle.

    Raises:
        BundleNotFoundError: There is no bundle in the folder.
        BundleIntegrityError: A file is missing, altered, or unsafe to load.
        BundleMismatchError: The bundle has only the pose stream.
    """
    info = load_info(bundle_dir)
    motion = info.require_motion()
    if CNN_FILE not in info.files and _has_packaged_cnn(info, motion):
        cnn = _build_packaged_cnn(info, motion)
    else:
        cnn = _load_model(find_verified(bundle_dir, info, CNN_FILE))
    head = _load_model(find_verified(bundle_dir, info, TEMPORAL_FILE))
    return info, cnn, head


def _has_packaged_cnn(info: BundleInfo, motion: MotionContract) -> bool:
    """Return whether a bundle's CNN has learned nothing since it was built."""
    n_epochs = [_get(info.recipe, stage, "fit", "epochs") for stage in ("cnn", "system")]
    is_plain = motion.spec.input == "rgb" or len(motion.spec.lags_s) == _N_CHANNELS
    return motion.backbone == "lite0" and is_plain and n_epochs == [0, 0]


_N_CHANNELS = 3
"""Other numbers of lags go through a layer of random weights first."""


def _get(values: Any, *names: str) -> Any:
    for name in names:
        values = values.get(name) if isinstance(values, dict) else None
    return values


def _build_packaged_cnn(info: BundleInfo, motion: MotionContract) -> keras.Model:
    names = ("downsample", "shrink")  # the second before format 3
    downsample = next(filter(None, (_get(info.recipe, "cnn", name) for name in names)), 1)
    config = CnnConfig(backbone=motion.backbone, downsample=downsample)
    return build_cnn(
        motion.backbone, motion.spec, pooling=motion.pooling, downsample=config.downsample
    )


def load_pose(bundle_dir: Path) -> tuple[BundleInfo, keras.Model]:
    """Read a bundle's contract and its pose head, after the hash is checked.

    Raises:
        BundleNotFoundError: There is no bundle in the folder.
        BundleIntegrityError: A file is missing, altered, or unsafe to load.
        BundleMismatchError: The bundle has only the motion stream.
    """
    info = load_info(bundle_dir)
    info.require_pose()
    return info, _load_model(find_verified(bundle_dir, info, POSE_FILE))


def _load_model(path: Path) -> keras.Model:
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise BundleIntegrityError(f"{path} cannot be loaded safely: {error}") from error
    if not isinstance(model, keras.Model):
        raise BundleIntegrityError(f"{path} holds no model but a {type(model).__name__}")
    return model
