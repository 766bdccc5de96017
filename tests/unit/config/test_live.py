"""Settings of alerts: what is misspelt or out of bounds is refused with its place."""

import re
from datetime import time
from pathlib import Path

import pytest

from har.config import (
    AlertsConfig,
    ClipsConfig,
    NotifyConfig,
    QuietHours,
    WatchConfig,
    WatchSettings,
    load_config,
)
from har.errors import ConfigError


def test_toml_goes_over_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "alerts.toml"
    path.write_text(
        'score = 0.6\n[labels.hit]\nmin_s = 3\n[[quiet]]\nhours = "22:00-06:30"\n'
        'cameras = ["hall"]\n[[quiet]]\nhours = "12:00-13:00"\n'
    )
    config = load_config(path, AlertsConfig())
    assert (config.rule("hit").min_s, config.rule("hit").score) == (3, 0.6)
    assert config.rule("push").min_s == AlertsConfig().min_s
    assert config.quiet_hours() == (
        QuietHours(time(22), time(6, 30), ("hall",)),
        QuietHours(time(12), time(13)),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("score = 1.5", "score must be from 0 to 1, received 1.5"),
        ("scores = 0.5", "'scores'"),
        ("[labels.hit]\nscore = 2", "'hit'"),
        ("[labels.hit]\nsure = 0.5", "'sure'"),
        ("[labels.hit]\nscore = true", "a number"),
        ("[labels.hit]\non = 1", "true or false"),
        ("[labels]\nhit = 3", "must be a table, received 3"),
        ('[[quiet]]\nhours = "22-6"', "22:00-06:30"),
        ('[[quiet]]\nhours = "24:00-06:00"', "22:00-06:30"),
        ('[[quiet]]\nhours = "06:00-06:00"', "on = false"),
        ('[[quiet]]\ncameras = ["hall"]', "hours and cameras"),
        ('[[quiet]]\nhours = "01:00-02:00"\ncameras = "hall"', "list of names"),
        ('[[quiet]]\nhours = "01:00-02:00"\ncamera = "hall"', "hours and cameras"),
    ],
)
def test_wrong_setting_is_refused_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "alerts.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, AlertsConfig())
    assert said in str(caught.value)


def test_names_that_nothing_has_are_refused() -> None:
    config = AlertsConfig(labels={"hit": {"score": 0.5}}, quiet=({"hours": "01:00-02:00"},))
    config.check_names(("hit",), ("hall",))
    with pytest.raises(ConfigError, match=r"\[alerts\.labels\.hit\] .* it has: push\. Rename"):
        config.check_names(("push",), ("hall",))
    config = AlertsConfig(quiet=({"hours": "01:00-02:00", "cameras": ["hal"]},))
    with pytest.raises(ConfigError, match="'hal'"):
        config.check_names(("hit",), ("hall",))


def test_clip_has_room_for_what_is_asked() -> None:
    with pytest.raises(ConfigError, match="at least 90"):
        ClipsConfig(before_s=60, after_s=30)


def test_addresses_are_in_no_text() -> None:
    config = NotifyConfig(urls=("json://user:secret@host",))
    assert "secret" not in f"{config} {config!r}"
    with pytest.raises(ConfigError) as caught:
        NotifyConfig(urls=("json://user:secret@host", ""))
    assert "secret" not in str(caught.value)


def test_settings_on_the_page_of_cameras_are_read(tmp_path: Path) -> None:
    guide = Path(__file__).parents[3] / "docs" / "how-to" / "cameras.md"
    *_, text = re.findall(r"```toml\n(# watch\.toml.*?)```", guide.read_text(), re.DOTALL)
    path = tmp_path / "watch.toml"
    path.write_text(text)
    settings = load_config(path, WatchSettings())
    assert settings.alerts.rule("fight").min_s == 0.5
    settings.alerts.check_names(("fight",), ("hall", "yard"))
    assert settings.retention.keep_days == 30


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frozen_s": 20.0}, "lost_s must be at least 20, received 10.0"),
        ({"max_late_s": 6.0}, "jump_s must be over 6, received 5.0"),
        ({"max_wait_s": 0.0}, "max_wait_s must be from 0.05 to 60"),
        ({"n_overlap": 0}, "n_overlap must be from 1 to 512"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        WatchConfig(**changes)  # type: ignore[arg-type]
