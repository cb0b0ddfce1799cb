"""What the ends of edges are called: addresses, names of an inventory, labels of the user's, or services alone."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Any, Union

from .._addresses import PRIVATE
from .._hints import hint
from ..errors import ArgumentError, PlanError
from ..inventory.inventory import Inventory, inventory
from ..inventory.names import NAMINGS, names_of
from ..labels.prefixes import Labels, prefixes
from ..query.flows import Flows

#: What ``by=`` takes: a word, or a table of labels for addresses.
By = Union[str, Labels, Mapping[str, str], None]
#: What ``inventory=`` takes.
Given = Union[Inventory, str, "os.PathLike[str]", None]
#: In place of a client, where all of them are one.
ANY = "*"
_WORDS = ("address", "service", *NAMINGS, "tag:KEY")
# Of those who own them: private, shared (of carriers) and link-local addresses. Python's is_private has those of
# documents, too, which logs of tests have for strangers.
_INSIDE = [
    ipaddress.ip_network(text)
    for text in (*PRIVATE, "169.254.0.0/16", "fe80::/10")
]
_LATENCY = ("latency", "rtt", "round_trip", "roundtrip", "response_time", "duration", "delay", "slow")
NO_LATENCY = (
    "latency: flow logs have whole seconds and no round trip, so they cannot show it; CloudWatch Network Flow Monitor "
    "has it (ROUND_TRIP_TIME), as do the access logs of load balancers (target_processing_time) and traces"
)


def inventory_of(given: Given) -> Inventory | None:
    """Returns an inventory, read if a folder is given."""
    return given if given is None or isinstance(given, Inventory) else inventory(given)


def is_inside(name: str) -> bool:
    """Tells whether a client is inside: its address is private, or it has a name."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name != ANY
    return any(address in network for network in _INSIDE)


class Naming:
    """How ends of edges are named, as ``by=`` says."""

    def __init__(self, by: By, known: Inventory | None) -> None:
        self.any_client = by == "service"
        self._table: Labels | None = None
        if by is None or by in ("address", "service"):
            # The services of those who run them have names where an inventory tells them.
            self._table = names_of(known, "name") if self.any_client and known is not None else None
        elif isinstance(by, Labels):
            self._table = by
        elif isinstance(by, Mapping):
            self._table = prefixes(by)
        elif not isinstance(by, str):
            raise ArgumentError(f"by={by!r:.100}: a word or a table of labels is needed; write by='service'")
        elif by.lower().replace("-", "_") in _LATENCY:
            raise PlanError(NO_LATENCY)
        elif by not in NAMINGS and not by.startswith("tag:"):
            raise PlanError(f"by={by!r}: no such grouping; {hint(by, _WORDS)}")
        elif known is None:
            raise PlanError(f"by={by!r} takes names from an inventory: give inventory='DIR' (--inventory DIR), too")
        else:
            self._table = names_of(known, by)

    def labelled(self, records: Flows) -> tuple[Flows, list[str]]:
        """Adds the columns of names to records of sessions, and returns the keys that name client and server."""
        if self._table is None:
            return records, []
        both = records.label("client_name", "srcaddr", self._table).label("server_name", "dstaddr", self._table)
        return both, ["client_name", "server_name"]

    def ends(self, client: Any, server: Any, client_name: Any, server_name: Any) -> tuple[str, str]:
        """Returns what both ends are called."""
        return ANY if self.any_client else str(client_name or client), str(server_name or server)
