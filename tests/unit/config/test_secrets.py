"""A file of settings is checked whole; what its secrets hold is used and never shown."""

from pathlib import Path

import pytest

from har.config import PrivacyConfig, WatchSettings, load_config
from har.errors import ConfigError

HIDDEN = "s3cr3t"

WRONG = """
[sources]
hall = "env:HAR_TEST_UNSET"
0 = true
[alerts]
score = 1.7
min_ss = 1
[alerts.labels.fight]
min_s = 0.5
[alerts.labels.push]
sure = 1
[[alerts.quiet]]
hours = "22-6"
[clips]
before_s = -1
after_s = "x"
[notify]
urls = ["env:HAR_TEST_URL", 3]
[metrics]
port = "env:HAR_TEST_URL"
[retentionn]
[privacy]
faces = "file:{folder}/absent"
"""


def test_all_mistakes_are_told_at_once_with_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAR_TEST_URL", f"json://{HIDDEN}")
    path = tmp_path / "watch.toml"
    path.write_text(WRONG.replace("{folder}", tmp_path.as_posix()))
    with pytest.raises(ConfigError) as caught:
        load_config(path, WatchSettings())
    said = sorted(caught.value.args)
    expected = [
        (3, "The environment variable HAR_TEST_UNSET is not set"),
        (2, "sources must have lines such as"),
        (6, "score must be from 0 to 1, received 1.7"),
        (7, "There is no setting 'min_ss'"),
        (5, "a setting of alerts of the label 'push' must be one of"),
        (12, "quiet must have hours such as '22:00-06:30'"),
        (15, "before_s must be from 0 to 120, received -1"),
        (16, "after_s must be a number, received 'x'"),
        (18, "urls of [notify] must be a list of texts"),
        (20, "port must be a whole number, received 'env:HAR_TEST_URL'"),
        (21, "There is no setting 'retentionn'"),
        (23, f"The file {tmp_path.as_posix()}/absent of a secret cannot be read"),
        (23, "faces must be one of keep, blur, pixelate, black"),
    ]
    for line, text in expected:
        found = [item for item in said if item.startswith(text)]
        assert len(found) == 1, text
        assert f"{path}, line {line}" in found[0], found
    assert len(said) == len(expected)
    assert str(caught.value).startswith("13 settings are wrong:\n- ")
    assert HIDDEN not in str(caught.value)


def test_secrets_come_from_variables_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAR_TEST_URL", f"json://{HIDDEN}")
    secret = tmp_path / "hall"
    secret.write_text(f"rtsp://me:{HIDDEN}@host/main\n")
    path = tmp_path / "watch.toml"
    path.write_text(
        f"[sources]\nhall = 'file:{secret.as_posix()}'\nyard = 0\n"
        "[notify]\nurls = ['env:HAR_TEST_URL']\n"
    )
    settings = load_config(path, WatchSettings())
    assert settings.sources["hall"] == f"rtsp://me:{HIDDEN}@host/main"
    assert settings.notify.urls == (f"json://{HIDDEN}",)
    assert HIDDEN not in repr([settings, settings.sources, settings.notify.urls])


@pytest.mark.parametrize("data", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_of_a_secret_holds_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "secret").write_bytes(data)
    path = tmp_path / "watch.toml"
    path.write_text(f"[sources]\nhall = 'file:{tmp_path.as_posix()}/secret'\n")
    with pytest.raises(ConfigError, match=r"/secret (must hold one line|of a secret cannot be)"):
        load_config(path, WatchSettings())


def test_other_settings_take_texts_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "privacy.toml"
    path.write_text("faces = 'env:HOME'\n")
    with pytest.raises(ConfigError, match="received 'env:HOME'"):
        load_config(path, PrivacyConfig())
