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
    find_verified,
    load_info,
    save_info,
)
from har.config import DecodeConfig, InputConfig, PoseConfig
from har.errors import BundleIntegrityError, BundleNotFoundError
from har.files import compute_file_hash

SPEC_VALUES = InputConfig().window_spec((64, 96), 30.0).to_json()
POSE = asdict(PoseConfig().pose_spec(("zebra", "ant"), "", "0" * 64))


def make_info(**changes) -> BundleInfo:
    spec = InputConfig().window_spec((64, 96), 30.0)
    values = {
        "stage": "lstm",
        "labels": ("zebra", "ant"),
        "spec": spec,
        "n_features": 8,
        "backbone": "tiny",
        "temporal": "lstm",
        "temperature": 1.5,
        "decode": DecodeConfig(background="ant", onset=0.7),
    }
    return BundleInfo(**(values | changes))


def test_what_is_saved_is_loaded_with_labels_in_their_order(tmp_path):
    info = make_info(metrics={"val": {"accuracy": 0.5}}, versions={"har": "1"})
    save_info(tmp_path, info)
    assert load_info(tmp_path) == info


@pytest.mark.parametrize("streams", ["pose", "both"])
def test_what_a_bundle_looks_at_is_loaded_as_saved(tmp_path, streams):
    pose = PoseConfig(single_person_labels=("ant",)).pose_spec(("zebra", "ant"), "zebra", "0" * 64)
    info = make_info(streams=streams, pose=pose, bias=(0.0, -1.5), pose_weight=0.5)
    save_info(tmp_path, info)
    assert load_info(tmp_path) == info
    assert (pose.people, pose.single_person_labels, pose.window_s) == ("any", ("ant",), 2.5)


def test_a_contract_from_before_keypoints_is_one_of_motion(tmp_path):
    info = make_info()
    save_info(tmp_path, info)
    path = tmp_path / BUNDLE_FILE
    values = json.loads(path.read_text())
    for name in ("streams", "pose", "pose_weight", "bias"):
        del values[name]
    path.write_text(json.dumps(values))
    assert load_info(tmp_path) == info == replace(info, streams="motion")


def test_no_bundle_says_how_to_get_one(tmp_path):
    with pytest.raises(BundleNotFoundError, match="har train"):
        load_info(tmp_path / "none")


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["one"]},
        {"labels": ["one", "one"]},
        {"stage": "other"},
        {"temperature": 0},
        {"format_version": 99},
        {"spec": {"size": [1]}},
        {"spec": {**SPEC_VALUES, "motion_crop": 0}},
        {"spec": {**SPEC_VALUES, "motion_crop": 1.5}},
        {"decode": {"onset": 2.0}},
        {"surprise": 1},
        {"streams": "sound"},
        {"streams": "pose"},
        {"streams": "both", "pose": None},
        {"streams": "motion", "pose": POSE},
        {"streams": "pose", "pose": POSE | {"people": "most"}},
        {"streams": "pose", "pose": POSE | {"n_steps": "many"}},
        {"streams": "pose", "pose": {}},
        {"bias": [1.0]},
        {"bias": [1.0, float("nan")]},
        {"bias": 3},
        {"pose_weight": -1.0},
        {"pose_weight": "much"},
    ],
)
def test_a_contract_that_cannot_be_meant_is_refused(tmp_path, change):
    save_info(tmp_path, make_info())
    path = tmp_path / BUNDLE_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleIntegrityError):
        load_info(tmp_path)


def test_a_bundle_of_format_1_looks_at_all_of_the_picture(tmp_path):
    save_info(tmp_path, make_info())
    path = tmp_path / BUNDLE_FILE
    values = json.loads(path.read_text()) | {"format_version": 1}
    del values["spec"]["motion_crop"]
    path.write_text(json.dumps(values))
    assert load_info(tmp_path).spec.motion_crop == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format_version": 1}'])
def test_text_that_is_no_contract_is_refused(tmp_path, text):
    (tmp_path / BUNDLE_FILE).write_text(text)
    with pytest.raises(BundleIntegrityError):
        load_info(tmp_path)


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
