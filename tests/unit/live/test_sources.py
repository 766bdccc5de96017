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


@pytest.mark.parametrize("letter", "#?/[] \t")
@pytest.mark.parametrize("named", ["", "door="])
def test_an_unencoded_password_is_refused_with_the_remedy(letter: str, named: str) -> None:
    text = f"{named}rtsp://admin:hun{letter}ter2@10.0.0.9:554/main"
    with pytest.raises(ConfigError) as caught:
        parse_sources([text])
    assert str(caught.value) == (
        "The address rtsp://***@10.0.0.9:554/main cannot be used as it is: in user, password and "
        "path write # as %23, / as %2F, ? as %3F, @ as %40, [ as %5B, ] as %5D and a blank as %20 "
        "(percent-encoding)"
    )
    assert mask_address(text.removeprefix(named)) == "rtsp://***@10.0.0.9:554/main"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp:/me:pw@host/x", "rtsp:/***@host/x"),
        ("me:pw@host/x", "***@host/x"),
        ("rtsp://host/x#token", "rtsp://host/x?***"),
        ("rtsp://me:pw@host/x?mail=a@b", "rtsp://***@b"),
        ("film.mp4", "film.mp4"),
    ],
)
def test_wrong_addresses_are_masked_too(address: str, shown: str) -> None:
    assert mask_address(address) == shown


def test_a_default_name_has_no_part_of_a_secret() -> None:
    for text in (
        "http://10.0.0.9/live/f3a9c0d1e2b34a5f6c7d8e9f/index.m3u8",
        "http://10.0.0.9/live/admin/hunter2/index.m3u8".replace("//", "//admin:hunter2@", 1),
        "rtsp://admin:hun%23ter2@10.0.0.9/live/hun%23ter2/index.m3u8",
    ):
        (source,) = parse_sources([text])
        assert source.name == "10.0.0.9-live-index.m3u8"
        assert source.address == text


def test_blanks_around_and_letters_of_the_scheme_do_not_matter() -> None:
    (source,) = parse_sources([" RTSP://10.0.0.9/Main\n"])
    assert (source.kind, source.address) == ("stream", "rtsp://10.0.0.9/Main")
    with pytest.raises(ConfigError, match="there is no such file"):
        parse_sources(["a" * 5000])


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
