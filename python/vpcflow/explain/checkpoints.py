"""What the inventory's rules say of each place that a packet passes, and of its answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .._addresses import is_public
from .reading import Question

if TYPE_CHECKING:
    from ..reach import Interface, Network
    from ..typing import Permit
    from .tree import Judged

_ASKED = 32  # client ports of which the rules for answers are asked
#: Kinds of interfaces that have no security groups.
_WITHOUT_GROUPS = ("nat_gateway", "transit_gateway", "gateway_load_balancer", "gateway_load_balancer_endpoint")


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A place where rules or routes decide about a packet, and what they say."""

    #: ``client_group``, ``client_acl``, ``client_route``, ``server_acl``, ``server_group``, and for answers
    #: ``reply_server_acl``, ``reply_route``, ``reply_client_acl``.
    place: str
    #: ``security_group``, ``network_acl`` or ``route``.
    layer: str
    permit: Permit
    #: Ids of what allows, or of what denies: of groups without a rule that allows, the groups.
    ids: tuple[str, ...]
    #: As people say it.
    text: str
    #: The address and port that the rules were asked about.
    peer: str = ""
    port: int = 0
    interface: Interface | None = None
    #: Of a group the rules that nearly match, with what differs.
    missed: tuple[tuple[str, tuple[str, ...]], ...] = ()


#: The checkpoints that can be behind a verdict, in the order in which packets meet them.
BEHIND = {
    "blocked_at_client": ("client_group", "client_acl"), "lost_between": ("client_route",),
    "blocked_at_server": ("server_acl", "server_group"), "reply_blocked_server_acl": ("reply_server_acl",),
    "reply_lost": ("reply_route",), "reply_blocked_client_acl": ("reply_client_acl",),
}  # fmt: skip
_ORDER = ("client_group", "client_acl", "client_route", "server_acl", "server_group", "reply_server_acl",
          "reply_route", "reply_client_acl")  # fmt: skip
#: How far packets came with a verdict: what is before is allowed.
_REACHED = {
    "blocked_at_client": 0, "lost_between": 2, "blocked_at_server": 3, "silent_server": 5,
    "reply_blocked_server_acl": 5, "reply_lost": 6, "reply_blocked_client_acl": 7,
}  # fmt: skip


class Pair(NamedTuple):
    """One client and one server."""

    client: str
    server: str
    #: What the server's interface shows of the client, and the client's of the server: public addresses may be in
    #: place of private ones.
    client_as_seen: str
    server_as_seen: str
    #: Ports of the client, which decide about answers; none: any of the usual ones.
    ports: tuple[int, ...]


def checkpoints(network: Network, question: Question, pair: Pair) -> list[Checkpoint]:
    """Asks the rules and routes about one client and one server. Ends that the inventory lacks are left out."""
    here, there = _interface(network, question.client, pair.client), _interface(network, question.server, pair.server)
    client, server, ports = pair.client_as_seen, pair.server_as_seen, pair.ports
    out: list[Checkpoint] = []
    same_subnet = here is not None and there is not None and here.subnet == there.subnet and here.subnet != ""
    protocol, port = question.protocol, question.port or 0
    if here is not None:
        out += _group(network, here, "client_group", "egress", server, protocol, port)
        if not same_subnet:
            out += _acl(network, here, "client_acl", "egress", server, protocol, [port])
            out += _route(network, here, "client_route", server)
    if there is not None:
        if not same_subnet:
            out += _acl(network, there, "server_acl", "ingress", client, protocol, [port])
        out += _group(network, there, "server_group", "ingress", client, protocol, port)
        if not same_subnet:
            replies = _reply_ports(protocol, ports)
            out += _acl(network, there, "reply_server_acl", "egress", client, protocol, replies)
            out += _route(network, there, "reply_route", client)
    if here is not None and not same_subnet:
        out += _acl(network, here, "reply_client_acl", "ingress", server, protocol, _reply_ports(protocol, ports))
    return sorted(out, key=lambda one: _ORDER.index(one.place))


def passed(found: Sequence[Checkpoint], verdict: str) -> list[Checkpoint]:
    """Returns the checkpoints that packets passed with a verdict."""
    reached = _ORDER[: _REACHED.get(verdict, len(_ORDER))]
    return [one for one in found if one.place in reached and one.permit == "allow" and one.layer != "route"]


def pairs_of(judged: Sequence[Judged]) -> list[Pair]:
    """Returns the clients and servers of attempts, those with most attempts first."""
    by_ends: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        by_ends.setdefault((one.attempt.client, one.attempt.server), []).append(one)
    out = []
    for (client, server), own in sorted(by_ends.items(), key=lambda item: (-len(item[1]), item[0])):
        ports = {one.attempt.client_port for one in own} - {None}
        entries = [entry for one in own for entry in one.attempt.entries]
        at_server = [e.row["pkt_srcaddr"] or e.row["srcaddr"] for e in entries if e.forward and e.side == "server"]
        at_client = [e.row["pkt_dstaddr"] or e.row["dstaddr"] for e in entries if e.forward and e.side == "client"]
        seen = next(iter(at_server), client), next(iter(at_client), server)
        out.append(Pair(client, server, *seen, tuple(sorted(filter(None, ports))[:_ASKED])))
    return out


def _reply_ports(protocol: int, ports: Sequence[int]) -> list[int]:
    return (list(ports[:_ASKED]) or [49152]) if protocol in (6, 17) else [0]


def _interface(network: Network, end: object, address: str) -> Interface | None:
    found = network.at_address(address)
    own = [one for one in found if one.id in end.interfaces]  # type: ignore[attr-defined]
    return own[0] if own else found[0] if len(found) == 1 else None


def _group(
    network: Network, interface: Interface, place: str, direction: str, peer: str, protocol: int, port: int
) -> list[Checkpoint]:
    if not interface.groups or interface.kind in _WITHOUT_GROUPS:
        return []
    if interface.kind == "network_load_balancer" and direction == "egress":
        return []
    answer = network.security(interface, direction).ask(peer, protocol, port)  # type: ignore[arg-type]
    ids = interface.groups if answer.permit == "deny" else answer.rules or answer.maybe
    name = " and ".join(interface.groups)
    return [
        Checkpoint(
            place, "security_group", answer.permit, tuple(ids), f"security group {name} of {interface.id}",
            peer, port, interface, answer.missed[:5] if answer.permit == "deny" else (),
        )
    ]  # fmt: skip


def _acl(
    network: Network, interface: Interface, place: str, direction: str, peer: str, protocol: int, ports: Sequence[int]
) -> list[Checkpoint]:
    acl = network.acl(interface.subnet, direction)  # type: ignore[arg-type]
    answers = [(acl.ask(peer, protocol, port), port) for port in ports]
    worst, port = min(answers, key=lambda pair: ("deny", "maybe", "allow").index(pair[0].permit))
    ids = worst.rules if worst.permit == "deny" else dict.fromkeys(
        one for answer, _ in answers for one in answer.rules or answer.maybe
    )  # fmt: skip
    text = f"network ACL {acl.id or '(not in the inventory)'} of {interface.subnet} ({direction})"
    return [Checkpoint(place, "network_acl", worst.permit, tuple(ids), text, peer, port, interface)]


def _route(network: Network, interface: Interface, place: str, address: str) -> list[Checkpoint]:
    route = network.route(interface.subnet, address)
    if not route.table:
        return [Checkpoint(place, "route", "maybe", (), "route table (not in the inventory)", address, 0, interface)]
    permit: Permit = "allow"
    if route.target is None or route.blackhole:
        permit = "deny" if route.certain else "maybe"
    if route.target is not None and route.target.startswith("igw-") and not interface.public and ":" not in address:
        permit = "deny" if route.certain else "maybe"  # an internet gateway forwards what has a public address
    what = "no route" if route.target is None else f"{route.destination} to {route.target}"
    gone = ", a blackhole" if route.blackhole else ""
    if route.target is not None and route.target.startswith("igw-") and permit != "allow":
        gone = ", and the interface has no public address"
    text = f"route table {route.table} of {interface.subnet}: {what}{gone}"
    return [Checkpoint(place, "route", permit, (route.table,), text, address, 0, interface)]


def is_internet(address: str) -> bool:
    """Tells whether an address is one that VPCs reach by an internet gateway or NAT."""
    return is_public(address)
