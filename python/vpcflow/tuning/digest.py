"""Digests of inventories, by which a proposal knows the state that it was made of."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..inventory import Inventory
from ..inventory.table import members

_KINDS = ("SecurityGroups", "SecurityGroupRules", "Entries", "PrefixLists")


def digest_of(inventory: Inventory) -> str:
    """Returns the digest of what a proposal depends on, as it is now: rules, prefix lists, and who has which groups."""
    found: dict[str, Any] = {kind: inventory.at(kind) for kind in _KINDS}
    found["Groups"] = {
        one: sorted(str(group.get("GroupId")) for group in members(item, "Groups"))
        for one, item in inventory.at("NetworkInterfaces").items()
    }
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()
