"""Evaluation of new records: what rules and detectors find in them together with those before."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from typing import Callable, NamedTuple

from ..detect.detect import checked_settings, find
from ..detect.history import Past
from ..detect.run import services_in, sessions_for
from ..detect.settings import DetectorSettings
from ..errors import FieldError
from ..findings.finding import SEVERITIES, Finding
from ..query.aggregation import Aggregation
from ..query.arguments import names
from ..query.flows import Flows
from ..query.result import Result
from ..query.scan import query
from ..query.sessions import sessions_as_records
from ..rules.evaluate import blind_rules, findings_of, sampled
from ..rules.model import Rule
from ..typing import Severity
from .limits import Limits
from .reading import DAY
from .settings import begin, described
from .settling import is_settled
from .store import Store

SAMPLES = 3  # records that are kept with a finding
# In the place of days: of records without times, and of the sessions that are not over, which are no rule's.
_NO_DAY, _OPEN = -1, -2


class RuleCounts:
    """What rules have counted of each day; ``keep`` is for how many days of records."""

    def __init__(self, store: Store, rules: Sequence[Rule], keep: int, limits: Limits) -> None:
        self._store, self._rules, self._keep, self._limits = store, list(rules), keep, limits

    def add(self, flows: Flows, days: Sequence[int | None], formats: Iterable[str]) -> None:
        """Counts the records of some files, which are of these days and formats."""
        self._limits.tell(blind_rules(self._rules, formats))
        records = flows._with(allow_missing=True)  # of `start`
        for rule in self._rules:
            for day in days if rule.over == "records" else ():
                part = records.filter("start is null" if day is None else f"start >= {day} and start < {day + DAY}")
                self._count(rule, _NO_DAY if day is None else day, part)
        if any(rule.over == "sessions" for rule in self._rules):
            self._add_sessions(flows)

    def forget(self) -> int:
        """Forgets the days before those that are kept, and returns the first second of these."""
        (newest,) = self._store.execute("select max(day) from states").fetchone()
        horizon: int = (newest or 0) - (self._keep - 1) * DAY
        self._store.execute("delete from states where day between 0 and ?", (horizon - 1,))
        return horizon

    def findings(self, flows: Flows) -> list[Finding]:
        """Returns what the rules find in all days that are kept, with samples out of ``flows``."""
        return [f for rule in self._rules for f in sampled(flows, rule, self._findings(rule), SAMPLES)]

    def _count(self, rule: Rule, day: int, part: Flows) -> None:
        state = self._state(rule, day)
        state.update(part)
        self._save(rule.name, day, _fingerprint(rule), state)

    def _state(self, rule: Rule, day: int) -> Aggregation:
        """Returns what a rule has counted of a day; nothing if the rule was another one then."""
        row = self._store.execute(
            "select blob from states where name = ? and day = ? and rule = ?", (rule.name, day, _fingerprint(rule))
        ).fetchone()
        if row is not None:
            return Aggregation.from_bytes(row[0])
        return Aggregation(dataclasses.replace(rule, having=()).query())

    def _save(self, name: str, day: int, rule: str, state: Aggregation) -> None:
        self._store.execute("insert or replace into states values (?, ?, ?, ?)", (name, day, rule, state.to_bytes()))

    def _add_sessions(self, flows: Flows) -> None:
        """Counts the sessions that are over: none of them can go on, as nothing so old comes any more."""
        row = self._store.execute("select blob from states where day = ?", (_OPEN,)).fetchone()
        state = Aggregation.from_bytes(row[0]) if row is not None else Aggregation(query().sessions())
        try:
            state.update(flows)
        except FieldError:  # these logs make no sessions, as blind_rules says
            return
        latest = flows.agg(last="max(end)").collect()["last"][0]
        over = state.take_idle(latest if latest is not None else 0)
        self._save("", _OPEN, "", state)
        records = sessions_as_records(over, "client_bytes")
        starts = {(start or 0) // DAY * DAY for start in over["start"]} if len(over) else set()
        for rule in self._rules:
            for day in starts if rule.over == "sessions" else ():
                self._count(rule, day, records.filter(f"start >= {day} and start < {day + DAY}"))

    def _findings(self, rule: Rule) -> list[Finding]:
        rows = self._store.execute(
            "select blob from states where name = ? and rule = ?", (rule.name, _fingerprint(rule))
        ).fetchall()
        if not rows:
            return []
        total = Aggregation.from_bytes(rows[0][0])
        for (blob,) in rows[1:]:
            total.merge(Aggregation.from_bytes(blob))
        shown = Aggregation(rule.query())
        shown.merge(total)
        return findings_of(rule, shown.collect())


class WatchedDetectors(DetectorSettings, total=False):
    """Settings of detectors, and which of them look."""

    only: Sequence[str]


class Look(NamedTuple):
    """What detectors found in the sessions of a span."""

    all: list[Finding]
    blind: frozenset[str]  # detectors that could not look
    severities: Sequence[Severity]  # of what is told
    since: int  # Unix seconds from which on all sessions were looked at
    newest: int
    sessions: Result

    @property
    def settled(self) -> list[Finding]:
        """What is to be told: of these severities, and so that later data seldom refutes it."""
        return [f for f in self.all if f.severity in self.severities and is_settled(f, self.newest)]


class DetectorWindow:
    """The sessions of the last ``span`` seconds, in which detectors look.

    ``settings``: those of :func:`vpcflow.detect`; ``only`` among them names detectors. ``min_severity``:
    the severity from which on findings count.
    """

    PARTS = 50  # saved states of sessions, before they are put together

    def __init__(
        self, store: Store, settings: WatchedDetectors, baseline: Past | None, span: int, min_severity: Severity,
        limits: Limits, log: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._store, self._baseline, self._span, self._limits, self._log = store, baseline, span, limits, log
        self._only = tuple(names([settings.get("only", ())], "detectors={'only': ['port_scan']}"))
        own = {name: value for name, value in settings.items() if name != "only"}
        self._settings = checked_settings(self._only, own)
        self._severities = SEVERITIES[: SEVERITIES.index(min_severity) + 1]
        self._described = described(self._settings, self._only, baseline, span, min_severity)
        self._sessions: Aggregation | None = None  # those of the store, put together
        self._last_part: int | None = None  # of the store, that they hold

    def begin(self) -> None:
        """Says so if the state was written with other settings; what was told then is refuted by nothing."""
        begin(self._store, self._described, self._log, time.time())

    def reload(self) -> None:
        """Lets the next look read the sessions from the store again, as after a transaction that failed."""
        self._sessions = None

    def look(self, flows: Flows) -> Look | None:
        """Adds the sessions of some files, and looks at those of the last span; ``None`` if these logs make none. Of
        each look its own sessions are saved: states that are put together give the same as one pass over all."""
        idle = self._settings.idle
        fresh = Aggregation(query().sessions(idle=idle))
        try:
            fresh.update(flows)
        except FieldError as error:
            self._log(f"the detectors cannot see these logs: {error}")
            return None
        mine = "from sessions where idle = ?"
        last, saved = self._store.execute(f"select max(id), count(*) {mine}", (str(idle),)).fetchone()
        if self._sessions is None or last != self._last_part:
            parts = self._store.execute(f"select blob {mine} order by id", (str(idle),))
            self._sessions = Aggregation(sessions_for(query(), self._settings))
            for (blob,) in parts:
                self._sessions.merge(Aggregation.from_bytes(blob))
        self._sessions.merge(fresh)
        newest = max((end for end in fresh.collect()["end"] if end is not None), default=0)
        self._sessions.take_idle(newest - self._span)
        if saved >= self.PARTS:
            self._store.execute("delete from sessions")
            fresh = self._sessions
        self._last_part = self._store.execute(
            "insert into sessions (idle, blob) values (?, ?)", (str(idle), fresh.to_bytes())
        ).lastrowid
        held = self._sessions.collect()
        found = find(
            held, flows, self._settings, only=self._only, baseline=self._baseline, samples=SAMPLES,
            services=self._services(flows),
        )  # fmt: skip
        self._limits.tell(found.limits())
        # Of sessions that were cut otherwise before, or come from another state, there are none: they refute nothing.
        (first,) = sessions_as_records(held, "client_bytes").agg(start="min(start)").collect()["start"] or [None]
        since = max(newest - self._span, newest if first is None else first)
        return Look(list(found), frozenset(found.not_detected), self._severities, since, newest, held)

    def _services(self, flows: Flows) -> dict[str, str]:
        """Returns AWS's services of addresses, as these logs and those before name them."""
        self._store.executemany("insert or replace into services values (?, ?)", services_in(flows).items())
        return dict(self._store.execute("select address, service from services").fetchall())


def _fingerprint(rule: Rule) -> str:
    """Returns what decides what a rule counts; with another one it begins anew."""
    parts = [rule.where, rule.by, rule.every, rule.over, sorted(rule.aggregates.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
