"""Records as attempts: the packets of one connection, as each interface on the way saw them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Literal

from .reading import Logs, Question, Row

FIN, SYN, RST, ACK = 1, 2, 4, 16
#: Where an interface stands: at the client, at the server, on the way, or at one of both ends, nobody knows at which.
Side = Literal["client", "server", "between", "either"]
#: Seconds without a packet after which a SYN begins another connection of the same ports.
_ANEW = 900
#: Seconds within which packets of a closed connection still arrive.
LATE = 600


@dataclasses.dataclass
class Entry:
    """A record of an attempt."""

    row: Row
    forward: bool  # from client to server
    side: Side
    #: Whether it may be of something else: another address of the same interface, or another port.
    is_doubtful: bool

    @property
    def start(self) -> int:
        """Unix seconds of its first packet; 0 where logs have no times."""
        return int(self.row["start"] or 0)

    @property
    def end(self) -> int:
        """Unix seconds of its last packet."""
        return max(int(self.row["end"] or 0), self.start)

    @property
    def flags(self) -> int | None:
        """TCP flags of all its packets; ``None``: the logs have none."""
        flags = self.row["tcp_flags"]
        return None if flags is None else int(flags)

    @property
    def opens(self) -> bool:
        """Whether one of its packets asks for a connection."""
        return self.forward and bool((self.flags or 0) & SYN)

    @property
    def is_accepted(self) -> bool:
        return bool(self.row["action"] == "ACCEPT")

    @property
    def is_rejected(self) -> bool:
        return bool(self.row["action"] == "REJECT")

    @property
    def size(self) -> float | None:
        """Mean bytes of its packets."""
        packets, size = self.row["packets"], self.row["bytes"]
        return None if not packets or size is None else size / packets


@dataclasses.dataclass
class Attempt:
    """The records of one connection, in the order of time; ``late``: those of it that came after its end."""

    client: str
    server: str
    client_port: int | None
    protocol: int
    entries: list[Entry]
    late: list[Entry] = dataclasses.field(default_factory=list)
    #: Whether a REJECT without flags may be of packets that came after the end.
    may_be_late: bool = False
    #: Whether what came before these records is not in the logs.
    begins_before: bool = False

    @property
    def start(self) -> int:
        """Unix seconds of its first packet."""
        return min(entry.start for entry in (self.entries or self.late))

    @property
    def end(self) -> int:
        """Unix seconds of its last packet."""
        return max(entry.end for entry in (self.entries or self.late))

    def of(self, forward: bool, side: Side | None = None) -> list[Entry]:
        """Returns its records of one direction, at one side or anywhere."""
        return [e for e in self.entries if e.forward == forward and (side is None or e.side == side)]

    @property
    def has_flags(self) -> bool:
        """Whether all its records have TCP flags."""
        return all(entry.flags is not None for entry in (*self.entries, *self.late))


def attempts_of(logs: Logs, question: Question) -> list[Attempt]:
    """Joins records to attempts, in the order of time, with late packets taken out. O(records log records)."""
    by_ports: dict[tuple[str, str, int | None], list[Entry]] = {}
    for row in logs.rows:
        found = _entry(row, logs, question)
        if found is not None:
            key, entry = found
            by_ports.setdefault(key, []).append(entry)
    out = []
    for (client, server, port), entries in by_ports.items():
        entries.sort(key=lambda entry: (entry.start, entry.end, not entry.forward))
        for part in _parts(entries, question.protocol):
            if question.protocol == 6 and _is_reversed(part):
                continue
            attempt = Attempt(client, server, port, question.protocol, part)
            _take_out_late(attempt)
            out.append(attempt)
    return sorted(out, key=lambda one: (one.start, one.client, one.server, one.client_port or 0))


def _is_reversed(entries: list[Entry]) -> bool:
    """Tells whether the server called the client, from the port that is asked about: another conversation."""
    asks = {entry.forward for entry in entries if ((entry.flags or 0) & (SYN | ACK)) == SYN}
    return asks == {False}


def _entry(row: Row, logs: Logs, question: Question) -> tuple[tuple[str, str, int | None], Entry] | None:
    """Returns the connection that a record is of, and the record; ``None`` if it is not of the question."""
    interface = row["interface_id"]
    if interface in question.twins:
        return None
    for forward in (True, False):
        source, target = (question.client, question.server) if forward else (question.server, question.client)
        if question.has_ports:
            own = row["dstport" if forward else "srcport"]
            if own is not None and own != question.port:
                continue
        one = source.address_of(row["srcaddr"], row["pkt_srcaddr"], interface)
        other = target.address_of(row["dstaddr"], row["pkt_dstaddr"], interface)
        if one is None or other is None:
            continue
        client, server = (one[0], other[0]) if forward else (other[0], one[0])
        port = row["srcport" if forward else "dstport"] if question.has_ports else None
        side = side_of(row, forward, logs, question)
        ambiguous = one[0] in source.ambiguous or other[0] in target.ambiguous
        ambiguous |= interface is None and bool(question.twins)
        vague = (
            ambiguous or row["protocol"] is None or (question.has_ports and None in (row["srcport"], row["dstport"]))
        )
        return (client, server, port), Entry(row, forward, side, one[1] or other[1] or vague)
    return None


def side_of(row: Row, forward: bool, logs: Logs, question: Question) -> Side:
    """Tells at which end the interface of a record is."""
    interface = row["interface_id"]
    at_client, at_server = interface in question.client.interfaces, interface in question.server.interfaces
    direction = row["flow_direction"]
    sends: Side = "client" if forward else "server"
    takes: Side = "server" if forward else "client"
    if at_client != at_server:
        return "client" if at_client else "server"
    if at_client:  # both ends at one interface
        return sends if direction == "egress" else takes if direction == "ingress" else "either"
    if row["tgw_attachment_id"] or row["interface_type"] in _MIDDLE:
        return "between"
    if (question.client.interfaces or question.server.interfaces) and interface in question.others:
        return "between"
    changed = [row[f"pkt_{name}"] not in (None, row[name]) for name in ("srcaddr", "dstaddr")]
    if any(changed):
        return "between"  # it shows its own address, which neither end has
    if direction in ("ingress", "egress"):
        return sends if direction == "egress" else takes
    owner = logs.interfaces[interface].owner if interface is not None and interface in logs.interfaces else None
    return "client" if owner == "client" else "server" if owner == "server" else "either"


_MIDDLE = (
    "nat_gateway", "natGateway", "regional_nat_gateway", "regionalNatGateway", "transit_gateway", "transitGateway",
    "gateway_load_balancer_endpoint", "gatewayLoadBalancerEndpoint",
)  # fmt: skip


def _parts(entries: list[Entry], protocol: int) -> Iterable[list[Entry]]:
    """Cuts the records of the same ports where another connection begins."""
    part: list[Entry] = []
    last = 0
    for entry in entries:
        gap = entry.start - last
        if part and _begins_anew(part, entry, gap, protocol):
            yield part
            part = []
        part.append(entry)
        last = max(last, entry.end)
    if part:
        yield part


def _begins_anew(part: list[Entry], entry: Entry, gap: int, protocol: int) -> bool:
    if protocol != 6:
        return gap > LATE
    if not entry.opens:
        return False
    closed = any((one.flags or 0) & (FIN | RST) for one in part)
    return gap > _ANEW or (closed and gap > 30)


def _take_out_late(attempt: Attempt) -> None:
    """Takes out REJECTs of packets that came after the connection had ended: they are harmless."""
    if attempt.protocol != 6:
        return
    opened = any(entry.opens for entry in attempt.entries)
    attempt.begins_before = attempt.has_flags and not opened
    kept: list[Entry] = []
    for entry in attempt.entries:
        if not entry.is_rejected:
            kept.append(entry)
            continue
        before = [one for one in attempt.entries if one.start <= entry.start and one is not entry]
        here = entry.row["interface_id"]
        accepted = any(
            one.is_accepted and one.forward == entry.forward and one.row["interface_id"] == here for one in before
        )
        if entry.flags is None:
            if accepted:  # it may be the end of a connection, or a rule that was taken away
                attempt.may_be_late = True
                attempt.late.append(entry)
            else:
                kept.append(entry)
            continue
        ended = any(
            (one.flags or 0) & (FIN | RST) and entry.start - one.end <= LATE for one in before if one.is_accepted
        )
        begins = bool(entry.flags & SYN) or (not entry.forward and opened and not accepted)
        if ended and not begins:
            attempt.late.append(entry)
        elif not begins and not accepted and not opened:
            attempt.may_be_late = True
            attempt.late.append(entry)
        else:
            kept.append(entry)
    attempt.entries = kept
