"""What a watch has done so far, out of its state, which another process may be writing."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sqlite3
from collections.abc import Iterator
from typing import TypedDict, cast

from ..errors import RuleError, SourceNotFoundError
from ..findings.finding import Finding, worst_first
from .store import VERSION, version_of

_COUNTS = {
    "files": "select (select count(*) from files where failures = 0) + ifnull((select value from marks where name = "
    "'objects'), 0)",
    "unreadable": "select (select count(*) from files where failures > 0) + "
    "(select count(*) from seen where not done) + "
    "ifnull((select value from marks where name = 'given-up'), 0)",
    "changed": "select ifnull((select value from marks where name = 'changed'), 0)",
    "events": "select ifnull((select value from marks where name = 'events'), 0)",
    "late": "select ifnull((select sum(value) from marks where name in ('late-objects', 'late-events')), 0)",
    "newest": "select max(at) from (select max(mtime) / 1000000000 as at from files where failures = 0 union all "
    "select value from marks where name = 'newest')",
    "incidents": "select count(*) from incidents",
    "alerts": "select count(*) from alerts where silenced is null",
    "silenced": "select count(*) from alerts where silenced is not null",
    "last_alert": "select cast(max(made) as integer) from alerts",
    "undelivered": "select count(*) from outbox where delivered is null",
    "failing": "select count(*) from outbox where delivered is null and tries > 0",
    "next_try": "select cast(min(next) as integer) from outbox where delivered is null and tries > 0",
    "dead": "select (select count(*) from outbox where dead is not null) + (select ifnull(sum(dead), 0) from sinks)",
    "event_files": "select count(*) from event_files where failures = 0",
    "events_held": "select count(*) from events",
    "records_held": "select count(*) from records",
    "matches": "select count(*) from matches",
    "provisional": "select count(*) from matches where told is null",
    "next_match": "select cast(min(due) as integer) from matches where told is null",
}


class Status(TypedDict):
    """What a watch has done so far. Times are Unix seconds."""

    files: int  # or objects, read to their end
    unreadable: int
    changed: int  # files that were changed after they were read: what is new in them is not read
    events: int  # of a log group
    late: int  # objects more than two hours after the time in their name, events more than 20 minutes after theirs
    newest: int | None  # when the newest of those read was written
    incidents: int  # that are still held
    by_severity: dict[str, int]  # the incidents
    alerts: int
    silenced: int
    last_alert: int | None
    undelivered: int  # an alert counts for each channel
    failing: int  # of them, that were tried
    next_try: int | None
    dead: int  # alerts and events that sinks never took
    event_files: int  # of events beside the logs
    events_held: int  # of them, for sequences and risk
    records_held: int
    matches: int  # of sequences that are held; the provisional ones wait until their sources' lateness has passed
    provisional: int
    next_match: int | None
    newest_event: dict[str, int]  # by source
    lateness: dict[str, int]  # by source, seconds for which an event may still come
    sinks: list[SinkStatus]


class SinkStatus(TypedDict):
    """What a sink has yet to get."""

    sink: str
    waiting: int  # alerts and events
    bytes: int  # of events, packed
    sent: int
    dead: int
    failures: int  # in a row
    next_try: int | None
    why: str | None  # of the last failure, if nothing was taken since
    since: int | None  # of the first failure in a row


_SINKS = """
select label, (select count(*) from outbox where channel = name and delivered is null)
    + (select ifnull(sum(events), 0) from chunks where sink = name),
  (select ifnull(sum(size), 0) from chunks where sink = name),
  sent + (select count(*) from outbox where channel = name and delivered is not null and outbox.dead is null),
  sinks.dead + (select count(*) from outbox where channel = name and outbox.dead is not null),
  max(tries, (select ifnull(max(tries), 0) from outbox where channel = name and delivered is null)),
  nullif(max(next, (select ifnull(max(next), 0) from outbox where channel = name and delivered is null)), 0), why,
  cast(since as integer)
from sinks order by label
"""


def status(path: str | os.PathLike[str]) -> Status:
    """Returns what the state of a watch at ``path`` holds.

    Changes nothing, and may be called while a watch runs. :class:`~vpcflow.SourceNotFoundError` if there is no such
    file, :class:`~vpcflow.RuleError` if it is no state of this version.
    """
    with reading(os.fspath(path)) as db:
        return counts_of(db)


def counts_of(db: sqlite3.Connection) -> Status:
    """Returns what :func:`status` does, of a state that is open."""
    found = {what: db.execute(query).fetchone()[0] for what, query in _COUNTS.items()}
    severities = db.execute("select severity, count(*) from incidents group by severity")
    newest = dict(db.execute("select name, end from facts where kind = 'span' order by name").fetchall())
    late = dict(db.execute("select name, end from facts where kind = 'lateness' order by name").fetchall())
    rows = db.execute(_SINKS).fetchall()
    names = list(SinkStatus.__annotations__)
    sinks = [{**dict(zip(names, row)), "next_try": None if row[6] is None else int(row[6])} for row in rows]
    own = {"by_severity": dict(severities.fetchall()), "newest_event": newest, "lateness": late, "sinks": sinks}
    return cast("Status", {**found, **own})


def alerted(path: str | os.PathLike[str], most: int = 10_000) -> list[Finding]:
    """Returns the findings of the newest alerts of a watch, worst first, without those that were silenced or
    withdrawn. Raises as :func:`status`."""
    with reading(os.fspath(path)) as db:
        return sorted((finding for _, finding in told(db, most)), key=worst_first)


def told(db: sqlite3.Connection, most: int) -> list[tuple[float, Finding]]:
    """Returns when the newest alerts were made, and their findings, newest first, each once, without those that were
    silenced or withdrawn."""
    query = "select made, finding, withdrawn from alerts where silenced is null order by made desc, id limit ?"
    rows = db.execute(query, (most,)).fetchall()
    withdrawn = {text for _, text, why in rows if why}
    made = {text: at for at, text, _ in rows if text not in withdrawn}
    return [(at, Finding(**json.loads(text))) for text, at in made.items()]


@contextlib.contextmanager
def reading(name: str) -> Iterator[sqlite3.Connection]:
    """Opens a state to read, at one moment for all that its block asks."""
    if not os.path.exists(name):
        raise SourceNotFoundError(f"{name}: no such state file; a watch makes it, and --state names it")
    try:
        db = sqlite3.connect(f"{pathlib.Path(name).absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            if version_of(db, name) != VERSION:
                raise RuleError(f"{name}: a state of an older version; the next run of the watch migrates it")
            db.execute("begin")  # one moment for all counts
            yield db
        finally:
            db.close()
    except sqlite3.Error as error:
        raise RuleError(f"{name}: not a watch state file: {error}") from None
