"""Results of controls: values that merge, a day at a time."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .._display import printable
from .._words import count
from ..errors import PlanError, StateError
from .seen import DAY

if TYPE_CHECKING:
    from ..query.report import Report

Verdict = Literal["fail", "not_evaluable", "error", "pass_enforced", "pass_silent"]
#: Verdicts, worst first: of days, and of results of one day that differ, the worst is that of all.
VERDICTS: tuple[Verdict, ...] = ("error", "fail", "not_evaluable", "pass_enforced", "pass_silent")
WORDS = {
    "fail": "FAIL", "not_evaluable": "NOT EVALUABLE", "error": "ERROR", "pass_enforced": "pass, enforced",
    "pass_silent": "pass, silent",
}  # fmt: skip
SCHEMA_VERSION = 1  # docs/reference/schemas.md
#: So much of a day may lack at its ends where the logs of a whole day are asked for: a window of capture.
_SLACK = 600
_MOST_SHOWN = 10
_COUNTS = ("records", "sessions", "asked", "tries_rejected", "lost", "violations", "unknown")
# Members of what nests, which texts are made of.
_NONE: type = type(None)
_VIOLATING: dict[str, type | tuple[type, ...]] = {
    "client": str, "server": str, "server_port": (int, _NONE), "protocol": (int, _NONE), "sessions": int, "first": int,
    "interface": (str, _NONE), "why": str, "record": (dict, _NONE),
}  # fmt: skip
_MINUTES = dict.fromkeys(("expected", "ok", "nodata", "skipdata", "absent"), int)
_EXCEPTION = dict.fromkeys(("id", "owner", "ticket", "until"), str)
_REQUIREMENT = dict.fromkeys(("id", "title", "dated", "what", "shows", "lacks"), str)
#: What AWS never logs, whatever the settings.
LIMITS = (
    "AWS does not log: queries to Amazon's DNS resolver, 169.254.169.254 (instance metadata), 169.254.169.123 (time), "
    "DHCP, mirrored traffic, the reserved address of the default router, Windows licence activation",
    "what a proxy or an application load balancer asks for another is a session of its own, with it as client",
    "times are those of windows of capture; a session counts in the day in which it began",
    "AWS does not sign flow logs: integrity can be proved from collection on, never from capture",
)


@dataclasses.dataclass(frozen=True)
class Day:
    """What a control says of a day in UTC. Plain values: :meth:`as_json` has their names."""

    day: str
    start: int
    end: int
    verdict: Verdict
    why: tuple[str, ...]
    counts: Mapping[str, int]
    minutes: Mapping[str, int]
    absent_interfaces: tuple[str, ...]
    exceptions_used: Mapping[str, int]
    exceptions_past: Mapping[str, int]
    violating: tuple[Mapping[str, Any], ...]
    zones: Mapping[str, Any]
    question_sha256: str

    def as_json(self) -> dict[str, Any]:
        """Returns its JSON object."""
        return {
            "day": self.day, "start": self.start, "end": self.end, "verdict": self.verdict, "why": list(self.why),
            **{name: self.counts[name] for name in _COUNTS}, "interface_minutes": dict(self.minutes),
            "absent_interfaces": list(self.absent_interfaces), "exceptions_used": dict(self.exceptions_used),
            "exceptions_past": dict(self.exceptions_past), "violating": [dict(one) for one in self.violating],
            "zones": dict(self.zones), "question_sha256": self.question_sha256,
        }  # fmt: skip

    @classmethod
    def of_json(cls, data: Any) -> Day:
        """Makes a day of its JSON object; any error but :class:`KeyError`, :class:`TypeError`, :class:`ValueError` and
        :class:`AttributeError` is none of the object's."""
        if data["verdict"] not in VERDICTS:
            raise ValueError(data["verdict"])
        return cls(
            _day(data["day"]), _time(data["start"]), _time(data["end"]), data["verdict"], tuple(map(str, data["why"])),
            {name: int(data[name]) for name in _COUNTS}, _whole(_with(data["interface_minutes"], _MINUTES)),
            tuple(map(str, data["absent_interfaces"])), _whole(data["exceptions_used"]),
            _whole(data["exceptions_past"]), tuple(_with(one, _VIOLATING) for one in data["violating"]),
            dict(data["zones"]), str(data["question_sha256"]),
        )  # fmt: skip

    @property
    def _rank(self) -> tuple[int, str]:
        return VERDICTS.index(self.verdict), json.dumps(self.as_json(), sort_keys=True)

    def worse(self, other: Day) -> Day:
        """Returns the worse of two results of a day: an order of all results, so that merging is associative,
        commutative and idempotent."""
        return min(self, other, key=lambda one: one._rank)


def _day(text: Any) -> str:
    """Checks a day; years without flow logs are none, so that no file makes a period of millennia."""
    if not "2000" <= str(datetime.date.fromisoformat(text)) <= "2200":
        raise ValueError(text)
    return str(text)


def _time(value: Any) -> int:
    """Checks Unix seconds, up to the year 2286."""
    if not isinstance(value, int) or not 0 <= value < 10**10:
        raise ValueError(value)
    return value


def _with(data: Any, names: Mapping[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """Checks that an object has members of some types."""
    for name, kind in names.items():
        if not isinstance(data[name], kind):
            raise ValueError(name)
    return dict(data)


def _whole(data: Any) -> dict[str, int]:
    return {str(key): int(value) for key, value in data.items()}


@dataclasses.dataclass(frozen=True)
class ControlResult:
    """What a control says of a period: its days, and their fold. ``asked``: ``(first, last)`` days of the period, if
    one was asked for; without, from the first day with a result to the last."""

    id: str
    title: str
    question: str
    plan: Mapping[str, Any]
    maps: tuple[Mapping[str, str], ...]
    days: Mapping[str, Day]
    not_known: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    asked: tuple[str, str] | None = None
    manifest: Mapping[str, Any] | None = None

    @property
    def period(self) -> tuple[str, str] | None:
        """First and last day; ``None`` without any."""
        if self.asked is not None:
            return self.asked
        return (min(self.days), max(self.days)) if self.days else None

    @property
    def holes(self) -> list[str]:
        """The days of the period that have no result."""
        if self.period is None:
            return []
        return [day for day in days_between(*self.period) if day not in self.days]

    @property
    def partial(self) -> list[str]:
        """The days of a period that was asked for of which only a part was judged."""
        if self.asked is None:
            return []
        out = []
        for one in self._of_period():
            midnight = midnight_of(one.day)
            if one.start > midnight + _SLACK or one.end < midnight + DAY - _SLACK:
                out.append(one.day)
        return out

    def _of_period(self) -> list[Day]:
        first, last = self.period or ("", "")
        return [self.days[day] for day in sorted(self.days) if first <= day <= last]

    @property
    def verdict(self) -> Verdict:
        """The fold of its days: the worst of them, where a hole is not evaluable; enforced if it was so on one day."""
        if self.errors and not self.days:
            return "error"
        found = {one.verdict for one in self._of_period()}
        if "fail" in found:
            return "fail"
        if not found or self.holes or self.partial or "not_evaluable" in found:
            return "not_evaluable"
        return "pass_enforced" if "pass_enforced" in found else "pass_silent"

    @property
    def why(self) -> list[str]:
        """What the verdict rests on, each cause once."""
        out = list(self.errors)
        if not self.days and not self.errors:
            out += self.not_known
        if self.holes:
            out.append(f"no result of {count(len(self.holes), 'day')}: {_ranges(self.holes)}")
        for day in self.partial:
            out.append(f"only a part of {day} was judged")
        forms = len({one.question_sha256 for one in self._of_period()})
        if forms > 1:
            out.append(f"the control was asked in {forms} forms: it, its zones or its exceptions changed in the period")
        shown = [one for one in self._of_period() if one.verdict == self.verdict or one.verdict == "not_evaluable"]
        several = len(self._of_period()) > 1
        for one in shown:
            out += [f"{one.day}: {text}" if several else text for text in one.why]
        return list(dict.fromkeys(out))

    def total(self, name: str) -> int:
        """Returns a count of all days of the period: ``records``, ``sessions``, ``asked``, ``tries_rejected``,
        ``lost``, ``violations``, ``unknown``."""
        return sum(one.counts[name] for one in self._of_period())

    @property
    def minutes(self) -> dict[str, int]:
        """Interface-minutes of the period: ``expected``, ``ok``, ``nodata``, ``skipdata``, ``absent``."""
        out = dict.fromkeys(("expected", "ok", "nodata", "skipdata", "absent"), 0)
        for one in self._of_period():
            for name, value in one.minutes.items():
                out[name] = out.get(name, 0) + value
        return out

    @property
    def violating(self) -> list[Mapping[str, Any]]:
        """The first sessions that broke it, at most ten."""
        return [one for day in self._of_period() for one in day.violating][:_MOST_SHOWN]

    @property
    def exceptions(self) -> list[dict[str, Any]]:
        """Its exceptions, with how many sessions used each, and how many would have, had it not been past."""
        days = self._of_period()
        return [
            {**one, "used": sum(day.exceptions_used.get(one["id"], 0) for day in days),
             "past": sum(day.exceptions_past.get(one["id"], 0) for day in days)}
            for one in self.plan.get("exceptions", ())
        ]  # fmt: skip

    def __add__(self, other: ControlResult) -> ControlResult:
        """Joins the days of two results of one control."""
        days = dict(self.days)
        for name, day in other.days.items():
            days[name] = day.worse(days[name]) if name in days else day
        newest = max((self, other), key=lambda one: (max(one.days, default=""), json.dumps(one.plan, sort_keys=True)))
        periods = [one.period for one in (self, other) if one.period is not None]
        whole = (min(one[0] for one in periods), max(one[1] for one in periods)) if periods else None
        return dataclasses.replace(
            newest, days=dict(sorted(days.items())), asked=whole if self.asked or other.asked else None,
            not_known=tuple(sorted({*self.not_known, *other.not_known})),
            errors=tuple(sorted({*self.errors, *other.errors})),
            manifest=newest.manifest if newest.manifest is not None else (self.manifest or other.manifest),
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Returns the members of its JSON object."""
        period = self.period
        return {
            "schema_version": SCHEMA_VERSION, "id": self.id, "verdict": self.verdict, "why": self.why,
            "title": self.title, "question": self.question, "plan": dict(self.plan),
            "maps": [dict(one) for one in self.maps],
            "period": period and {"first": period[0], "last": period[1], "asked": self.asked is not None},
            "holes": self.holes, **{name: self.total(name) for name in _COUNTS},
            "interface_minutes": self.minutes, "violating": [dict(one) for one in self.violating],
            "exceptions": self.exceptions, "not_known": list(self.not_known), "limits": list(LIMITS),
            "manifest": None if self.manifest is None else dict(self.manifest), "errors": list(self.errors),
            "days": [one.as_json() for one in self.days.values()],
        }  # fmt: skip

    @classmethod
    def of_json(cls, data: Any) -> ControlResult:
        """Makes a result of its JSON object. Errors as of :meth:`Day.of_json`."""
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version {data['schema_version']!r}")
        days = [Day.of_json(one) for one in data["days"]]
        period = data["period"]
        is_asked = period is not None and period["asked"] is True
        asked = (_day(period["first"]), _day(period["last"])) if is_asked else None
        plan = dict(data["plan"])
        plan["exceptions"] = [_with(one, _EXCEPTION) for one in plan.get("exceptions", ())]
        return cls(
            str(data["id"]), str(data["title"]), str(data["question"]), plan,
            tuple(_with(one, _REQUIREMENT) for one in data["maps"]), {one.day: one for one in days},
            tuple(map(str, data["not_known"])), tuple(map(str, data["errors"])), asked,
            None if data["manifest"] is None else dict(data["manifest"]),
        )  # fmt: skip


class ControlResults:
    """Results of controls by id: a value. ``+`` joins the days of two. ``report``: what was read; results that were
    merged or loaded have none.

    >>> from vpcflow import audit
    >>> (audit.ControlResults([]) + audit.ControlResults([])).exit_code
    0
    """

    def __init__(self, results: Iterable[ControlResult], report: Report | None = None) -> None:
        self._results = {one.id: one for one in results}
        self.report = report

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[ControlResult]:
        return iter(self._results.values())

    def __getitem__(self, id: str) -> ControlResult:
        return self._results[id]

    def __add__(self, other: ControlResults) -> ControlResults:
        both = {**self._results}
        for one in other:
            both[one.id] = both[one.id] + one if one.id in both else one
        return ControlResults(both[id] for id in sorted(both))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ControlResults):
            return NotImplemented
        return sorted(self.to_json_lines().splitlines()) == sorted(other.to_json_lines().splitlines())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        counts = {one: [r.verdict for r in self].count(one) for one in VERDICTS}
        said = ", ".join(f"{n} {one.replace('_', ' ')}" for one, n in counts.items() if n)
        return f"<ControlResults: {said or 'none'}>"

    def _repr_html_(self) -> str:
        from .._html import html_table

        names = ("control", "verdict", "tries_rejected", "violations", "why")
        schema = [(name, "int64" if name in _COUNTS else "text") for name in names]
        rows = [
            {"control": printable(one.id), "verdict": WORDS[one.verdict], "why": printable("; ".join(one.why)),
             **{name: one.total(name) for name in ("tries_rejected", "violations")}}
            for one in self
        ]  # fmt: skip
        return html_table(schema, rows, len(rows), "")

    def of_period(self, period: str) -> ControlResults:
        """Returns the same results as those of a period, a year, month or day as ``"2026"``, ``"2026-11"``,
        ``"2026-11-30"``: its days without result are holes. :class:`~vpcflow.PlanError` for another text."""
        asked = period_of(period)
        return ControlResults((dataclasses.replace(one, asked=asked) for one in self), self.report)

    @property
    def exit_code(self) -> int:
        """2 if a control could not be checked, 1 if one failed, 3 if one is not evaluable, else 0."""
        found = {one.verdict for one in self}
        codes: tuple[tuple[Verdict, int], ...] = (("error", 2), ("fail", 1), ("not_evaluable", 3))
        return next((code for verdict, code in codes if verdict in found), 0)

    def rows(self) -> list[dict[str, Any]]:
        """Returns a row a control, as its JSON object."""
        return [one.as_json() for one in self]

    def to_json_lines(self) -> str:
        """Returns an object a line, from which :func:`results_of` makes the results again."""
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows())


def results_of(source: str | os.PathLike[str]) -> ControlResults:
    """Loads results that ``vpcflow audit check --json`` wrote to a file; :class:`~vpcflow.StateError` for another."""
    name = printable(os.fspath(source))
    try:
        text = Path(source).read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        results = [ControlResult.of_json(row) for row in rows]
    except OSError as error:
        raise StateError(f"{name}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StateError(f"{name}: expected results as vpcflow audit check --json writes them") from None
    if not results:
        raise StateError(f"{name}: no results in it")
    out = ControlResults([])
    for one in results:
        out += ControlResults([one])
    return out


def merge(results: Sequence[ControlResults]) -> ControlResults:
    """Joins results of days, in any order: what two of them say of the same day is as the worse says."""
    out = ControlResults([])
    for one in results:
        out += one
    return out


def midnight_of(day: str) -> int:
    """Returns the Unix seconds at which a day begins."""
    when = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp())


def day_of(time: int) -> str:
    """Returns the day of a time in Unix seconds, as ``2026-11-30``."""
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%d")


def days_between(first: str, last: str) -> list[str]:
    """Returns all days from one to another."""
    begin = datetime.date.fromisoformat(first)
    length = (datetime.date.fromisoformat(last) - begin).days
    return [str(begin + datetime.timedelta(days=i)) for i in range(length + 1)]


def period_of(text: str) -> tuple[str, str]:
    """Returns the first and the last day of a year, month or day."""
    expected = f"period={text!r}: expected a year, month or day such as 2026-11"
    parts = text.split("-")
    try:
        numbers = [int(part) for part in parts if part.isdigit() and part.isascii()]
        if len(numbers) != len(parts) or [len(part) for part in parts] not in ([4], [4, 2], [4, 2, 2]):
            raise ValueError
        year, month, day = (*numbers, 1, 1)[:3]
        first = datetime.date(year, month, day)
        if len(parts) == 3:
            return str(first), str(first)
        last_month = len(parts) == 1 or month == 12
        following = datetime.date(year + 1, 1, 1) if last_month else datetime.date(year, month + 1, 1)
        return str(first), str(following - datetime.timedelta(days=1))
    except ValueError:
        raise PlanError(expected) from None


def _ranges(days: Sequence[str]) -> str:
    """Writes days with runs of them as one: ``2026-11-03, 2026-11-05 to 2026-11-09``."""
    out: list[list[str]] = []
    for day in days:
        if out and days_between(out[-1][-1], day)[1:] == [day]:
            out[-1].append(day)
        else:
            out.append([day])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in out[:_MOST_SHOWN]) + (
        f" and {len(out) - _MOST_SHOWN} more" if len(out) > _MOST_SHOWN else ""
    )
