"""The answer in words: one sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from .._display import instant, protocol_names
from .._words import count
from .causes import Causes
from .checkpoints import Checkpoint, Pair
from .seeing import Seeing
from .settling import Settled

_LATENCY = "Flow logs have whole seconds and no round trip, so they cannot say whether it is slow"


@dataclasses.dataclass(frozen=True)
class Told:
    """What is told: the verdict with all that is behind it."""

    settled: Settled
    seeing: Seeing
    causes: Causes
    #: Client, server and client ports, those with most attempts first.
    pairs: Sequence[Pair]
    attempts: int
    late: int
    at: int | None

    @property
    def affected(self) -> int:
        """How many attempts went as the verdict says."""
        return sum(bool(one.attempt.entries) for one in self.settled.attempts)

    @property
    def service(self) -> str:
        """The service asked about: ``tcp 443``, ``icmp``."""
        question = self.seeing.question
        name = protocol_names().get(question.protocol, f"protocol {question.protocol}").lower()
        return name if question.port is None else f"{name} {question.port}"

    @property
    def ends(self) -> str:
        """Both ends: ``10.0.1.5 (web-1) to 10.0.2.9 (db-1)``."""
        question = self.seeing.question
        clients, servers = {pair[0] for pair in self.pairs}, {pair[1] for pair in self.pairs}
        one = question.client.name_of(next(iter(clients))) if len(clients) == 1 else question.client.text
        other = question.server.name_of(next(iter(servers))) if len(servers) == 1 else question.server.text
        return f"{one} to {other}"

    @property
    def span(self) -> str:
        """When the attempts were made, or what time the logs are of."""
        logs = self.seeing.logs
        times = [(one.attempt.start, one.attempt.end) for one in self.settled.attempts]
        if times:
            start, end = min(t[0] for t in times), max(t[1] for t in times)
        else:
            between = self.seeing.question.between or (logs.start or 0, logs.end or 0)
            start, end = max(between[0], logs.start or 0), min(between[1], logs.end or between[1])
        if not start:
            return "at times that the logs do not have"
        first, last = instant(start), instant(end)
        return f"{first} to {last[11:] if last[:10] == first[:10] else last} UTC"

    def interfaces(self, side: str) -> str:
        """Names the interfaces of a side."""
        found: dict[str, None] = {}
        for one in self.settled.attempts:
            for entry in one.attempt.entries:
                if entry.side == side and entry.row["interface_id"]:
                    found[entry.row["interface_id"]] = None
        names = list(found)
        return names[0] if len(names) == 1 else f"{len(names)} interfaces" if names else ""

    def place(self, side: str, direction: str = "") -> str:
        """Names a side's interface: ``the server's interface (eni-1, egress)``."""
        about = ", ".join(filter(None, (self.interfaces(side), direction)))
        return f"the {side}'s interface ({about})" if about else f"the {side}'s interface"


def sentence_of(told: Told) -> str:
    """Returns the answer in one or two sentences."""
    settled = told.settled
    text = _SENTENCES[settled.verdict](told)
    if not told.attempts and settled.verdict not in ("not_sent", "cannot_tell", "late_packet"):
        text = _by_rules_alone(told)
    if not settled.certain and settled.verdict not in _SAY_SO:
        text = f"Likely, not proven: {text}"
    if settled.since is not None and settled.before is not None:
        text += f" Until {instant(settled.since)} UTC it was otherwise ({settled.before})."
    if told.late and settled.verdict != "late_packet":
        text += f" {count(told.late, 'record')} of late packets left out: they came after their connection ended."
    return text


def _tries(told: Told) -> str:
    """``12 of 12 attempts from A to B (tcp 443)``."""
    whole = count(told.attempts, "attempt")
    part = f"{told.affected:,} of {whole}" if told.affected != told.attempts else whole
    return f"{part} from {told.ends}, {told.service},"


def _works(told: Told) -> str:
    certain = "" if told.settled.certain else " so far as the logs show"
    return f"{_tries(told)} got an answer{certain}, {told.span}. {_LATENCY}."


def _not_sent(told: Told) -> str:
    seeing = told.seeing
    other = seeing.logs.other_ports
    text = f"The logs have no packet from {told.ends} at {told.service}, {told.span}"
    if told.settled.certain:
        text = f"The client never tried: its interface logged no packet from {told.ends} at {told.service}, {told.span}"
    if other:
        ports = ", ".join(str(port) for port in sorted(other))
        return f"{text}; it did try {'port' if len(other) == 1 else 'ports'} {ports} there."
    if seeing.logs.of_client:
        text += f"; the client's addresses are in {count(seeing.logs.of_client, 'other record')}"
    return f"{text}."


def _by_rules_alone(told: Told) -> str:
    """Says what rules would do to packets of which the logs have none."""
    cause = _cause(told, "the rules do not tell why")
    return f"The logs have no packet from {told.ends}, {told.service}, {told.span}; {cause}."


def _cause(told: Told, otherwise: str) -> str:
    """Says which rules deny, or why none can be named."""
    denying = told.causes.denying
    if told.causes.layer == "block_public_access":
        return "VPC Block Public Access rejects it"
    if denying:
        when = "the rules of now" if told.causes.of_now else "the rules"
        return f"by {when}, {' and '.join(dict.fromkeys(map(_denial, denying)))}"
    if told.causes.rules_changed:
        return "the inventory's rules allow it, so they were others when AWS decided"
    return otherwise


def _denial(one: Checkpoint) -> str:
    if one.layer == "security_group":
        groups = " and ".join(one.ids)
        return f"no rule of {groups} allows it"
    if one.layer == "network_acl":
        if not one.ids:
            return "the network ACL of the subnet denies it (which entry, the inventory does not tell)"
        acl, _, number = one.ids[0].partition("#")
        if number in ("32767", "32768"):
            return f"no entry of network ACL {acl} allows it, so its last one ({one.ids[0]}) denies it"
        return f"network ACL entry {one.ids[0]} denies it"
    return one.text


def _blocked(side: str, direction: str, told: Told) -> str:
    where = f"at {told.place(side, direction)}"
    cause = _cause(told, "a security group or network ACL there denies it; the inventory does not tell which")
    return f"AWS rejected {_tries(told)} {where}, {told.span}: {cause}."


def _reply_blocked(side: str, direction: str, told: Told) -> str:
    ports = sorted({port for pair in told.pairs for port in pair.ports})
    observed = f" The client's ports were {ports[0]} to {ports[-1]}." if len(ports) > 1 else (
        f" The client's port was {ports[0]}." if ports else ""
    )  # fmt: skip
    where = f"at {told.place(side, direction)}"
    cause = _cause(told, "security groups let answers through, so it is the network ACL of that subnet")
    return f"{_tries(told)} arrived, but AWS rejected the answers {where}, {told.span}: {cause}.{observed}"


def _lost(told: Told) -> str:
    where = f"left {told.place('client')} and never reached the server's"
    cause = _cause(told, "a route, peering, transit gateway or firewall on the way, or another host has the address")
    return f"{_tries(told)} {where}, {told.span}: {cause}."


def _silent(told: Told) -> str:
    return (
        f"{_tries(told)} reached {told.place('server')} and were let in, and it sent no "
        f"answer, {told.span}: its host firewall drops them, or the program or host hangs."
    )


def _no_listener(told: Told) -> str:
    hedge = "" if told.settled.certain else " (or something on the way did)"
    return (
        f"{_tries(told)} reached the server, which answered with a reset{hedge}, {told.span}: nothing listens at that "
        "port, unless a firewall or proxy on the host resets in its place."
    )


def _reply_lost(told: Told) -> str:
    cause = _cause(told, "the way back is another one (asymmetric routes), or something on it drops answers")
    return (
        f"{_tries(told)} were answered at {told.place('server')}, but no answer reached the client's "
        f"interface, {told.span}: {cause}."
    )


def _cut(told: Told) -> str:
    idle = sorted(one.idle for one in told.settled.attempts if one.idle is not None)
    after = f" after {idle[len(idle) // 2]:,} seconds without a packet" if idle else ""
    hint = ""
    if idle and 340 <= idle[len(idle) // 2] <= 365:
        hint = " About 350 s is the idle timeout of NAT gateways, load balancers, and security groups of new instances."
    return f"{_tries(told)} came about and then ended in a reset, a REJECT or silence{after}, {told.span}.{hint}"


def _mtu(told: Told) -> str:
    if told.seeing.lost_by_mtu:
        proof = f"a transit gateway counted {told.seeing.lost_by_mtu:,} packets that were larger than its MTU"
    else:
        proof = "suspected only: a transit gateway's packets-lost-mtu-exceeded, or a ping of full size, would prove it"
    return (
        f"{_tries(told)} came about with small packets, but large ones left one end and never reached the other, "
        f"{told.span}: {proof}."
    )


def _intermittent(told: Told) -> str:
    found = told.settled.explained_by
    text = f"{_tries(told)} failed, {told.span}"
    kinds = {one.only or one.likely for one in told.settled.attempts} - {None}
    how = f" ({', '.join(sorted(map(str, kinds)))})" if kinds else ""
    if found is None:
        return f"{text}{how}; no one client, server, zone or minute has most of the failures."
    cause = _cause(told, "")
    why = f": {cause}" if cause else ""
    return f"{text}{how}; {float(str(found['share'])):.0%} of them are of {found['dimension']} {found['value']}{why}."


def _late(told: Told) -> str:
    return (
        f"Between {told.ends} at {told.service} the logs have only rejected packets that ask for no connection "
        f"({count(told.late, 'record')}): they came after their connection had ended, and are harmless."
    )


def _cannot_tell(told: Told) -> str:
    why = told.settled.doubts[0] if told.settled.doubts else ""
    if told.attempts:
        text = f"The logs have {_tries(told)} {told.span}, but do not show what became of that"
    else:
        text = f"The logs cannot tell whether {told.ends} at {told.service} was tried"
    return f"{text}: {why}." if why else f"{text}."


#: Verdicts whose sentences say for themselves what is not certain.
_SAY_SO = ("works", "not_sent", "mtu_suspected", "cannot_tell", "late_packet")
_SENTENCES: dict[str, Callable[[Told], str]] = {
    "works": _works, "not_sent": _not_sent, "lost_between": _lost, "silent_server": _silent,
    "no_listener": _no_listener, "reply_lost": _reply_lost, "cut_after": _cut, "mtu_suspected": _mtu,
    "intermittent": _intermittent, "late_packet": _late, "cannot_tell": _cannot_tell,
    "blocked_at_client": lambda told: _blocked("client", "egress", told),
    "blocked_at_server": lambda told: _blocked("server", "ingress", told),
    "reply_blocked_server_acl": lambda told: _reply_blocked("server", "egress", told),
    "reply_blocked_client_acl": lambda told: _reply_blocked("client", "ingress", told),
}  # fmt: skip
