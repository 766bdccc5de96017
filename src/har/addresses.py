"""Addresses: of cameras, never shown with what could be a password, and of object stores."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from har.errors import ConfigError

SCHEMES = ("rtsp", "rtsps", "http", "https")
"""Of the cameras that can be watched."""

_ADDRESS = re.compile(r"\s*(?:[\w.-]+=)?([A-Za-z][A-Za-z0-9+.-]+):/", re.ASCII)
_HEAD = re.compile(r"(\s*[A-Za-z][A-Za-z0-9+.-]+:/+)?(.*)", re.ASCII | re.DOTALL)
_END_OF_PLACE = re.compile(r"[/?#]")


_OBJECT = re.compile(r"(s3|gs|az|memory):/", re.ASCII)
_FILE = re.compile(r"file:/+", re.ASCII)


class ObjectPath(type(Path())):
    """The address of a video, or of many, in an object store, where paths are due.

    It shows as a person writes it; nothing on this machine is found under it.

    >>> str(ObjectPath("s3://bucket/day/a.mp4")), ObjectPath("s3:/bucket/day/a.mp4").stem
    ('s3://bucket/day/a.mp4', 'a')
    """

    def __str__(self) -> str:
        scheme, _, rest = super().__str__().replace("\\", "/").partition(":")
        return f"{scheme}://{rest.strip('/')}"

    def absolute(self) -> Self:
        """Return it as it is."""
        return self

    def resolve(self, strict: bool = False) -> Self:
        """Return it as it is."""
        return self


def to_source(path: Path | str) -> Path:
    """Return what a person named as a path: an `ObjectPath` if it is the address of a store.

    >>> to_source(Path("s3://bucket/a.mp4"))
    ObjectPath('s3://bucket/a.mp4')
    >>> to_source("file:///data/a.mp4").as_posix()
    '/data/a.mp4'
    """
    text = str(path)
    if _OBJECT.match(text):
        return ObjectPath(text)
    return Path(_FILE.sub("/", text, count=1)) if _FILE.match(text) else Path(path)


def mask_address(text: str) -> str:
    """Return an address without what could be a password, however wrongly it is written.

    >>> mask_address("rtsp://admin:1234@10.0.0.9:554/main?user=admin&password=1234")
    'rtsp://***@10.0.0.9:554/main?***'
    >>> mask_address("rtsp://admin:12/34?@5#6@10.0.0.9/main")
    'rtsp://***@10.0.0.9/main'
    """
    match = _HEAD.fullmatch(text)
    scheme, rest = (match[1] or "", match[2]) if match else ("", text)
    if not scheme and "@" not in rest:
        return text
    _, at, rest = rest.rpartition("@")
    path, query = (*re.split(r"[?#]", rest, maxsplit=1), "")[:2]
    shown = "/".join("***" if "=" in part else part for part in path.split("/"))
    return f"{scheme.strip()}{'***@' if at else ''}{shown}{'?***' if query else ''}"


_HUB = re.compile(r"hf:[/\\]", re.IGNORECASE)


def is_hub_address(text: str) -> bool:
    """Return whether a model is named by its place on a hub, also where a path was made of it.

    >>> is_hub_address("hf://owner/name"), is_hub_address("hf:/owner/name"), is_hub_address("hf")
    (True, True, False)
    """
    return _HUB.match(text) is not None


def check_encoding(address: str) -> None:
    """Refuse an address in which something of a password would be taken for host or path.

    Raises:
        ConfigError: User or password have a letter that an address gives a meaning of its own. The
            message shows nothing of them.
    """
    _, _, rest = address.partition("://")
    place = _END_OF_PLACE.split(rest, maxsplit=1)[0]
    user, at, _ = place.rpartition("@")
    is_cut = "@" in rest[len(place) :] or (at and set(user) & {"[", "]"})
    if is_cut or any(letter.isspace() or not letter.isprintable() for letter in address):
        raise ConfigError(
            f"The address {mask_address(address)} cannot be used as it is: in user, password and "
            "path write # as %23, / as %2F, ? as %3F, @ as %40, [ as %5B, ] as %5D and a blank as "
            "%20 (percent-encoding)"
        )


def refuse_addresses(paths: Iterable[object], what: str) -> None:
    """Refuse addresses where files are due; neither message nor anything else shows one whole.

    Args:
        paths: As they were given.
        what: What is due.

    Raises:
        ConfigError: One is an address.
    """
    for path in paths:
        if not isinstance(path, ObjectPath) and (match := _ADDRESS.match(str(path))):
            scheme = match[1].lower()
            way = (
                "'har watch' recognizes actions in cameras; a video of the web must be downloaded "
                "first"
                if scheme in SCHEMES
                else "'har watch' recognizes actions in cameras"
            )
            raise ConfigError(f"Expected {what}, received an address ({scheme}://...). {way}")
