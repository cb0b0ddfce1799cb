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
}


class Status(TypedDict):
    """What a watch has done so far. Times are Unix seconds."""

    files: int  # or objects, read to their end
    unreadable: int
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


def status(path: str | os.PathLike[str]) -> Status:
    """Returns what the state of a watch at ``path`` holds.

    Changes nothing, and may be called while a watch runs. :class:`~vpcflow.SourceNotFoundError` if there is no such
    file, :class:`~vpcflow.RuleError` if it is no state of this version.
    """
    with _reading(os.fspath(path)) as db:
        found = {what: db.execute(query).fetchone()[0] for what, query in _COUNTS.items()}
        severities = db.execute("select severity, count(*) from incidents group by severity")
        return cast("Status", {**found, "by_severity": dict(severities.fetchall())})


def alerted(path: str | os.PathLike[str], most: int = 10_000) -> list[Finding]:
    """Returns the findings of the newest alerts of a watch, worst first, without those that were silenced or
    withdrawn. Raises as :func:`status`."""
    query = "select finding, withdrawn from alerts where silenced is null order by made desc limit ?"
    with _reading(os.fspath(path)) as db:
        rows = db.execute(query, (most,)).fetchall()
    withdrawn = {text for text, why in rows if why}
    told = {text for text, _ in rows if text not in withdrawn}
    return sorted((Finding(**json.loads(text)) for text in told), key=worst_first)


@contextlib.contextmanager
def _reading(name: str) -> Iterator[sqlite3.Connection]:
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
