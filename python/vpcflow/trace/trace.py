"""The trace of an address: who it was, what it did, with whom, and what the logs could not show."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Union

from .._display import instant
from .._units import unix_seconds
from .._words import count
from ..detect.detect import checked_settings, look
from ..digest.day import date_of
from ..digest.folder import Digests
from ..digest.hunt import peers_before
from ..digest.keys import key_of, text_of
from ..errors import DataQualityWarning, PlanError, SourceError, VpcflowError
from ..findings.finding import Finding
from ..findings.scope import Scope
from ..health.naming import Given, inventory_of
from ..query.arguments import instance, several, text
from ..query.expr import col
from ..query.expr import count as count_of
from ..query.expr import sum as sum_of
from ..query.flows import Flows
from ..query.report import Report
from ..query.result import Result
from ..query.running import collect_readable
from ..tuning.blocks import load_findings
from ..typing import Instant, Progress
from .legs import balancers_in, callers, candidates, leg_query, legs_in, second_query, with_peers
from .owners import Owner, owner_query, owners_in
from .parts import carried, offered, peer_order, peers, tried
from .pivots import pivots
from .timelines import about

_CALL = "trace(vf.scan('logs/'), '10.0.3.7')"
_BALANCERS = "trace(flows, '10.0.3.7', intermediaries=['10.0.0.5'])"
#: What ``findings=`` takes.
Told = Union[bool, str, "os.PathLike[str]", Sequence[Finding]]
# What the logs cannot show without a field.
_LACKS = {
    "flow-direction": "which end's interface a record is of: owners are those at which the address has most records",
    "pkt-srcaddr": "the ends behind NAT gateways and load balancers, and legs there",
    "interface-id": "who had the address: all its records are taken for one owner's",
    "instance-id": "the instance, unless an inventory names it",
    "tcp-flags": "who began a TCP connection where ports and times do not tell",
    "log-status": "minutes without traffic and lost records",
}
_NAMED = 20  # targets that a finding names
_NEVER = (
    "flow logs never hold: queries to Amazon's DNS, 169.254.169.254 (instance metadata) and 169.254.169.123 (time), "
    "DHCP, mirrored traffic, traffic to the reserved address of the VPC router, and the type of ICMP"
)


@dataclasses.dataclass(frozen=True)
class Trace:
    """What logs show of an address. Never changed; :meth:`rows` gives all of it as plain values.

    ``records``: with the address at an end, of themselves or of their packets; ``first``, ``last``: of those, Unix
    seconds; ``scope``: all records that were looked at."""

    address: str
    records: int
    first: int | None
    last: int | None
    scope: Scope
    owners: list[Owner]
    parts: list[dict[str, Any]]  # in the order of the page
    warnings: list[str]
    report: Report
    new_since: int | None  # Unix seconds: peers that were seen before are known; null if a baseline says it

    @property
    def seen(self) -> bool:
        """Tells whether a record has the address."""
        return self.records > 0

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Returns the rows of a kind: ``identity``, ``finding``, ``offered``, ``tried``, ``peer``, ``carried``,
        ``hour``, ``leg``, ``pivot``, ``coverage``, ``unseen``."""
        return [row for row in self.rows() if row["kind"] == kind]

    def rows(self) -> list[dict[str, Any]]:
        """Returns all rows, as ``vpcflow trace --json`` prints them: first that of the address."""
        head = {
            "kind": "trace", "address": self.address, "seen": self.seen, "records": self.records, "first": self.first,
            "last": self.last, "owners": len(self.owners), "read": self.scope.records, "read_first": self.scope.start,
            "read_last": self.scope.end, "new_since": self.new_since, "warnings": self.warnings,
            "conclusion": self.conclusion(),
        }  # fmt: skip
        return [head, *(one.as_row() for one in self.owners), *self.parts]

    def conclusion(self) -> str:
        """Says in a sentence whether the address was seen, and of what that is said."""
        if not self.seen:
            return f"{self.address} was not seen in {self.scope}"
        return (
            f"{self.address} was seen in {count(self.records, 'record')} from {instant(self.first)} to "
            f"{instant(self.last)} UTC, of {self.scope}"
        )


def trace(
    flows: Flows, address: str, *, inventory: Given = None, findings: Told = True,
    baseline: str | os.PathLike[str] | Digests | None = None, since: Instant | None = None,
    until: Instant | None = None, intermediaries: Iterable[object] = (), progress: Progress | bool | None = None,
) -> Trace:  # fmt: skip
    """Traces an address through flow logs: identity over time, findings, what it offered and tried, peers with the new
    ones first, bytes by hour, legs at NAT gateways, load balancers and transit gateways, pivots, coverage.

    ``inventory``: a folder of describe answers, or :func:`vpcflow.inventory`, for names and validity. ``findings``: by
    default those of :func:`vpcflow.detect` over the same logs; or a file of ``vpcflow detect --json``, findings, or
    ``False``. ``since``, ``until``: sessions that begin in this time are told; what was before makes peers known.
    ``baseline``: digests of :func:`vpcflow.digest.build`; peers of earlier days in them are known. With neither, the
    first half of the logs' time takes its place. ``intermediaries``: addresses of load balancers, whose callers are
    candidates for those of the address; those that ``interface-type`` names need not be given.

    An address that several interfaces had, one after the other or at once, has rows for each, by ``interface``. Takes
    two passes over the logs, and one more for coverage. Needs ``srcaddr``, ``dstaddr``, ``start`` and ``end``.

    :class:`~vpcflow.PlanError` for what is no address. One that no record has gives an empty trace, whose
    :meth:`~Trace.conclusion` says of what. Of damaged sources the trace is the error's ``partial``.

    >>> import vpcflow as vf
    >>> log = b"srcaddr dstaddr srcport dstport protocol packets bytes start end action\\n"
    >>> log += b"10.0.0.1 10.0.0.2 40000 443 6 9 840 0 60 ACCEPT\\n10.0.0.2 10.0.0.1 443 40000 6 9 9000 0 60 ACCEPT\\n"
    >>> found = vf.trace(vf.scan(log), "10.0.0.2", findings=False)
    >>> [(row["port"], row["clients"]) for row in found.of("offered")], [row["peer"] for row in found.of("peer")]
    ([(443, 1)], ['10.0.0.1'])
    """
    instance(flows, Flows, "trace", _CALL)
    own = _address(address)
    known = inventory_of(inventory)
    window = (unix_seconds("since", since), unix_seconds("until", until))
    if None not in window and window[0] >= window[1]:  # type: ignore[operator]
        raise PlanError(f"trace: since={since!r} is not before until={until!r}")
    told = findings if isinstance(findings, bool) else _given(findings)
    digests = baseline if baseline is None or isinstance(baseline, Digests) else Digests(baseline)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        first = _first_pass(flows, own, told is True, progress)
        balancers = {_address(one) for one in several(intermediaries, "intermediaries", _BALANCERS)}
        made = _Making(flows, own, first, window, digests, balancers)
        found = made.trace(owners_in(first.owners.rows(), own, known), first.findings if told is True else told or [])
    if first.damage is not None:
        first.damage.partial = found
        raise first.damage
    return found


def _address(given: Any) -> str:
    try:
        # As the engine writes it: IPv4 in IPv6 as IPv4.
        return text_of(key_of(str(_plain(ipaddress.ip_address(text(given, "address", _CALL).strip())))))
    except ValueError:
        raise PlanError(f"trace: address {given!r}: expected an IP address, as 10.0.3.7 or 2001:db8::1") from None


def _plain(address: Any) -> Any:
    return getattr(address, "ipv4_mapped", None) or address


def _given(findings: Any) -> list[dict[str, Any]]:
    if isinstance(findings, (str, os.PathLike)):
        name = os.fspath(findings)
        try:
            with open(name, encoding="utf-8") as file:
                return load_findings(file, str(name))
        except OSError as error:
            raise SourceError(f"{name}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise PlanError(f"{name}: no text in UTF-8; expected lines of vpcflow detect --json") from None
    return [one.as_json() if isinstance(one, Finding) else one for one in findings]


@dataclasses.dataclass
class _First:
    """What the first pass gave."""

    owners: Result
    scope: Scope
    findings: list[dict[str, Any]]
    damage: VpcflowError | None


def _first_pass(flows: Flows, address: str, detecting: bool, progress: Progress | bool | None) -> _First:
    owners = owner_query(flows, address)
    if detecting:
        seen = look(flows, checked_settings((), {}), progress=progress, others=[owners])
        findings = [one.as_json() for one in seen.findings]
        scope = seen.findings.scope
        assert scope is not None  # look() sets it
        return _First(seen.others[0], scope, findings, seen.damage)
    (scoped, found), damage = collect_readable([Scope.query(flows), owners], progress=progress)
    return _First(found, Scope.of(scoped), [], damage)


class _Making:
    """The making of a trace, after the first pass."""

    def __init__(
        self, flows: Flows, address: str, first: _First, window: tuple[int | None, int | None], digests: Digests | None,
        balancers: set[str],
    ) -> None:  # fmt: skip
        self._flows, self._address, self._first = flows._with(allow_missing=True), address, first
        self._window, self._digests, self._balancers = window, digests, balancers
        rows = first.owners.rows()
        self._records = sum(row["own"] for row in rows)
        self._start = min((row["first"] for row in rows if row["first"] is not None), default=None)
        self._end = max((row["last"] for row in rows if row["last"] is not None), default=None)

    def trace(self, owners: list[Owner], findings: Sequence[Mapping[str, Any]]) -> Trace:
        """Makes the rest."""
        named = [one for one in findings if self._address in (one.get("actor"), *(one.get("targets") or ()))]
        rows = [
            {"kind": "finding", "role": "actor" if one.get("actor") == self._address else "target",
             **{name: one.get(name) for name in ("id", "detector", "severity", "actor", "start", "end", "sentence")},
             "targets": one.get("targets") or []}
            for one in named
        ]  # fmt: skip
        line = f"{count(len(owners), 'owner')} in this time: rows are told apart by interface"
        told = [line] if len(owners) > 1 else []
        told += [
            f"{one.interface} had the address at the same time as others: only records of this interface are its own"
            for one in owners if one.alone
        ]  # fmt: skip
        if self._records:
            self._add_activity(rows, owners)
        rows += self._unseen(
            owners, sum(len(one.get("targets") or ()) >= _NAMED for one in findings if one not in named)
        )
        return Trace(
            self._address, self._records, self._start, self._end, self._first.scope, owners, rows, told,
            self._first.owners.report, None if self._digests is not None else self._border(),
        )  # fmt: skip

    def _add_activity(self, rows: list[dict[str, Any]], owners: list[Owner]) -> None:
        """Adds what the second and the third pass say."""
        # With several at once, what other interfaces alone have of the address is of one of them, unknown which.
        rest = [None] if not owners or any(one.alone for one in owners) else []
        each: list[Owner | None] = [*owners, *rest]
        mine = [self._of(one, owners) for one in each]
        queries = [query for one, owner in zip(mine, each) for query in (one.sessions(), self._hours(one, owner))]
        queries += [leg_query(self._flows, self._address), self._earlier()]
        *results, legs_found, earlier = collect_readable(queries)[0]
        findings = [row for row in rows if row["kind"] == "finding"]
        is_new = self._newness(earlier)
        parts: dict[str, list[dict[str, Any]]] = {}
        shown: list[Mapping[str, Any]] = []
        told: set[tuple[Any, ...]] = set()
        for owner, sessions, hours in zip(each, results[::2], results[1::2]):
            own = [one for one in sessions.rows() if self._in_window(one["start"])]
            if owner is None:  # those that an owner has are told
                own = [one for one in own if _ends(one) not in told]
            told |= {_ends(one) for one in own}
            shown += own
            name = None if owner is None else owner.interface
            parts.setdefault("offered", []).extend(offered(own, self._address, name))
            parts.setdefault("tried", []).extend(tried(own, self._address, name))
            parts.setdefault("peer", []).extend(peers(own, self._address, name, is_new))
            parts.setdefault("carried", []).extend(carried(own, self._address, name))
            parts.setdefault("hour", []).extend(
                {"kind": "hour", "interface": name, **{key: value or 0 for key, value in row.items()}}
                for row in (hours.rows() if owner is not None or not owners else ())
                if self._in_window(row["time"], 3600)
            )
        parts["peer"].sort(key=peer_order)
        legs = with_peers(legs_in(legs_found.rows(), self._address), self._address)
        second = second_query(self._flows, legs, self._address)
        if second is not None:
            legs += candidates(collect_readable([second])[0][0].rows(), legs, parts["tried"])
        balancers = self._balancers | balancers_in(legs_found.rows(), self._address)
        balancers &= {row["peer"] for row in parts["peer"]}
        if balancers:
            (behind,) = collect_readable([self._flows.filter(about(sorted(balancers))).sessions()])[0]
            legs += callers(behind.rows(), shown, self._address, balancers)
        parts["leg"] = legs
        parts["pivot"] = pivots(shown, self._address, parts["peer"], findings)
        for kind in ("offered", "tried", "peer", "carried", "hour", "leg", "pivot"):
            rows += parts[kind]
        rows += self._coverage(owners)

    def _of(self, owner: Owner | None, owners: Sequence[Owner]) -> Flows:
        """Returns the records of the address that are of an owner, or of interfaces that are none of theirs."""
        own = self._flows.filter(about([self._address]))
        if owner is not None:
            condition = owner.condition()
            return own.filter(condition) if condition else own
        names = [one.interface for one in owners if one.interface]
        return own.filter(~col("interface_id").is_in(names) | col("interface_id").is_null()) if names else own

    def _hours(self, own: Flows, owner: Owner | None) -> Flows:
        """Returns the query of bytes by hour: of the owner's interface, which has each byte once."""
        if owner is not None and owner.records:
            own = own.filter(col("interface_id") == owner.interface)
        sent, got = (
            f"{field} = '{self._address}' or pkt_{field} = '{self._address}'" for field in ("srcaddr", "dstaddr")
        )
        return own.group_by(every="1h").agg(
            bytes_sent=sum_of("bytes", where=sent), bytes_received=sum_of("bytes", where=got), records=count_of()
        )

    def _in_window(self, time: int | None, length: int = 1) -> bool:
        since, until = self._window
        if time is None:
            return since is None and until is None
        return (since is None or time + length > since) and (until is None or time < until)

    def _border(self) -> int:
        """Returns the time before which peers are known: the begin of the window, else the middle of the logs."""
        scope, (since, _) = self._first.scope, self._window
        if since is not None or scope.start is None or scope.end is None:
            return since or 0
        return scope.start + (scope.end - scope.start) // 2

    def _earlier(self) -> Flows:
        """Returns the query of all ends that were in records with the address before that time."""
        before = self._flows.filter(about([self._address])).filter(f"start < {self._border()}")
        return before.group_by("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr").agg(n=count_of())

    def _newness(self, earlier: Result) -> Callable[[str], bool]:
        """Returns what tells whether a peer is new."""
        if self._digests is not None:
            since = self._window[0] if self._window[0] is not None else self._first.scope.start
            known = peers_before(self._digests, self._address, date_of(since or 0))
        else:
            known = {str(value) for row in earlier for name, value in row.items() if name != "n"}
        return lambda peer: peer not in known

    def _coverage(self, owners: list[Owner]) -> list[dict[str, Any]]:
        """Returns a row an interface of the address: minutes with records, NODATA, SKIPDATA, or none."""
        names = [one.interface for one in owners if one.interface and one.records]
        if not names:
            return []
        try:
            found = self._flows.coverage()  # of all interfaces: what is absent shows by the time of all the logs
        except VpcflowError as error:
            if not isinstance(error.partial, Result):
                raise
            found = error.partial
        rows: dict[str, dict[str, Any]] = {}
        for one in found:
            name = one["interface_id"]
            if name not in names:
                continue
            none = {"kind": "coverage", "interface": name, "ok": 0, "nodata": 0, "skipdata": 0, "absent": 0}
            row = rows.setdefault(name, none)
            row[one["seen"].lower()] += one["minutes"]
        return [rows[name] for name in sorted(rows)]

    def _unseen(self, owners: list[Owner], long: int) -> list[dict[str, Any]]:
        """Returns a row for each thing that could not be seen."""
        report = self._first.owners.report
        sources = sum(report.formats.values())
        out = []
        for field, what in _LACKS.items():
            lacking = sum(n for names, n in report.formats.items() if f"${{{field}}}" not in names)
            if lacking:
                some = "" if lacking == sources else f" in {lacking:,} of {count(sources, 'source')}"
                out.append(f"without {field}{some}: {what}")
        if report.skipdata:
            out.append(f"{count(report.skipdata, 'SKIPDATA record')} in the logs: counts are floors")
        if report.rejected:
            out.append(f"{count(report.rejected, 'line')} of the logs were rejected")
        if not owners and self._records:
            out.append(
                "which interface has the address: bytes by hour are those of all interfaces, the same ones twice"
            )
        if len(owners) > 1 and any(not one.certain for one in owners):
            out.append("owners that are not certain may be the interface of a peer, or carry the traffic of others")
        if long:
            out.append(f"{count(long, 'finding')} with more targets than named: the address may be among the others")
        return [{"kind": "unseen", "text": one} for one in [*out, _NEVER]]


def _ends(session: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns the two ends of a session, whoever began."""
    ends = [(session[end] or "", session[f"{end}_port"] or 0) for end in ("client", "server")]
    return (*sorted(ends), session["protocol"])
