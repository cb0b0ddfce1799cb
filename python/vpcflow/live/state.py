"""The figures of a watch, out of few rows of its state, which the watch may be writing."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from typing import Any

from ..analyze.questions import KEYS, Table, measure_of
from ..errors import RuleError
from ..query.scan import scan
from ..serve.board import Figures, Held, Rows
from ..watch.status import counts_of, reading, told
from ..watch.traffic import BIN, QUESTIONS, SEEN, SLOT, UNDATED, VOLUME, Slot, added, newest_of, slots_of
from .reading import Lines, Reading, Told

_MOST_TOLD = 1000  # findings
_LATE = 600  # seconds after which a record is there, so that its lack means something

_Db = sqlite3.Connection
_Slots = list[tuple[int, Slot]]


def read_state(path: str | os.PathLike[str], span: int | None) -> Reading:
    """Reads the last ``span`` seconds (``None``: all) of what the state at ``path`` has of the traffic, and the
    findings that the watch told. Raises as :func:`vpcflow.watch.status`."""
    with reading(os.fspath(path)) as db:
        try:
            return _read(db, os.fspath(path), span)
        except (ValueError, TypeError, KeyError) as error:
            raise RuleError(f"{os.fspath(path)}: not a watch state file: {error}") from None


def looks_of(path: str | os.PathLike[str]) -> int:
    """Returns how often the watch with the state at ``path`` has looked. Raises as :func:`read_state`."""
    with reading(os.fspath(path)) as db:
        row = db.execute("select value from marks where name = 'looks'").fetchone()
        return row[0] if row is not None else 0


def _read(db: _Db, path: str, span: int | None) -> Reading:
    marks = dict(db.execute("select name, value from marks").fetchall())
    newest = newest_of(db.execute, time.time())
    end = None if newest is None else (newest // SLOT + 1) * SLOT
    start = None if span is None or end is None else max((end - span) // SLOT * SLOT, _oldest(db))
    lowest, highest = (0 if start is None else start), (0 if end is None else end)
    dated = {name: list(slots_of(db.execute, name, lowest, highest)) for name in (VOLUME, *QUESTIONS)}
    names = frozenset(json.loads(marks.get("fields", "[]")))
    tables = {name: _table(dated[name], one.table, names) for name, one in QUESTIONS.items()}
    covered = _coverage(db, lowest, highest)
    told_now = [Told(int(made), finding) for made, finding in told(db, _MOST_TOLD)]
    figures = Figures(
        every=SLOT, tables=tables, held=_held(dated["flows"], names), held_rejects=_held(dated["refused"], names),
        totals=[{"time": at, **row} for at, row in _rows(dated[VOLUME], ("action",))], bins=[], services=[], places=[],
        bounds={name: sum(slot.bound for _, slot in dated[name]) for name in QUESTIONS},
        findings=[one.finding for one in told_now], sessions=[], coverage=covered,
        report=Lines(**{name: int(marks.get(f"lines-{name}", 0)) for name in Lines._fields}), fields=names,
    )  # fmt: skip
    return Reading(
        source=path, figures=figures, bin=BIN, told=told_now, start=start, end=end, status=counts_of(db),
        looks=marks.get("looks", 0), looked=marks.get("looked"), since=marks.get("traffic-since"),
        blind=json.loads(marks.get("blind", "[]")),
    )  # fmt: skip


def _oldest(db: _Db) -> int:
    """Returns the slot of the oldest records that are held."""
    query = "select min(time) from traffic where question = ? and time != ?"
    (found,) = db.execute(query, (VOLUME, UNDATED)).fetchone()
    return 0 if found is None else int(found) // SLOT * SLOT


def _rows(slots: _Slots, by: tuple[str, ...]) -> list[tuple[int | None, dict[str, Any]]]:
    return [
        (None if at == UNDATED else at, {**dict(zip(by, key)), **_measures(own)})
        for at, slot in slots
        for key, own in slot.rows().items()
    ]


def _measures(sums: list[int]) -> dict[str, int]:
    return dict(zip(("bytes", "packets", "records"), sums))


def _table(slots: _Slots, table: Table, names: frozenset[str]) -> Rows:
    """Returns the groups of all slots, the largest first, and last what they do not have."""
    whole: dict[tuple[Any, ...], list[int]] = {}
    rest: list[int] | None = None
    for _, slot in slots:
        rest = added(rest, slot.rest)
        for key, own in slot.rows().items():
            whole[key] = added(whole.get(key), own) or own
    measure = measure_of(table, names)
    rows: Rows = [{**dict(zip(table.by, key)), **_measures(own), "other": False} for key, own in whole.items()]
    rows.sort(key=lambda row: (-row[measure], json.dumps([row[name] for name in table.by])))
    return rows if rest is None else [*rows, {**dict.fromkeys(table.by), **_measures(rest), "other": True}]


def _held(slots: _Slots, names: frozenset[str]) -> Held:
    """Returns flows of slots as records, for conditions."""
    lines = [f"start {' '.join(KEYS)} bytes packets packets-lost-no-route"]
    for at, row in _rows(slots, KEYS):
        lines.append(" ".join(map(_word, [at, *row.values()])))
    text = "\n".join([*lines, ""]).encode("utf-8", "surrogatepass")
    keys = [key for key in KEYS if key in names] or ["start"]
    nameable = scan(f"{' '.join(keys)}\n{' '.join('-' for _ in keys)}\n".encode())
    flows = scan(text, allow_empty=True)._with(allow_missing=True)
    return Held(flows, nameable, all(slot.rest is None for _, slot in slots))


def _word(value: Any) -> str:
    return "-" if value is None else "".join(str(value).split()) or "-"


def _coverage(db: _Db, start: int, end: int) -> Rows:
    """Returns the minutes of each interface by what the logs have of them; a slot without any is absent."""
    span = (start, end)
    (first,) = db.execute("select min(time) from coverage where time >= ? and time < ?", span).fetchone()
    if first is None:
        return []
    until = max(end - _LATE, first)
    minutes: dict[str, list[int]] = {}
    for name, at, ok, nodata, skipdata in db.execute("select * from coverage where time >= ? and time < ?", span):
        own = minutes.setdefault(name, [0, 0, 0, 0])
        for i, bits in enumerate((ok & ~skipdata, nodata & ~(ok | skipdata), skipdata)):
            own[i] += bin(bits).count("1")
        own[3] += at < until
    out: Rows = []
    for name, own in sorted(minutes.items()):
        lost = (until - first) // SLOT - own[3]
        found = [*zip(SEEN, own), ("absent", lost * SLOT // 60)]
        out += [_covered(name, seen, n, first, end) for seen, n in found if n > 0]
    for (name,) in db.execute("select distinct interface from coverage where time < ?", (start,)):
        if name not in minutes and until > first:
            out.append(_covered(name, "absent", (until - first) // 60, first, until))
    return out


def _covered(name: str, seen: str, minutes: int, start: int, end: int) -> dict[str, Any]:
    return {"interface_id": name, "seen": seen, "start": start, "end": end, "minutes": minutes}
