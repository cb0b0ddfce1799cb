"""Expressions: filters built from Python operators, and aggregates.

Both are texts of the language that C++ and the command line speak; :func:`col` and the aggregate functions only write
them, with the quoting done.

>>> import vpcflow as vf
>>> (vf.col("action") == "REJECT") & vf.col("dstport").is_in([22, 3389]) & ~vf.col("srcaddr").is_in("10.0.0.0/8")
Expr("((action = 'REJECT' and dstport in (22, 3389)) and not srcaddr in '10.0.0.0/8')")
>>> vf.sum("bytes")
Agg("sum(bytes)")
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from typing import Any, TypedDict, Union

Literal = Union[
    int,
    str,
    datetime.datetime,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
]


def _literal(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        raise TypeError(f"{value!r} is no literal of a filter" + ("; use is_null()" if value is None else ""))
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.timezone.utc)
        return f"'{value.astimezone(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}'"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return f"'{value}'"
    if hasattr(value, "item"):  # a numpy scalar
        return _literal(value.item())
    raise TypeError(f"{type(value).__name__} is no literal of a filter: use int, str, datetime or an ipaddress object")


class Expr:
    """A test of records: joined with ``&`` and ``|``, negated with ``~``, given to :meth:`vpcflow.Flows.filter`.

    ``str()`` of it is the filter text.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f'Expr("{self._text}")'

    def __and__(self, other: Expr | str) -> Expr:
        return Expr(f"({self} and {_operand(other)})")

    def __or__(self, other: Expr | str) -> Expr:
        return Expr(f"({self} or {_operand(other)})")

    def __invert__(self) -> Expr:
        return Expr(f"not {self}")

    def __bool__(self) -> bool:
        raise TypeError("a filter has no truth value of its own; join filters with &, | and ~, each in parentheses")


class Column:
    """A field in a filter; made by :func:`col`. Comparisons give an :class:`Expr`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str) -> None:
        self._text = text

    def _compare(self, op: str, other: Any) -> Expr:
        right = str(other) if isinstance(other, Column) else _literal(other)
        return Expr(f"{self._text} {op} {right}")

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f'col("{self._text}")'

    def __eq__(self, other: Any) -> Expr:  # type: ignore[override]
        return self._compare("=", other)

    def __ne__(self, other: Any) -> Expr:  # type: ignore[override]
        return self._compare("!=", other)

    def __lt__(self, other: Any) -> Expr:
        return self._compare("<", other)

    def __le__(self, other: Any) -> Expr:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> Expr:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> Expr:
        return self._compare(">=", other)

    def __and__(self, mask: int) -> Column:
        """Bits of an integer field: ``(col("tcp_flags") & 18) == 2``."""
        return Column(f"{self._text} & {int(mask)}")

    def __bool__(self) -> bool:
        raise TypeError("a column has no truth value; compare it with something")

    def is_in(self, values: Literal | Iterable[Literal]) -> Expr:
        """One of the values; for addresses also prefixes such as ``"10.0.0.0/8"``."""
        if isinstance(values, str) or not isinstance(values, Iterable):
            return Expr(f"{self._text} in {_literal(values)}")
        if isinstance(values, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
            return Expr(f"{self._text} in {_literal(values)}")
        members = [_literal(v) for v in values]
        return Expr(f"{self._text} in ({', '.join(members)})") if members else Expr("false")

    def between(self, low: Literal, high: Literal) -> Expr:
        """At least ``low`` and at most ``high``; numbers and times."""
        return Expr(f"{self._text} between {_literal(low)} and {_literal(high)}")

    def like(self, pattern: str) -> Expr:
        """Text like a pattern: ``%`` stands for any text, ``_`` for one character."""
        return Expr(f"{self._text} like {_literal(pattern)}")

    def matches(self, pattern: str) -> Expr:
        """Text in which an RE2 regular expression is found."""
        return Expr(f"{self._text} matches {_literal(pattern)}")

    def is_null(self) -> Expr:
        """``-`` in the log, or a field that the log's format lacks."""
        return Expr(f"{self._text} is null")

    def is_not_null(self) -> Expr:
        """The field has a value."""
        return Expr(f"{self._text} is not null")


def col(name: str) -> Column:
    """A field by AWS's name, with ``-`` or ``_``, for use in a filter.

    Raises ``ValueError`` for a text that cannot be a field name; whether the field exists is checked with the query.
    """
    if not name or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
        raise ValueError(f"{name!r} is not a field name")
    return Column(name)


def as_filter(expression: Expr | str) -> str:
    """The text of a filter."""
    if isinstance(expression, (Expr, str)):
        return str(expression)
    raise TypeError(f"a filter is a text or made with vf.col(...), not {type(expression).__name__}")


def _operand(expression: Expr | str) -> str:
    return f"({expression})" if isinstance(expression, str) else as_filter(expression)


class Agg:
    """An aggregate; made by :func:`count`, :func:`sum` and so on.

    Each of these takes ``where``, a filter of its own: ``vf.count(where="action = 'REJECT'")`` counts the rejected
    records of a group while other aggregates see all of them.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f'Agg("{self._text}")'


class Derived:
    """A column out of two aggregates of the same query; made by :func:`ratio` and :func:`difference`."""

    def __init__(self, op: str, a: str, b: str) -> None:
        self.op, self.a, self.b = op, a, b

    def __repr__(self) -> str:
        return f"Derived({self.a} {self.op} {self.b})"


def ratio(a: str, b: str) -> Derived:
    """The aggregate named ``a`` by the one named ``b``; null where ``b`` is 0 or one of them null.

    >>> import vpcflow as vf
    >>> log = b"srcaddr action\\n10.0.0.1 REJECT\\n10.0.0.1 ACCEPT\\n10.0.0.2 ACCEPT\\n"
    >>> rejected = vf.count(where="action = 'REJECT'")
    >>> flows = vf.scan(log).group_by("srcaddr").agg(n=vf.count(), rejected=rejected, share=vf.ratio("rejected", "n"))
    >>> flows.having("share > 0.1").collect().rows()
    [{'srcaddr': '10.0.0.1', 'n': 2, 'rejected': 1, 'share': 0.5}]
    """
    return Derived("/", a, b)


def difference(a: str, b: str) -> Derived:
    """The aggregate named ``a`` less the one named ``b``; null where one of them is."""
    return Derived("-", a, b)


class AggregatesSpec(TypedDict):
    """The members of a plan's specification for aggregates."""

    aggs: list[tuple[str, str]]
    derived: list[tuple[str, str, str, str]]


def aggregates_spec(aggregates: dict[str, Agg | Derived | str]) -> AggregatesSpec:
    """The parts of a plan for aggregates and derived columns by name; without any, the number of records."""
    aggs = [(name, str(agg)) for name, agg in aggregates.items() if not isinstance(agg, Derived)]
    derived = [(name, d.op, d.a, d.b) for name, d in aggregates.items() if isinstance(d, Derived)]
    return {"aggs": aggs or [("count", "count()")], "derived": derived}


def _agg(call: str, where: Expr | str | None) -> Agg:
    return Agg(call if where is None else f"{call} where {as_filter(where)}")


def count(*, where: Expr | str | None = None) -> Agg:
    """Number of records."""
    return _agg("count()", where)


def sum(field: str, *, where: Expr | str | None = None) -> Agg:
    """Sum of a numeric field; null values are left out. Never wraps. With ``every=`` a record's part in each bin."""
    return _agg(f"sum({field})", where)


def min(field: str, *, where: Expr | str | None = None) -> Agg:
    """Smallest value of a numeric or time field; null without values."""
    return _agg(f"min({field})", where)


def max(field: str, *, where: Expr | str | None = None) -> Agg:
    """Largest value of a numeric or time field; null without values."""
    return _agg(f"max({field})", where)


def mean(field: str, *, where: Expr | str | None = None) -> Agg:
    """Arithmetic mean of a numeric field; null without values."""
    return _agg(f"mean({field})", where)


def n_unique(field: str, *, where: Expr | str | None = None) -> Agg:
    """Exact number of different values of any field. Memory grows with the values of all groups."""
    return _agg(f"n_unique({field})", where)


def approx_n_unique(field: str, *, where: Expr | str | None = None) -> Agg:
    """Number of different values of any field: exact up to 256 in a group, beyond with a standard error of 1.6 % in
    4 KiB a group (HyperLogLog)."""
    return _agg(f"approx_n_unique({field})", where)


def quantile(field: str, q: float, *, where: Expr | str | None = None) -> Agg:
    """Exact quantile of a numeric field: the smallest value that at least the share ``q`` (0 to 1) of the values do not
    exceed. Keeps 8 bytes a value; null without values."""
    return _agg(f"quantile({field}, {float(q)!r})", where)


def approx_quantile(field: str, q: float, *, where: Expr | str | None = None) -> Agg:
    """Quantile of a numeric field within 0.4 % of its value, always; exact below 256. Memory is bounded."""
    return _agg(f"approx_quantile({field}, {float(q)!r})", where)


def first(field: str, *, where: Expr | str | None = None) -> Agg:
    """Value in the earliest record that has one: by start, then by place in the input."""
    return _agg(f"first({field})", where)


def last(field: str, *, where: Expr | str | None = None) -> Agg:
    """Value in the latest record that has one: by start, then by place in the input."""
    return _agg(f"last({field})", where)


def rate(field: str, *, where: Expr | str | None = None) -> Agg:
    """Sum of a numeric field per second: over the time bin, else from first start to last end."""
    return _agg(f"rate({field})", where)
