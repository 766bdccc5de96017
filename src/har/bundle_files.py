"""The files in a bundle's folder, and where bundles are found."""

from __future__ import annotations

from pathlib import Path

from har.bundle import BUNDLE_FILE, BundleInfo, check_inside
from har.errors import BundleIntegrityError, BundleNotFoundError
from har.files import compute_file_hash

FOLDER = Path(__file__).parent / "shipped"
OWN_BUNDLE = Path("models/har")
"""Where one's own bundle is looked for when none is named."""
DEFAULT = "fight"
"""The shipped bundle that is taken when there is no other."""
_KERAS_SUFFIX = ".keras"


def compute_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder but `bundle.json`, by its path in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): compute_file_hash(path)
        for path in paths
        if path.name != BUNDLE_FILE
    }


def find_verified(bundle_dir: Path, info: BundleInfo, name: str) -> Path:
    """Return the path of a bundle's file once its bytes are known to be the ones recorded.

    Raises:
        BundleIntegrityError: The file is missing, not recorded, was altered, or is a link out of
            the folder.
    """
    path = bundle_dir / name
    recorded = info.files.get(name)
    if recorded is None and path.suffix == _KERAS_SUFFIX:
        raise BundleIntegrityError(
            f"The bundle {bundle_dir} was saved as ONNX graphs alone, without {name}: it "
            f"recognizes, and its .onnx files serve other programs, but nothing can be trained "
            f"from it or exported to other forms; train your own for that: 'har train all'"
        )
    if recorded is None or not path.is_file():
        raise BundleIntegrityError(f"The bundle {bundle_dir} has no {name}; train or copy it again")
    check_inside(bundle_dir, path)
    found = compute_file_hash(path)
    if found != recorded:
        raise BundleIntegrityError(
            f"{path} is not the file that was saved: its SHA-256 is {found[:12]}..., recorded is "
            f"{recorded[:12]}...; copy or train the bundle again"
        )
    return path


def list_shipped() -> tuple[str, ...]:
    """Return the names of the bundles that come with the package."""
    found = FOLDER.glob(f"*/{BUNDLE_FILE}")
    return tuple(sorted(path.parent.name.replace("_", "-") for path in found))


def find_bundle(named: Path | None = None) -> Path:
    """Return a bundle's folder.

    Args:
        named: A folder, or the name of a bundle that comes with the package; a folder of that name
            goes before. None takes one's own, else the shipped default.

    Raises:
        BundleNotFoundError: There is none.
    """
    folder = OWN_BUNDLE if named is None else named
    if (folder / BUNDLE_FILE).is_file():
        return folder
    name, shipped = DEFAULT if named is None else str(named), list_shipped()
    if name in shipped:
        return FOLDER / name.replace("-", "_")
    raise BundleNotFoundError(
        f"There is no bundle in {folder}, nor one that comes with har of "
        f"the name {name!r} (it has: {', '.join(shipped) or 'none'}); train one with "
        "'har train all', or name another"
    )
