"""What a watch keeps of events, records and entities for its sequences, in its store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from .._addresses import PRIVATE
from ..correlate.entities import Entities, add_changes, add_flows
from ..correlate.events import Event, supersedes
from ..correlate.logs import MOST, add_owners, facts_queries
from ..correlate.model import SequenceRule, Step
from ..correlate.records import record_event, records_query
from ..correlate.seen import Seen
from ..correlate.sequence import Used
from ..findings.scope import Scope
from ..inventory.inventory import Inventory
from ..query.expr import count, n_unique
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.flows import Flows
from ..query.running import collect_readable
from ..trace.owners import FIELDS
from .store import Store

_EVENTS = 200_000  # that are kept of all sources
_CHANGES = 200_000  # of entities, as CloudTrail tells them
_SESSIONS = 200_000  # of principals
_LONGEST = 36 * 3600  # seconds of a session
_NOTES = 20
_TOGETHER = 500  # events that are looked for at once
_PARTS = 10  # of an event, in its row
# What conditions seldom ask of a record, and in which those of one kind differ.
_NO_KIND = frozenset(("start", "end", "packets", "bytes", "srcport", "file", "offset"))
_OWN = 4  # an address of an interface is in at least one of so many of its records


def step_name(static: Sequence[str]) -> str:
    """Returns by what the records of steps with these conditions are known."""
    return json.dumps(list(static))


class Sifted(NamedTuple):
    """The events that are to be kept, each with whether a rule takes it; and the first and last second of all, by
    source."""

    events: list[tuple[Event, bool]]
    spans: dict[str, tuple[int, int]]


def sifted(events: Iterable[Event], rules: Sequence[SequenceRule]) -> Sifted:
    """Takes those events that rules take, or that have a risk."""
    steps: dict[str, list[Step]] = {}
    for rule in rules:
        for step in rule.steps:
            for source in step.sources:
                steps.setdefault(source, []).append(step)
    out = Sifted([], {})
    for event in events:
        first, last = out.spans.get(event.source, (event.time, event.end))
        out.spans[event.source] = (min(first, event.time), max(last, event.end))
        needed = any(step.takes(event) for step in steps.get(event.source, ()))
        if needed or event.severity:
            out.events.append((event, needed))
    return out


class Kept:
    """Events, records that steps of rules take, and facts of entities. All methods are for one within a transaction,
    but those that read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- facts: what a kind and a name had from a first to a last time

    def facts(self, kind: str) -> list[tuple[str, int, int, str]]:
        """Returns the facts of a kind: name, start, end, body."""
        query = "select name, start, end, body from facts where kind = ? order by name"
        return self._store.execute(query, (kind,)).fetchall()

    def set_fact(self, kind: str, name: str, start: int | None, end: int | None, body: str = "") -> None:
        """Sets a fact, whose times become those of all that was set."""
        self._store.execute(
            "insert into facts values (?, ?, ?, ?, ?) on conflict (kind, name) do update set "
            "start = min(start, excluded.start), end = max(end, excluded.end), body = excluded.body",
            (kind, name, start or 0, end or 0, body),
        )

    def note(self, text: str, time: int) -> None:
        """Keeps a line about what was not seen."""
        self.set_fact("note", text, time, time)

    def spans(self) -> dict[str, tuple[int, int]]:
        """Returns the first and last second of each source."""
        return {name: (start, end) for name, start, end, _ in self.facts("span")}

    # -- events

    def add_events(self, sifted: Sifted) -> None:
        """Adds events."""
        for begin in range(0, len(sifted.events), _TOGETHER):
            some = sifted.events[begin : begin + _TOGETHER]
            marks = ", ".join("?" * len(some))
            query = f"select source, key, body from events where key in ({marks})"
            rows = self._store.execute(query, [event.key for event, _ in some])
            known = {(source, key): _event(json.loads(body)[:_PARTS]) for source, key, body in rows}
            new = {}
            for event, needed in some:
                name = (event.source, event.key)
                if name not in known or supersedes(event, known[name]):
                    known[name] = event
                    body = json.dumps([*event.as_dict().values(), event.version])
                    new[name] = (*name, event.time, event.end, needed, body)
            self._store.executemany("insert or replace into events values (?, ?, ?, ?, ?, ?)", new.values())
        for source, (first, last) in sifted.spans.items():
            self.set_fact("span", source, first, last)

    def replace_events(self, source: str, since: int, sifted: Sifted) -> None:
        """Puts events in the place of those of a source from a time on."""
        self._store.execute("delete from events where source = ? and start >= ?", (source, since))
        self.add_events(sifted)

    def events(self) -> Iterator[Event]:
        """Yields all events that are kept."""
        for (body,) in self._store.execute("select body from events where source != 'sessions'"):
            yield _event(json.loads(body))

    def add_changes(self, changes: Iterable[tuple[str, str, str, int, bool]]) -> None:
        """Adds what CloudTrail tells of entities."""
        rows = [
            ("session", json.dumps(change), change[3], change[3] + _LONGEST) if change[0] == "session"
            else ("change", json.dumps(change), change[3], change[3]) for change in changes
        ]  # fmt: skip
        self._store.executemany("insert or ignore into facts values (?, ?, ?, ?, '')", rows)

    # -- flow logs

    def add_flows(self, flows: Flows, formats: Iterable[str], rules: Sequence[SequenceRule], shown: list[str]) -> None:
        """Adds the records that steps of rules take, and what the logs tell of interfaces and addresses."""
        for text in formats:
            self.set_fact("format", text, 0, 0)
        steps = [step for rule in rules for step in rule.steps]
        apart = {name for step in steps for c in step.conditions for name in c.fields}.union(
            *(s.bind.values() for s in steps)
        )
        statics = sorted({step.static for step in steps if step.sources == ("flows",)})
        queries = [
            Scope.query(flows), *facts_queries(flows), *_owner_queries(flows),
            *(records_query(flows, static, shown) for static in statics),
        ]  # fmt: skip
        (scoped, interfaces, shared, totals, sent, got, *records), _ = collect_readable(queries)
        scope = Scope.of(scoped)
        if scope.start is not None and scope.end is not None:
            self.set_fact("span", "flows", scope.start, scope.end)
        for row in interfaces.rows():
            if row["interface_id"]:
                name = json.dumps([row[name] for name in ("interface_id", "instance_id", "account_id")])
                self.set_fact("interface", name, row["first"], row["last"])
        for row in shared.rows():
            if row["srcaddr"]:
                self.set_fact("shared", row["srcaddr"], row["last"], row["last"])
        self._add_owners(totals.rows(), sent.rows(), got.rows())
        for row in flows.unfiltered().coverage():
            if row["seen"] != "absent" and row["start"] is not None and row["interface_id"]:
                self._cover(row["interface_id"], row["seen"], row["start"], row["end"])
        for static, result in zip(statics, records):
            self._add_records(step_name(static), result.rows(), apart)
            if len(result) >= MOST:
                self.note(f"of some files only the first {MOST:,} records of a step were kept", scope.end or 0)

    def _add_records(self, step: str, rows: Sequence[dict[str, Any]], apart: set[str]) -> None:
        if not rows:
            return
        names = json.dumps(list(rows[0]))
        if self._body("longest", step) not in (None, list(rows[0])):  # of other rules
            self._store.execute("delete from records where step = ?", (step,))
        kinds = [name for name in rows[0] if name not in _NO_KIND - apart]
        self._store.executemany(
            "insert or ignore into records values (?, ?, ?, ?, ?, 0, ?, ?)",
            ((step, f"{row['file']}:byte {row['offset']}", row["start"], max(row["start"], row["end"] or 0),
              row["dstport"], _hashed([row[name] for name in kinds]), json.dumps(list(row.values())))
             for row in rows if row["start"] is not None),
        )  # fmt: skip
        longest = max((row["end"] - row["start"] for row in rows if row["start"] and row["end"]), default=0)
        self.set_fact("longest", step, 0, longest, names)

    def records(
        self, static: Sequence[str], first: int, last: int, ports: tuple[int, int] | None = None
    ) -> Iterator[Event]:
        """Yields the records of a step that are there at a time, of destination ports if they are given."""
        step = step_name(static)
        row = self._store.execute("select end, body from facts where kind = 'longest' and name = ?", (step,)).fetchone()
        if row is None:
            return
        names = json.loads(row[1])
        where, values = "step = ? and start between ? and ? and end >= ?", [step, first - row[0], last, first]
        if ports is not None:
            where, values = f"{where} and port between ? and ?", [*values, *ports]
        for (body,) in self._store.execute(f"select body from records where {where} order by start", values).fetchall():
            yield record_event(dict(zip(names, json.loads(body))))

    def replace_sessions(
        self, since: int, sessions: Iterable[Event], passed: Mapping[tuple[str, ...], AbstractSet[str]]
    ) -> None:
        """Puts sessions in the place of those from a time on. ``passed``: by conditions of a step, which passed."""
        self._store.execute("delete from events where source = 'sessions' and start >= ?", (since,))
        for event in sessions:
            by = [list(static) for static, keys in passed.items() if event.key in keys]
            body = json.dumps([*event.as_dict().values(), event.version, by])
            self._store.execute(
                "insert or replace into events values ('sessions', ?, ?, ?, 1, ?)",
                (event.key, event.time, event.end, body),
            )

    def sessions(self, seen: Seen) -> Iterator[Event]:
        """Yields the sessions that are kept; notes by which conditions they passed."""
        for (body,) in self._store.execute("select body from events where source = 'sessions'").fetchall():
            *parts, by = json.loads(body)
            event = _event(parts)
            for static in by:
                seen.records.setdefault(tuple(static), set()).add(event.key)
            yield event

    def crowded(self, most: int) -> list[str]:
        """Returns the steps of which there are more than ``most`` records."""
        query = "select step from records group by step having count(*) > ? order by step"
        return [step for (step,) in self._store.execute(query, (most,))]

    def thin(self, step: str, most: int, settled: int, near: Iterable[str]) -> None:
        """Leaves ``most`` records of a step. Those that are ``near`` a first event stay longest. Of the others that
        ended before ``settled`` the last of each kind stands for all, as it is only asked whether there was one; then
        the oldest go."""
        execute = self._store.execute
        self._store.executemany(
            "update records set near = 1 where step = ? and key = ? and not near", ((step, key) for key in near)
        )
        older = "step = ? and not near and end < ?"
        execute(
            f"delete from records where {older} and key not in (select key from "
            f"(select key, max(start) from records where {older} group by same))", (step, settled, step, settled),
        )  # fmt: skip
        over = self._count("records where step = ?", step) - most
        if over > 0:
            oldest = "select key, start from records where step = ? order by near, start limit ?"
            (until,) = execute(f"select max(start) from ({oldest})", (step, over)).fetchone()
            execute(f"delete from records where step = ? and key in (select key from ({oldest}))", (step, step, over))
            self.set_fact("dropped", step, until, until)

    def _count(self, what: str, *values: object) -> int:
        return int(self._store.execute(f"select count(*) from {what}", values).fetchone()[0])

    def _cover(self, interface: str, seen: str, start: int, end: int) -> None:
        """Adds a time with records to those that it touches."""
        near = "interface = ? and seen = ? and start <= ? and end >= ?"
        low, high = self._store.execute(
            f"select min(start), max(end) from covered where {near}", (interface, seen, end, start)
        ).fetchone()
        self._store.execute(f"delete from covered where {near}", (interface, seen, end, start))
        whole = (min(start, start if low is None else low), max(end, end if high is None else high))
        self._store.execute("insert into covered values (?, ?, ?, ?)", (interface, seen, *whole))

    def coverage(self) -> Iterator[dict[str, Any]]:
        """Yields rows as those of :meth:`vpcflow.Flows.coverage`, of all logs."""
        begin, end = self.spans().get("flows", (0, 0))
        rows = self._store.execute("select interface, seen, start, end from covered order by interface, start, end")
        interface, last = None, begin
        for row in [*rows.fetchall(), (None, "", end, end)]:
            if row[0] != interface:
                if interface is not None and last < end:
                    yield _covered(interface, "absent", last, end)
                interface, last = row[0], begin
            if interface is None:
                return
            if row[2] > last:
                yield _covered(interface, "absent", last, row[2])
            yield _covered(*row)
            last = max(last, row[3])

    def _add_owners(self, totals: Any, sent: Any, got: Any) -> None:
        """Adds how many records an interface has, and those of addresses that may be its own."""
        families: dict[str, tuple[int, int]] = {}
        for row in totals:
            if row["interface_id"]:
                name, known = _owner(row), self._body("records", _owner(row)) or [0, 0]
                families[name] = (row["v4"], row["v6"])
                sums = [a + b for a, b in zip(known, families[name])]
                self.set_fact("records", name, row["last"], row["last"], json.dumps(sums))
        own: dict[tuple[str, str], dict[str, int]] = {}
        for rows, side, peers in ((sent, "srcaddr", "targets"), (got, "dstaddr", "sources")):
            for row in rows:
                if row["interface_id"]:
                    held = own.setdefault((row[side], _owner(row)), dict.fromkeys(_COUNTS, 0))
                    for name, n in (("n", row["n"]), ("told", row["told"]), ("at", row["at"])):
                        held[name] += n
                    held[peers] = row["peers"]
                    held["first"] = min(held["first"] or row["first"], row["first"])
                    held["last"] = max(held["last"], row["last"])
        for (address, owner), held in own.items():
            if held["at"] or held["n"] * _OWN >= families.get(owner, (0, 0))[":" in address]:
                known = self._body(f"owner {address}", owner) or dict.fromkeys(_COUNTS, 0)
                added = {name: known[name] + held[name] for name in ("n", "told", "at")}
                most = {name: max(known[name], held[name]) for name in ("sources", "targets", "last")}
                first = min(known["first"] or held["first"], held["first"])
                body = json.dumps({**added, **most, "first": first})
                self.set_fact(f"owner {address}", owner, first, most["last"], body)

    def _body(self, kind: str, name: str) -> Any:
        row = self._store.execute("select body from facts where kind = ? and name = ?", (kind, name)).fetchone()
        return json.loads(row[0]) if row is not None else None

    def add_owners_to(self, entities: Entities, address: str, inventory: Inventory | None) -> None:
        """Adds who had an address, as the records tell."""
        rows = []
        for name, first, last, body in self.facts(f"owner {address}"):
            held, totals = json.loads(body), self._body("records", name) or [0, 0]
            known = dict(zip(FIELDS, json.loads(name)))
            rows.append({
                **known, "records": totals[":" in address], "own": held["n"], "direct": held["n"], "told": held["told"],
                "at": held["at"], "sources": held["sources"], "targets": held["targets"], "first": first, "last": last,
            })  # fmt: skip
        add_owners(entities, address, rows, inventory)

    def accounts(self) -> dict[str, str | None]:
        """Returns the accounts of interfaces."""
        return {interface: account for interface, _, account in (json.loads(f[0]) for f in self.facts("interface"))}

    def add_to(self, entities: Entities) -> None:
        """Adds what CloudTrail and the records told of entities."""
        changes = [json.loads(name) for kind in ("change", "session") for name, *_ in self.facts(kind)]
        add_changes(entities, [(relation, one, other, time, bool(b)) for relation, one, other, time, b in changes])
        rows = []
        for name, first, last, _ in self.facts("interface"):
            interface, instance, account = json.loads(name)
            rows.append({"interface_id": interface, "instance_id": instance, "account_id": account,
                         "first": first, "last": last})  # fmt: skip
        add_flows(entities, rows)
        entities.shared |= {name for name, *_ in self.facts("shared")}

    # -- what leaves

    def forget(self, newest: int, horizon: int, risky: int) -> None:
        """Forgets what ended before ``horizon``, and before ``risky`` what no rule takes."""
        execute = self._store.execute
        execute("delete from events where end < ? or (not needed and end < ?)", (horizon, risky))
        execute("delete from records where end < ?", (horizon,))
        execute("delete from covered where end < ?", (horizon,))
        kinds = "kind in ('interface', 'records', 'session', 'shared', 'note', 'dropped') or kind glob 'owner *'"
        execute(f"delete from facts where end < ? and ({kinds})", (horizon,))
        # All events of a chain are near its first one.
        execute("delete from used where first < ?", (2 * horizon - newest,))
        for kind, most in (("change", _CHANGES), ("session", _SESSIONS), ("note", _NOTES)):
            execute(
                "delete from facts where kind = ? and name in (select name from facts where kind = ? order by start "
                "desc limit -1 offset ?)", (kind, kind, most),
            )  # fmt: skip
        over = self._count("events") - _EVENTS
        if over > 0:
            query = "select end from events order by needed, end limit 1 offset ?"
            (until,) = execute(query, (over - 1,)).fetchone()
            execute("delete from events where (source, key) in "
                    "(select source, key from events order by needed, end limit ?)", (over,))  # fmt: skip
            self.note(f"there were more than {_EVENTS:,} events; the oldest were left out", until)

    def forget_steps(self, but: Iterable[Sequence[str]]) -> None:
        """Forgets the records of steps other than these."""
        names = sorted({step_name(static) for static in but})
        self._store.execute(f"delete from records where step not in ({', '.join('?' * len(names))})", names)

    # -- what is used

    def used(self, before: int) -> Used:
        """Returns what chains have used whose first event ended before a time."""
        out: Used = {}
        query = "select rule, source, key, first from used where first < ?"
        for rule, source, key, first in self._store.execute(query, (before,)):
            out.setdefault(rule, {})[source, key] = first
        return out

    def set_used(self, used: Used) -> None:
        """Keeps what chains use."""
        self._store.execute("delete from used")
        rows = ((rule, *name, first) for rule, names in used.items() for name, first in names.items())
        self._store.executemany("insert or replace into used values (?, ?, ?, ?)", rows)


_COUNTS = ("n", "told", "at", "sources", "targets", "first", "last")


def _owner_queries(flows: Flows) -> tuple[Flows, Flows, Flows]:
    """Returns queries of interfaces: their records, and those from and to each private address."""
    own = flows._with(allow_missing=True)
    totals = own.group_by(*FIELDS).agg(
        v4=count(where="srcaddr in 0.0.0.0/0"), v6=count(where="not srcaddr in 0.0.0.0/0"),
        last=max_of("end"),
    )  # fmt: skip
    sides = []
    for side, peer, direction in (("srcaddr", "dstaddr", "egress"), ("dstaddr", "srcaddr", "ingress")):
        inside = " or ".join(f"{side} in '{network}'" for network in PRIVATE)
        sides.append(
            own.filter(inside).group_by(*FIELDS, side).agg(
                n=count(), told=count(where="flow_direction is not null"),
                at=count(where=f"flow_direction = '{direction}'"), peers=n_unique(peer), first=min_of("start"),
                last=max_of("end"),
            )
        )  # fmt: skip
    return totals, sides[0], sides[1]


def _owner(row: Mapping[str, Any]) -> str:
    return json.dumps([row[name] for name in FIELDS])


def _hashed(values: Sequence[Any]) -> int:
    """Returns what is the same for records that no condition tells apart, but by time."""
    return int.from_bytes(hashlib.blake2b(repr(values).encode(), digest_size=8).digest(), "big", signed=True)


def _covered(interface: str, seen: str, start: int, end: int) -> dict[str, Any]:
    return {"interface_id": interface, "seen": seen, "start": start, "end": end, "minutes": (end - start) // 60}


def _event(parts: Sequence[Any]) -> Event:
    time, end, source, kind, entities, severity, ref, attrs, key, version = parts
    return Event(time, end, source, kind, tuple(entities), severity or "", ref, key, attrs, version)
