"""What can be known of a run on a cluster without one: settings, and what is not installed."""

import socket
import sys
from pathlib import Path

import pytest
from bundles import make_bundle
from click.testing import CliRunner
from videos import make_clip

import har
from har.cli import har as command_line
from har.config import FetchConfig, ScaleConfig
from har.errors import ConfigError, MissingDependencyError, WorkerError
from har.scale.ray_cluster import _forget_gone_cluster
from har.scale.run import _check_machine
from har.version import __version__


@pytest.mark.parametrize(
    "wrong", [{"on": "dask"}, {"on": "ray://"}, {"tries": 0}, {"limit_s": 0.0}, {"n_workers": -1}]
)
def test_settings_have_bounds(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ScaleConfig(**wrong)
    with pytest.raises(ConfigError, match="max_gb"):
        FetchConfig(max_gb=0.0)


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    model, video = make_bundle(tmp_path / "bundle"), make_clip(tmp_path / "a.mp4")
    for call in (
        lambda: har.predict(video, model=model, out=tmp_path / "out", on="ray"),
        lambda: har.prepare(tmp_path, tmp_path / "store", on="ray"),
    ):
        with pytest.raises(MissingDependencyError, match=r"package ray.*\[scale\]"):
            call()


def test_a_machine_that_would_write_elsewhere_takes_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mark = tmp_path / "mark"
    with pytest.raises(WorkerError, match="does not see the folder"):
        _check_machine(mark, None, __version__, None)
    mark.touch()
    with pytest.raises(WorkerError, match=r"it has har .*, this machine 0\.0\.0"):
        _check_machine(mark, None, "0.0.0", None)
    with pytest.raises(WorkerError, match="to which paths are relative"):
        _check_machine(mark, tmp_path / "nowhere", __version__, None)
    _check_machine(mark, tmp_path, __version__, None)


def test_a_note_of_a_cluster_is_deleted_only_where_nothing_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    note = tmp_path / "ray" / "ray_current_cluster"
    note.parent.mkdir()
    _forget_gone_cluster()
    with socket.create_server(("127.0.0.1", 0)) as server:
        note.write_text(f"127.0.0.1:{server.getsockname()[1]}")
        _forget_gone_cluster()
        assert note.exists()
    _forget_gone_cluster()
    assert not note.exists()
    note.write_text("no address")
    _forget_gone_cluster()
    assert note.exists()


@pytest.mark.parametrize("text", ["3", "a/b", "0/4", "5/4", "-1/4"])
def test_a_wrong_shard_is_refused(tmp_path: Path, text: str) -> None:
    words = ["predict", str(tmp_path), f"--shard={text}", "--bundle", "fight"]
    result = CliRunner().invoke(command_line, words)
    assert result.exit_code != 0
    assert "shard" in result.output or "shard" in str(result.exception)


def test_a_shard_without_videos_is_no_failure(tmp_path: Path) -> None:
    make_clip(tmp_path / "videos" / "a.mp4")
    bundle, out = str(make_bundle(tmp_path / "bundle")), str(tmp_path / "out")
    words = ["predict", str(tmp_path / "videos"), "--bundle", bundle, "--out", out, "--jobs", "1"]
    for number in range(1, 6):
        result = CliRunner().invoke(command_line, [*words, "--shard", f"{number}/5"])
        assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "out").glob("*.result.json"))) == 1
