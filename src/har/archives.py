"""NumPy archives of unknown origin: what damaged ones fail with, and a header before its array."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from typing import IO

import numpy as np
from numpy.lib import format as npy

DAMAGED = (
    *(OSError, ValueError, EOFError, RuntimeError, SyntaxError, KeyError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
"""What archives and headers of arrays fail with, encrypted and damaged ones among them."""


def read_header(file: IO[bytes], item: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Return an array's shape, its kind, and whether columns come first; its numbers come next.

    Args:
        file: The member of an archive, at its beginning.
        item: What the archive says of it.

    Raises:
        ValueError: It is no array of plain values, or claims to be larger than it is.
    """
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"{item.filename} holds Python objects; save names as texts (str)")
    if np.prod(shape, dtype=np.float64) * dtype.itemsize > item.file_size:
        raise ValueError(f"{item.filename} claims to be larger than it is")
    return shape, dtype, is_fortran
