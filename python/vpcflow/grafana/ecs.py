"""The names of fields in events of the Elastic Common Schema, as ``vpcflow send --as ecs`` writes them."""

from __future__ import annotations

import functools
from typing import Any

from .. import _core

START = "event.start"
BEFORE_GATEWAY = "source.nat.ip"  # the record's own source, where the packet has another


@functools.lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    rows = next(schema["rows"] for schema in _core.event_schemas() if schema["name"] == "ecs")
    names = {"srcaddr": "source.ip", "dstaddr": "destination.ip"}  # of the packet, where that is another
    same, own = ([row for row in rows if row["writes"] and row["reads"]], [row for row in rows if row["writes"]])
    for row in sorted(same, key=lambda row: row["reads"] != row["writes"]):
        names.setdefault(row["reads"], _path(row))
    for row in own:
        names.setdefault(row["writes"], _path(row))
    return names


def _path(row: dict[str, Any]) -> str:
    return str(row["pointer"])[1:].replace("/", ".")


def ecs(field: str) -> str:
    """Returns the name of a field of the catalogue, a path with dots.

    >>> ecs("srcaddr"), ecs("interface-id")
    ('source.ip', 'aws.vpcflow.interface_id')
    """
    return _names().get(field, f"aws.vpcflow.{field.replace('-', '_')}")
