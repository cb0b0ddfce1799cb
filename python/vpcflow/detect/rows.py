"""The rows of the detectors: what the engine says about each of them."""

from __future__ import annotations

from typing import Any

from .. import _core

#: A row a detector: ``name``, ``technique``, ``meaning``, ``method``, ``misses``, ``needs``, ``inputs``, ``settings``.
ROWS: list[dict[str, Any]] = _core.detectors()
#: The names of all detectors.
DETECTORS: tuple[str, ...] = tuple(row["name"] for row in ROWS)
#: Settings of all detectors; ``idle`` belongs to the sessions that :func:`vpcflow.detect` makes.
SHARED_SETTINGS: list[dict[str, Any]] = [
    *_core.shared_settings(),
    {"name": "idle", "type": "duration", "default": "10m", "unit": "", "meaning": "pause that ends a session"},
]


def all_settings() -> dict[str, dict[str, Any]]:
    """Returns the rows of all settings by name, each with the ``detectors`` that go by it (none: all)."""
    out = {row["name"]: {**row, "detectors": []} for row in SHARED_SETTINGS}
    for detector in ROWS:
        for row in detector["settings"]:
            out.setdefault(row["name"], {**row, "detectors": []})["detectors"].append(detector["name"])
    return out
