"""Bundles that come with the package, found by name."""

from __future__ import annotations

from pathlib import Path

from har.contract import BUNDLE_FILE
from har.errors import BundleNotFoundError

FOLDER = Path(__file__).parents[1] / "shipped"


def list_shipped() -> tuple[str, ...]:
    """Gives the names of the bundles that come with the package."""
    found = FOLDER.glob(f"*/{BUNDLE_FILE}")
    return tuple(sorted(path.parent.name.replace("_", "-") for path in found))


def find_bundle_dir(bundle: Path) -> Path:
    """Gives a bundle's folder from a path, or from the name of one that comes with the package.

    A folder of that name in the working directory goes before.

    Raises:
        BundleNotFoundError: There is neither.
    """
    shipped = list_shipped()
    if (bundle / BUNDLE_FILE).is_file():
        return bundle
    if str(bundle) in shipped:
        return FOLDER / str(bundle).replace("-", "_")
    raise BundleNotFoundError(
        f"There is no bundle in {bundle}, nor one of that name that comes with har "
        f"({', '.join(shipped) or 'none'}); train one with 'har train all'"
    )
