"""The head of a manifest, for results to name what they are of."""

from __future__ import annotations

import importlib
import os
from typing import Any


def head_of(folder: str | os.PathLike[str] | None) -> dict[str, Any] | None:
    """Returns the last head of a manifest folder as plain values; ``None`` without a folder. Errors as of
    :func:`vpcflow.manifest.head`."""
    if folder is None:
        return None
    last = importlib.import_module("vpcflow.manifest").head(folder)
    return {"sha256": last.sha256, **last.as_dict()}
