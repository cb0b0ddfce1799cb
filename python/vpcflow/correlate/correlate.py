"""Correlates flow logs with other events: the call behind ``vpcflow correlate``."""

from __future__ import annotations

import dataclasses
import difflib
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Union

from .._addresses import PRIVATE
from .._display import instant
from .._hints import hint
from .._words import count
from ..detect.detect import detect
from ..errors import DataQualityWarning, PlanError, VpcflowError
from ..findings.findings import Findings
from ..findings.scope import Scope
from ..inventory.inventory import Inventory
from ..inventory.inventory import inventory as read_inventory
from ..query.arguments import instance
from ..query.flows import Flows
from ..query.report import Report
from ..rules.evaluate import run as run_rules
from ..typing import Duration, Progress
from .cloudtrail import kinds_asked
from .config import add_config
from .documents import files_of
from .entities import Entities, add_accounts, add_askers, add_changes, add_inventory
from .events import Events, Story
from .load import SOURCES, load, of
from .logs import (
    coverage_events,
    facts_of,
    fields_everywhere,
    fields_of,
    fitted,
    has_sessions,
    own_subnets,
    owners_of,
    session_events,
    sessions_of,
)
from .mapped import EXAMPLE, checked_mapping, unfit
from .model import SequenceRule
from .records import flow_events
from .risk import risk
from .seen import STEADY, Seen, silent_hours
from .sequence import Match, matches
from .shipped import SHIPPED
from .sources import events_of_findings, load_source
from .table import EventTable, Loaded

#: A file of events, or a folder of such.
Place = Union[str, "os.PathLike[str]"]
_DAY = 86400
_TIMES = 500_000  # events of which the times are read, to say which hours lack
_CALL = "correlate(vf.scan('logs/'), cloudtrail='trail/')"


@dataclasses.dataclass(frozen=True)
class Correlation:
    """What sequences matched. ``events``: all events that were looked at, of flow logs and CloudTrail those that rules
    ask for or that are a risk; ``entities``: who had what when; ``not_evaluated``: rules whose sources were not given,
    with those; ``notes``: what was damaged or left out; ``read``: by source, the number of all its events, and the
    first and last time; ``trail``: where :meth:`about` looks for other events of CloudTrail."""

    matches: list[Match]
    events: Events
    entities: Entities
    rules: list[SequenceRule]
    not_evaluated: dict[str, list[str]]
    notes: list[str]
    scope: Scope
    report: Report
    read: Mapping[str, tuple[int, int, int]] = dataclasses.field(default_factory=dict)
    trail: Place | None = None

    def rows(self) -> list[dict[str, Any]]:
        """Returns a row a match, as ``vpcflow correlate --json`` prints them."""
        return [match.as_row() for match in self.matches]

    def risk(
        self, *, window: Duration = "24h", half_life: Duration = "12h", at: int | None = None
    ) -> list[dict[str, Any]]:
        """Returns the risk of entities; options as of :func:`vpcflow.correlate.risk`. Without ``at``, ages are counted
        of the end of the flow logs, or the last event up to a day after: clocks of others may be wrong."""
        if at is None:
            ends = [*(event.end for event in self.events), *(match.end for match in self.matches)]
            ends += [last for _, _, last in self.read.values()] + [self.scope.end or 0]
            until = self.scope.end + _DAY if self.scope.end is not None else max(ends, default=0)
            at = max((end for end in ends if end <= until), default=None)
        return risk(self.events, self.matches, self.entities, window=window, half_life=half_life, at=at)

    def about(self, entity: str, start: int | None = None, end: int | None = None) -> Story:
        """Returns the events of an entity in order of time, with those whose addresses were its then, those of its
        matches and those of sessions that a user began: a list of rows, which ``print`` writes for people. ``entity``:
        an interface, instance, address, account, access key, or a user, role or session by name or ARN."""
        told = self.events
        # A user by name is each principal with that name: `arn:aws:iam::123456789012:user/NAME`.
        wanted = {entity, *(one for event in told for one in event.entities if one.endswith(f":user/{entity}"))}
        if self.trail is not None:
            names = sorted({name for one in wanted for name in self.entities.names_of(one)})
            told += load_source(self.trail, "cloudtrail", entities=names, allow_empty=True).events
        story = {id(event) for match in self.matches if match.entity == entity for event in match.events}
        rows = [
            event.as_dict() for event in told
            if (wanted & {*event.entities, *self.entities.resolve(event)} or id(event) in story)
            and (start is None or event.end >= start) and (end is None or event.time < end)
        ]  # fmt: skip
        known = {one for event in self.events for one in event.entities} if not rows else set[str]()
        near = hint(entity, sorted(known)) if difflib.get_close_matches(entity, known, 1) else ""
        return Story(rows, f"no event of {entity}{f'; {near}' * bool(near)}")

    def conclusion(self) -> str:
        """Says in a sentence what matched, and of what that is said."""
        ran = len(self.rules) - len(self.not_evaluated)
        sources = {source: number for source, (number, _, _) in self.read.items()}
        for event in self.events:
            if event.source not in ("flows", "sessions", "coverage", *self.read):
                sources[event.source] = sources.get(event.source, 0) + 1
        beside = ", ".join(f"{n:,} of {name}" for name, n in sorted(sources.items())) or "no other events"
        found = f"{len(self.matches):,} match{'es' * (len(self.matches) != 1)}" if self.matches else "no match"
        left = f" ({len(self.not_evaluated)} more not evaluated)" if self.not_evaluated else ""
        return f"{found} of {count(ran, 'rule')}{left} in {self.scope}; events beside: {beside}"


def correlate(
    flows: Flows, *, cloudtrail: Place | None = None, guardduty: Place | None = None, securityhub: Place | None = None,
    dns: Place | None = None, alb: Place | None = None, nlb: Place | None = None, clb: Place | None = None,
    waf: Place | None = None, ocsf: Place | None = None, findings: Place | None = None, events: Place | None = None,
    mapping: Mapping[str, object] | None = None, inventory: Inventory | str | os.PathLike[str] | None = None,
    config: Place | None = None, rules: str | os.PathLike[str] | Sequence[SequenceRule] | None = None,
    progress: Progress | bool | None = None,
) -> Correlation:  # fmt: skip
    """Finds sequences in flow logs and other events: A, then B within a time, of the same interface, instance,
    address, principal or account, or joined by what A names.

    ``cloudtrail``, ``guardduty``, ``securityhub``, ``dns`` (Route 53 Resolver), ``alb``, ``nlb``, ``clb``, ``waf``:
    files or folders, as AWS delivers them, or their OCSF forms; ``ocsf``: OCSF forms of any of these, as Security Lake
    has them, JSON or Parquet. ``findings``: lines of ``vpcflow detect --json``; without, the detectors run if a rule
    asks for findings. ``events``: CSV or JSON lines of any other source, with a ``mapping`` of its columns.
    ``inventory``: a folder of describe answers, or :func:`vpcflow.inventory`; ``config``: snapshots or histories of AWS
    Config. ``rules``: a file, or rules of :func:`vpcflow.correlate.of`; those that come with vpcflow without.

    A rule with a source that was not given is not evaluated, and :attr:`Correlation.not_evaluated` says so. Raises
    :class:`~vpcflow.RuleError` for a rule that cannot be, :class:`~vpcflow.NoRecordsError` for a source without
    events, and errors as of :meth:`vpcflow.Flows.collect`; of damaged logs the correlation is the error's ``partial``.
    """
    instance(flows, Flows, "correlate", _CALL)
    own = chosen_rules(rules)
    seen, changes, told = Seen(trail=cloudtrail), list[Any](), Events()
    places = {
        "cloudtrail": cloudtrail, "guardduty": guardduty, "securityhub": securityhub, "dns": dns, "alb": alb,
        "nlb": nlb, "clb": clb, "waf": waf, "ocsf": ocsf, "findings": findings,
    }  # fmt: skip
    given = {source for source, place in places.items() if place is not None}
    for source in sorted(given):
        kinds = kinds_asked(own) if source == "cloudtrail" else ()
        read = load_source(places[source] or "", source, changes, kinds=kinds)
        told, seen.notes = told + read.events, [*seen.notes, *read.notes]
        if read.first is not None and read.last is not None:
            seen.read[source] = (read.count, read.first, read.last)
            _note_silence(source, places[source] or "", read, seen)
    if (events is None) != (mapping is None):
        missing = "mapping, which says which columns are what" if mapping is None else "events, which it is of"
        raise PlanError(f"correlate: {'events' if mapping is None else 'mapping'} without {missing}: as {EXAMPLE}")
    if events is not None and mapping is not None:
        read = load_source(events, "mapped", mapping=checked_mapping(mapping))
        told, seen.notes = told + read.events, [*seen.notes, *read.notes]
        seen.blind += unfit(own, list(read.events), str(mapping["source"]))
    entities = Entities()
    known = read_inventory(inventory) if isinstance(inventory, (str, os.PathLike)) else inventory
    if known is not None:
        instance(known, Inventory, "inventory", _CALL)
        add_inventory(entities, known)
    if config is not None:
        seen.notes += add_config(entities, config)
    add_changes(entities, changes)
    add_accounts(entities, told)
    add_askers(entities, told)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        return _correlated(flows, own, told, given, entities, seen, known, progress)


def _note_silence(source: str, place: Place, read: Loaded, seen: Seen) -> None:
    """Notes the hours in which a source has no event. Of CloudTrail that takes a reading of its own, as the engine
    passes by what no rule asks for."""
    if source == "cloudtrail" and read.count > _TIMES:
        seen.notes.append(f"cloudtrail: {read.count:,} events; whether hours lack was not looked at")
    elif source == "cloudtrail":
        paths = [path for path in files_of(place) if path.suffix != ".parquet"]
        found = [event.time for event in read.events]
        seen.holes[source] = silent_hours([*found, *EventTable(paths, source, (), ()).times()])
    elif source in STEADY:
        seen.holes[source] = silent_hours(event.time for event in read.events)


def chosen_rules(given: Any) -> list[SequenceRule]:
    """Returns the rules of a file, rules as they are, or those that come with vpcflow."""
    if given is None:
        return of(SHIPPED, "shipped rules")
    if isinstance(given, (str, os.PathLike)):
        return load(given)
    if isinstance(given, Sequence) and all(isinstance(one, SequenceRule) for one in given) and given:
        return list(given)
    return of(given)


def _correlated(
    flows: Flows, rules: list[SequenceRule], told: Events, given: set[str], entities: Entities, seen: Seen,
    known: Inventory | None, progress: Progress | bool | None,
) -> Correlation:  # fmt: skip
    scope, interfaces, damage = facts_of(flows, entities, seen, progress)
    if damage is not None:
        seen.notes.append(f"the flow logs are damaged: {str(damage).splitlines()[0]}")
    told += _found(flows, rules, told, entities, seen, progress)
    given |= {event.source for event in told} | ({"findings"} if _asks_findings(rules) else set())
    try:
        accounts = {row["interface_id"]: row["account_id"] for row in interfaces.rows() if row["interface_id"]}
        told += coverage_events(flows.unfiltered().coverage(), accounts, seen)
    except VpcflowError as error:
        seen.notes.append(f"coverage is not known: {str(error).splitlines()[0]}")
    seen.notes += owners_of(flows, told, entities, known)
    seen.spans |= {source: (first, last) for source, (_, first, last) in seen.read.items()}
    for event in told:
        first, last = seen.spans.get(event.source, (event.time, event.end))
        if event.source != "coverage":
            seen.spans[event.source] = (min(first, event.time), max(last, event.end))
    for source in ("findings", "sessions"):
        if "flows" in seen.spans and source in (*given, "sessions"):
            seen.spans[source] = seen.spans["flows"]
    formats = flows.formats
    fields = fields_of(formats)
    there = {*given, "flows", "coverage", *(["sessions"] if has_sessions(fields) else [])}
    left = {rule.name: sorted(rule.sources - there) for rule in rules if not is_possible(rule, there)}
    if len(left) == len(rules):
        name, lacks = next(iter(left.items()))
        advice = hint(lacks[0], sorted({*SOURCES, *given}))
        raise PlanError(f"correlate: no rule can be evaluated: {name} needs {', '.join(lacks)}, not given; {advice}")
    run = fitted([rule for rule in rules if rule.name not in left], fields, seen, fields_everywhere(formats))
    told += session_events(sessions_of(flows, run, progress), run, seen)
    told += flow_events(flows, run, told, entities, seen, progress)
    own = matches(run, told, entities, seen)
    notes = [*seen.notes, *seen.unjudged(run)]
    found = Correlation(own, told, entities, rules, left, notes, scope, interfaces.report, seen.read, seen.trail)
    if damage is not None:
        damage.partial = found
        raise damage
    return found


def is_possible(rule: SequenceRule, there: set[str]) -> bool:
    """Tells whether each step has a source that was given."""
    return all(any(source in there for source in step.sources) for step in rule.positive)


def _asks_findings(rules: Sequence[SequenceRule]) -> bool:
    return any("findings" in step.sources for rule in rules for step in rule.steps)


def _found(
    flows: Flows, rules: Sequence[SequenceRule], told: Events, entities: Entities, seen: Seen,
    progress: Progress | bool | None,
) -> Events:  # fmt: skip
    """Returns the findings that steps ask for and that were not given: of groupings, and of detectors, for which
    subnets of IPv6 with own addresses are inside."""
    groupings = {one.name: one for rule in rules for one in rule.groupings}
    of_detectors = any(
        "findings" in step.sources and not (step.kinds and set(step.kinds) <= groupings.keys())
        for rule in rules for step in rule.steps
    )  # fmt: skip
    found: list[Findings] = []
    if groupings:
        found.append(_readable(lambda: run_rules(flows, list(groupings.values()), samples=1, progress=progress)))
    if of_detectors and not any(event.source == "findings" for event in told):
        inside = [*PRIVATE, *sorted({*entities.networks, *own_subnets(flows)})]
        found.append(_readable(lambda: detect(flows, progress=progress, inside=inside)))
    blind = {name: lacks for own in found for name, lacks in own.not_detected.items()}
    weaker = {name: reasons for own in found for name, reasons in own.degraded.items() if reasons}
    for rule in rules:
        for step in rule.positive:
            if "findings" in step.sources and step.kinds and blind.keys() >= set(step.kinds):
                why = "; ".join(f"{kind}: {', '.join(map(str, blind[kind]))}" for kind in step.kinds)
                seen.blind.append(f"{rule.name}: the logs cannot show {why}")
            elif "findings" in step.sources and step.kinds and weaker.keys() >= set(step.kinds):
                why = "; ".join(dict.fromkeys(f"{weaker[kind][0]}" for kind in step.kinds))
                seen.blind.append(f"{rule.name}: {', '.join(step.kinds)}: {why}")
    return Events(event for own in found for event in events_of_findings(own))


def _readable(find: Callable[[], Findings]) -> Findings:
    """Returns what was found; of damaged logs, what was found before the damage."""
    try:
        return find()
    except VpcflowError as error:
        if not isinstance(error.partial, Findings):
            raise
        return error.partial


def not_seen(found: Correlation) -> list[str]:
    """Returns what the correlation could not see, for people: rules that were not evaluated, notes, the last hour."""
    left = sorted(found.not_evaluated.items())
    lines = [f"{name}: not evaluated, {', '.join(lacks)} was not given" for name, lacks in left]
    if found.scope.end is not None:
        lines.append(f"flow logs end at {instant(found.scope.end)} UTC; what follows later events is not in them")
    return [*lines, *found.notes]
