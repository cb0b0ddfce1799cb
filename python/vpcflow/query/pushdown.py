"""Groupings that Logs Insights computes: the groups come back as a log of one record each, over which the rest of the
question (derived columns, ``having``, ``top_k``, ``sort``) runs as over any log."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import NamedTuple

from .. import _core
from ..errors import NoRecordsError, SourceError
from ..io.aws.cloudwatch import LogGroup
from ..io.aws.insights import MOST_ROWS, Answer, CannotPushError, alias, ask, condition, field_name, parse_clause
from ..io.aws.session import Connection
from .flows import Flows
from .result import Result
from .scan import scan

_CALL = re.compile(r"(count|sum|min|max|mean)\(\s*([\w-]*)\s*\)")
_COUNTERS = (
    "bytes", "packets", "packets-lost-no-route", "packets-lost-blackhole", "packets-lost-mtu-exceeded",
    "packets-lost-ttl-expired",
)  # fmt: skip
_TIMES = ("start", "end")
_EXACT = 1 << 53  # to which Insights, which computes with doubles, counts exactly
_EARLY = 15 * 86400  # seconds; events may be older than their group by 14 days
_SLACK = 60  # seconds that the time of an event may differ from the start of its record


class _Carried(NamedTuple):
    """A column of the answer, and the field of the log of groups that has it. ``call`` is what is asked of the log."""

    answer: str
    field: str
    call: str


class Pushdown:
    """A grouping over a log group, for Logs Insights. Nothing is asked before :meth:`run`.

    ``text``: the query; ``stored``: bytes that the group stores; ``region``: that of the group. Raises
    :class:`~vpcflow.PlanError` for a question whose answer would not be the same.
    """

    def __init__(self, url: str, flows: Flows, connection: Connection, format: str | None = None) -> None:
        self._flows, self._url = flows, url
        self._group = LogGroup(url, connection)
        self.stored = self._group.check()
        self.region = self._group.region
        self._format = [name for name, _ in _core.parse_format(self._group.format(format))]
        spec = flows._spec
        if not spec.aggs or spec.sessions or spec.labels or spec.window or spec.gap:
            raise CannotPushError("it is for groupings by fields and time bins, with aggregates")
        if spec.every and spec.bin_by != "start":
            raise CannotPushError("bins of spread sums are not to be had; give --bin-by start")
        if "log-status" not in self._format:
            raise CannotPushError("records without data cannot be told, as the format lacks log-status")
        self._keys = [self._there(name) for name in spec.by]
        self._carried: list[_Carried] = []
        self._aggs: dict[str, str] = {}
        for name, text in spec.aggs:
            self._add(name, text)
        self.text = self._query()

    def _there(self, name: str) -> str:
        field = field_name(name)
        if field not in self._format:
            raise CannotPushError(f"the lines have no {field}")
        if field == "log-status":
            raise CannotPushError("a question about log-status is of all records, also those without data")
        return field

    def _add(self, name: str, text: str) -> None:
        """Adds an aggregate, or a column that is computed of others, which stays as it is."""
        call = _CALL.fullmatch(text.strip())
        if call is None:
            if re.search(r"\w\s*\(", text):
                raise CannotPushError(f"{text} is not to be had")
            self._aggs[name] = text
            return
        function, of = call[1], call[2] and self._there(call[2])
        if of and of not in (*_COUNTERS, *_TIMES):
            raise CannotPushError(f"{text} is not to be had: only of bytes, packets and times")
        if function == "mean":
            both = [f"{name}__{part}" for part in ("sum", "count")]
            for helper, asked in zip(both, (f"sum({alias(of)})", "count(*)")):
                self._aggs[helper] = self._carry(asked, "", "sum")
            self._aggs[name] = " / ".join(both)
        elif function == "count":
            self._aggs[name] = self._carry("count(*)", "", "sum")
        else:
            self._aggs[name] = self._carry(f"{function}({alias(of)})", of, function)

    def _carry(self, asked: str, of: str, function: str) -> str:
        """Returns the call over the log of groups that gives what Insights was asked for."""
        time_ = of in _TIMES and function in ("min", "max")
        bins = ["start"] if self._flows._spec.every else []
        taken = {*(one.field for one in self._carried), *self._keys, *bins}
        free = [field for field in (_TIMES if time_ else _COUNTERS) if field not in taken]
        if not free:
            raise CannotPushError("so many aggregates are not to be had at once")
        call = f"{function}({free[0]})"
        self._carried.append(_Carried(asked, free[0], call))
        return call

    def _query(self) -> str:
        every = self._flows._spec.every
        names = [alias(key) for key in self._keys]
        if every:
            names.append("f_bin")
        stats = ", ".join(f"{one.answer} as a{n}" for n, one in enumerate(self._carried))
        if not stats:
            raise CannotPushError("there is no aggregate")
        lines = [parse_clause(self._format), f'filter {alias("log-status")} = "OK"']
        for text in self._flows._filters:
            if re.search(r"log[-_]status", text, re.IGNORECASE):
                raise CannotPushError("a question about log-status is of all records, also those without data")
            lines.append(f"filter {condition(text)}")
        if every:
            lines.append(f"fields floor({alias('start')} / {every}) * {every} as f_bin")
        lines.append(f"stats {stats}" + (f" by {', '.join(names)}" if names else ""))
        return "\n| ".join([*lines, f"limit {MOST_ROWS}"])

    def run(self) -> tuple[Result, Answer]:
        """Asks, and returns the result with what Insights went through.

        Raises :class:`~vpcflow.SourceError` for more groups than Insights gives, and for sums beyond 2^53, which it
        does not compute exactly; :class:`~vpcflow.NoRecordsError` if it went through none.
        """
        start, end = self._flows._spec.asked or (None, None)
        begin = max(0, self._group.created - _EARLY if start is None else start - _SLACK)
        answer = ask(self._group, self.text, begin, int(time.time()) if end is None else end + _SLACK)
        if len(answer.rows) >= MOST_ROWS:
            raise SourceError(
                f"{self._url}: {MOST_ROWS:,} groups or more; Logs Insights gives no more, so some would be missing: "
                "ask for less time or fewer keys, or leave out --pushdown"
            )
        if not answer.scanned and not self._flows._allows_empty:
            raise NoRecordsError(f"{self._url}: no records there in the time asked for")
        return self._rest(answer), answer

    def _rest(self, answer: Answer) -> Result:
        """Runs what is left of the question over the groups."""
        spec = self._flows._spec
        fields = [*self._keys, *(["start"] if spec.every else []), *(one.field for one in self._carried)]
        lines = [" ".join(fields)]
        for row in answer.rows:
            values = [row.get(alias(key), "-") for key in self._keys]
            values += [str(_whole(row["f_bin"]))] if spec.every else []
            values += [str(_whole(row.get(f"a{n}", "0"))) for n in range(len(self._carried))]
            lines.append(" ".join(value or "-" for value in values))
        flows = scan(("\n".join(lines) + "\n").encode(), allow_empty=True)
        grouped = flows.group_by(*self._keys, every=spec.every or None, bin_by="start").agg(**self._aggs)
        result = grouped._with(having=spec.having, top=spec.top, sort=spec.sort).collect()
        if self._flows._last is not None:
            result = result.tail(self._flows._last)
        columns = self._flows.columns  # without helpers, in the order of the question
        return result if columns == result.columns else result[columns]


def _whole(text: str) -> int:
    number = Decimal(text)
    if number != int(number) or abs(number) >= _EXACT:
        raise SourceError(f"Logs Insights: {text} is not exact; leave out --pushdown")
    return int(number)
