"""`har export` refuses what cannot be before it loads anything heavy."""

import pytest
from bundles import make_bundle
from click.testing import CliRunner

from har.cli import har
from har.errors import BundleIntegrityError, ConfigError


def run(*words: str):
    return CliRunner().invoke(har, ["export", *words])


def test_an_uncertain_format_is_wrong_usage(tmp_path):
    found = run(str(tmp_path), "--format", "floppy")
    assert found.exit_code == 2
    assert "'onnx', 'openvino', 'litert', 'saved_model'" in found.output


def test_int8_is_no_saved_model(tmp_path):
    found = run(str(tmp_path), "--format", "saved_model", "--int8")
    assert isinstance(found.exception, ConfigError)
    assert "onnx, openvino or litert" in str(found.exception)


def test_a_bundle_without_its_keras_files_is_named(tmp_path):
    found = run(str(make_bundle(tmp_path / "b")), "--out", str(tmp_path / "out"))
    assert isinstance(found.exception, BundleIntegrityError)
    assert "without cnn.keras" in str(found.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", ["-0.1", "1.1", "much"])
def test_a_loss_is_a_share(tmp_path, value):
    assert run(str(tmp_path), "--max-loss", value).exit_code == 2
