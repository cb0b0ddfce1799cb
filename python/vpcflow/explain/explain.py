"""Answers why one host cannot reach another: :func:`explain`."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from .._units import unix_seconds
from ..errors import ArgumentError, PlanError
from ..inventory.inventory import Inventory
from ..inventory.inventory import inventory as inventory_of
from ..query.flows import Flows
from ..query.scan import scan
from ..reach import Network
from ..typing import Input, Instant
from .attempts import Attempt, attempts_of
from .causes import causes_of
from .checkpoints import BEHIND, Checkpoint, Pair, checkpoints, pairs_of
from .ends import End, end_of
from .evidence import evidence_of, vantage_of
from .explanation import Explanation
from .reading import Logs, Question, read, read_coverage
from .remedy import change_of, check_of
from .seeing import Seeing, traffic_types
from .settling import AROUND, Settled, settle
from .targets import targets_of
from .telling import Told, sentence_of
from .tree import Judged, judge
from .unsent import settle_unsent
from .verdicts import VERDICTS
from .words import ruled_out

_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
_MOST_INTERFACES = 1000  # whose coverage is read


def explain(
    flows: Flows | Input,
    src: str,
    dst: str,
    port: int | None = None,
    *,
    proto: str | int = "tcp",
    at: Instant | None = None,
    inventory: Inventory | str | os.PathLike[str] | None = None,
) -> Explanation:
    """Explains why ``src`` cannot reach ``dst``, or that it can, by what AWS logged at four places: where the client
    sends and the server receives, and the same for the answer.

    ``flows``: a query of :func:`vpcflow.scan`, or what that takes. ``src``, ``dst``: an address, private or public, a
    CIDR, or with an ``inventory`` also the id or name of an interface, instance or group. ``port``: of the server; ICMP
    has none. ``proto``: ``"tcp"``, ``"udp"``, ``"icmp"``, ``"icmpv6"`` or a number. ``at``: the time asked about, of
    which a quarter of an hour around counts; by default all records do. ``inventory``: a folder of answers of describe
    calls, or :func:`vpcflow.inventory` of it; without it no rule can be named, and less is certain.

    Reads the logs twice, the second time for their coverage; for a load balancer once more. Memory: 1 KB for each
    record between both ends, of which the first 200,000 count. Errors: :class:`~vpcflow.PlanError` for an end that the
    inventory does not have, with the nearest name; those of :meth:`vpcflow.Flows.collect`.

    >>> import vpcflow as vf
    >>> log = b"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags "
    >>> log += b"flow-direction log-status\\n"
    >>> log += b"eni-2 10.0.1.5 10.0.2.9 40000 5432 6 3 180 1795413600 1795413659 REJECT 2 ingress OK\\n"
    >>> log += b"eni-2 10.0.1.5 10.0.2.9 40000 443 6 9 980 1795413600 1795413659 ACCEPT 3 ingress OK\\n"
    >>> found = vf.explain(log, "10.0.1.5", "10.0.2.9", 5432)
    >>> found.verdict, found.certain
    ('blocked_at_server', True)
    """
    scanned = flows if isinstance(flows, Flows) else scan(flows)
    known = _inventory(inventory)
    when = unix_seconds("at", at)
    network = Network.at(known, when) if known is not None else None
    question = _question(src, dst, port, proto, when, network)
    logs = read(scanned, question)
    vpcs = known.at("Vpcs", when) if known is not None else {}
    seeing = Seeing(logs, question, network, traffic_types(known, network), vpcs)
    attempts = [one for one in attempts_of(logs, question) if _is_meant(one, question)]
    wanted = {*question.client.interfaces, *question.server.interfaces}
    wanted |= {e.row["interface_id"] for one in attempts for e in one.entries if e.row["interface_id"]}
    read_coverage(scanned, logs, sorted(wanted)[:_MOST_INTERFACES])
    judged = [judge(one, seeing) for one in attempts]
    if any(one.contradicts for one in judged):
        seeing.has_holes = True
        judged = [judge(one, seeing) for one in attempts]
    seeing.targets = targets_of(scanned, question, attempts)
    rules = _Rules(question, network)
    inside = logs.start is None or when is None or logs.start <= when <= (logs.end or 0)
    if judged and inside:
        settled = _guarded(settle(judged, seeing, when, rules.hint), seeing)
    else:
        settled = settle_unsent(seeing, rules.hint, inside)
    return _explanation(settled, judged, seeing, known, when, rules)


def _is_meant(one: Attempt, question: Question) -> bool:
    """Tells whether an attempt is of the time asked for."""
    return question.between is None or not one.start or (
        one.start < question.between[1] and one.end >= question.between[0]
    )  # fmt: skip


def _inventory(given: Any) -> Inventory | None:
    if given is None or isinstance(given, Inventory):
        return given
    if not isinstance(given, (str, os.PathLike)):
        raise ArgumentError(f"explain: inventory={given!r:.60}: expected a folder, or vpcflow.inventory(folder)")
    return inventory_of(given)


def _question(
    src: str, dst: str, port: int | None, proto: str | int, at: int | None, network: Network | None
) -> Question:
    protocol = _PROTOCOLS.get(str(proto).lower())
    if protocol is None:
        try:
            protocol = int(str(proto))
        except ValueError:
            protocol = -1
    if not 0 <= protocol <= 255:
        raise PlanError(f"explain: proto={proto!r}: expected one of {', '.join(_PROTOCOLS)} or a number up to 255")
    if protocol in (6, 17):
        if port is None:
            raise PlanError("explain: port is needed for tcp and udp; write explain(flows, src, dst, 443)")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
            raise PlanError(f"explain: port={port!r}: expected a number from 0 to 65535")
    for name, value in (("src", src), ("dst", dst)):
        if not isinstance(value, str) or not value.strip():
            raise ArgumentError(f"explain: {name}={value!r:.60}: expected a text such as '10.0.1.5' or 'web-1'")
    client, server = end_of(src, "from", network), end_of(dst, "to", network)
    others = frozenset(network.interfaces if network else ()) - {*client.interfaces, *server.interfaces}
    between = None if at is None else (at - AROUND, at + AROUND)
    owned = {*client.owners, *server.owners}
    there = (one for address in owned for one in network.at_address(address)) if network else ()
    twins = frozenset(one.id for one in there if one.id in others)
    return Question(client, server, port if protocol in (6, 17) else None, protocol, between, others, twins)


class _Rules:
    """The rules of the inventory, asked about the ends of attempts; each pair once."""

    def __init__(self, question: Question, network: Network | None) -> None:
        self._question, self.network = question, network
        self._known: dict[tuple[Any, ...], list[Checkpoint]] = {}

    def of(self, pair: Pair, network: Network | None = None) -> list[Checkpoint]:
        """Returns what the rules say at each checkpoint; empty without an inventory."""
        network = network or self.network
        if network is None or network.interfaces == {}:
            return []
        key = (pair, id(network))
        if key not in self._known:
            self._known[key] = checkpoints(network, self._question, pair)
        return self._known[key]

    def hint(self, one: Judged | None, possible: frozenset[str]) -> str | None:
        """Names the verdict that the rules speak for, of some."""
        found = self.of(pairs_of([one])[0] if one is not None else _asked_pair(self._question))
        for name, places in BEHIND.items():
            if name in possible and any(c.place in places and c.permit == "deny" for c in found):
                return name
        return None


def _asked_pair(question: Question) -> Pair:
    """Returns the pair that is asked about, where no attempt shows one."""
    client, server = _one(question.client), _one(question.server)
    return Pair(client, server, client, server, ())


def _one(end: End) -> str:
    """Returns an address of an end."""
    private = [address for address in end.owners if address not in end.private]
    return next(iter(private), str(end.prefixes[0].network_address) if end.prefixes else "")


def _may_miss(settled: Settled, seeing: Seeing) -> str:
    """Returns why attempts may have been made that the logs do not show; empty: they show all."""
    return seeing.why_some_may_fail(one.attempt for one in settled.attempts)


def _hidden(settled: Settled, seeing: Seeing) -> str:
    """Returns why attempts that went otherwise may be hidden, as logs have one action alone; empty: none are."""
    interfaces = {
        entry.row["interface_id"]
        for one in settled.attempts for entry in (*one.attempt.entries, *one.attempt.late)
        if entry.side in ("client", "server") and entry.row["interface_id"]
    }  # fmt: skip
    return next(filter(None, map(seeing.hidden_actions, sorted(interfaces)[:_MOST_INTERFACES])), "")


def _guarded(settled: Settled, seeing: Seeing) -> Settled:
    """Takes certainty back where attempts may have been made that the logs cannot show."""
    if settled.verdict == "works" and settled.certain and _may_miss(settled, seeing):
        settled = dataclasses.replace(settled, certain=False)
    if settled.verdict == "mtu_suspected" and not seeing.lost_by_mtu:
        settled = dataclasses.replace(settled, certain=False, others=settled.others | {"cut_after", "reply_lost"})
    if settled.verdict == "late_packet":
        settled = dataclasses.replace(settled, others=settled.others if settled.certain else settled.others | {"works"})
    if _hidden(settled, seeing):
        settled = dataclasses.replace(settled, certain=False, others=settled.others | {"works"} - {settled.verdict})
    if not settled.certain or seeing.logs.is_cut or "action" not in seeing.logs.everywhere:
        # Of attempts that nobody sees for certain, some may have gone otherwise.
        late = {"late_packet"} if any(one.attempt.late for one in settled.attempts) else set()
        others = (settled.others | {"intermittent"} | late) - {settled.verdict}
        settled = dataclasses.replace(settled, certain=False, others=others)
    return settled


def _explanation(
    settled: Settled, judged: list[Judged], seeing: Seeing, known: Inventory | None, at: int | None, rules: _Rules
) -> Explanation:
    question, logs = seeing.question, seeing.logs
    pairs = pairs_of(settled.attempts) or [_asked_pair(question)]
    causes = causes_of(settled, pairs, known, rules.of, at, "reject_reason" in logs.everywhere)
    if settled.since is not None and settled.certain:
        # That it went over for good is known only if rules say so.
        sure = causes.explains_change
        others = settled.others - {"intermittent"} if sure else settled.others | {"intermittent"}
        settled = dataclasses.replace(settled, certain=sure, others=others)
    if settled.verdict == "works" and settled.certain and causes.rules_changed:
        settled = dataclasses.replace(settled, certain=False, others=settled.others | {"intermittent"})
    late = sum(len(one.attempt.late) for one in judged)
    told = Told(settled, seeing, causes, pairs, len([one for one in judged if one.attempt.entries]), late, at)
    return Explanation(
        verdict=settled.verdict, certain=settled.certain, layer=causes.layer, allowed_by=causes.allowed_by,
        denied_by=causes.denied_by, rules_changed=causes.rules_changed, late_packets=late,
        idle_seconds=_idle(settled, at), explained_by=settled.explained_by, sentence=sentence_of(told),
        evidence=evidence_of(settled, judged), attempts=told.attempts, affected=told.affected,
        ruled_out=tuple(ruled_out(settled, judged, seeing)),
        not_ruled_out=tuple(name for name in VERDICTS if name in settled.others),
        doubts=tuple(dict.fromkeys([*_doubts(settled, seeing), *causes.doubts])),
        vantage=vantage_of(settled, seeing), coverage=_coverage(seeing), change=tuple(change_of(told)),
        check=tuple(check_of(told)), inputs=_inputs(question, logs, known, at), report=logs.report,
    )  # fmt: skip


def _idle(settled: Settled, at: int | None) -> int | None:
    """Returns how long what was cut had been idle: nearest to the time asked about, else the median."""
    cut = [one for one in settled.attempts if one.idle is not None]
    if settled.verdict != "cut_after" or not cut:
        return None
    if at is not None:
        return min(cut, key=lambda one: abs(one.attempt.end - at)).idle
    return sorted(one.idle for one in cut if one.idle is not None)[len(cut) // 2]


def _doubts(settled: Settled, seeing: Seeing) -> list[str]:
    """Returns why more than one verdict is possible."""
    if settled.certain:
        return []
    out = [*settled.doubts]
    if seeing.logs.is_cut:
        out.append(f"there are more than {len(seeing.logs.rows):,} records; ask about a shorter time (--at, --start)")
    for one in settled.attempts[:50]:
        for point, side in ((1, "server"), (0, "client")):
            if one.seen[point] == "unknown" or one.seen[3 - point] == "unknown":
                why = seeing.why_unknown(one.attempt, side)  # type: ignore[arg-type]
                out += [f"{side}: {why}"] if why else []
    if settled.verdict == "works" and (why := _may_miss(settled, seeing)):
        out.append(f"attempts that failed may be missing: {why}")
    elif why := _hidden(settled, seeing):
        out.append(f"attempts that went otherwise may be missing: {why}")
    if seeing.question.protocol == 6 and any(not one.attempt.has_flags for one in settled.attempts):
        out.append("without tcp-flags the logs show neither resets nor how connections end")
    if seeing.question.client.ambiguous or seeing.question.server.ambiguous:
        out.append("several interfaces have that address, in networks of their own: ask by interface id")
    elif any(e.is_doubtful for one in settled.attempts for e in one.attempt.entries):
        out.append("the records may be of another address of an interface, or of another port: the logs lack fields")
    return list(dict.fromkeys(out))


def _coverage(seeing: Seeing) -> dict[str, Any]:
    logs, question = seeing.logs, seeing.question
    interfaces = {}
    for side, end in (("client", question.client), ("server", question.server)):
        for one in sorted(end.interfaces)[:20]:
            interfaces[one] = {
                "side": side, "minutes_absent": logs.gaps(one) if logs.minutes is not None else None,
                "minutes_skipped": sum(b - a for a, b in logs.skipped.get(one, [])) // 60,
                "traffic_types": sorted(seeing.traffic.get(one, ())),
                "hidden": seeing.hidden_actions(one) or None,
            }  # fmt: skip
    return {"start": logs.start, "end": logs.end, "has_holes": seeing.has_holes, "interfaces": interfaces}


def _inputs(question: Question, logs: Logs, known: Inventory | None, at: int | None) -> dict[str, Any]:
    def end(one: End) -> dict[str, Any]:
        return {"asked": one.text, "addresses": one.words[:20], "interfaces": sorted(one.interfaces)[:20]}

    tables = {}
    if known is not None:
        tables = {row["kind"]: row["last"] for row in known.rows()}
    return {
        "from": end(question.client), "to": end(question.server), "port": question.port,
        "protocol": question.protocol, "at": at, "records": logs.report.records,
        "matched": len(logs.rows), "inventory": tables or None,
    }  # fmt: skip
