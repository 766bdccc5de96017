"""Bundles on a hub, by its own client, against a hub on this machine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bundles import LABELS, make_bundle
from click.testing import CliRunner
from hub import TOKEN, Hub, run_hub

import har
from har.bundle import BUNDLE_FILE
from har.cli import har as har_cli
from har.cli.project import load_defaults
from har.errors import BundleIntegrityError, BundleNotFoundError, ConfigError, HubError
from har.sharing.hub import parse_address

pytest.importorskip("huggingface_hub")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A hub, and the client loaded anew so that it finds it: it reads variables but once."""
    with run_hub() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.address)
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("HF_HUB_DISABLE_XET", "1")
        patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        _forget_client()
        yield hub
        _forget_client()


def _forget_client() -> None:
    for name in [name for name in sys.modules if name.startswith("huggingface_hub")]:
        del sys.modules[name]


@pytest.fixture
def hub(server: Hub, monkeypatch) -> Hub:
    """An empty hub, and nothing of it on this machine."""
    server.clear()
    shutil.rmtree(os.environ["HF_HOME"], ignore_errors=True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return server


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def bundle(tmp_path) -> Path:
    return make_bundle(tmp_path / "mine")


def test_what_is_pushed_is_what_is_loaded(hub, bundle):
    done = har.push_model(bundle, "hf://me/still-active", license="cc-by-4.0")
    commit, files = hub.repos["me/still-active"][-1]
    assert done.address == f"hf://me/still-active@{commit}"
    assert done.url == f"{hub.address}/me/still-active/commit/{commit}"
    assert hub.private["me/still-active"] is True
    page = files.pop("README.md").decode()
    assert files == read_files(bundle)
    assert hub.pages == [page]
    assert page.startswith('---\nlicense: "cc-by-4.0"\n')
    assert 'har.load("hf://me/still-active")' in page
    model = har.load("hf://me/still-active")
    assert (model.labels, model.name) == (LABELS, "still-active")
    assert not any(path.is_symlink() for path in model.path.rglob("*"))


def test_a_version_that_is_here_costs_no_request(hub, bundle):
    commit = hub.add("me/mine", read_files(bundle))
    har.load("hf://me/mine")
    hub.requests.clear()
    assert har.load(f"hf://me/mine@{commit}").labels == LABELS
    assert hub.requests == []
    har.load("hf://me/mine")
    assert hub.requests == ["GET /api/models/me/mine/revision/main"]  # which version is main?


def test_each_revision_is_itself(hub, bundle, tmp_path):
    first = hub.add("me/mine", read_files(bundle))
    hub.add("me/mine", read_files(make_bundle(tmp_path / "other", ("rest", "move", "run"))))
    assert har.load("hf://me/mine").labels == ("rest", "move", "run")
    assert har.load(Path(f"hf://me/mine@{first}")).labels == LABELS  # as a command gets it


def test_offline_takes_what_is_here_and_asks_nobody(hub, bundle, monkeypatch):
    hub.add("me/mine", read_files(bundle))
    har.load("hf://me/mine")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    hub.requests.clear()
    assert har.load("hf://me/mine").labels == LABELS
    with pytest.raises(BundleNotFoundError, match="not on this machine"):
        har.load("hf://me/other")
    with pytest.raises(HubError):
        har.push_model(bundle, "hf://me/other", license="mit")
    assert hub.requests == []


@pytest.mark.parametrize("name", [BUNDLE_FILE, "frame_cnn.onnx"])
def test_a_body_that_never_ends_is_left_early(hub, bundle, name):
    hub.add("me/endless", read_files(bundle))
    hub.endless = {name}
    with pytest.raises(BundleIntegrityError, match=f"sends more of {name} of hf://me/endless than"):
        har.load("hf://me/endless")
    assert hub.n_sent < 60_000_000
    assert not list(Path(os.environ["HF_HOME"]).rglob(name))


def test_what_is_not_a_bundle_of_its_contract_is_refused(hub, bundle):
    files = read_files(bundle)
    hub.add("me/altered", files | {"frame_cnn.onnx": files["frame_cnn.onnx"] + b"x"})
    with pytest.raises(BundleIntegrityError, match="SHA-256"):
        har.load("hf://me/altered")
    contract = json.loads(files[BUNDLE_FILE])
    contract["files"]["../../outside.onnx"] = "0" * 64
    hub.add("me/escapes", files | {BUNDLE_FILE: json.dumps(contract).encode()})
    with pytest.raises(BundleIntegrityError, match="no bundle may hold"):
        har.load("hf://me/escapes")
    hub.add("me/large", files | {BUNDLE_FILE: b" " * (1 << 21)})
    with pytest.raises(BundleIntegrityError, match="too large"):
        har.load("hf://me/large")
    hub.add("me/empty", {"weights.bin": b"x"})
    with pytest.raises(BundleNotFoundError, match="no bundle"):
        har.load("hf://me/empty")


def test_files_that_the_contract_does_not_name_are_left_there(hub, bundle):
    hub.add("me/more", read_files(bundle) | {"setup.py": b"raise SystemExit", "README.md": b"#"})
    names = {path.name for path in har.load("hf://me/more").path.iterdir()}
    assert names == {*read_files(bundle), "README.md"}
    assert not [line for line in hub.requests if "setup.py" in line]


def test_no_such_repository_version_or_right(hub, bundle, monkeypatch):
    hub.add("me/mine", read_files(bundle))
    for address in ("hf://me/none", f"hf://me/mine@{'0' * 40}", "hf://me/mine@v9"):
        with pytest.raises(BundleNotFoundError, match="The hub has no"):
            har.load(address)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(HubError, match="401"):
        har.push_model(bundle, "hf://me/mine", license="mit")


def test_a_hub_that_is_away_is_an_error(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match="me/mine"):
        har.load("hf://me/mine")


def test_what_only_answers_like_a_hub_is_an_error(hub, monkeypatch):
    hub.add("me/model", {BUNDLE_FILE: b"{}"})
    with monkeypatch.context() as patch:
        patch.setattr(hub, "find", lambda _repo, _revision: ("../../up", {}))
        with pytest.raises(HubError, match=r"names no commit of hf://me/model, but '\.\./"):
            har.load("hf://me/model")
        patch.setattr("hub._Handler._describe", lambda self, *_: self._answer(200, [1]))
        with pytest.raises(HubError, match="is no hub; check HF_ENDPOINT"):
            har.load("hf://me/model")


def test_a_broken_bundle_is_not_pushed(hub, bundle):
    (bundle / "temporal.onnx").write_bytes(b"")
    with pytest.raises(BundleIntegrityError, match="nothing was pushed"):
        har.push_model(bundle, "hf://me/mine", license="mit")
    assert hub.requests == []


@pytest.mark.parametrize(
    "text", ["hf://me", "hf://me/a/b", "hf://me/a@", "hf://me/..", "hf://../a"]
)
def test_addresses_that_are_none(text):
    with pytest.raises(ConfigError, match="OWNER/NAME"):
        parse_address(text)


def test_the_commands_take_an_address(hub, bundle, tmp_path):
    words = ("push", str(bundle), "hf://me/mine", "--license", "mit", "--public", "--json")
    said = json.loads(CliRunner().invoke(har_cli.commands["bundle"], words).stdout)
    assert hub.private["me/mine"] is False
    done = subprocess.run(
        [sys.executable, "-m", "har", "bundle", "verify", said["address"], "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert (found["labels"], found["problems"]) == (list(LABELS), [])


def test_a_project_may_name_an_address(tmp_path):
    path = tmp_path / "har.toml"
    path.write_text('bundle = "hf://me/mine"\n')
    assert "hf://me/mine" in load_defaults(path, har_cli.commands)["predict"].values()
