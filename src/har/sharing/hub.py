"""Bundles as repositories of the Hugging Face Hub: fetched and pushed by its own client.

The client is an extra, loaded here alone. A request is made only for an address ``hf://``, which a
person has written. ``HF_ENDPOINT``, ``HF_HOME``, ``HF_TOKEN`` and ``HF_HUB_OFFLINE`` mean here
what they mean to every program that uses the hub.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from har.bundle import BUNDLE_FILE, load_info
from har.errors import (
    BundleIntegrityError,
    BundleNotFoundError,
    ConfigError,
    HarError,
    HubError,
)
from har.escaping import cut_line
from har.files import replacing_folder, write_text
from har.locks import locking
from har.sharing.archive import MAX_BYTES, TEXTS, check_contents, check_names, find_file, list_files
from har.sharing.hub_card import build_hub_card

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.utils import tqdm

_ADDRESS = re.compile(
    r"hf:[/\\]+(?P<repo>[\w-][\w.-]*[/\\][\w-][\w.-]*)(@(?P<revision>[\w-][\w./-]*))?",
    re.ASCII | re.IGNORECASE,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CARD = "README.md"
_MAX_CONTRACT_BYTES = 1 << 20


@dataclass(frozen=True)
class HubAddress:
    """Where a bundle is on a hub.

    Attributes:
        repo: ``owner/name``.
        revision: A branch, a tag or a commit; None for the main branch.
    """

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        """Return it as `parse_address` takes it."""
        return f"hf://{self.repo}" + (f"@{self.revision}" if self.revision else "")


def parse_address(text: str) -> HubAddress:
    """Read ``hf://owner/name@revision``.

    Raises:
        ConfigError: It is none.

    >>> parse_address("hf://me/fights@v1.0")
    HubAddress(repo='me/fights', revision='v1.0')
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"Expected a model on the hub as hf://OWNER/NAME or hf://OWNER/NAME@REVISION, "
            f"received {cut_line(text)!r}"
        )
    return HubAddress(match["repo"].replace("\\", "/"), match["revision"])


def fetch(address: HubAddress) -> Path:
    """Return the folder of a bundle that is on a hub, downloaded unless that version is here.

    Only what the bundle's contract names is taken, within bounds, and every hash is checked. A
    commit that is here is used without any request; with ``HF_HUB_OFFLINE`` a branch is what it was
    when it was last fetched. It is kept where the hub's client keeps what libraries make
    (``HF_HOME``), a folder a version.

    Raises:
        BundleNotFoundError: There is no such repository or version, or no bundle in it.
        BundleIntegrityError: It is no bundle, or holds what no bundle may.
        HubError: The hub refused, or cannot be reached.
        MissingDependencyError: The extra ``hub`` is not installed.
        LockedError: Another process is fetching it.
    """
    with _translating(address):
        from huggingface_hub import HfApi, constants

        home = Path(constants.HF_ASSETS_CACHE, "har", address.repo.replace("/", "--"))
        revision, name = address.revision or "main", address.repo.partition("/")[2]
        newest = home / "revisions" / revision.replace("/", "--")
        if _COMMIT.fullmatch(revision) and _is_here(home / revision / name):
            return home / revision / name
        if constants.is_offline_mode():
            return _find_here(home, newest, name, address)
        hub = HfApi(library_name="har")
        commit, sizes = _ask(hub, address, revision)
    folder = home / commit / name
    with locking(folder, beside=True):
        if not _is_here(folder):
            _download(hub, address, commit, sizes, folder)
        write_text(newest, commit)
    return folder


def _ask(hub: HfApi, address: HubAddress, revision: str) -> tuple[str, dict[str, int]]:
    """Return the commit that a revision is, and the sizes of its files."""
    try:
        found = hub.model_info(address.repo, revision=revision, files_metadata=True)
        sizes = {item.rfilename: int(item.size or 0) for item in found.siblings or ()}
        commit = str(found.sha)
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise HubError(
            f"What answers for {address} is no hub; check HF_ENDPOINT, and the network"
        ) from error
    if _COMMIT.fullmatch(commit) is None:
        raise HubError(f"The hub names no commit of {address}, but {cut_line(commit)!r}")
    return commit, sizes


def _is_here(folder: Path) -> bool:
    return (folder / BUNDLE_FILE).is_file()


def _find_here(home: Path, newest: Path, name: str, address: HubAddress) -> Path:
    """Return what a revision was when it was last fetched."""
    commit = newest.read_text(encoding="utf-8") if newest.is_file() else ""
    if _COMMIT.fullmatch(commit) and _is_here(home / commit / name):
        return home / commit / name
    raise BundleNotFoundError(
        f"{address} is not on this machine, and HF_HUB_OFFLINE is set; fetch it once without it"
    )


def _download(
    hub: HfApi, address: HubAddress, commit: str, sizes: dict[str, int], folder: Path
) -> None:
    """Take what the contract names into a folder that is then whole and checked."""

    def take(part: Path, name: str, most: int) -> None:
        with _translating(address):  # here, for some are OSErrors, as those of a full disk are
            bounded = _build_bounded_bar(f"{name} of {address}", most)
            hub.hf_hub_download(
                address.repo, name, revision=commit, local_dir=part, tqdm_class=bounded
            )

    with replacing_folder(folder) as part:
        if sizes.get(BUNDLE_FILE, 0) > _MAX_CONTRACT_BYTES:
            raise BundleIntegrityError(f"The {BUNDLE_FILE} of {address} is too large for one")
        take(part, BUNDLE_FILE, _MAX_CONTRACT_BYTES)
        names = [*load_info(part).files, *(name for name in TEXTS if name in sizes)]
        names = [name for name in dict.fromkeys(names) if name != BUNDLE_FILE]
        check_names([BUNDLE_FILE, *names], address)
        n_bytes = sum(sizes.get(name, 0) for name in names)
        if n_bytes > MAX_BYTES:
            raise BundleIntegrityError(f"{address} has {n_bytes / 1e6:.0f} MB, too many for one")
        for name in names:
            take(part, name, sizes.get(name, 0))
        shutil.rmtree(part / ".cache", ignore_errors=True)  # the client's notes
        check_contents(part, address)


def _build_bounded_bar(what: str, most: int) -> type[tqdm]:
    """Return a bar of the client's kind that ends a download which goes on and on.

    The client itself compares sizes only once a body has ended, and its bar alone sees every part.
    """
    from huggingface_hub.utils import tqdm

    class Bounded(tqdm):
        n_taken = 0

        def update(self, n: float | None = 1) -> bool | None:
            self.n_taken += int(n or 0)
            if self.n_taken > most:
                raise BundleIntegrityError(
                    f"The hub sends more of {what} than the {most} bytes that it can have"
                )
            return super().update(n)

    return Bounded


@dataclass(frozen=True)
class Pushed:
    """A bundle that has been put on a hub.

    Attributes:
        address: ``hf://owner/name@commit``, the very version.
        url: Its page.
    """

    address: str
    url: str


def push(folder: Path, address: HubAddress, license_id: str, public: bool, message: str) -> Pushed:
    """Put a bundle on a hub, with its card as the page; the repository is made if need be.

    Args:
        folder: The bundle; its hashes are checked first.
        address: The repository, and the branch if not main.
        license_id: The hub's short name of a license.
        public: Everybody sees a repository that is made; it is private otherwise. One that is
            there stays as it is.
        message: Of the commit.

    Raises:
        BundleError: The bundle is not whole.
        ConfigError: That is no short name of a license.
        HubError: The hub refused, or cannot be reached.
        MissingDependencyError: The extra ``hub`` is not installed.
    """
    info = load_info(folder)
    named = str(HubAddress(address.repo))
    card = build_hub_card(folder, info, license_id, named)
    names = [name for name in list_files(folder, info) if name != _CARD]
    paths = [find_file(folder, info, name) for name in names]
    with _translating(address):
        from huggingface_hub import CommitOperationAdd, HfApi

        hub = HfApi(library_name="har")
        hub.create_repo(address.repo, private=not public, exist_ok=True)
        files = [
            CommitOperationAdd(name, str(path)) for name, path in zip(names, paths, strict=True)
        ]
        done = hub.create_commit(
            address.repo,
            [*files, CommitOperationAdd(_CARD, card.encode())],
            commit_message=message,
            revision=address.revision,
        )
    return Pushed(f"{named}@{done.oid}", done.commit_url)


@contextmanager
def _translating(address: HubAddress) -> Generator[None]:
    """Turn what the hub's client raises into what is wrong and what to do."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import httpx2
    from huggingface_hub import errors  # first: it brings the other, and names the extra

    try:
        yield
    except errors.LocalEntryNotFoundError as error:  # what it says of a hub that went away
        reason = cut_line(str(error.__cause__))
        raise HubError(f"The hub cannot be reached for {address}: {reason}") from error
    except errors.GatedRepoError as error:
        raise HubError(
            f"{address} is given only to those whom its owner lets in; request it on its page, and "
            f"give your token: HF_TOKEN, or 'hf auth login'"
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise BundleNotFoundError(
            f"The hub has no {address}, or shows it to nobody without a token: HF_TOKEN, or "
            f"'hf auth login'"
        ) from error
    except errors.EntryNotFoundError as error:
        raise BundleNotFoundError(f"{address} is no bundle: {cut_line(str(error))}") from error
    except (
        errors.HfHubHTTPError,
        errors.HFValidationError,
        errors.OfflineModeIsEnabled,
        httpx2.TransportError,
    ) as error:
        raise HubError(f"The hub and {address}: {cut_line(str(error))}") from error
    except OSError as error:
        if isinstance(error, HarError) or error.errno is not None:
            raise  # of this machine
        raise HubError(f"The hub and {address}: {cut_line(str(error))}") from error
