"""`har watch`: what is wrong in its options and settings is said before any camera is opened."""

import sys
from pathlib import Path

import pytest
from bundles import make_bundle
from click.testing import CliRunner
from videos import make_clip

from har.cli import har
from har.errors import ConfigError, HarError, MissingDependencyError, VideoError

HIDDEN = "s3cr3t-token"


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    bundle = make_bundle(tmp_path / "bundle")
    video = make_clip(tmp_path / "room.mp4", n_frames=2)
    return ["watch", f"hall={video}", "--bundle", str(bundle), "--out", str(tmp_path / "out")]


def _fail(arguments: list[str]) -> HarError:
    result = CliRunner().invoke(har, arguments)
    assert isinstance(result.exception, HarError), (result.exception, result.output)
    assert HIDDEN not in result.output
    return result.exception


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[alert]\nscore = 0.5", "'alert'"),
        ("[alerts]\nscore = 2", "score=2"),
        ("[alerts.labels.actve]\nscore = 0.5", "'actve'"),
        ('[[alerts.quiet]]\nhours = "22:00-06:00"\ncameras = ["hal"]', "'hal'"),
        ("[clips]\nmax_s = 5", "at least 10"),
        (f'[notify]\nurls = "json://{HIDDEN}"', "urls"),
        (f'[notify]\nurls = ["{HIDDEN}"]', "address 1"),
        (f'[notify]\nurls = [1, "json://{HIDDEN}"]', "urls"),
        (f'[notify]\nurl = ["json://{HIDDEN}"]', "'url'"),
        ("[retention]\nkeep_days = -1", "keep_days=-1"),
        ("not toml", "cannot be read"),
    ],
)
def test_wrong_settings_are_refused(
    tmp_path: Path, arguments: list[str], settings: str, said: str
) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(settings)
    error = _fail([*arguments, "--config", str(path)])
    assert isinstance(error, ConfigError)
    assert said in str(error)
    assert HIDDEN not in str(error)


def test_a_file_that_gives_no_picture_is_an_error(arguments: list[str]) -> None:
    video = Path(arguments[1].partition("=")[2])
    video.write_text("no film")
    error = _fail([*arguments, "--json"])
    assert isinstance(error, VideoError)


def test_wrong_address_is_refused_without_showing_it(arguments: list[str]) -> None:
    assert HIDDEN not in str(_fail([*arguments, "--notify", f"jsn://{HIDDEN}"]))


def test_address_may_come_from_the_environment(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAR_NOTIFY", f"json://localhost jsn://{HIDDEN}")
    assert "address 2" in str(_fail(arguments))


def test_unknown_rule_and_bad_option_are_refused(arguments: list[str]) -> None:
    assert "onst" in str(_fail([*arguments, "--set", "active.onst=0.7"]))
    assert "'actve'" in str(_fail([*arguments, "--set", "actve.onset=0.7"]))
    for option in (["--set", "onset"], ["--duration", "0"], ["--keep-days", "a"]):
        assert CliRunner().invoke(har, [*arguments, *option]).exit_code == 2


@pytest.mark.parametrize(
    ("package", "module", "options"),
    [
        ("apprise", "har.live.notify", ["--notify", "json://localhost"]),
        ("prometheus_client", "har.live.metrics", ["--metrics-port", "19999"]),
    ],
)
def test_missing_package_is_named_with_the_extra(
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    module: str,
    options: list[str],
) -> None:
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    error = _fail([*arguments, *options])
    assert isinstance(error, MissingDependencyError)
    assert "human-action-recognition[live]" in str(error)
