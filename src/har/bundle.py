"""What a bundle says about itself: `bundle.json`, read and written without Keras.

A bundle is a folder:

    bundle.json       this contract: labels, window, temperature, thresholds, hashes, metrics
    cnn.keras         per-frame CNN     (H, W, C) uint8 -> (D,)
    temporal.keras    temporal head     (T, D) -> (T, K) logits
    frame_cnn.onnx    the same two as graphs, which is all that recognition needs
    temporal.onnx
    pose.keras        pose head         (T, P) -> (T, K) logits of one person, where the bundle
    pose.onnx         looks at people's keypoints; a bundle of the pose stream alone has only these

The order of ``labels`` is the order of the model's outputs and is never sorted again.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from har.config import DecodeConfig, update_config
from har.errors import BundleIntegrityError, BundleNotFoundError, HarError
from har.files import compute_file_hash, write_json
from har.types import Pooling, PoseSpec, Streams, WindowSpec

BUNDLE_FILE = "bundle.json"
CNN_FILE = "cnn.keras"
TEMPORAL_FILE = "temporal.keras"
CNN_GRAPH_FILE = "frame_cnn.onnx"
TEMPORAL_GRAPH_FILE = "temporal.onnx"
POSE_FILE = "pose.keras"
POSE_GRAPH_FILE = "pose.onnx"
FORMAT_VERSION = 3
_READABLE = (1, 2, 3)
"""Format 1 had no crop to motion; before format 3 some fields had other names."""
_OLD_NAMES = {
    "made_data": "synthetic_data",
    "zoom": "motion_crop",
    "own_labels": "single_person_labels",
    "min_sureness": "min_confidence",
}

Stage = Literal["cnn", "lstm", "system"]


@dataclass(frozen=True)
class BundleInfo:
    """The contract of one trained model.

    Attributes:
        stage: The last training stage that shaped it.
        labels: K names in the order of the outputs.
        spec: What the model looks at.
        n_features: D, length of one step's feature vector.
        backbone: Name of the per-frame CNN.
        temporal: Kind of the temporal head; ``frame`` after the CNN stage alone.
        pooling: How the CNN makes one vector of a picture.
        streams: What it looks at: motion in the picture, people's keypoints, or both.
        pose: The input contract of the pose stream, where there is one.
        pose_weight: Where it takes both: the pose logits are added to those of motion after they
            are multiplied by this and by how confident the keypoints are.
        temperature: Logits are divided by it before the softmax.
        bias: K numbers that are added to the logits after that; they set how readily each label is
            said. Empty for none.
        decode: How scores become events unless the user says otherwise.
        data_hash: Of the store that it was trained on.
        synthetic_data: True where every training clip was made, not filmed.
        metrics: What was measured, by the name of the split.
        recipe: All training settings.
        versions: Of har, Keras and its backend.
        files: SHA-256 of each file beside `bundle.json`.
    """

    stage: Stage
    labels: tuple[str, ...]
    spec: WindowSpec
    n_features: int
    backbone: str
    temporal: str
    pooling: Pooling = "avg"
    streams: Streams = "motion"
    pose: PoseSpec | None = None
    pose_weight: float = 1.0
    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    data_hash: str = ""
    synthetic_data: bool = False
    metrics: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def load_info(bundle_dir: Path) -> BundleInfo:
    """Read the contract of the bundle in a folder.

    Raises:
        BundleNotFoundError: There is no `bundle.json`.
        BundleIntegrityError: It cannot be understood, or is of another format version.
    """
    path = bundle_dir / BUNDLE_FILE
    if not path.is_file():
        raise BundleNotFoundError(
            f"There is no bundle in {bundle_dir}: {BUNDLE_FILE} is missing. Train one with "
            f"'har train all', or name another folder with --bundle."
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values.pop("format_version", None)
        if version not in _READABLE:
            raise ValueError(f"format_version is {version!r}, this har reads {_READABLE}")
        return _info_from_json(_rename_old(values) if version < FORMAT_VERSION else values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, HarError) as error:
        raise BundleIntegrityError(f"{path} cannot be used: {error}") from error


def _rename_old(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an older format, and of its input contracts, by their present names."""
    named = {_OLD_NAMES.get(name, name): value for name, value in values.items()}
    for part in ("spec", "pose"):
        if isinstance(named.get(part), dict):
            named[part] = {_OLD_NAMES.get(name, name): v for name, v in named[part].items()}
    return named


def _info_from_json(values: dict[str, Any]) -> BundleInfo:
    labels = tuple(values["labels"])
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError(f"labels must be two or more different names, received {labels}")
    if values["stage"] not in get_args(Stage):
        raise ValueError(f"stage {values['stage']!r} is none of {get_args(Stage)}")
    if not float(values["temperature"]) > 0:
        raise ValueError(f"temperature must be above 0, received {values['temperature']!r}")
    streams, pose = values.get("streams", "motion"), values.get("pose")
    if streams not in get_args(Streams) or (pose is None) is not (streams == "motion"):
        raise ValueError(f"streams {streams!r} do not go with the pose contract {pose!r}")
    bias = tuple(float(value) for value in values.get("bias", ()))
    if len(bias) not in (0, len(labels)) or not all(map(math.isfinite, bias)):
        raise ValueError(f"bias must have one finite number a label, received {bias}")
    weight = float(values.get("pose_weight", 1.0))
    if not 0.0 <= weight < math.inf:
        raise ValueError(f"pose_weight must be 0 or more, received {weight}")
    changed = {
        "labels": labels,
        "pose": None if pose is None else PoseSpec.from_json(pose),
        "pose_weight": weight,
        "bias": bias,
        "spec": WindowSpec.from_json(values["spec"]),
        "decode": update_config(DecodeConfig(), values["decode"], "decode"),
    }
    return BundleInfo(**{**values, **changed})


def find_graph_names(info: BundleInfo) -> tuple[str, ...]:
    """Return the names of the graphs that a bundle of its streams has."""
    motion = (CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE) if info.streams != "pose" else ()
    return motion + ((POSE_GRAPH_FILE,) if info.streams != "motion" else ())


def save_info(bundle_dir: Path, info: BundleInfo) -> None:
    """Write `bundle.json` in one step, so that a reader never meets half of it."""
    write_json(bundle_dir / BUNDLE_FILE, to_json(info))


def to_json(info: BundleInfo) -> dict[str, Any]:
    """Return what `bundle.json` holds."""
    return {"format_version": FORMAT_VERSION, **asdict(info)}


def compute_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder but `bundle.json`, by its path in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): compute_file_hash(path)
        for path in paths
        if path.name != BUNDLE_FILE
    }


_KERAS_SUFFIX = ".keras"


def find_verified(bundle_dir: Path, info: BundleInfo, name: str) -> Path:
    """Return the path of a bundle's file once its bytes are known to be the ones recorded.

    Raises:
        BundleIntegrityError: The file is missing, not recorded, or was altered.
    """
    path = bundle_dir / name
    recorded = info.files.get(name)
    if recorded is None and path.suffix == _KERAS_SUFFIX:
        raise BundleIntegrityError(
            f"The bundle {bundle_dir} was saved as ONNX graphs alone, without {name}: it "
            f"recognizes, and its .onnx files serve other programs, but nothing can be trained "
            f"from it or exported to other forms; train your own for that: 'har train all'"
        )
    if recorded is None or not path.is_file():
        raise BundleIntegrityError(f"The bundle {bundle_dir} has no {name}; train or copy it again")
    found = compute_file_hash(path)
    if found != recorded:
        raise BundleIntegrityError(
            f"{path} is not the file that was saved: its SHA-256 is {found[:12]}..., recorded is "
            f"{recorded[:12]}...; copy or train the bundle again"
        )
    return path


FOLDER = Path(__file__).parent / "shipped"
OWN_BUNDLE = Path("models/har")
"""Where one's own bundle is looked for when none is named."""
DEFAULT = "fight"
"""The shipped bundle that is taken when there is no other."""


def list_shipped() -> tuple[str, ...]:
    """Return the names of the bundles that come with the package."""
    found = FOLDER.glob(f"*/{BUNDLE_FILE}")
    return tuple(sorted(path.parent.name.replace("_", "-") for path in found))


def find_bundle(named: Path | None = None) -> Path:
    """Return a bundle's folder.

    Args:
        named: A folder, or the name of a bundle that comes with the package; a folder of that name
            goes before. None takes one's own, else the shipped default.

    Raises:
        BundleNotFoundError: There is none.
    """
    folder = OWN_BUNDLE if named is None else named
    if (folder / BUNDLE_FILE).is_file():
        return folder
    name, shipped = DEFAULT if named is None else str(named), list_shipped()
    if name in shipped:
        return FOLDER / name.replace("-", "_")
    raise BundleNotFoundError(
        f"There is no bundle in {folder}, nor one that comes with har of "
        f"the name {name!r} (it has: {', '.join(shipped) or 'none'}); train one with "
        "'har train all', or name another"
    )
