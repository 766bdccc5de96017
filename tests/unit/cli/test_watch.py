"""`har watch`: what is wrong in its options and settings is said before any camera is opened."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bundles import make_bundle
from click.testing import CliRunner
from videos import make_clip

from har import load
from har.cli import har
from har.cli.watch import _say_summary
from har.errors import ConfigError, HarError, MissingDependencyError, VideoError
from har.live.messages import CameraState
from har.live.screen import Summary

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
        ("[alerts]\nscore = 2", "score must be from 0 to 1, received 2 ("),
        ("[alerts.labels.actve]\nscore = 0.5", "[alerts.labels.actve]"),
        ('[[alerts.quiet]]\nhours = "22:00-06:00"\ncameras = ["hal"]', "'hal'"),
        ("[clips]\nmax_s = 5", "at least 10"),
        (f'[notify]\nurls = "json://{HIDDEN}"', "urls"),
        (f'[notify]\nurls = ["{HIDDEN}"]', "address 1"),
        (f'[notify]\nurls = [1, "json://{HIDDEN}"]', "urls"),
        (f'[notify]\nurl = ["json://{HIDDEN}"]', "'url'"),
        ("[retention]\nkeep_days = -1", "keep_days must be from"),
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


def test_cameras_may_come_from_the_settings_or_the_environment(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, source, *rest = arguments
    video = source.partition("=")[2]
    path = tmp_path / "watch.toml"
    path.write_text(f"[sources]\nhall = '{video}'\n")
    done = CliRunner().invoke(har, [watch, *rest, "--config", str(path)])
    assert done.exit_code == 0, done.output
    assert "Watching hall with" in done.stderr
    assert "Engine: onnxruntime fp32" in done.stderr
    monkeypatch.setenv("HAR_WATCH_SOURCES", f"yard={video}")
    done = CliRunner().invoke(har, [watch, *rest])
    assert "Watching yard with" in done.stderr


def test_a_watch_without_a_camera_says_where_one_may_stand(
    tmp_path: Path, arguments: list[str]
) -> None:
    watch, _, *rest = arguments
    done = CliRunner().invoke(har, [watch, *rest])
    assert done.exit_code == 2
    assert "or give a file with a table [sources] as --config" in done.stderr
    path = tmp_path / "watch.toml"
    path.write_text("[clips]\non = false\n")
    error = _fail([watch, *rest, "--config", str(path)])
    assert str(error) == (
        "Expected at least one camera, received none; name one, or give settings with a table "
        "[sources]"
    )
    path.write_text(f"[sources]\nhall = ['rtsp://me:{HIDDEN}@host/x']\n")
    assert "sources must have lines such as" in str(_fail([watch, *rest, "--config", str(path)]))
    path.write_text(f"[sources]\nhall = 'rtsp://me:{HIDDEN[:3]}#{HIDDEN[3:]}@host/x'\n")
    assert "percent-encoding" in str(_fail([watch, *rest, "--config", str(path)]))


@pytest.mark.parametrize("command", ["predict", "prepare"])
def test_an_address_where_files_are_due_names_the_way_and_is_not_shown(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = _fail([command, f"rtsp://me:{HIDDEN}@10.0.0.9/main"])
    assert "received an address (rtsp://...). 'har watch' recognizes" in str(error)
    assert "must be downloaded first" in str(_fail([command, f"http://me:{HIDDEN}@web/x.mp4"]))
    assert "(rtsp://...)" in str(_fail([command, f"hall=rtsp://me:{HIDDEN}@10.0.0.9/main"]))
    assert not list(tmp_path.rglob("*.json"))
    with pytest.raises(ConfigError, match="received an address") as caught:
        load("fight").predict(f"rtsp://me:{HIDDEN}@10.0.0.9/main")
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("command", ["predict", "events", "watch"])
def test_a_threshold_names_the_setting(command: str) -> None:
    done = CliRunner().invoke(har, [command, "x", "--threshold", "0.8"])
    assert done.exit_code == 2
    assert "Use --set onset=0.8, for one label --set LABEL.onset=0.8" in done.stderr


CHECKED = f"""
[sources]
hall = "VIDEO"
yard = "absent.mp4"
door = "env:HAR_TEST_DOOR"
[alerts.labels.actve]
score = 0.5
[[alerts.quiet]]
hours = "22:00-06:00"
cameras = ["yard", "hal"]
[notify]
urls = ["jsn://{HIDDEN}"]
"""


def test_check_tells_all_mistakes_or_that_there_is_none(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAR_TEST_DOOR", HIDDEN)
    watch, source, *rest = arguments
    path, video = tmp_path / "watch.toml", source.partition("=")[2]
    checked = [watch, *rest, "--config", str(path), "--check"]
    path.write_text(CHECKED.replace("VIDEO", video))
    said = str(_fail(checked))
    assert said.startswith("5 settings are wrong:")
    for text in (
        f"received 'absent.mp4', and there is no such file ({path}, yard of the table [sources])",
        "What 'env:HAR_TEST_DOOR' holds must be a webcam's number",
        "[alerts.labels.actve] is for a label that the model cannot raise",
        "[[alerts.quiet]] names the camera 'hal', which is not watched",
        f"check its spelling, and that what it needs is installed: "
        f"https://github.com/caronc/apprise/wiki ({path})",
    ):
        assert text in said
    path.write_text(f"[sources]\nhall = '{video}'\n")
    done = CliRunner().invoke(har, checked)
    assert done.exit_code == 0
    assert "All settings are right, to watch hall with" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_may_begin_anew_again_and_again(arguments: list[str]) -> None:
    done = CliRunner().invoke(har, [*arguments, "--loop", "--duration", "2.5", "--json"])
    assert done.exit_code == 0, done.output
    camera = json.loads(done.stdout.splitlines()[-1])["cameras"][0]
    assert camera["n_frames"] > 2, "of two frames, half a second apart"
    assert camera["n_reconnects"] == 0


@pytest.mark.parametrize(("n_dropped", "is_said"), [(75, False), (76, True)])
def test_a_machine_that_does_not_keep_up_is_said(
    capsys: pytest.CaptureFixture[str], n_dropped: int, is_said: bool
) -> None:
    summary = Summary()
    now = datetime.now(UTC)
    summary.on_state(CameraState("hall", "ended", now, n_frames=750, n_dropped=n_dropped))
    _say_summary(summary, Path("out"))
    assert ("hall (76 time steps)" in capsys.readouterr().err) == is_said
