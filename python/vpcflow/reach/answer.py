"""What rules and routes answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ..typing import Permit


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the rules of an interface or of a subnet say of a packet in one direction."""

    #: ``maybe``: what is known of the packet or of the rules does not decide it.
    permit: Permit
    #: Ids of all rules of security groups that allow it; of a network ACL the one entry that decides.
    rules: tuple[str, ...]
    #: Ids of those that would, if what is not known is so.
    maybe: tuple[str, ...]
    _missed: Callable[[], tuple[tuple[str, tuple[str, ...]], ...]]

    @property
    def missed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Of each rule that is about other packets its id and what differs: ``protocol``, ``port``, ``icmp``,
        ``peer``; those that miss by least first. O(rules x prefixes)."""
        return self._missed()


@dataclasses.dataclass(frozen=True)
class RouteAnswer:
    """Where a route table sends a packet."""

    #: Id of the table; ``""``: the inventory has none for the subnet.
    table: str
    #: As AWS names it: ``local``, ``igw-...``, ``nat-...``, ``tgw-...``, ``pcx-...``, ``eni-...``; ``None``: no route.
    target: str | None
    #: The prefix or prefix list of the route; ``""`` without one.
    destination: str
    #: Whether the target is gone: packets are dropped.
    blackhole: bool
    #: Whether no route of unknown destinations could be a longer one, and the table is known.
    certain: bool
