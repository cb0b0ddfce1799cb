"""What flow logs give: records that steps of rules ask for, minutes without records, and whose an interface was."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from ..errors import VpcflowError
from ..findings.scope import Scope
from ..formats.catalogue import fields
from ..inventory.inventory import Inventory
from ..query.expr import count
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable
from ..query.sessions import sessions_as_records
from ..trace.owners import owner_query, owners_in
from ..typing import Progress
from .conditions import Test
from .entities import Entities, add_flows, subnets
from .events import Event, Events, is_inside, type_of
from .model import SequenceRule, Step
from .seen import Seen

_SHOWN = (
    "interface_id", "instance_id", "account_id", "vpc_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol",
    "packets", "bytes", "start", "end", "action", "flow_direction",
)  # fmt: skip
_SESSION = tuple(name for name in _SHOWN if name not in ("instance_id", "account_id", "vpc_id", "flow_direction"))
_OF_SESSIONS = frozenset(("srcaddr", "dstaddr", "start", "end"))  # without which there are none
_MADE = frozenset(("interface_id", "action", "tcp_flags"))  # fields of sessions, whatever the logs have
MOST = 200_000  # records of a step
_ADDRESSES = 200  # whose owners are looked for
_GAP = 10  # minutes without records that are an event
_FIELDS = frozenset(field.name.replace("-", "_") for field in fields())


def facts_of(
    flows: Flows, entities: Entities, seen: Seen, progress: Progress | bool | None
) -> tuple[Scope, Result, VpcflowError | None]:
    """Reads the scope and the interfaces of logs. Returns the scope, its result, and the error of damaged sources."""
    actions = flows._with(allow_missing=True).filter("action is not null").group_by("action").agg(n=count())
    queries = [Scope.query(flows), *facts_queries(flows), actions]
    (scoped, interfaces, shared, taken), damage = collect_readable(queries, progress=progress)
    seen.actions = {str(row["action"]) for row in taken.rows()}
    entities.shared |= {row["srcaddr"] for row in shared.rows() if row["srcaddr"]}
    scope, rows = Scope.of(scoped), interfaces.rows()
    add_flows(entities, rows)
    if scope.start is not None and scope.end is not None:
        seen.spans["flows"] = seen.spans["coverage"] = (scope.start, scope.end)
    return scope, interfaces, damage


def facts_queries(flows: Flows) -> tuple[Flows, Flows]:
    """Returns the query of interfaces, with their instances and accounts, and that of addresses of NAT gateways."""
    own = flows._with(allow_missing=True)
    found = own.group_by("interface_id", "instance_id", "account_id").agg(first=min_of("start"), last=max_of("end"))
    nats = own.filter("interface_type = 'nat_gateway' and flow_direction = 'egress'").group_by("srcaddr")
    return found, nats.agg(n=count(), last=max_of("end"))


def own_subnets(flows: Flows) -> list[str]:
    """Returns the subnets of IPv6 from which interfaces send, as prefixes; none of logs without directions."""
    sent = flows._with(allow_missing=True).filter("flow_direction = 'egress' and srcaddr in ::/0")
    (result,), _ = collect_readable([sent.group_by("srcaddr").agg(n=count())])
    return subnets(str(row["srcaddr"]) for row in result.rows())


def coverage_events(rows: Iterable[Mapping[str, Any]], accounts: Mapping[str, str | None], seen: Seen) -> Events:
    """Returns the times in which no interface of an account has a record, between others in which one has, as events,
    if an interface was there before and after: where none is, nothing is to be recorded. Notes the gaps of each
    interface. ``rows``: those of :meth:`vpcflow.Flows.coverage`; ``accounts``: of interfaces."""
    covered: dict[str, list[tuple[int, int]]] = {}
    lives: dict[str, dict[str, tuple[int, int]]] = {}  # by account and interface: the first and last second
    for row in rows:
        one, start, end = row["interface_id"], row["start"], row["end"]
        if start is None or end is None:
            continue
        if row["seen"] != "absent":
            account = accounts.get(one) or ""
            covered.setdefault(account, []).append((start, end))
            first, last = lives.setdefault(account, {}).setdefault(one, (start, end))
            lives[account][one] = (min(first, start), max(last, end))
        if row["seen"] in ("absent", "SKIPDATA") and row["minutes"] >= _GAP:
            seen.gaps.append((one, start, end, "no record" if row["seen"] == "absent" else "records were lost"))
    seen.gaps.sort()
    events = []
    for account, spans in sorted(covered.items()):
        last = min(spans)[1]
        for start, end in sorted(spans):
            if start - last >= 60 * _GAP and any(a < last and start < b for a, b in lives[account].values()):
                key = f"{account}/{last}"
                named = (account,) if account else ()
                events.append(Event(last, start, "coverage", "gap", named, "", f"coverage:{key}", key,
                                    {"minutes": (start - last) // 60, "account": account}))  # fmt: skip
            last = max(last, end)
    return Events(events)


def owners_of(flows: Flows, events: Events, entities: Entities, inventory: Inventory | None) -> list[str]:
    """Adds the owners of private addresses of events that name no interface. Returns notes."""
    missing = ownerless(events, entities)
    if not missing:
        return []
    results, _ = collect_readable([owner_query(flows, one) for one in missing[:_ADDRESSES]])
    for address, result in zip(missing, results):
        add_owners(entities, address, result.rows(), inventory)
    left = len(missing) - _ADDRESSES
    return [f"owners of {left:,} addresses were not looked for"] if left > 0 else []


def ownerless(events: Iterable[Event], entities: Entities) -> list[str]:
    """Returns the private addresses of events that name no interface, of which no owner is known."""
    wanted: set[str] = set()
    found: set[str] = set()
    for event in events:
        if not any(type_of(one) in ("interface", "instance") for one in event.entities):
            own = {one for one in event.entities if is_inside(one)}
            wanted |= own
            found |= own & {event.attrs.get("actor")}
    missing = (one for one in wanted if not entities.spans("address", one, 0, 2**40))
    return sorted(missing, key=lambda one: (one not in found, one))  # who did something first


def add_owners(
    entities: Entities, address: str, rows: Sequence[Mapping[str, Any]], inventory: Inventory | None
) -> None:
    """Adds who had an address; ``rows`` are those of :func:`~vpcflow.trace.owners.owner_query`."""
    for owner in owners_in(rows, address, inventory):
        if owner.interface and not (owner.alone and not owner.certain):
            entities.add("address", address, owner.interface, owner.start, owner.end, "flows")


def note_most(rule: SequenceRule, step: Step, number: int, most: int, what: str, seen: Seen) -> None:
    place = rule.steps.index(step) + 1
    note = f"{rule.name}: step {place}: only the nearest {most:,} {what} were looked at"
    if number >= most and note not in seen.notes:
        seen.notes.append(note)


def has_sessions(fields: AbstractSet[str]) -> bool:
    """Tells whether sessions can be made of logs with these fields."""
    return fields >= _OF_SESSIONS


def sessions_of(flows: Flows, rules: Sequence[SequenceRule], progress: Progress | bool | None) -> Result | None:
    """Returns the sessions of logs, if a step of rules asks for them."""
    if not any(step.sources == ("sessions",) for rule in rules for step in rule.steps):
        return None
    (sessions,), _ = collect_readable([flows._with(allow_missing=True).sessions()], progress=progress)
    return sessions


def session_events(sessions: Result | None, rules: Sequence[SequenceRule], seen: Seen) -> Events:
    """Returns the sessions that steps of rules take; notes by which conditions they passed."""
    asked = [(rule, step) for rule in rules for step in rule.steps if step.sources == ("sessions",)]
    if sessions is None or not asked:
        return Events()
    records = sessions_as_records(sessions, "client_bytes", known=True, interface=True)._with(allow_missing=True)
    out: list[Event] = []
    for rule, step in asked:
        kept = records
        for part in step.static:
            kept = kept.filter(part)
        lasting = [row for row in kept.select(*_SESSION).collect().rows() if row["end"] - row["start"] >= step.lasts]
        note_most(rule, step, len(lasting), MOST, "sessions", seen)
        own = [_session(row) for row in sorted(lasting, key=lambda row: (row["start"], row["end"]))[:MOST]]
        seen.records.setdefault(step.static, set()).update(event.key for event in own)
        out += own
    return Events(out)


def _session(row: dict[str, Any]) -> Event:
    attrs = {**{name: value for name, value in row.items() if value is not None}, "duration": row["end"] - row["start"]}
    key = "session {srcaddr}:{srcport} to {dstaddr}:{dstport} protocol {protocol} from {start}".format(**row)
    entities = tuple(dict.fromkeys(str(row[n]) for n in ("interface_id", "srcaddr", "dstaddr") if row.get(n)))
    return Event(row["start"], row["end"], "sessions", "session", entities, "", key, key, attrs)


def fitted(
    rules: Sequence[SequenceRule], there: AbstractSet[str], seen: Seen, everywhere: AbstractSet[str] | None = None
) -> list[SequenceRule]:
    """Returns rules without the conditions on fields that are not ``there``, as no log has them, and without `not`
    steps over such fields; notes the fields. A condition on a field that only some logs have, which are not
    ``everywhere``, lets pass where it is null. A condition that asks itself whether the field is null stays. What the
    logs lack may make a match uncertain, never prevent it."""
    out = []
    for rule in rules:
        steps, lacking, partly = [], set[str](), set[str]()
        for step in rule.steps:
            own = there | _MADE if step.sources == ("sessions",) else there
            texts = {part: fields_in(part) - own for part in step.static}
            lost = {c for c in step.conditions if c.fields & _FIELDS - own} if _of_logs(step) else set[Test]()
            lacking |= set().union(*texts.values(), *(c.fields & _FIELDS - own for c in lost))
            without = {part for part, none in texts.items() if none - _asked_null(part)}
            some = {} if everywhere is None or step.sources != ("flows",) else {
                part: sorted(fields_in(part) & there - everywhere) for part in step.static if part not in without
            }  # fmt: skip
            partly |= set().union(*some.values())
            if not (step.absent and (without or lost)):
                steps.append(dataclasses.replace(
                    step, conditions=tuple(c for c in step.conditions if c not in lost),
                    static=tuple(part if step.absent else _loose(part, some.get(part, ())) for part in texts
                                 if part not in without),
                ))  # fmt: skip
        if len(steps) < len(rule.steps):
            seen.without_not.add(rule.name)
        for names, noted in ((lacking, seen.lacking), (partly, seen.partly)):
            if names:
                noted[rule.name] = tuple(sorted(name.replace("_", "-") for name in names))
        out.append(dataclasses.replace(rule, steps=tuple(steps)))
    return out


def _asked_null(text: str) -> set[str]:
    """Returns the fields of which an expression asks whether they are null."""
    return {name.replace("-", "_").lower() for name in re.findall(r"([A-Za-z_][\w-]*)\s+is\s+null", text, re.I)}


def _loose(text: str, names: Iterable[str]) -> str:
    """Returns a condition that holds, too, where one of these fields is null."""
    nulls = "".join(f" or {name} is null" for name in names if name not in _asked_null(text))
    return f"(({text}){nulls})" if nulls else text


def fields_everywhere(formats: Iterable[str]) -> set[str]:
    """Returns the fields that all formats name."""
    own = [names for text in formats if (names := fields_of([text]) & _FIELDS)]
    return set.intersection(*own) if own else set()


def _of_logs(step: Step) -> bool:
    return step.sources[0] in ("flows", "sessions")


def fields_of(formats: Iterable[str]) -> set[str]:
    """Returns the fields that formats name."""
    return {name.replace("-", "_") for text in formats for name in re.findall(r"[A-Za-z][\w-]+", text)}


def fields_in(text: str) -> set[str]:
    """Returns the fields that an expression names."""
    names = re.findall(r"[A-Za-z_][\w-]*", re.sub(r"'[^']*'", "", text))
    return {name.replace("-", "_") for name in names} & _FIELDS


def shown_fields(rules: Iterable[SequenceRule]) -> list[str]:
    """Returns the fields of records that their events have: the usual ones, and those of conditions. A record is the
    same event in all steps."""
    steps = [step for rule in rules for step in rule.steps if step.sources == ("flows",)]
    asked = {name for step in steps for part in step.static for name in fields_in(part)}
    return list(dict.fromkeys([*_SHOWN, *sorted((asked | compared(steps)) & _FIELDS)]))


def compared(steps: Iterable[Step]) -> set[str]:
    """Returns the names of the values that steps compare, or bind."""
    names = set[str]()
    for step in steps:
        names |= {*step.bind.values(), *(name for one in step.conditions for name in one.fields)}
    return names
