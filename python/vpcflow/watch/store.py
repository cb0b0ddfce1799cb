"""The SQLite file in which a watch keeps its place: schema, versions, transactions."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import OutputError, RuleError
from ..io.writing import check_writable

_APPLICATION = 0x76666C77  # "vflw", by which a file is known as a state of a watch
# Of correlation: events and records that rules take, what else was seen of logs and entities, and what matched.
_EVENTS = (
    "create table event_files (path text primary key, size integer, mtime integer, failures integer, done integer)",
    "create table events (source text, key text, start integer, end integer, needed integer, body text, "
    "primary key (source, key)) without rowid",
    "create index events_by_end on events (end)",
    "create table records (step text, key text, start integer, end integer, port integer, near integer, same integer, "
    "body text, primary key (step, key)) without rowid",
    "create index records_by_start on records (step, start)",
    "create index records_by_port on records (step, port, start)",
    "create table facts (kind text, name text, start integer, end integer, body text, primary key (kind, name)) "
    "without rowid",
    "create table covered (interface text, seen text, start integer, end integer)",
    "create index covered_by_interface on covered (interface, seen, start)",
    "create table matches (id text primary key, rule text, start integer, end integer, first integer, due real, "
    "told text, body text)",
    "create table used (rule text, source text, key text, first integer, primary key (rule, source, key)) "
    "without rowid",
)
# Of sending: events on their way to sinks, and how the sinks are.
_SENDING = (
    "create table chunks (id integer primary key, sink text, events integer, size integer, body blob)",
    "create index chunks_by_sink on chunks (sink, id)",
    "create table sinks (name text primary key, label text, tries integer default 0, next real default 0, "
    "sent integer default 0, dead integer default 0, why text)",
)
# When a sink began to fail.
_FAILING = ("alter table sinks add column since real",)
# The traffic of late, for those who look at it.
_TRAFFIC = ("create table traffic (question text, time integer, body text, primary key (question, time))",)
_COVERAGE = (
    "create table coverage (interface text, time integer, ok integer, nodata integer, skipdata integer, "
    "primary key (interface, time)) without rowid",
)
_CREATE = (
    "create table files (path text primary key, size integer, mtime integer, failures integer, done integer)",
    "create table states (name text, day integer, rule text, blob blob, primary key (name, day))",
    "create table sessions (id integer primary key, idle text, blob blob)",
    "create table incidents (id integer primary key, key text, severity text, start integer, end integer, "
    "told integer, alert text)",
    "create index incidents_by_key on incidents (key, end)",
    "create table alerts (id text primary key, finding text, made real, silenced text, withdrawn text, incident text)",
    "create table outbox (alert text, channel text, tries integer default 0, next real default 0, delivered real, "
    "dead text, primary key (alert, channel))",
    "create table services (address text primary key, service text)",
    "create table seen (id blob primary key, day integer, failures integer, done integer) without rowid",
    "create index seen_by_day on seen (day)",
    "create table marks (name text primary key, value)",
    "create table quarantine (id text primary key, reason text, made real)",
    *_EVENTS,
    *_SENDING,
    *_FAILING,
    *_TRAFFIC,
    *_COVERAGE,
)
#: The statements that lead from a version to the next one. Version 2 kept its number in a table, later ones in
#: ``pragma user_version``.
_MIGRATIONS: dict[int, tuple[str, ...]] = {
    2: ("drop table meta", f"pragma application_id = {_APPLICATION}"),
    3: (
        "alter table incidents add column alert text",
        "alter table alerts add column withdrawn text",
        "create table services (address text primary key, service text)",
    ),
    4: (
        "create table seen (id blob primary key, day integer, failures integer, done integer) without rowid",
        "create index seen_by_day on seen (day)",
        "create table marks (name text primary key, value)",
        "create table quarantine (id text primary key, reason text, made real)",
    ),
    5: (
        "alter table outbox add column dead text",
        "alter table alerts add column incident text",
        *_EVENTS,
        *_SENDING,
        *_COVERAGE,
    ),
    # The traffic was a row a group.
    6: (*_FAILING, "drop table if exists traffic", *_TRAFFIC, "delete from marks where name = 'traffic-since'"),
}
VERSION = max(_MIGRATIONS) + 1

_BUSY, _LOCKED = 5, 6  # of SQLite


class Store:
    """The state at ``path``. ``patience``: seconds to wait for another process that has it."""

    def __init__(self, path: str, patience: float) -> None:
        self._path, self._patience = path, patience
        self._db: sqlite3.Connection

    def open(self) -> None:
        """Opens the file, creates it if there is none, and migrates a state of an older version.

        Raises :class:`~vpcflow.RuleError` for a file of another program or of a newer version, which stays as it is,
        and :class:`~vpcflow.OutputError` for a file that cannot be written.
        """
        path = self._path
        check_writable(path)
        if os.path.exists(path) and not os.path.isfile(path):
            raise RuleError(f"{path}: not a watch state file: not a regular file")
        db = None
        try:
            db = sqlite3.connect(path, isolation_level=None, timeout=self._patience, check_same_thread=False)
            self._db = db
            version_of(db, path)  # before anything is written to a file of others
            db.executescript("pragma journal_mode = wal; pragma synchronous = full;")
            self._migrate()
        except BaseException as error:
            if db is not None:
                db.close()
            if isinstance(error, sqlite3.OperationalError):
                raise OutputError(f"{path}: the state cannot be written: {error}") from None
            if isinstance(error, sqlite3.Error):
                raise RuleError(f"{path}: not a watch state file: {error}") from None
            raise

    def _migrate(self) -> None:
        """Brings the schema to :data:`VERSION`, in one transaction."""
        if version_of(self._db, self._path) == VERSION:
            return
        with self.transaction():
            version = version_of(self._db, self._path)  # another process may have been faster
            if version is None:
                steps: list[str] = [*_CREATE, f"pragma application_id = {_APPLICATION}"]
            else:
                steps = [step for old in sorted(_MIGRATIONS) if old >= version for step in _MIGRATIONS[old]]
            for step in [*steps, f"pragma user_version = {VERSION}"]:
                self._db.execute(step)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # it was never opened
            self._db.close()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs a statement. Half characters, which names of files and JSON may hold and SQLite does not, are written as
        escapes."""
        try:
            return self._db.execute(statement, values)
        except UnicodeEncodeError:
            return self._db.execute(statement, [_whole(value) for value in values])

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        """Runs a statement for each row of values, as :meth:`execute` does. It must not matter if a row comes twice."""
        own = list(rows)
        try:
            return self._db.executemany(statement, own)
        except UnicodeEncodeError:
            return self._db.executemany(statement, [[_whole(value) for value in row] for row in own])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits what its block writes, or none of it if the block raises."""
        try:
            self._db.execute("begin immediate")
        except sqlite3.OperationalError as e:
            # Pythons before 3.11 do not tell the code: the message then has what SQLite said.
            if getattr(e, "sqlite_errorcode", _BUSY) & 0xFF not in (_BUSY, _LOCKED):
                raise
            raise RuleError(f"the state is in use: does another watch run with it? ({e})") from None
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("rollback")
            raise

    @contextlib.contextmanager
    def named_errors(self) -> Iterator[None]:
        """Turns errors of SQLite in its block into :class:`~vpcflow.OutputError` with the name of the file."""
        try:
            yield
        except sqlite3.Error as e:
            raise OutputError(f"{self._path}: the state cannot be written: {e}") from None


def _whole(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def version_of(db: sqlite3.Connection, path: str) -> int | None:
    """Returns the version of a state that this program can read, ``None`` for an empty file; raises for all others."""
    tables = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    if not tables:
        return None
    version = None
    if db.execute("pragma application_id").fetchone()[0] == _APPLICATION:
        version = str(db.execute("pragma user_version").fetchone()[0])
    elif tables >= {"meta", "files", "states", "outbox"}:
        (version,) = db.execute("select value from meta where name = 'version'").fetchone() or (None,)
        if version is None and db.execute("select 1 from files").fetchone() is None:
            version = "2"  # cut off before its number was written
    if version is None:
        raise RuleError(f"{path}: not a watch state file: a database of another program")
    number = int(version) if str(version).isdigit() else 0
    if number != VERSION and number not in _MIGRATIONS:
        newer = number > VERSION
        hint = "update vpcflow, or give another --state" if newer else "give another --state"
        raise RuleError(f"{path}: written by {'a newer' if newer else 'another'} version of vpcflow; {hint}")
    return number
