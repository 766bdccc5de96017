"""What is watched: names, kinds, and no password anywhere."""

from pathlib import Path

import pytest

from har.errors import ConfigError
from har.live.sources import mask_address, parse_sources

ADDRESS = "rtsp://admin:hunter2@10.0.0.9:554/live/main?user=admin&password=hunter2"


def test_each_kind_is_known_by_its_form(tmp_path: Path) -> None:
    film = tmp_path / "Room 3, morning.mp4"
    film.touch()
    sources = parse_sources(["1", ADDRESS, "https://cam.example/hls.m3u8", str(film)])
    assert [(source.kind, source.name) for source in sources] == [
        ("webcam", "camera-1"),
        ("stream", "10.0.0.9-554-live-main"),
        ("stream", "cam.example-hls.m3u8"),
        ("file", "Room-3-morning"),
    ]
    assert sources[1].address == ADDRESS


def test_nothing_that_is_shown_holds_a_password() -> None:
    path_too = "rtsp://10.0.0.9/user=admin_password=hunter2_channel=1.sdp"
    for source in parse_sources([ADDRESS, path_too]):
        assert "hunter2" not in f"{source} {source!r} {source.name}"
    assert mask_address(ADDRESS) == "rtsp://***@10.0.0.9:554/live/main?***"
    assert "hunter2" not in mask_address(path_too)


def test_a_password_with_an_at_sign_is_masked_whole() -> None:
    assert mask_address("rtsp://me:p@ss@host/x") == "rtsp://***@host/x"


def test_names_can_be_given_and_are_made_to_differ(tmp_path: Path) -> None:
    assert parse_sources(["door=0"])[0].name == "door"
    names = [source.name for source in parse_sources([ADDRESS, ADDRESS, ADDRESS])]
    assert names == [f"10.0.0.9-554-live-main{end}" for end in ("", "-2", "-3")]
    with pytest.raises(ConfigError, match="received 'door' for two cameras"):
        parse_sources(["door=0", "door=1"])


def test_a_file_may_have_an_equals_sign(tmp_path: Path) -> None:
    film = tmp_path / "take=3.mp4"
    film.touch()
    (source,) = parse_sources([str(film)])
    assert (source.kind, source.name) == ("file", "take-3")


@pytest.mark.parametrize(
    "text", ["ftp://host/x", "rtsp://", "no-such-file.mp4", "-1", "http://:80"]
)
def test_what_is_nothing_of_that_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="Expected a webcam's number, an address"):
        parse_sources([text])


def test_a_refused_address_is_masked() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_sources(["rtps://me:hunter2@host/x"])
    assert "hunter2" not in str(caught.value)
