"""A model as one file, and as a repository of a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from har.api.model import Model, load
from har.api.settings import StrPath, extra, find_folder, to_path
from har.bundle import load_info
from har.errors import BundleIntegrityError, ConfigError
from har.sharing.archive import pack, unpack

if TYPE_CHECKING:
    from har.sharing.checking import Verified
    from har.sharing.hub import Pushed


def pack_model(model: Model | StrPath, out: StrPath | None = None) -> Path:
    """Write a model as one zip file, to send or to keep; the same model gives the same bytes.

    Only what its contract names is taken, and the hashes are checked before.

    Args:
        model: Loaded, or by folder or name.
        out: The file; ``NAME.zip`` in the current folder when None.

    Returns:
        The file's path.

    Raises:
        BundleError: There is none, or a file of it is missing or altered.
        OutputError: The file is there already, or cannot be written.

    Example:
        >>> import har, tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     packed = har.pack_model("three-class", Path(folder) / "three.zip")
        ...     har.unpack_model(packed, Path(folder) / "three").labels
        ('hitting_others', 'hitting_self', 'playing')
    """
    folder = find_folder(model)
    return pack(folder, Path(f"{_name(folder)}.zip") if out is None else to_path(out))


def _name(folder: Path) -> str:
    return folder.resolve().name.replace("_", "-")


def unpack_model(archive: StrPath, out: StrPath | None = None) -> Model:
    """Write the model of a zip file into a new folder, whole or not at all, and load it.

    Nothing of the file is trusted: names, sizes, links and hashes are checked before the folder is
    there.

    Args:
        archive: What `har.pack_model` wrote, also by somebody else.
        out: The folder, which must be new or empty; named like the file, beside it, when None.

    Raises:
        BundleError: The file is not there, or is no model.
        ConfigError: The folder holds something.
        OutputError: It cannot be written.

    Example:
        >>> import har
        >>> model = har.unpack_model("fight.zip", "models/fight")  # doctest: +SKIP
    """
    path = to_path(archive)
    if out is None and path.suffix.lower() != ".zip":
        raise ConfigError(f"Expected a file .zip, received {path}; else name the folder as well")
    folder = path.with_suffix("") if out is None else to_path(out)
    unpack(path, folder)
    return load(folder)


def verify_model(model: Model | StrPath) -> Verified:
    """Look whether a model is whole: its contract, every hash, and whether its networks run.

    Args:
        model: Loaded, by folder or name, or a zip file of one.

    Returns:
        What belongs to it, and a sentence for each problem.

    Raises:
        BundleNotFoundError: There is none.

    Example:
        >>> import har
        >>> har.verify_model("three-class").problems
        ()
    """
    from har.sharing.checking import verify

    is_file = isinstance(model, str | Path) and to_path(model).is_file()
    return verify(to_path(model) if is_file else find_folder(model))  # type: ignore[arg-type]


def describe_model(model: Model | StrPath, *, license: str | None = None) -> str:  # noqa: A002
    """Return a model's card as the page of a hub, with the front matter that machines read.

    License, kind and cross-validated figures stand in the front matter, in the words of the
    Hugging Face Hub; figures that the choice of epochs has seen do not.

    Args:
        model: Loaded, or by folder or name.
        license: Its short name on the hub, such as ``mit``; none is stated when None.

    Raises:
        BundleError: There is no such model, or its figures cannot be read.
        ConfigError: That is no short name.

    Example:
        >>> import har
        >>> har.describe_model("fight", license="mit").splitlines()[1:4]
        ['license: "mit"', 'library_name: "har"', 'pipeline_tag: "video-classification"']
    """
    from har.sharing.hub_card import build_hub_card

    folder = find_folder(model)
    return build_hub_card(folder, load_info(folder), license, f"hf://OWNER/{_name(folder)}")


def push_model(
    model: Model | StrPath,
    address: str,
    *,
    license: str,  # noqa: A002 - what the hub calls it
    public: bool = False,
    message: str = "Add a model of har",
) -> Pushed:
    """Put a model on a hub, with its card as the page; `har.load` takes it from there.

    Models hold no pictures, but names of labels, figures and the recipe: look at what
    `har.describe_model` prints first. Needs a token of the hub: ``HF_TOKEN``, or
    ``hf auth login``.

    Args:
        model: Loaded, or by folder or name.
        address: ``hf://OWNER/NAME``, with ``@BRANCH`` for another branch than main.
        license: Its short name on the hub, such as ``mit``, ``cc-by-nc-4.0`` or ``other``.
        public: Show a repository that is made by this to everybody; it is private otherwise.
        message: What the hub shows of this change.

    Returns:
        The address of this very version, and its page.

    Raises:
        BundleError: The model is not whole; `HubError`: the hub refused, or cannot be reached.
        ConfigError: The address or the license cannot be read.
        MissingDependencyError: The extra ``hub`` is not installed.

    Example:
        >>> import har
        >>> done = har.push_model("models/har", "hf://me/fights", license="mit")  # doctest: +SKIP
        >>> har.load(done.address)  # doctest: +SKIP
    """
    from har.sharing.checking import verify
    from har.sharing.hub import parse_address, push

    place, folder = parse_address(address), find_folder(model)
    problems = verify(folder).problems
    if problems:
        raise BundleIntegrityError(f"{folder} is not whole, so nothing was pushed: {problems[0]}")
    with extra("hub"):
        return push(folder, place, license, public, message)
