"""The newest head of a manifest, as a value to quote."""

from __future__ import annotations

import os

from .checking import check_files
from .folder import Folder
from .heads import Head


def head(folder: str | os.PathLike[str]) -> Head:
    """Returns the newest head of the manifest in a folder, whose ``sha256`` names all that the manifest holds.

    Raises :class:`~vpcflow.ManifestError` if there is none, or the manifest is not as it was written.

    >>> import tempfile, pathlib, vpcflow as vf
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.log").write_bytes(b"srcaddr bytes\\n10.0.0.1 40\\n")
    >>> _ = vf.manifest.add(folder / "a.log", folder / "evidence", created=0)
    >>> vf.manifest.head(folder / "evidence").tree_size
    1
    """
    found = check_files(Folder(folder))
    found.require_whole("manifest")
    last = found.last
    assert last is not None  # there is one in a whole manifest
    return last
