"""Sequences and risk in a watch: the same matches as of one look over all, each told once when it is sure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Union

from .._display import instant
from .._hints import hint
from .._units import seconds
from ..alerts.alert import Alert
from ..correlate.conditions import Condition
from ..correlate.correlate import chosen_rules, is_possible
from ..correlate.entities import Entities, add_accounts, add_askers, add_inventory
from ..correlate.events import Event, Events
from ..correlate.logs import (
    coverage_events,
    fields_everywhere,
    fields_of,
    fitted,
    ownerless,
    session_events,
    shown_fields,
)
from ..correlate.mapped import checked_mapping
from ..correlate.model import SequenceRule, Step, time_of_absent
from ..correlate.records import rarest, times_near
from ..correlate.risk import risk
from ..correlate.seen import Seen
from ..correlate.sequence import BEST, Match, matches
from ..correlate.sources import KINDS, events_of_findings
from ..errors import PlanError
from ..findings.finding import Finding
from ..inventory.inventory import Inventory
from ..inventory.inventory import inventory as read_inventory
from ..query.flows import Flows
from ..rules.model import Rule
from ..typing import Duration, Severity
from .config import FollowedConfig
from .evaluation import Look
from .kept import Kept, Sifted, sifted
from .store import Store

Place = Union[str, "os.PathLike[str]"]
_OF_LOGS = ("flows", "coverage", "findings", "sessions")  # what the logs give
#: Sources that a watch can follow beside its logs: ``ocsf`` is of several; ``mapped`` needs a mapping.
BESIDE = (*KINDS, "ocsf", "mapped")
#: Seconds for which an event of a source may still come. AWS delivers CloudTrail within 15 minutes mostly, flow logs
#: within 10 after windows of up to 10.
LATENESS = {
    "flows": 1200, "coverage": 1200, "findings": 1200, "sessions": 1200, "cloudtrail": 900, "guardduty": 900,
    "dns": 900, "alb": 600,
}  # fmt: skip
_OTHER = 900
_RISKY = 86400  # seconds for which events count for the risk
_MOST = 200_000  # records of a step
_ANCHORS = 200  # first events for which records are asked one by one
_LEVELS = ("critical", "high", "medium", "low")
_SEVERITY: dict[str, Severity] = {"critical": "high", "high": "high", "medium": "medium", "low": "low"}
_LEAST = {"critical": 40.0, "high": 20.0, "medium": 10.0, "low": 1.0}


@dataclasses.dataclass(frozen=True)
class Correlating:
    """What a watch correlates its logs with.

    ``sources``: by their names (``cloudtrail``, ``guardduty``, ``dns``, ``alb``, ...) folders or ``s3://`` URLs that
    are followed; ``mapped`` with a ``mapping``, as of :func:`vpcflow.correlate`. ``rules``: a file or rules of
    :func:`vpcflow.correlate.of`; those that come with vpcflow without. ``inventory``: a folder of describe answers;
    ``config``: snapshots or histories of AWS Config, which are read again when they change.
    ``lateness``: how long an event may take to come, for all sources or by source. A match is told when no event that
    could change it may come any more. ``risk``: the level from which on entities are told: ``critical``, ``high``,
    ``medium``, ``low``, or ``None``. ``clock``: Unix seconds.

    >>> from vpcflow.watch import Correlating
    >>> Correlating({"cloudtrail": "trail/"}, lateness={"cloudtrail": "30m"}).seconds("cloudtrail")
    1800
    """

    sources: Mapping[str, Place] = dataclasses.field(default_factory=dict)
    rules: str | os.PathLike[str] | Sequence[SequenceRule] | None = None
    mapping: Mapping[str, object] | None = None
    inventory: Inventory | str | os.PathLike[str] | None = None
    config: Place | None = None
    lateness: Duration | Mapping[str, Duration] | None = None
    risk: str | None = "high"
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        for name in self.sources:
            if name not in BESIDE:
                raise PlanError(f"sources: {name!r}; {hint(name, BESIDE)}")
        if ("mapped" in self.sources) != (self.mapping is not None):
            raise PlanError("sources: events and a mapping go together")
        if self.mapping is not None:
            checked_mapping(self.mapping)
        if self.risk is not None and self.risk not in _LEVELS:
            raise PlanError(f"risk={self.risk!r}; {hint(self.risk, _LEVELS)}, or None")
        for name in self.lateness if isinstance(self.lateness, Mapping) else ():
            if name not in self.names:
                raise PlanError(f"lateness: {name!r}; {hint(name, self.names)}")
        for name in self.names:
            self.seconds(name)

    @property
    def names(self) -> list[str]:
        """The sources of events: those given, and what the logs give."""
        mapped = [str(self.mapping["source"])] if self.mapping is not None else []
        return [
            "flows",
            "coverage",
            "findings",
            "sessions",
            *(name for name in self.sources if name != "mapped"),
            *mapped,
        ]

    def seconds(self, source: str) -> int:
        """Returns how long an event of a source may take to come."""
        given = self.lateness.get(source) if isinstance(self.lateness, Mapping) else self.lateness
        return LATENESS.get(source, _OTHER) if given is None else seconds(given, "lateness")


class WatchedCorrelation:
    """The correlation of a watch, in its store. ``detects``: the watch has detectors, and so sessions; ``finds``: it
    has rules. ``log`` gets a line about rules that cannot be evaluated."""

    def __init__(
        self, store: Store, settings: Correlating, log: Callable[[str], None], *, detects: bool, finds: bool,
        settle: float,
    ) -> None:  # fmt: skip
        self._store, self._settings, self._log = store, settings, log
        self._kept = Kept(store)
        rules = chosen_rules(settings.rules)
        finds = finds or detects or any(rule.groupings for rule in rules)
        given = {*settings.names} - {*([] if detects else ["sessions"]), *([] if finds else ["findings"])}
        self._left = {rule.name: sorted(rule.sources - given) for rule in rules if not is_possible(rule, given)}
        self._rules = [rule for rule in rules if rule.name not in self._left]
        self._given = given
        self._shown = shown_fields(self._rules)
        known = settings.inventory
        self._inventory = read_inventory(known) if isinstance(known, (str, os.PathLike)) else known
        self._config = None if settings.config is None else FollowedConfig(settings.config, settle, log)
        if not self._rules:
            name, lacks = next(iter(self._left.items()))
            raise PlanError(f"correlation: no rule can be evaluated: {name} needs {', '.join(lacks)}, not given")
        longest = max(rule.within + _back(rule) for rule in self._rules)
        latest = max(map(settings.seconds, settings.names))
        self._held = max(longest, _RISKY) + latest
        self._risky = _RISKY + latest
        self._dirty = True  # something came since the last evaluation, as far as this process knows

    def begin(self) -> None:
        """Says which rules are not evaluated, and notes the lateness of sources for the status."""
        with self._store.transaction():
            self._store.execute("delete from facts where kind = 'lateness'")
            for name in self._settings.names:
                self._kept.set_fact("lateness", name, 0, self._settings.seconds(name))
        for name, lacks in sorted(self._left.items()):
            self._log(f"{name}: not evaluated, {', '.join(lacks)} is not given")

    @property
    def groupings(self) -> list[Rule]:
        """The rules over the logs whose findings are asked for."""
        return list({one.name: one for rule in self._rules for one in rule.groupings}.values())

    @property
    def held(self) -> int:
        """For how many seconds events are held."""
        return self._held

    @property
    def kept(self) -> Kept:
        """What is kept."""
        return self._kept

    # -- within the transaction of a batch

    def sifted(self, events: Iterable[Event]) -> Sifted:
        """Takes those events that are kept. For any time."""
        return sifted(events, self._rules)

    def add(self, events: Sifted, changes: Iterable[Any], notes: Sequence[str]) -> None:
        """Adds events beside the logs."""
        self._kept.add_events(events)
        self._kept.add_changes(changes)
        for note in notes:
            self._log(note)
            self._kept.note(note, self._newest())
        self._dirty = True

    def add_flows(self, flows: Flows, formats: Iterable[str], look: Look | None, found: Sequence[Finding]) -> None:
        """Adds records, what the detectors found in the sessions up to them, and what rules found."""
        known = [name for name, *_ in self._kept.facts("format")]
        rules = self._fitted([*known, *formats], Seen())
        if not {*formats} <= {*known}:  # what earlier logs lacked made conditions weaker
            self._kept.forget_steps(step.static for rule in rules for step in rule.steps if step.sources == ("flows",))
        self._kept.add_flows(flows, formats, rules, self._shown)
        if look is not None:
            self._kept.replace_events("findings", look.since, self.sifted(events_of_findings(look.all)))
            passed = Seen()
            sessions = session_events(look.sessions, rules, passed)
            self._kept.replace_sessions(look.since, sessions, passed.records)
        if found:
            self._kept.add_events(self.sifted(events_of_findings(found)))
        self._dirty = True

    def _newest(self) -> int:
        """Returns the last second of anything that was read, which is never in the future."""
        return min(max((end for _, end in self._kept.spans().values()), default=0), int(self._settings.clock()))

    # -- within a transaction of its own

    def look(self) -> None:
        """Reads what AWS Config says, if it changed."""
        self._dirty = (self._config is not None and self._config.look()) or self._dirty

    @property
    def is_due(self) -> bool:
        """Whether there is something to evaluate."""
        query = "select 1 from matches where told is null and due <= ? limit 1"
        return self._dirty or self._store.execute(query, (self._settings.clock(),)).fetchone() is not None

    def evaluate(self) -> list[Alert]:
        """Evaluates rules and risk over what is kept, and returns the alerts that come of it. For one within a
        transaction; :meth:`done` says that it was committed."""
        now, newest = int(self._settings.clock()), self._newest()
        horizon = newest - self._held
        self._kept.forget(newest, horizon, newest - self._risky)
        events, entities, seen, rules = self._state(now)
        sessions = list(self._kept.sessions(seen))
        events += sessions
        asked = self._records(rules, events, seen)
        used = self._kept.used(horizon)
        found = matches(rules, events + asked, entities, seen, used)
        self._kept.set_used(used)
        self._thin(rules, asked, newest)
        alerts = self._told(found, now, horizon)
        return alerts + self._risks(events, [m for m in found if not m.provisional], entities, newest)

    def done(self) -> None:
        """Says that what was evaluated has been committed."""
        self._dirty = False

    def _state(self, now: int) -> tuple[Events, Entities, Seen, list[SequenceRule]]:
        entities, seen = Entities(), Seen()
        kept, settings = self._kept, self._settings
        if self._inventory is not None:
            add_inventory(entities, self._inventory)
        if self._config is not None:
            self._config.items.add_to(entities)
        kept.add_to(entities)
        spans = kept.spans()
        if "flows" in spans:
            spans |= {name: spans["flows"] for name in ("coverage", "findings", "sessions")}
        # Nothing came until now: what is older than the lateness is not there.
        seen.spans = {
            name: (first, max(last, now - settings.seconds(name))) for name, (first, last) in spans.items()
        }  # fmt: skip
        seen.notes = [text for text, *_ in kept.facts("note")]
        seen.notes += self._config.items.notes if self._config is not None else ()
        until = max((end for _, _, end, _ in kept.facts("dropped")), default=None)
        if until is not None:
            seen.notes.append(
                f"flows: of the records before {instant(until)} some were left out, as there were too many"
            )
        events = Events(kept.events())
        add_accounts(entities, events)
        add_askers(entities, events)
        events += coverage_events(kept.coverage(), kept.accounts(), seen)
        for address in ownerless(events, entities):
            kept.add_owners_to(entities, address, self._inventory)
        return events, entities, seen, self._fitted([name for name, *_ in kept.facts("format")], seen)

    def _fitted(self, formats: Sequence[str], seen: Seen) -> list[SequenceRule]:
        return fitted(self._rules, fields_of(formats), seen, fields_everywhere(formats))

    def _records(self, rules: Sequence[SequenceRule], events: Events, seen: Seen) -> list[Event]:
        """Returns the records near first events; notes by which conditions they passed."""
        out: dict[str, Event] = {}
        for rule in rules:
            first = rule.positive[0] if rule.ordered else rarest(rule, events)
            anchored = first.sources != ("flows",)
            anchors = [e for e in events.of(first.sources, first.kinds) if first.takes(e)] if anchored else []
            for step in rule.steps:
                if step.sources == ("flows",):
                    own = (
                        self._near(rule, step, first, anchors)
                        if anchored
                        else self._kept.records(step.static, 0, 2**40)
                    )
                    for record in own:
                        out[record.key] = record
                        seen.records.setdefault(step.static, set()).add(record.key)
        return list(out.values())

    def _near(self, rule: SequenceRule, step: Step, first: Step, anchors: Sequence[Event]) -> Iterable[Event]:
        if len(anchors) > _ANCHORS:
            times = [times_near(rule, step, anchor) for anchor in anchors]
            yield from self._kept.records(step.static, min(times)[0], max(last for _, last in times))
            return
        bound = [one for one in step.conditions if isinstance(one, Condition) and one.bound]
        named = {one.values[0] for one in bound}
        for anchor in anchors:
            binds = first.bound_by(anchor)
            for record in self._kept.records(step.static, *times_near(rule, step, anchor), _ports(bound, binds)):
                if not named <= binds.keys() or step.fits(record, binds):
                    yield record

    def _thin(self, rules: Sequence[SequenceRule], near: Iterable[Event], newest: int) -> None:
        crowded = self._kept.crowded(_MOST)
        if crowded:
            keys = [event.key for event in near]
            settled = newest - max(map(self._settings.seconds, self._settings.names))
            for step in crowded:
                self._kept.thin(step, _MOST, settled, keys)

    def _told(self, found: Sequence[Match], now: int, horizon: int) -> list[Alert]:
        """Keeps the matches, and returns alerts of those that are sure now, and of those that are none any more."""
        execute = self._store.execute
        rules = {rule.name: rule for rule in self._rules}
        alerts = []
        for match in found:
            due = self._due(rules[match.rule], match)
            row = execute("select told from matches where id = ?", (match.id,)).fetchone()
            told = row[0] if row is not None else None
            if told is None and due <= now and not match.provisional:
                known = execute("select 1 from alerts where id = ?", (match.id,)).fetchone()  # withdrawn in between
                told = match.id if known is None else _hashed(f"{match.id}\n{now}")
                alerts.append(Alert(told, finding_of(match), incident=match.id if told != match.id else ""))
            execute(
                "insert or replace into matches values (?, ?, ?, ?, ?, ?, ?, ?)",
                (match.id, match.rule, match.start, match.end, match.events[0].end, due, told,
                 json.dumps(match.as_row())),
            )  # fmt: skip
        there = {match.id for match in found}
        query = "select id, rule, told, body from matches where first >= ? order by id"
        for number, rule, told, body in execute(query, (horizon,)).fetchall():
            if number not in there and rule in rules:
                execute("delete from matches where id = ?", (number,))
                if told is not None:
                    why = "what came later tells it otherwise"
                    alerts.append(Alert(_hashed(f"withdrawn\n{told}"), finding_of_row(json.loads(body)), why, number))
        execute("delete from matches where end < ?", (horizon,))
        return alerts

    def _due(self, rule: SequenceRule, match: Match) -> int:
        """Returns from when on no event comes that could change a match."""
        ends = [match.end]
        ends += [time_of_absent(rule, step, match.events)[1] for step in rule.steps if step.absent]
        sources = {source for step in rule.steps for source in step.sources}
        return max(ends) + max(self._settings.seconds(source) for source in sources & {*self._settings.names})

    def _risks(self, events: Events, found: Sequence[Match], entities: Entities, newest: int) -> list[Alert]:
        """Returns alerts of entities whose risk has reached a level."""
        if self._settings.risk is None:
            return []
        least = _LEVELS.index(self._settings.risk)
        rows = risk(events, found, entities, at=newest)
        known = {name: level for name, *_, level in self._kept.facts("risk")}
        alerts = []
        for row in _apart(rows):
            entity, level = row["entity"], _LEVELS.index(row["level"])
            if level <= least and (entity not in known or level < _LEVELS.index(known[entity])):
                name = f"risk\n{entity}\n{row['level']}\n{row['first']}"
                alerts.append(Alert(_hashed(name), finding_of_risk(row), incident=_hashed(f"risk\n{entity}")))
                self._kept.set_fact("risk", entity, row["first"], row["last"], row["level"])
        for entity in known.keys() - {row["entity"] for row in rows}:  # its events are older than the window
            self._store.execute("delete from facts where kind = 'risk' and name = ?", (entity,))
        return alerts


def _ports(bound: Sequence[Condition], binds: Mapping[str, object]) -> tuple[int, int] | None:
    """Returns the destination ports that conditions ask for, if they ask for some."""
    for one in bound:
        if one.field == "dstport" and one.op in ("=", "in") and not one.negated and one.values[0] in binds:
            low, _, high = str(binds[one.values[0]]).partition("-")
            if low.isdecimal() and (high or low).isdecimal():
                return int(low), int(high or low)
    return None


def _apart(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Leaves out the risk of an entity whose events are all those of another one, that it belongs to."""
    out: list[tuple[set[str], Mapping[str, Any]]] = []
    for row in sorted(rows, key=lambda row: BEST.index(row["type"]) if row["type"] in BEST else len(BEST)):
        refs = {ref for part in row["parts"] for ref in part["refs"]}
        if not any(refs <= others and row["score"] <= other["score"] for others, other in out):
            out.append((refs, row))
    return [row for _, row in out]


def _back(rule: SequenceRule) -> int:
    """Returns how far a rule looks back from its first event."""
    leading = rule.steps[: rule.steps.index(rule.positive[0])]
    return max((step.within or rule.within for step in leading), default=0)


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def finding_of(match: Match) -> Finding:
    """Returns a match as a finding."""
    return finding_of_row(match.as_row())


def finding_of_row(row: Mapping[str, Any]) -> Finding:
    """Returns the row of a match as a finding; its records are the samples."""
    events = row["events"]
    samples = []
    for event in events:
        file, colon, place = event["ref"].rpartition(":byte ")
        if event["source"] == "flows" and colon and place.isdigit():
            samples.append({**event["attrs"], "file": file, "offset": int(place)})
    others = [one for event in events for one in event["entities"] if one != row["entity"]]
    evidence = {
        "events": [_line(event) for event in events], "refs": [event["ref"] for event in events],
        "could_not_see": row["could_not_see"],
    }  # fmt: skip
    sentence = f"{row['rule']}: {row['entity'] or 'somebody'}: {', then '.join(evidence['events'])}"
    return Finding(
        row["rule"], row["severity"], row["entity"], list(dict.fromkeys(others))[:20], row["start"], row["end"], 1.0,
        row["technique"] or "", evidence, {}, sentence, None, samples,
    )  # fmt: skip


def finding_of_risk(row: Mapping[str, Any]) -> Finding:
    """Returns the row of a risk as a finding."""
    level, points = row["level"], row["score"]
    parts = [f"{part['source']} {part['kind']} ({part['points']:g})" for part in row["parts"]]
    sentence = f"{row['entity']}: {level} risk, {points:g} points: {', '.join(parts[:10])}"
    evidence = {"level": level, "points": points, "told_by": row["sources"], "parts": row["parts"]}
    return Finding(
        "risk", _SEVERITY[level], row["entity"], [], row["first"], row["last"], points / (points + _LEAST[level]), "",
        evidence, {}, sentence,
    )  # fmt: skip


def _line(event: Mapping[str, Any]) -> str:
    attrs = event["attrs"]
    what = event["kind"]
    if event["source"] == "flows":
        what = f"{attrs.get('srcaddr')} to {attrs.get('dstaddr')} port {attrs.get('dstport')} {attrs.get('action')}"
    who = attrs.get("principal")
    return f"{instant(event['time'])} {event['source']} {what}" + (f" by {who}" if who else "")
