"""A bundle's contract survives the disk, and a damaged one is refused."""

import json

import pytest

from har import contract
from har.config import DecodeConfig, InputConfig
from har.contract import BundleInfo
from har.errors import BundleIntegrityError, BundleNotFoundError


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
    contract.save_info(tmp_path, info)
    assert contract.load_info(tmp_path) == info


def test_no_bundle_says_how_to_get_one(tmp_path):
    with pytest.raises(BundleNotFoundError, match="har train"):
        contract.load_info(tmp_path / "none")


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["one"]},
        {"labels": ["one", "one"]},
        {"stage": "other"},
        {"temperature": 0},
        {"format_version": 99},
        {"spec": {"size": [1]}},
        {"decode": {"onset": 2.0}},
        {"surprise": 1},
    ],
)
def test_a_contract_that_cannot_be_meant_is_refused(tmp_path, change):
    contract.save_info(tmp_path, make_info())
    path = tmp_path / contract.BUNDLE_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleIntegrityError):
        contract.load_info(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format_version": 1}'])
def test_text_that_is_no_contract_is_refused(tmp_path, text):
    (tmp_path / contract.BUNDLE_FILE).write_text(text)
    with pytest.raises(BundleIntegrityError):
        contract.load_info(tmp_path)


def test_an_altered_file_is_refused(tmp_path):
    path = tmp_path / contract.CNN_FILE
    path.write_bytes(b"weights")
    info = make_info(files={contract.CNN_FILE: contract.compute_file_hash(path)})
    assert contract.find_verified(tmp_path, info, contract.CNN_FILE) == path
    path.write_bytes(b"weightz")
    with pytest.raises(BundleIntegrityError, match="SHA-256"):
        contract.find_verified(tmp_path, info, contract.CNN_FILE)
    with pytest.raises(BundleIntegrityError, match="has no"):
        contract.find_verified(tmp_path, info, contract.TEMPORAL_FILE)
