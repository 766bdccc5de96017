"""Which bundle is meant: a folder, the name of one that comes with the package, or none."""

from __future__ import annotations

from pathlib import Path

from har.contract import BUNDLE_FILE
from har.errors import BundleNotFoundError

FOLDER = Path(__file__).parents[1] / "shipped"
OWN_BUNDLE = Path("models/har")
"""Where one's own bundle is looked for when none is named."""
DEFAULT = "fight"
"""The shipped bundle that is taken when there is no other."""


def list_shipped() -> tuple[str, ...]:
    """Gives the names of the bundles that come with the package."""
    found = FOLDER.glob(f"*/{BUNDLE_FILE}")
    return tuple(sorted(path.parent.name.replace("_", "-") for path in found))


def find_bundle(named: Path | None = None) -> Path:
    """Gives a bundle's folder.

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
