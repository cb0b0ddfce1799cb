"""Expressions: filters built from Python operators, and aggregates.

Both are texts of the language that C++ and the command line speak; :func:`col` and the aggregate functions only write
them, with the quoting done.

>>> import vpcflow as vf
>>> (vf.col("action") == "REJECT") & vf.col("dstport").is_in([22, 3389]) & ~vf.col("srcaddr").is_in("10.0.0.0/8")
Expr("(action = 'REJECT' and dstport in (22, 3389) and not srcaddr in '10.0.0.0/8')")
>>> vf.sum("bytes")
Agg("sum(bytes)")
"""

from __future__ import annotations

import datetime
import ipaddress
import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict, Union

from .._addresses import PRIVATE
from ..errors import ArgumentError, FieldError, PlanError
from .wrong import COLUMN, no_attribute

Literal = Union[
    int,
    float,
    str,
    datetime.datetime,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
]


def _literal(value: Any) -> str:
    if value is None:
        raise ArgumentError("cannot compare with None; use is_null()")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.timezone.utc)
        return f"'{value.astimezone(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}'"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ArgumentError(f"cannot compare with {value!r}, which is not a number; use is_null()")
        return repr(float(value))
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return f"'{value}'"
    if hasattr(value, "item"):  # a numpy scalar
        return _literal(value.item())
    raise ArgumentError(
        f"cannot compare with {type(value).__name__}; use int, float, str, datetime or an ipaddress object"
    )


def _no_arithmetic(self: object, other: object) -> NoReturn:
    raise ArgumentError(
        f"{self!r} is not computed with in Python; name the parts and write the arithmetic as text: "
        "agg(bytes=vf.sum('bytes'), n=vf.count(), each='bytes / n')"
    )


def _no_parentheses(self: object, other: object) -> NoReturn:
    raise ArgumentError(
        f"{other!r} & {self!r}: & and | bind tighter than comparisons; write "
        "(vf.col('bytes') > 10) & (vf.col('bytes') < 50)"
    )


class Expr:
    """A test: joined with ``&`` and ``|``, negated with ``~``, given to :meth:`vpcflow.Flows.filter` for records or to
    :meth:`vpcflow.Flows.having` for groups.

    ``str()`` of it is the filter text.
    """

    def __init__(self, text: str, operator: str = "") -> None:
        self._text = text
        self._operator = operator  # "and" or "or" if the text is a chain of it

    def __str__(self) -> str:
        return f"({self._text})" if self._operator else self._text

    def __repr__(self) -> str:
        return f'Expr("{self}")'

    def _joined(self, operator: str, other: Expr | str) -> Expr:
        # Chains stay flat, as what is nested deeply is refused.
        return Expr(f"{_operand(self, operator)} {operator} {_operand(other, operator)}", operator)

    def __and__(self, other: Expr | str) -> Expr:
        return self._joined("and", other)

    def __or__(self, other: Expr | str) -> Expr:
        return self._joined("or", other)

    def __invert__(self) -> Expr:
        return Expr(f"not {self}")

    def __bool__(self) -> bool:
        raise ArgumentError("a filter has no truth value; join filters with &, | and ~, each in parentheses")

    if not TYPE_CHECKING:
        __rand__ = __ror__ = _no_parentheses


class Column:
    """A field of records, or a column of groups; made by :func:`col`. Comparisons give an :class:`Expr`."""

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
        if not isinstance(mask, int) or isinstance(mask, bool):
            raise ArgumentError(f"'&' of a column takes its bits, as col('tcp_flags') & 18, not {mask!r}")
        return Column(f"{self._text} & {mask}")

    def __bool__(self) -> bool:
        raise ArgumentError("a column has no truth value; compare it with something")

    def is_in(self, values: Literal | Iterable[Literal]) -> Expr:
        """Tests for one of the values; for addresses also prefixes such as ``"10.0.0.0/8"``."""
        if isinstance(values, str) or not isinstance(values, Iterable):
            return Expr(f"{self._text} in {_literal(values)}")
        if isinstance(values, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
            return Expr(f"{self._text} in {_literal(values)}")
        members = [_literal(v) for v in values]
        return Expr(f"{self._text} in ({', '.join(members)})") if members else Expr("false")

    def is_private(self) -> Expr:
        """Tests for addresses of private networks: RFC 1918 and ``fc00::/7``, and ``100.64.0.0/10``, of which pods and
        carriers have theirs. Null is not private.

        >>> import vpcflow as vf
        >>> log = b"srcaddr bytes\\n10.0.0.1 40\\n8.8.8.8 2\\n"
        >>> vf.scan(log).filter(~vf.col("srcaddr").is_private()).collect()["srcaddr"]
        ['8.8.8.8']
        """
        return self.is_in(PRIVATE)

    if not TYPE_CHECKING:
        __add__ = __sub__ = __mul__ = __truediv__ = __radd__ = __rsub__ = __rmul__ = __rtruediv__ = _no_arithmetic
        __rand__ = __ror__ = _no_parentheses

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, COLUMN, "a column")

    def between(self, low: Literal, high: Literal) -> Expr:
        """Tests for at least ``low`` and at most ``high``; numbers and times."""
        return Expr(f"{self._text} between {_literal(low)} and {_literal(high)}")

    def like(self, pattern: str) -> Expr:
        """Tests for text like a pattern: ``%`` stands for any text, ``_`` for one character."""
        return Expr(f"{self._text} like {_literal(pattern)}")

    def matches(self, pattern: str) -> Expr:
        """Tests for text in which an RE2 regular expression is found."""
        return Expr(f"{self._text} matches {_literal(pattern)}")

    def is_null(self) -> Expr:
        """Tests for ``-`` in the log, or a field that the log's format lacks."""
        return Expr(f"{self._text} is null")

    def is_not_null(self) -> Expr:
        """Tests for a value."""
        return Expr(f"{self._text} is not null")


def col(name: str) -> Column:
    """Names a field in a filter, by AWS's name, with ``-`` or ``_``; or a column of the result, for ``having``.

    Raises :class:`~vpcflow.FieldError` for a text that cannot be a name; whether the field exists is checked with the
    query.
    """
    if not isinstance(name, str):
        raise ArgumentError(f"col takes a name, as col('srcaddr'), not {name!r}")
    if not name or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
        raise FieldError(f"{name!r} is not a field name")
    return Column(name)


def as_filter(expression: Expr | str) -> str:
    """Returns the text of a filter."""
    if isinstance(expression, (Expr, str)):
        return str(expression)
    raise ArgumentError(
        "expected a filter as text or made with vf.col(...), as filter('dstport = 22') or "
        f"filter(vf.col('dstport') == 22), not {type(expression).__name__}"
    )


def as_condition(expression: Expr | str) -> str:
    """Returns the text of a condition on groups."""
    if isinstance(expression, (Expr, str)):
        return str(expression)
    raise ArgumentError(
        "expected a condition as text or made with vf.col(...), as having('n >= 100') or having(vf.col('n') >= 100), "
        f"not {type(expression).__name__}"
    )


def _operand(expression: Expr | str, operator: str) -> str:
    """Returns a part of a chain."""
    if isinstance(expression, Expr) and expression._operator == operator:
        return expression._text
    return f"({expression})" if isinstance(expression, str) else as_filter(expression)


class Agg:
    """An aggregate; made by :func:`count`, :func:`sum` and so on.

    Each of these takes ``where``, a filter of its own: ``vf.count(where="action = 'REJECT'")`` counts the rejected
    records of a group while other aggregates see all of them.
    """

    def __init__(self, text: str, name: str = "") -> None:
        self._text = text
        self._name = name

    def alias(self, name: str) -> Agg:
        """Returns the aggregate with a name for its column, as ``agg(vf.sum("bytes").alias("total"))``."""
        if not isinstance(name, str):
            raise ArgumentError(f"a column has a name, as alias('total'), not {name!r}")
        return Agg(self._text, name)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f'Agg("{self._text}")'

    if not TYPE_CHECKING:
        __add__ = __sub__ = __mul__ = __truediv__ = __radd__ = __rsub__ = __rmul__ = __rtruediv__ = _no_arithmetic


class Derived:
    """A column computed of others of the same query, as ``"bytes / packets"``; made by :func:`ratio` and
    :func:`difference`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Derived({self._text})"


def _name(name: str | Column) -> str:
    """A name as expressions spell it: in backticks unless it is a plain one."""
    name = str(name) if isinstance(name, Column) else name
    if not isinstance(name, str):
        raise ArgumentError(f"a column has a name, as 'bytes', not {name!r}")
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) else "`" + name.replace("`", "``") + "`"


def ratio(a: str | Column, b: str | Column) -> Derived:
    """Divides the aggregate named ``a`` by the one named ``b``; null where ``b`` is 0 or one of them null.

    >>> import vpcflow as vf
    >>> log = b"srcaddr action\\n10.0.0.1 REJECT\\n10.0.0.1 ACCEPT\\n10.0.0.2 ACCEPT\\n"
    >>> rejected = vf.count(where="action = 'REJECT'")
    >>> flows = vf.scan(log).group_by("srcaddr").agg(n=vf.count(), rejected=rejected, share=vf.ratio("rejected", "n"))
    >>> flows.having("share > 0.1").collect().rows()
    [{'srcaddr': '10.0.0.1', 'n': 2, 'rejected': 1, 'share': 0.5}]
    """
    return Derived(f"{_name(a)} / {_name(b)}")


def difference(a: str | Column, b: str | Column) -> Derived:
    """Subtracts the aggregate named ``b`` from the one named ``a``; null where one of them is."""
    return Derived(f"{_name(a)} - {_name(b)}")


class AggregatesSpec(TypedDict):
    """The members of a plan's specification for aggregates."""

    aggs: list[tuple[str, str]]


def aggregates_spec(unnamed: Iterable[Any], named: dict[str, Agg | Derived | str]) -> AggregatesSpec:
    """Returns the parts of a plan for aggregates and derived columns; without any, the number of records."""
    given: list[tuple[str, Any]] = [(_column_of(agg), agg) for agg in _flat(unnamed)]
    given += named.items()
    for name, agg in given:
        if not isinstance(agg, (Agg, Derived, str)):
            raise ArgumentError(
                f"agg({name}={agg!r}): expected an aggregate, as agg({name}=vf.count()) or agg({name}='sum(bytes)')"
            )
    known = [name for name, _ in given]
    for name in known:
        if known.count(name) > 1:
            first, second = [agg for other, agg in given if other == name][:2]
            raise PlanError(
                f"agg: two aggregates have the name {name!r}, {first} and {second}; give one of them another, as "
                f"agg(vf.sum('bytes'), largest=vf.max('bytes'))"
            )
    return {"aggs": [(name, str(agg)) for name, agg in given] or [("count", "count()")]}


def _flat(given: Iterable[Any]) -> Iterator[Any]:
    for one in given:
        if isinstance(one, (list, tuple)):
            yield from _flat(one)
        else:
            yield one


def _column_of(agg: Any) -> str:
    """The name of an aggregate without one, as polars has it: that of its field; of a count ``count``."""
    if isinstance(agg, Agg) and agg._name:
        return agg._name
    match = re.match(r"\s*(\w+)\s*\(\s*([A-Za-z0-9_-]*)", str(agg)) if isinstance(agg, (Agg, str)) else None
    if match is None:
        raise ArgumentError(
            f"an aggregate is needed, not {agg!r}; write agg(vf.count(), vf.sum('bytes')) or "
            "agg(n=vf.count(), bytes=vf.sum('bytes'))"
        )
    return (match[2] or match[1]).replace("-", "_")


def _agg(function: str, field: str | Column, where: Expr | str | None, last: str = "") -> Agg:
    if not isinstance(field, (str, Column)):
        raise ArgumentError(f"{function} takes the name of a field, as vf.{function}('bytes'), not {field!r}")
    call = f"{function}({field}{last})"
    return Agg(call if where is None else f"{call} where {as_filter(where)}")


def _share(q: Any) -> float:
    try:
        return float(q)
    except (TypeError, ValueError):
        raise ArgumentError(f"a quantile is a share between 0 and 1, as 0.95, not {q!r}") from None


def count(*, where: Expr | str | None = None) -> Agg:
    """Counts records."""
    return _agg("count", "", where)


def sum(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Adds up a numeric field; null values are left out. Never wraps. With ``every=`` a record's part in each bin."""
    return _agg("sum", field, where)


def min(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Computes the smallest value of a numeric or time field; null without values."""
    return _agg("min", field, where)


def max(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Computes the largest value of a numeric or time field; null without values."""
    return _agg("max", field, where)


def mean(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Computes the arithmetic mean of a numeric field; null without values."""
    return _agg("mean", field, where)


def n_unique(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Counts the different values of any field, exactly. Memory grows with the values of all groups."""
    return _agg("n_unique", field, where)


def approx_n_unique(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Counts the different values of any field: exact up to 256 in a group, beyond with a standard error of 1.6 % in
    4 KiB a group (HyperLogLog)."""
    return _agg("approx_n_unique", field, where)


def quantile(field: str | Column, q: float, *, where: Expr | str | None = None) -> Agg:
    """Computes an exact quantile of a numeric field: the smallest value that at least the share ``q`` (0 to 1) of the
    values do not exceed. Keeps 8 bytes a value; null without values."""
    return _agg("quantile", field, where, f", {_share(q)!r}")


def approx_quantile(field: str | Column, q: float, *, where: Expr | str | None = None) -> Agg:
    """Computes a quantile of a numeric field within 0.4 % of its value, always; exact below 256. Memory is bounded."""
    return _agg("approx_quantile", field, where, f", {_share(q)!r}")


def first(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Takes the value in the earliest record that has one: by start, then by place in the input."""
    return _agg("first", field, where)


def last(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Takes the value in the latest record that has one: by start, then by place in the input."""
    return _agg("last", field, where)


def rate(field: str | Column, *, where: Expr | str | None = None) -> Agg:
    """Computes the sum of a numeric field per second: over the time bin, else from first start to last end."""
    return _agg("rate", field, where)
