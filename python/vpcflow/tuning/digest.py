"""Digests of inventories, by which a proposal knows the state that it was made of."""

from __future__ import annotations

import hashlib
import json

from ..inventory import Inventory

_KINDS = ("NetworkInterfaces", "SecurityGroups", "SecurityGroupRules", "Entries", "PrefixLists")


def digest_of(inventory: Inventory) -> str:
    """Returns the digest of the answers that rules depend on, as they are now."""
    found = {kind: inventory.at(kind) for kind in _KINDS}
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()
