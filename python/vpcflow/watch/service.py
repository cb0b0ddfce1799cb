"""Watching a folder: new logs are read once, rules are asked, alerts are told once.

Everything that matters is in one SQLite file: which files were read, what the rules have counted so far, which alerts
were made, and which of them each channel has got. Files, counts and alerts change in one transaction, so a process that
is killed at any point goes on where it was, with neither a repeated nor a lost alert. A delivery that is cut off in
between is repeated with the same ``id``: files of JSON lines and Alertmanager take it once, webhooks get it as
``Idempotency-Key``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import sqlite3
import stat
import threading
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable

from .._threads import locked
from .._units import seconds
from ..alerts.alert import Alert, Channel
from ..alerts.channels.jsonl import JsonLines
from ..detect.detect import checked_settings, find
from ..errors import (
    DataQualityWarning,
    FieldError,
    NoRecordsError,
    NotifyError,
    OutputError,
    RuleError,
    SourceNotFoundError,
    VpcflowError,
)
from ..findings.finding import SEVERITIES, Finding
from ..io.writing import check_writable
from ..query.aggregation import Aggregation, merge_all
from ..query.flows import Flows, scan
from ..query.sessions import sessions_as_records
from ..rules.evaluate import fields_of, findings_of, sampled
from ..rules.model import THROTTLE, Rule
from ..rules.silences import Silence, check_silences

DAY = 86400
_SCHEMA = """
create table if not exists meta (name text primary key, value text) without rowid;
create table if not exists files (path text primary key, size integer, mtime integer, failures integer, done integer);
create table if not exists states (name text, day integer, rule text, blob blob, primary key (name, day));
create table if not exists sessions (id integer primary key, idle text, blob blob);
create table if not exists incidents (id integer primary key, key text, severity text, start integer, end integer,
                                      told integer);
create index if not exists incidents_by_key on incidents (key, end);
create table if not exists alerts (id text primary key, finding text, made real, silenced text);
create table if not exists outbox (alert text, channel text, tries integer default 0, next real default 0,
                                   delivered real, primary key (alert, channel));
"""
_VERSION = "2"
# In the place of days: of records without times, and of the sessions that are not over, which are no rule's.
_NO_DAY, _OPEN = -1, -2


class Watch:
    """Follows the logs of a folder (or a pattern) with rules, and tells channels.

    ``state``: the SQLite file. ``channels``: by a name that stays the same, :func:`vpcflow.alerts.channel`.
    ``detectors``: settings of :func:`vpcflow.detect`, to ask the detectors, too, of the sessions of the last
    ``span``; ``only`` among them names some. ``baseline``, as of :func:`vpcflow.detect`, for what is new. ``least``:
    the severity from which on detectors' findings are told.
    ``throttle``: findings of the same rule, actor and targets that are no further apart are one incident, told once,
    and once more if it becomes worse; with ``repeat`` also for each such time that it goes on. ``keep``: for how many
    days of records counts are kept. ``settle``: seconds for which a file must not have changed. ``log``: is told of
    what cannot be read or delivered.

    Any number of threads may use one watch; :meth:`poll`, :meth:`deliver` and :meth:`close` wait for each other.

    Rules without time bins count over all the days that are kept. A file is read once; one that changes afterwards is
    told, not read again. Damaged files are tried again at each of five polls.

    >>> import tempfile, pathlib, vpcflow as vf
    >>> from vpcflow.watch import Watch
    >>> folder = pathlib.Path(tempfile.mkdtemp()); _ = (folder / "a.log").write_text("srcaddr\\n10.0.0.1\\n10.0.0.1\\n")
    >>> rules = vf.rules.of([{"name": "busy", "by": "srcaddr", "having": "flows >= 2"}])
    >>> watch = Watch(folder, rules, {}, folder / "state.sqlite", settle=0)
    >>> [alert.finding.actor for alert in watch.poll()], watch.poll()
    (['10.0.0.1'], [])
    """

    RETRIES = 5
    PARTS = 50  # saved states of sessions, before they are put together
    SAMPLES = 3
    LOCK_SECONDS = 30.0  # to wait for another process that has the state
    _SUFFIXES = (".sqlite", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal")

    def __init__(
        self,
        source: str | os.PathLike[str],
        rules: Sequence[Rule],
        channels: dict[str, Channel],
        state: str | os.PathLike[str],
        *,
        detectors: dict[str, Any] | None = None,
        baseline: Aggregation | None = None,
        span: str | int = "1d",
        least: str = "medium",
        silences: Sequence[Silence] = (),
        throttle: str | int = THROTTLE,
        repeat: str | int | None = None,
        keep: int = 2,
        settle: float = 5.0,
        format: str | None = None,
        log: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._source, self._rules, self._channels = os.fspath(source), list(rules), channels
        self._silences, self._throttle = list(silences), seconds(throttle, "throttle")
        self._repeat = None if repeat is None else seconds(repeat, "repeat")
        self._keep, self._settle, self._format, self._log = keep, settle, format, log
        self._detecting = detectors is not None
        self._only = tuple((detectors or {}).get("only", ()))
        own = {name: value for name, value in (detectors or {}).items() if name != "only"}
        self._settings = checked_settings(self._only, own)
        self._span, self._told = seconds(span, "span"), SEVERITIES[: SEVERITIES.index(least) + 1]
        self._baseline = baseline
        self._sessions: Aggregation | None = None  # of the last span, as in the state
        self._last_part: int | None = None  # of the state
        self._sizes: dict[str, tuple[int, int]] = {}
        self._told_changes: set[str] = set()
        self._lock = threading.RLock()
        check_silences(self._silences, self._rules)
        #: Of the last :meth:`poll`: files that were not read as they are too young, and those that could not be read.
        self.young: list[str] = []
        self.damaged: dict[str, str] = {}
        self.seen = 0  # files that are there, read or not
        self._check_source()
        self._db = _opened(os.fspath(state), self.LOCK_SECONDS)
        self._state_name = os.fspath(state)

    def _check_source(self) -> None:
        """:class:`~vpcflow.SourceNotFoundError` unless there is a folder to follow."""
        folder = re.split(r"[*?\[]", self._source)[0]
        if os.path.exists(self._source):
            return
        if folder == self._source or not os.path.isdir(os.path.dirname(folder) or "."):
            raise SourceNotFoundError(f"{self._source}: no such folder")

    @locked
    def close(self) -> None:
        """Closes the state."""
        self._db.close()

    # -- reading ---------------------------------------------------------------------------------------------------

    @locked
    def poll(self) -> list[Alert]:
        """Reads the files that are new and settled, and returns the alerts that come of it; :meth:`deliver` tells
        them."""
        self._check_source()
        self.young, self.damaged, self.seen = [], {}, 0
        with self._told_of_state():
            new = list(self._new_files())
            if not new:
                return []
            with warnings.catch_warnings(), self._transaction():
                warnings.simplefilter("ignore", DataQualityWarning)
                flows, days, self.damaged = self._readable([path for path, _, _ in new])
                alerts = self._take(flows, days) if flows is not None else []
                for path, size, mtime in new:
                    self._note_file(path, size, mtime, self.damaged.get(path))
                return alerts

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("begin immediate")
        except sqlite3.OperationalError as e:
            if "locked" not in str(e):
                raise
            raise RuleError(f"the state is in use: does another watch run with it? ({e})") from None
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("rollback")
            self._sessions = None
            raise

    @contextlib.contextmanager
    def _told_of_state(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as e:
            raise OutputError(f"{self._state_name}: the state cannot be written: {e}") from None

    def _new_files(self) -> Iterator[tuple[str, int, int]]:
        known = {path: (size, mtime, done) for path, size, mtime, done in self._db.execute(
            "select path, size, mtime, done from files")}  # fmt: skip
        own = {os.path.realpath(channel.path) for channel in self._channels.values() if isinstance(channel, JsonLines)}
        for path in sorted(_files(self._source, self._log)):
            if path.endswith(self._SUFFIXES) or os.path.realpath(path) in own:
                continue
            try:
                status = os.stat(path)
            except OSError:
                continue  # gone
            if not stat.S_ISREG(status.st_mode):
                continue  # a FIFO would be waited for
            self.seen += 1
            now = (status.st_size, status.st_mtime_ns)
            if path in known and known[path][2]:
                if known[path][:2] != now and path not in self._told_changes:
                    self._told_changes.add(path)
                    self._log(f"{path}: changed after it was read; what is new in it is not read")
                continue
            settled = self._sizes.get(path) == now or time.time() - status.st_mtime >= self._settle
            self._sizes[path] = now
            if settled:
                yield path, *now
            else:
                self.young.append(path)

    def _note_file(self, path: str, size: int, mtime: int, error: str | None) -> None:
        failures = 0
        if error is not None:
            row = self._db.execute("select failures from files where path = ?", (path,)).fetchone()
            failures = 1 + (row[0] if row is not None else 0)
            given_up = "; given up" if failures >= self.RETRIES else "; to be tried again"
            self._log(f"{path}: {error}{given_up}")
        done = error is None or failures >= self.RETRIES
        self._db.execute("insert or replace into files values (?, ?, ?, ?, ?)", (path, size, mtime, failures, done))

    def _take(self, flows: Flows, days: list[int | None]) -> list[Alert]:
        """Counts the records of some files, and makes the alerts."""
        for rule in self._rules:
            for day in days if rule.over == "records" else ():
                part = flows if day is None else flows.filter(f"start >= {day} and start < {day + DAY}")
                self._count(rule, _NO_DAY if day is None else day, part)
        if any(rule.over == "sessions" for rule in self._rules):
            self._take_sessions(flows)
        (newest,) = self._db.execute("select max(day) from states").fetchone()
        horizon = (newest or 0) - (self._keep - 1) * DAY
        self._db.execute("delete from states where day between 0 and ?", (horizon - 1,))
        self._db.execute("delete from incidents where end < ?", (horizon - self._throttle,))
        found = [f for rule in self._rules for f in sampled(flows, rule, self._findings(rule), self.SAMPLES)]
        found += self._detected(flows) if self._detecting else []
        return [alert for finding in found for alert in self._tell(finding)]

    def _detected(self, flows: Flows) -> list[Finding]:
        """What the detectors find in the sessions of the last span. Of each look its own sessions are saved: states
        that are put together give the same as one pass over all."""
        idle = self._settings.idle
        fresh = Aggregation.of(scan(b"").sessions(idle=idle))
        try:
            fresh.update(flows)
        except FieldError as error:
            self._log(f"the detectors cannot see these logs: {error}")
            return []
        mine = "from sessions where idle = ?"
        last, saved = self._db.execute(f"select max(id), count(*) {mine}", (str(idle),)).fetchone()
        if self._sessions is None or last != self._last_part:
            parts = self._db.execute(f"select blob {mine} order by id", (str(idle),))
            self._sessions = merge_all([*(blob for (blob,) in parts), fresh])
        else:
            self._sessions.merge(fresh)
        newest = max((end for end in fresh.collect()["end"] if end is not None), default=0)
        self._sessions.take_idle(newest - self._span)
        if saved >= self.PARTS:
            self._db.execute("delete from sessions")
            fresh = self._sessions
        self._last_part = self._db.execute(
            "insert into sessions (idle, blob) values (?, ?)", (str(idle), fresh.to_bytes())
        ).lastrowid
        findings = find(
            self._sessions.collect(), flows, self._settings, only=self._only, baseline=self._baseline,
            samples=self.SAMPLES,
        )  # fmt: skip
        return [finding for finding in findings if finding.severity in self._told]

    def _readable(self, paths: list[str]) -> tuple[Flows | None, list[int | None], dict[str, str]]:
        """The files that can be read whole, the days of their records (None for logs that have no times), and the
        errors of the others."""
        damaged: dict[str, str] = {}
        while paths:
            flows = scan(paths, format=self._format, allow_empty=True)
            try:
                fields = fields_of(flows)
                timed = not fields or "start" in fields
                counted = flows.group_by(every=DAY if timed else None, bin_by="start").agg(n="count()").collect()
                foreign = self._errors_of(paths) if counted.report.rejected else {}
                if not foreign:
                    if counted.report.rejected:
                        self._log(counted.report.rejects_line)
                    days = [time for time in counted["time"] if time is not None] if timed else [None]
                    return flows, days, damaged
            except VpcflowError as error:
                foreign = self._errors_of(paths) or {path: str(error).splitlines()[0] for path in paths}
            damaged |= foreign
            paths = [path for path in paths if path not in damaged]
        return None, [], damaged

    def _errors_of(self, paths: list[str]) -> dict[str, str]:
        """The files that cannot be read, or that hold lines of which none is a record, each with its error."""
        errors: dict[str, str] = {}
        for path in paths:
            try:
                scan(path, format=self._format).agg(n="count()").collect()
            except VpcflowError as error:
                if not isinstance(error, NoRecordsError) or error.partial.report.rejected:
                    errors[path] = str(error).splitlines()[0]
        return errors

    def _count(self, rule: Rule, day: int, part: Flows) -> None:
        state = self._state(rule, day)
        state.update(part)
        self._save(rule.name, day, _fingerprint(rule), state)

    def _state(self, rule: Rule, day: int) -> Aggregation:
        """What a rule has counted of a day; nothing if the rule was another one then."""
        row = self._db.execute(
            "select blob from states where name = ? and day = ? and rule = ?", (rule.name, day, _fingerprint(rule))
        ).fetchone()
        if row is not None:
            return Aggregation.from_bytes(row[0])
        return Aggregation.of(dataclasses.replace(rule, having=()).query(scan(b"")))

    def _save(self, name: str, day: int, rule: str, state: Aggregation) -> None:
        self._db.execute("insert or replace into states values (?, ?, ?, ?)", (name, day, rule, state.to_bytes()))

    def _take_sessions(self, flows: Flows) -> None:
        """Counts the sessions that are over: none of them can go on, as nothing so old comes any more."""
        row = self._db.execute("select blob from states where day = ?", (_OPEN,)).fetchone()
        state = Aggregation.from_bytes(row[0]) if row is not None else Aggregation.of(scan(b"").sessions())
        state.update(flows)
        latest = flows.agg(last="max(end)").collect()["last"][0]
        over = state.take_idle(latest if latest is not None else 0)
        self._save("", _OPEN, "", state)
        talks = sessions_as_records(over, "client_bytes")
        starts = {(start or 0) // DAY * DAY for start in over["start"]} if len(over) else set()
        for rule in self._rules:
            for day in starts if rule.over == "sessions" else ():
                self._count(rule, day, talks.filter(f"start >= {day} and start < {day + DAY}"))

    # -- alerts ----------------------------------------------------------------------------------------------------

    def _findings(self, rule: Rule) -> list[Finding]:
        rows = self._db.execute(
            "select blob from states where name = ? and rule = ?", (rule.name, _fingerprint(rule))
        ).fetchall()
        if not rows:
            return []
        total = Aggregation.from_bytes(rows[0][0])
        for (blob,) in rows[1:]:
            total.merge(Aggregation.from_bytes(blob))
        shown = Aggregation.of(rule.query(scan(b"")))
        shown.merge(total)
        return findings_of(rule, shown.collect())

    def _tell(self, finding: Finding) -> list[Alert]:
        """The alert of a finding: none if it belongs to an incident that was told and is no worse."""
        near = self._db.execute(
            "select id, severity, start, end, told from incidents where key = ? and start <= ? and end >= ?",
            (finding.key, finding.end + self._throttle, finding.start - self._throttle),
        ).fetchall()
        worse = all(SEVERITIES.index(finding.severity) < SEVERITIES.index(row[1]) for row in near)
        severity = finding.severity if worse else min((row[1] for row in near), key=SEVERITIES.index)
        told = max((row[4] for row in near), default=finding.end)
        again = self._repeat is not None and finding.end >= told + self._repeat
        start = min([finding.start, *(row[2] for row in near)])
        end = max([finding.end, *(row[3] for row in near)])
        self._db.executemany("delete from incidents where id = ?", [(row[0],) for row in near])
        self._db.execute(
            "insert into incidents (key, severity, start, end, told) values (?, ?, ?, ?, ?)",
            (finding.key, severity, start, end, finding.end if worse or again else told),
        )
        if near and not worse and not again:
            return []
        name = f"{finding.key}\n{finding.start}\n{finding.severity}" + (f"\n{finding.end}" if again else "")
        alert = Alert(hashlib.sha256(name.encode()).hexdigest(), finding)
        silence = next((s for s in self._silences if s.covers(finding)), None)
        made = self._db.execute(
            "insert or ignore into alerts values (?, ?, ?, ?)",
            (alert.id, json.dumps(finding.as_dict()), time.time(), silence.reason if silence else None),
        ).rowcount
        if not made or silence:
            return []
        for channel in self._channels:
            self._db.execute("insert or ignore into outbox (alert, channel) values (?, ?)", (alert.id, channel))
        return [alert]

    @locked
    def deliver(self) -> int:
        """Tells the channels what they have not got yet; what fails is tried again later, at last every hour. Returns
        how many were delivered."""
        with self._told_of_state():
            return self._deliver()

    @property
    def undelivered(self) -> int:
        """How many alerts some channel has not got yet."""
        names = tuple(self._channels)
        marks = ", ".join("?" * len(names))
        with self._told_of_state():
            query = f"select count(*) from outbox where delivered is null and channel in ({marks})"
            return int(self._db.execute(query, names).fetchone()[0])

    def _deliver(self) -> int:
        due = self._db.execute(
            "select alert, channel, tries, finding from outbox join alerts on alerts.id = alert "
            "where delivered is null and next <= ? order by made, alert",
            (time.time(),),
        ).fetchall()
        done = 0
        for alert_id, name, tries, text in due:
            channel = self._channels.get(name)
            if channel is None:
                continue  # no longer wanted, or not now
            try:
                channel.send(Alert(alert_id, Finding(**json.loads(text))))
            except NotifyError as error:
                self._log(f"not delivered, to be tried again: {error}")
                again = time.time() + min(2.0 ** (tries + 1), 3600)
                self._db.execute(
                    "update outbox set tries = tries + 1, next = ? where alert = ? and channel = ?",
                    (again, alert_id, name),
                )
                continue
            self._db.execute(
                "update outbox set delivered = ? where alert = ? and channel = ?", (time.time(), alert_id, name)
            )
            done += 1
        return done

    def run(self, interval: float = 30.0) -> None:
        """Polls and delivers for ever."""
        while True:
            began = time.monotonic()
            for step in (self.poll, self.deliver):
                try:
                    step()
                except VpcflowError as error:  # such as a file that changed between two looks, or a disk that is full
                    self._log(f"to be tried again: {error}")
            time.sleep(max(0.0, interval - (time.monotonic() - began)))


def _fingerprint(rule: Rule) -> str:
    """What decides what a rule counts; with another one it begins anew."""
    parts = [rule.where, rule.by, rule.every, rule.over, sorted(rule.aggregates.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _opened(path: str, patience: float) -> sqlite3.Connection:
    """The state at a path, made if there is none. What is another program's, or of a newer version, is left alone."""
    check_writable(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise RuleError(f"{path}: no state of a watch: it is no regular file")
    db = None
    try:
        db = sqlite3.connect(path, isolation_level=None, timeout=patience, check_same_thread=False)
        _check_version(db, path)
        db.executescript("pragma journal_mode = wal; pragma synchronous = full;" + _SCHEMA)
        db.execute("insert or ignore into meta values ('version', ?)", (_VERSION,))
    except BaseException as error:
        if db is not None:
            db.close()
        if isinstance(error, sqlite3.OperationalError):
            raise OutputError(f"{path}: the state cannot be written: {error}") from None
        if isinstance(error, sqlite3.Error):
            raise RuleError(f"{path}: no state of a watch: {error}") from None
        raise
    return db


def _check_version(db: sqlite3.Connection, path: str) -> None:
    tables = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    if not tables:
        return
    own = tables >= {"meta", "files", "states", "outbox"}
    row = db.execute("select value from meta where name = 'version'").fetchone() if own else None
    if not own or (row is None and db.execute("select 1 from files").fetchone()):
        raise RuleError(f"{path}: no state of a watch: it is a database of another program")
    if row is not None and row[0] != _VERSION:
        newer = str(row[0]).isdigit() and int(row[0]) > int(_VERSION)
        hint = "update vpcflow, or give another --state" if newer else "give another --state"
        raise RuleError(f"{path}: written by {'a newer' if newer else 'another'} version of vpcflow; {hint}")


def _files(source: str, log: Callable[[str], None]) -> Iterable[str]:
    if not os.path.isdir(source):
        import glob  # a pattern

        yield from (path for path in glob.glob(source, recursive=True) if os.path.isfile(path))
        return

    def unreadable(error: OSError) -> None:
        log(f"{error.filename}: {error.strerror}; what lies there is not read")

    for folder, _, names in os.walk(source, onerror=unreadable):
        yield from (os.path.join(folder, name) for name in names if not name.startswith("."))
