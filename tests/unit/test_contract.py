"""A bundle's contract survives the disk, and a damaged one is refused."""

import json
from dataclasses import asdict, replace

import pytest

from har.bundle import (
    BUNDLE_FILE,
    CNN_FILE,
    TEMPORAL_FILE,
    TEMPORAL_GRAPH_FILE,
    BundleInfo,
    MotionContract,
    PoseContract,
    load_info,
    save_info,
)
from har.bundle_files import find_verified
from har.config import DecodeConfig, InputConfig, PoseConfig
from har.errors import BundleIntegrityError, BundleMismatchError, BundleNotFoundError
from har.files import compute_file_hash
from har.types import PictureSpec

LABELS = ("zebra", "ant")
SPEC = InputConfig().window_spec((64, 96), 30.0)
MOTION = MotionContract(SPEC, 8, "tiny", "lstm", "max")
OWN = PoseConfig(single_person_labels=("ant",))
POSE = PoseContract(OWN.pose_spec(LABELS, "zebra", "0" * 64), SPEC.pictures, 0.5)
STREAMS = [{"motion": MOTION}, {"pose": POSE}, {"motion": MOTION, "pose": POSE}]
NAMES = ["motion", "pose", "both"]


def make_info(**changes) -> BundleInfo:
    values = {
        "stage": "lstm",
        "labels": LABELS,
        "motion": MOTION,
        "temperature": 1.5,
        "decode": DecodeConfig(background="ant", onset=0.7),
    }
    return BundleInfo(**(values | changes))


def test_what_is_saved_is_loaded_with_labels_in_their_order(tmp_path):
    info = make_info(metrics={"val": {"accuracy": 0.5}}, versions={"har": "1"})
    save_info(tmp_path, info)
    assert load_info(tmp_path) == info


@pytest.mark.parametrize("streams", STREAMS, ids=NAMES)
def test_the_streams_of_a_model_are_loaded_as_saved(tmp_path, streams):
    info = make_info(**{"motion": None} | streams, bias=(0.0, -1.5))
    save_info(tmp_path, info)
    assert load_info(tmp_path) == info
    assert info.streams == tuple(streams.values())
    assert info.pictures == PictureSpec((64, 96), "gray", 30.0)


def test_a_model_names_its_streams_and_their_graphs():
    both = make_info(pose=POSE)
    assert [make_info(motion=None, pose=POSE).stream_names, both.stream_names] == ["pose", "both"]
    assert both.graph_names == ("frame_cnn.onnx", "temporal.onnx", "pose.onnx")
    assert (both.require_motion(), both.require_pose()) == (MOTION, POSE)
    with pytest.raises(BundleMismatchError, match="--streams motion"):
        make_info().require_pose()
    with pytest.raises(BundleMismatchError, match="--streams pose"):
        make_info(motion=None, pose=POSE).require_motion()


def test_a_stream_by_itself_has_its_own_temperature_and_figures(tmp_path):
    own = {"accuracy": 0.8, "auc": 0.85}
    figures = {"n_clips": 9, "accuracy": 0.9, "alone": {"motion": own}}
    info = make_info(pose=POSE, alone={"motion": 2.0}, metrics={"crossval": figures, "val": {}})
    save_info(tmp_path, info)
    assert load_info(tmp_path) == info
    motion, pose = info.take_streams("motion"), info.take_streams("pose")
    assert (motion.stream_names, motion.motion, motion.pose) == ("motion", MOTION, None)
    assert (motion.temperature, motion.metrics) == (2.0, {"crossval": {"n_clips": 9, **own}})
    assert (pose.stream_names, pose.motion, pose.pose) == ("pose", None, POSE)
    assert (pose.temperature, pose.metrics) == (1.5, {})
    assert info.take_streams("both") is info
    assert motion.take_streams("motion") is motion
    with pytest.raises(BundleMismatchError, match="knows motion only"):
        motion.take_streams("both")
    with pytest.raises(BundleMismatchError, match="knows keypoints only"):
        pose.take_streams("motion")


def write_old(folder, version: int, streams: str, **changes) -> None:
    """Write a contract as har of formats 1 and 2 wrote it."""
    spec, pose = asdict(SPEC), asdict(POSE.spec)
    spec["zoom"] = spec.pop("motion_crop")
    pose["own_labels"] = pose.pop("single_person_labels")
    pose["min_sureness"] = pose.pop("min_confidence")
    values = {
        "format_version": version,
        "stage": "lstm",
        "labels": LABELS,
        "spec": spec,
        "n_features": 8,
        "backbone": "tiny",
        "temporal": "lstm",
        "pooling": "max",
        "streams": streams,
        "pose": None if streams == "motion" else pose,
        "pose_weight": 0.5,
        "temperature": 1.5,
        "bias": [],
        "decode": {"background": "ant", "onset": 0.7},
        "made_data": True,
    }
    (folder / BUNDLE_FILE).write_text(json.dumps(values | changes))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("name", "streams"), list(zip(NAMES, STREAMS, strict=True)))
def test_an_old_contract_becomes_one_of_streams(tmp_path, version, name, streams):
    write_old(tmp_path, version, name)
    expected = make_info(**{"motion": None} | streams, synthetic_data=True)
    assert load_info(tmp_path) == expected


def test_a_contract_from_before_keypoints_is_one_of_motion(tmp_path):
    write_old(tmp_path, 1, "motion")
    path = tmp_path / BUNDLE_FILE
    values = json.loads(path.read_text())
    for name in ("streams", "pose", "pose_weight", "bias"):
        del values[name]
    del values["spec"]["zoom"]
    path.write_text(json.dumps(values))
    motion = replace(MOTION, spec=replace(SPEC, motion_crop=1))
    assert load_info(tmp_path) == make_info(motion=motion, synthetic_data=True)


@pytest.mark.parametrize(
    "change",
    [
        {"streams": "sound"},
        {"streams": "pose"},
        {"streams": "both", "pose": None},
        {"pose": asdict(POSE.spec)},
        {"spec": {}},
        {"spec": None},
        {"n_features": 0},
        {"pose_weight": "much", "streams": "both", "pose": asdict(POSE.spec)},
    ],
)
def test_an_old_contract_that_cannot_be_meant_is_refused(tmp_path, change):
    write_old(tmp_path, 2, **{"streams": "motion", "pose": None} | change)
    with pytest.raises(BundleIntegrityError):
        load_info(tmp_path)


def test_no_bundle_says_how_to_get_one(tmp_path):
    with pytest.raises(BundleNotFoundError, match="har train"):
        load_info(tmp_path / "none")


HUGE = 10**400


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("labels", ["one"]),
        ("labels", ["one", "one"]),
        ("labels", "two"),
        ("labels", ["one", 2]),
        ("stage", "other"),
        ("temperature", 0),
        ("temperature", float("inf")),
        ("temperature", HUGE),
        ("format_version", 99),
        ("decode", {"onset": 2.0}),
        ("surprise", 1),
        ("streams", "motion"),
        ("bias", [1.0]),
        ("bias", [1.0, float("nan")]),
        ("bias", 3),
        ("alone", {"sound": 1.0}),
        ("alone", {"motion": 0.0}),
        ("alone", {"motion": None}),
        ("alone", []),
        ("files", []),
        ("files", {"a.onnx": 1}),
        ("versions", {"har": 1}),
        ("held_out", 1),
        ("held_out", "yes"),
        ("synthetic_data", None),
        ("data_hash", 5),
        ("data_hash", None),
        ("labels", ["hit", "uncertain"]),
        ("labels", ["hit", "a\0b"]),
        ("decode", {"background": "bear"}),
        ("decode", {"labels": {"bear": {"onset": 0.5}}}),
        ("motion", None),
        ("motion", {}),
        ("motion.surprise", 1),
        ("motion.n_features", 0),
        ("motion.n_features", True),
        ("motion.n_features", 8.0),
        ("motion.n_features", "8"),
        ("motion.n_features", 1e9),
        ("motion.n_features", 10**9),
        ("motion.pooling", "sum"),
        ("motion.backbone", None),
        ("motion.spec", {"size": [1]}),
        ("motion.spec.surprise", 1),
        ("motion.spec.size", [64, 10**6]),
        ("motion.spec.size", [64, -96]),
        ("motion.spec.size", [64.0, 96]),
        ("motion.spec.size", [1, 1]),
        ("motion.spec.size", [7, 96]),
        ("motion.spec.rate_hz", 0),
        ("motion.spec.rate_hz", float("nan")),
        ("motion.spec.rate_hz", HUGE),
        ("motion.spec.n_steps", 10**9),
        ("motion.spec.n_steps", True),
        ("motion.spec.max_rate_hz", float("inf")),
        ("motion.spec.lags_s", []),
        ("motion.spec.lags_s", [[0.0, 0.1]] * 99),
        ("motion.spec.lags_s", [[0.0, 1e9]]),
        ("motion.spec.lags_s", [[0.0]]),
        ("motion.spec.input", "sound"),
        ("motion.spec.motion_crop", 0),
        ("motion.spec.motion_crop", 1.5),
        ("pose", {}),
        ("pose.weight", -1.0),
        ("pose.weight", "much"),
        ("pose.weight", float("nan")),
        ("pose.pictures.size", [32, 32]),
        ("pose.pictures.color", "blue"),
        ("pose.spec.people", "most"),
        ("pose.spec.n_steps", "many"),
        ("pose.spec.rate_hz", 1e9),
        ("pose.spec.min_confidence", 2.0),
        ("pose.spec.single_person_labels", "ant"),
        ("pose.spec.detector", 5),
    ],
)
def test_a_contract_that_cannot_be_meant_is_refused(tmp_path, at, value):
    save_info(tmp_path, make_info(pose=POSE if at.startswith("pose") else None))
    path = tmp_path / BUNDLE_FILE
    values = part = json.loads(path.read_text())
    *names, last = at.split(".")
    for name in names:
        part = part[name]
    part[last] = value
    path.write_text(json.dumps(values))
    with pytest.raises(BundleIntegrityError):
        load_info(tmp_path)


def test_a_message_does_not_repeat_what_a_file_is_filled_with(tmp_path):
    save_info(tmp_path, make_info())
    values = json.loads((tmp_path / BUNDLE_FILE).read_text())
    values["labels"] = [["still", "active\n"]] * 1000
    (tmp_path / BUNDLE_FILE).write_text(json.dumps(values))
    with pytest.raises(BundleIntegrityError, match="labels must be two or more") as caught:
        load_info(tmp_path)
    assert len(str(caught.value)) < 600 + len(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format_version": 1}'])
def test_text_that_is_no_contract_is_refused(tmp_path, text):
    (tmp_path / BUNDLE_FILE).write_text(text)
    with pytest.raises(BundleIntegrityError):
        load_info(tmp_path)


def test_a_contract_beyond_a_mebibyte_is_refused(tmp_path):
    save_info(tmp_path, make_info())
    path = tmp_path / BUNDLE_FILE
    path.write_text(path.read_text() + " " * (1 << 20))
    with pytest.raises(BundleIntegrityError, match="larger than 1048576 bytes"):
        load_info(tmp_path)


def test_links_that_lead_out_of_the_folder_are_refused(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "bundle"
    outside.mkdir()
    folder.mkdir()
    (outside / CNN_FILE).write_bytes(b"weights")
    info = make_info(files={CNN_FILE: compute_file_hash(outside / CNN_FILE)})
    save_info(outside, info)
    (folder / BUNDLE_FILE).symlink_to(outside / BUNDLE_FILE)
    with pytest.raises(BundleIntegrityError, match=r"bundle\.json is a link that leads out"):
        load_info(folder)
    (folder / CNN_FILE).symlink_to(outside / CNN_FILE)
    with pytest.raises(BundleIntegrityError, match=r"cnn\.keras is a link that leads out"):
        find_verified(folder, info, CNN_FILE)
    (tmp_path / "other").symlink_to(outside)
    assert load_info(tmp_path / "other") == info, "a link to the whole folder is the user's own"


def test_an_altered_file_is_refused(tmp_path):
    path = tmp_path / CNN_FILE
    path.write_bytes(b"weights")
    info = make_info(files={CNN_FILE: compute_file_hash(path)})
    assert find_verified(tmp_path, info, CNN_FILE) == path
    path.write_bytes(b"weightz")
    with pytest.raises(BundleIntegrityError, match="SHA-256"):
        find_verified(tmp_path, info, CNN_FILE)
    with pytest.raises(BundleIntegrityError, match="has no"):
        find_verified(tmp_path, info, TEMPORAL_GRAPH_FILE)
    with pytest.raises(BundleIntegrityError, match="ONNX graphs alone"):
        find_verified(tmp_path, info, TEMPORAL_FILE)
