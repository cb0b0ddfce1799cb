"""What a manifest says of the logs: its head, and the numbers of objects in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from ..errors import ManifestError
from ..manifest import head, prove


def head_of(folder: str | os.PathLike[str] | None) -> dict[str, Any] | None:
    """Returns the newest head of a manifest folder as plain values with its ``sha256``; ``None`` without a folder.
    Errors as of :func:`vpcflow.manifest.head`."""
    if folder is None:
        return None
    last = head(folder)
    return {"sha256": last.sha256, **last.as_dict()}


def add_leaves(records: Iterable[dict[str, Any] | None], folder: str | os.PathLike[str] | None) -> None:
    """Adds to records the number of their object in a manifest as ``leaf``; ``None`` for one that it does not have."""
    known: dict[str, int | None] = {}
    for record in records:
        if record is None or folder is None:
            continue
        file = str(record.get("file", ""))
        if file not in known:
            try:
                known[file] = prove(folder, file)["index"]
            except ManifestError:
                known[file] = None
        record["leaf"] = known[file]
