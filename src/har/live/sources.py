"""The cameras to watch, as a command line names them, and when a lost one is tried again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from har.addresses import SCHEMES, check_encoding, mask_address
from har.config import Mistakes
from har.config.live import CAMERA_NAME
from har.config.secrets import Secret
from har.errors import ConfigError
from har.video.camera.frames import LiveSetup, LiveSource
from har.video.camera.packets import open_played, open_stream
from har.video.camera.webcam import open_webcam


def iter_waits_s(first_s: float, most_s: float, random: Random) -> Iterator[float]:
    """Return without end the waits before each try: they double, each drawn around its mean.

    Cameras that were lost together, as with their switch, are so not tried together each time.

    Args:
        first_s: Mean of the first wait.
        most_s: Mean that is not exceeded.
        random: Draws each wait between half of its mean and one and a half times it.

    Source: exponential back-off with jitter, M. Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015.

    >>> waits = iter_waits_s(1.0, 4.0, Random(0))
    >>> [round(next(waits), 2) for _ in range(4)]
    [1.34, 2.52, 3.68, 3.04]
    """
    mean_s = first_s
    while True:
        yield min(mean_s, most_s) * random.uniform(0.5, 1.5)
        mean_s = min(2 * mean_s, most_s)


_NAMED = re.compile(rf"({CAMERA_NAME.pattern})=(.+)", re.ASCII | re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,16}", re.ASCII)
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Source:
    """One camera to watch.

    Attributes:
        name: Fit for a file's name, free of credentials.
        kind: A number of the operating system, an address, or a file.
        address: May hold a password: it is for opening only, and no message shows it.
        speed: Of a file: seconds of the video in a second.
    """

    name: str
    kind: Literal["webcam", "stream", "file"]
    address: str = field(repr=False)
    speed: float = 1.0

    def open(self, setup: LiveSetup) -> LiveSource:
        """Open it, to be read in a ``with`` block.

        Raises:
            VideoError: It cannot be opened.
        """
        if self.kind == "webcam":
            return open_webcam(int(self.address), setup)
        if self.kind == "stream":
            return open_stream(self.address, setup)
        return open_played(Path(self.address), setup, self.speed)


def parse_sources(texts: Iterable[str]) -> list[Source]:
    """Parse the sources of a command line; each gets a name of its own.

    Args:
        texts: Each a webcam's number, an address, or a file, with ``NAME=`` before it or not.

    Raises:
        ConfigError: Some are none of these, or were given the same name; all are told.

    >>> [source.name for source in parse_sources(["0", "door=rtsp://me:secret@10.0.0.9/main"])]
    ['camera-0', 'door']
    """
    sources: list[Source] = []
    mistakes = Mistakes()
    for text in texts:
        with mistakes.gathering():
            is_named, source = _parse(text)
            sources.append(_name_anew(source, is_named, {other.name for other in sources}))
    mistakes.refuse()
    return sources


def _name_anew(source: Source, is_named: bool, taken: Collection[str]) -> Source:
    """Return a source with a name that is not taken."""
    if source.name in taken and is_named:
        raise ConfigError(f"Expected different names, received {source.name!r} for two cameras")
    name, n_same = source.name, 2
    while name in taken:
        name, n_same = f"{source.name}-{n_same}", n_same + 1
    return replace(source, name=name)


def parse_named_sources(
    named: Mapping[str, str | int], mistakes: Mistakes, where: str
) -> list[Source]:
    """Parse the table ``[sources]`` of a file of settings.

    Args:
        named: What each camera is, by its name.
        mistakes: Gets what is no camera, of secrets only where they are from. A source that must
            not be opened takes its place, so that what names the camera is still right.
        where: The table's file.
    """
    sources: list[Source] = []
    for name, address in named.items():
        source = Source(name, "file", "")
        with mistakes.gathering(f"{where}, {name} of the table [sources]"):
            try:
                source = _parse(f"{name}={address}")[1] if address != "" else source
            except ConfigError:
                if not isinstance(address, Secret):
                    raise
                raise ConfigError(
                    f"What {address!r} holds must be a webcam's number, an address "
                    f"({', '.join(SCHEMES)}) or a video file"
                ) from None
        sources.append(source)
    return sources


def _parse(text: str) -> tuple[bool, Source]:
    """Return one source, and whether its name was given."""
    match = None if _exists(text) else _NAMED.fullmatch(text.strip())
    given, address = match.groups() if match else ("", text if _exists(text) else text.strip())
    if address.isascii() and address.isdigit():
        return bool(given), Source(given or f"camera-{address}", "webcam", address)
    if (scheme := address.partition("://")[0].lower()) in SCHEMES and "://" in address:
        address = scheme + address[len(scheme) :]
        check_encoding(address)
        if (parts := _split(address)) is not None:
            return bool(given), Source(given or _name_address(parts), "stream", address)
    if not _exists(address):
        raise ConfigError(
            f"Expected a webcam's number, an address ({', '.join(SCHEMES)}) or a video file, "
            f"received {mask_address(address)!r}, and there is no such file"
        )
    name = _NOT_IN_A_NAME.sub("-", Path(address).stem).strip("-.") or "file"
    return bool(given), Source(given or name, "file", address)


def _exists(text: str) -> bool:
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):  # too long for a name, or with a null byte
        return False


def _split(address: str) -> SplitResult | None:
    """Return the parts of an address, None where it is none."""
    try:
        parts = urlsplit(address)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_address else None


def _name_address(parts: SplitResult) -> str:
    """Return a name from host, port and those parts of the path that can hold no password.

    Those have only letters that need no encoding, and are shorter than tokens are.
    """
    port = f"-{parts.port}" if parts.port else ""
    path = [part for part in parts.path.split("/") if _PLAIN.fullmatch(part)]
    secrets = {text for text in (parts.username, parts.password) if text}
    name = "-".join([f"{parts.hostname}{port}", *(part for part in path if part not in secrets)])
    return _NOT_IN_A_NAME.sub("-", name)[:64].strip("-.")
