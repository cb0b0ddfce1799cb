"""Events of any CSV or JSON lines, by a mapping that says which columns are what."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._display import printable
from .._hints import hint, nearest
from .._words import count
from ..errors import PlanError
from .documents import Reading, documents_of, text_of
from .events import Event
from .model import SequenceRule
from .values import digest, unix

_KEYS = ("source", "time", "end", "kind", "severity", "entities", "id")
_LEVELS = {
    "high": "high", "critical": "high", "medium": "medium", "moderate": "medium", "low": "low", "informational": "",
    "info": "", "": "", "none": "",
}  # fmt: skip
_TABLES = (".csv", ".tsv")
_SEPARATORS = ",;\t|"
_OWN = ("flows", "sessions", "coverage")  # what logs give
_DEEPEST = 6
_SHOWN = 12  # columns
#: A mapping, for errors.
EXAMPLE = "{source: vpn, time: when, kind: action, entities: [user, address]}"


def checked_mapping(mapping: Any) -> dict[str, Any]:
    """Checks a mapping of columns: ``source``, a name for the events, and ``time`` are needed."""
    if not isinstance(mapping, Mapping):
        raise PlanError(f"mapping: expected names, as {EXAMPLE}, not {type(mapping).__name__}")
    for name in mapping:
        if name not in _KEYS:
            raise PlanError(f"mapping: no key {printable(str(name))!r}; {hint(str(name), _KEYS)}")
    for name, what in (("source", "a name for these events"), ("time", "the column of their times")):
        if name not in mapping:
            raise PlanError(f"mapping: `{name}` is missing: {what}; as {EXAMPLE}")
    entities = mapping.get("entities", [])
    entities = [entities] if isinstance(entities, str) else entities
    if not isinstance(entities, (list, tuple)):
        raise PlanError(f"mapping: entities: {entities!r}; expected names of columns, as [user, address]")
    for name, value in [*mapping.items(), *(("entities", one) for one in entities)]:
        is_list = name == "entities" and value is mapping.get("entities")
        if not is_list and (not isinstance(value, str) or not value):
            raise PlanError(f"mapping: {name}: {value!r}; expected the name of a column, as text")
    if mapping["source"] in _OWN:
        raise PlanError(f"mapping: source: {mapping['source']!r} is what flow logs give; choose another name")
    return {**mapping, "entities": list(entities)}


class Mapped:
    """Makes events of documents and rows as a mapping says, and notes on what was none."""

    def __init__(self, mapping: Mapping[str, Any], place: str) -> None:
        self._mapping, self._place = mapping, place
        self._asked = {mapping[name] for name in _KEYS if name in mapping and name not in ("source", "entities")}
        self._asked |= set(mapping["entities"])
        self._there: dict[str, None] = {}  # columns, until all that are named are there
        self.taken = 0
        self._timeless: list[Any] = []  # values that are no times
        self._zoneless = 0
        self._levels: list[Any] = []  # values that are no severities

    def documents(self, path: Path, reading: Reading) -> Iterator[tuple[str, Any]]:
        """Yields the documents or rows of a file, with their places."""
        if not set(_TABLES) & {suffix.lower() for suffix in path.suffixes}:
            yield from documents_of(path, reading)
            return
        text = text_of(path, reading).replace("\0", "").lstrip("\ufeff")
        head = text.partition("\n")[0]
        rows = csv.DictReader(io.StringIO(text), delimiter=max(_SEPARATORS, key=head.count))
        try:
            columns = [str(name) for name in rows.fieldnames or ()]
            for lack in self._lacks(columns) if columns else ():
                raise PlanError(f"{path}: {lack}")
            self._there |= dict.fromkeys(columns)
            for number, row in enumerate(rows):
                yield f"{path}:record {number}", {str(name): value for name, value in row.items() if name is not None}
        except csv.Error as error:
            reading.damage.append(f"{path}: no CSV behind line {rows.line_num}: {error}")

    def events(self, one: Any, ref: str) -> Iterator[Event]:
        """Yields the event of a document or row."""
        mapping, flat = self._mapping, _flat(one)
        if self._asked - self._there.keys():
            self._there |= dict.fromkeys(flat)
        value = flat.get(mapping["time"])
        time = _time_in(value)
        if time is None:
            self._timeless.append(value)
            return
        self.taken += 1
        self._zoneless += _is_zoneless(value)
        end = _time_in(flat.get(mapping.get("end", ""))) or time
        kind = str(flat.get(mapping.get("kind", "")) or "event")
        named = [str(flat[name]).strip() for name in mapping["entities"] if flat.get(name) is not None]
        attrs = {n.replace(".", "_").replace("-", "_"): v for n, v in flat.items() if v not in (None, "")}
        key = flat.get(mapping.get("id", "")) or digest(one)
        yield Event(time, max(time, end), mapping["source"], kind, tuple(dict.fromkeys(filter(None, named))),
                    self._severity(flat.get(mapping.get("severity", ""))), ref, str(key), attrs)  # fmt: skip

    def _severity(self, value: Any) -> str:
        level = _LEVELS.get(str(value if value is not None else "").strip().lower())
        if level is None:
            self._levels.append(value)
        return level or ""

    def _lacks(self, columns: Collection[str]) -> Iterator[str]:
        """Yields what is said of columns that the mapping names and that are not there."""
        known = list(columns)
        has = ", ".join(map(printable, known[:_SHOWN])) + ", ..." * (len(known) > _SHOWN)
        for key in _KEYS:
            named = self._mapping.get(key, [])
            for name in named if key == "entities" else [named] if key != "source" and named else []:
                if name not in columns:
                    near = nearest(name, known)
                    said = f"did you mean {printable(near)!r}? There are" if near else "there are"
                    yield f"mapping: {key}: no column {printable(name)!r}; {said} {has}"

    def check(self) -> None:
        """Raises :class:`~vpcflow.PlanError` if nothing has the column of times."""
        for lack in self._lacks(self._there) if self._there and not self.taken else ():
            raise PlanError(f"{self._place}: {lack}")

    def notes(self) -> list[str]:
        """Returns what was left out or assumed, a line each."""
        column = self._mapping["time"]
        out = [f"{self._place}: {lack}" for lack in self._lacks(self._there)] if self.taken else []
        if self._timeless:
            all_, such = self.taken + len(self._timeless), _shown(self._timeless)
            out.append(f"{self._place}: {len(self._timeless):,} of {count(all_, 'record')} without a time in {column!r}"
                       f"{such}; left out; expected ISO 8601, or seconds since 1970")  # fmt: skip
        if self._zoneless:
            out.append(f"{self._place}: {count(self._zoneless, 'time')} in {column!r} without a zone; taken as UTC")
        if self._levels:
            out.append(f"{self._place}: {count(len(self._levels), 'severity', 'severities')} in "
                       f"{self._mapping['severity']!r} not known{_shown(self._levels)}; taken as none; expected high, "
                       "medium or low")  # fmt: skip
        return out


def unfit(rules: Iterable[SequenceRule], events: Sequence[Event], source: str) -> Iterator[str]:
    """Yields what rules ask of the events of a mapping that none of them has: attributes, and kinds."""
    attrs = sorted({name for event in events for name in event.attrs} | {"kind"})
    kinds = sorted({event.kind for event in events})
    for rule in rules:
        for step in rule.steps if events else ():
            if source not in step.sources:
                continue
            asked = {*step.bind.values(), *(name for one in step.conditions for name in one.fields)}
            for name in sorted(asked - set(attrs)):
                yield f"{rule.name}: no event of {source} has {printable(name)!r}; {hint(name, attrs)}"
            for name in step.kinds if not set(step.kinds) & set(kinds) else ():
                yield f"{rule.name}: no event of {source} is {printable(name)!r}; {hint(name, kinds)}"


def _shown(values: list[Any]) -> str:
    one = next((value for value in values if value not in (None, "")), None)
    return "" if one is None else f", such as {printable(str(one))[:60]!r}"


def _time_in(value: Any) -> int | None:
    """Converts a time: as :func:`unix`, and numbers of micro- and nanoseconds, with decimals, too."""
    if isinstance(value, str):
        value = value.strip()
        if re.fullmatch(r"[0-9]{1,19}(\.[0-9]{1,9})?", value):
            value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        while value > 9_999_999_999_999 and value < 1e19:
            value /= 1000
    return unix(value)


def _is_zoneless(value: Any) -> bool:
    text = value.strip() if isinstance(value, str) else "0"
    behind = text[10:]  # the date
    return not text.replace(".", "").isdecimal() and not behind.endswith(("Z", "z")) and not set(behind) & {"+", "-"}


def _flat(value: Any, name: str = "", depth: int = 0) -> dict[str, Any]:
    """Returns the plain values of a document by their paths, ``user.name``."""
    if isinstance(value, dict) and depth < _DEEPEST:
        out: dict[str, Any] = {}
        for key, inner in value.items():
            out |= _flat(inner, f"{name}.{key}" if name else str(key), depth + 1)
        return out
    return {name: value} if isinstance(value, (str, int, float)) and not isinstance(value, bool) else {}
