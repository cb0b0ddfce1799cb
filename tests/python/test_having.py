"""Conditions on groups and derived columns, held against an evaluator that does the obvious, row by row."""

from __future__ import annotations

import fnmatch
import ipaddress
import math
import operator
import random
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vpcflow as vf

Row = dict[str, Any]
#: A part of an expression: its text, how tightly it binds, and its value in a row.
Part = tuple[str, int, Callable[[Row], Any]]

OR, AND, NOT, TEST, BITS, SUM, PRODUCT, UNARY, ATOM = range(9)
NUMBERS = ("n", "b", "p", "m", "dstport", "last_end", "each")
TEXTS, ADDRESSES = ("t", "u"), ("srcaddr", "f", "g")


def log() -> bytes:
    rng = random.Random(27)
    lines = ["srcaddr dstaddr dstport bytes packets start end interface-id vpc-id"]
    for _ in range(400):
        start = 1_700_000_000 + rng.randrange(4000)
        port, vpc = rng.choice(["22", "80", "-"]), rng.choice(["vpc-a", "vpc-b", "-"])
        lines.append(
            f"10.0.{rng.randrange(2)}.{rng.randrange(6)} 10.0.{rng.randrange(2)}.{rng.randrange(4)} {port} "
            f"{rng.choice(['-', rng.randrange(40), 2**53 + rng.randrange(3)])} {rng.randrange(3)} {start} {start + 60} "
            f"{rng.choice(['eni-a', 'eni-b', 'vpc-a'])} {vpc}"
        )
    return "\n".join(lines).encode()


KEYS = vf.scan(log()).group_by("srcaddr", "dstport")
AGGREGATES = {
    "n": "count()", "b": "sum(bytes)", "p": "sum(packets) where bytes < 30", "m": "mean(bytes) where bytes < 20",
    "t": "first(interface-id)", "u": "last(vpc-id)", "f": "first(dstaddr)", "g": "last(dstaddr) where packets > 0",
    "last_end": "max(end)", "each": "b / p",
}  # fmt: skip
GROUPS = KEYS.agg(**AGGREGATES)
ROWS = GROUPS.collect().rows()


# -- the obvious evaluator --------------------------------------------------------------------------------------------


def kleene_not(x: bool | None) -> bool | None:
    return None if x is None else not x


def kleene_all(values: list[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def kleene_any(values: list[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def compared(op: Callable[[Any, Any], bool], x: Any, y: Any) -> bool | None:
    return None if x is None or y is None else op(x, y)


def reckoned(op: Callable[[float, float], float], x: Any, y: Any) -> float | None:
    if x is None or y is None or (op is operator.truediv and y == 0):
        return None
    result = op(float(x), float(y))
    return None if math.isnan(result) else result


def address(text: str | None) -> Any:
    return None if text is None else ipaddress.ip_address(text)


# -- expressions with their evaluators ---------------------------------------------------------------------------------


def inside(part: Part, least: int) -> str:
    """The text of a part, in parentheses where it binds less than it must."""
    return part[0] if part[1] >= least else f"({part[0]})"


def literal(value: float) -> Part:
    return (repr(value) if value >= 0 else f"-{-value!r}"), ATOM if value >= 0 else UNARY, lambda row: value


def column(name: str) -> Part:
    return name, ATOM, lambda row: row[name]


def arithmetic(symbol: str, left: Part, right: Part) -> Part:
    ops = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
    level = SUM if symbol in "+-" else PRODUCT
    text = f"{inside(left, level)} {symbol} {inside(right, level + 1)}"
    return text, level, lambda row: reckoned(ops[symbol], left[2](row), right[2](row))


def negative(part: Part) -> Part:
    def value(row: Row) -> Any:
        x = part[2](row)
        return None if x is None else -x

    return f"-{inside(part, UNARY)}", UNARY, value


def bits(name: str, mask: int) -> Part:
    return f"{name} & {mask}", BITS, lambda row: None if row[name] is None else row[name] & mask


numbers = st.deferred(lambda: st.one_of(plain, computed))
plain = st.one_of(
    st.sampled_from(NUMBERS).map(column),
    st.integers(-3, 100).map(literal),
    st.sampled_from([2**53, 2**53 + 1, 2**70, 1_700_000_500]).map(literal),
    st.floats(-50, 50, allow_nan=False).map(literal),
    st.sampled_from([0.5, 1e-05, 1e16, 9007199254740993.5]).map(literal),
)
computed = st.one_of(
    st.builds(arithmetic, st.sampled_from("+-*/"), numbers, numbers), numbers.map(negative),
    st.builds(bits, st.sampled_from(["n", "b", "dstport"]), st.integers(0, 255)),
)  # fmt: skip


def operand(part: Part) -> str:
    return inside(part, BITS)


COMPARES = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<>": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def comparison(symbol: str, left: Part, right: Part) -> Part:
    text = f"{operand(left)} {symbol} {operand(right)}"
    return text, TEST, lambda row: compared(COMPARES[symbol], left[2](row), right[2](row))


def negated(wanted: bool, value: bool | None) -> bool | None:
    return value if wanted else kleene_not(value)


def membership(wanted: bool, left: Part, members: list[Part]) -> Part:
    text = f"{operand(left)} {'' if wanted else 'not '}in ({', '.join(operand(m) for m in members)})"
    return text, TEST, lambda row: negated(
        wanted, kleene_any([compared(operator.eq, left[2](row), m[2](row)) for m in members])
    )


def between(wanted: bool, left: Part, low: Part, high: Part) -> Part:
    def value(row: Row) -> bool | None:
        x = left[2](row)
        both = [compared(operator.ge, x, low[2](row)), compared(operator.le, x, high[2](row))]
        return negated(wanted, kleene_all(both))

    text = f"{operand(left)} {'' if wanted else 'not '}between {operand(low)} and {operand(high)}"
    return text, TEST, value


def null_test(wanted: bool, part: Part) -> Part:
    text = f"{operand(part)} is {'' if wanted else 'not '}null"
    return text, TEST, lambda row: (part[2](row) is None) == wanted


def same(symbol: str, a: str, b: str) -> Part:
    return f"{a} {symbol} {b}", TEST, lambda row: compared(COMPARES[symbol], row[a], row[b])


def text_in(wanted: bool, name: str, values: list[str]) -> Part:
    listed = ", ".join(f"'{value}'" for value in values)
    text = f"{name} {'' if wanted else 'not '}in ({listed})"
    return text, TEST, lambda row: negated(wanted, None if row[name] is None else row[name] in values)


def like(wanted: bool, name: str, start: str) -> Part:
    text = f"{name} {'' if wanted else 'not '}like '{start}%'"
    return text, TEST, lambda row: negated(
        wanted, None if row[name] is None else fnmatch.fnmatchcase(row[name], f"{start}*")
    )


def address_in(wanted: bool, name: str, prefixes: list[str]) -> Part:
    networks = [ipaddress.ip_network(prefix) for prefix in prefixes]
    listed = ", ".join(f"'{prefix}'" for prefix in prefixes)
    text = f"{name} {'' if wanted else 'not '}in ({listed})"

    def value(row: Row) -> bool | None:
        x = address(row[name])
        return negated(wanted, None if x is None else any(x in network for network in networks))

    return text, TEST, value


def time_after(symbol: str, seconds: int) -> Part:
    stamp = vf_time(seconds)
    return f"last_end {symbol} '{stamp}'", TEST, lambda row: compared(COMPARES[symbol], row["last_end"], seconds)


def vf_time(seconds: int) -> str:
    import datetime

    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


EQUALITIES = st.sampled_from(["=", "!="])
PREFIXES = st.lists(st.sampled_from(["10.0.0.0/24", "10.0.1.3", "10.0.0.2/31", "2001:db8::/32"]), min_size=1, max_size=3)
tests = st.one_of(
    st.builds(comparison, st.sampled_from(sorted(COMPARES)), numbers, numbers),
    st.builds(membership, st.booleans(), numbers, st.lists(plain, min_size=1, max_size=4)),
    st.builds(between, st.booleans(), numbers, numbers, numbers),
    st.builds(null_test, st.booleans(), st.one_of(numbers, st.sampled_from(TEXTS + ADDRESSES).map(column))),
    st.builds(same, EQUALITIES, st.sampled_from(TEXTS), st.sampled_from(TEXTS)),
    st.builds(same, EQUALITIES, st.sampled_from(ADDRESSES), st.sampled_from(ADDRESSES)),
    st.builds(text_in, st.booleans(), st.sampled_from(TEXTS), st.lists(st.sampled_from(["eni-a", "vpc-a", "x"]), min_size=1)),
    st.builds(like, st.booleans(), st.sampled_from(TEXTS), st.sampled_from(["eni", "vpc-b", "z"])),
    st.builds(address_in, st.booleans(), st.sampled_from(ADDRESSES), PREFIXES),
    st.builds(time_after, st.sampled_from(["<", ">=", "="]), st.integers(1_700_000_000, 1_700_004_000)),
    st.sampled_from([("true", ATOM, lambda row: True), ("false", ATOM, lambda row: False)]),
)  # fmt: skip


def joined(word: str, parts: list[Part]) -> Part:
    level, join = (AND, kleene_all) if word == "and" else (OR, kleene_any)
    text = f" {word} ".join(inside(part, level + 1) for part in parts)
    return text, level, lambda row: join([part[2](row) for part in parts])


def opposite(part: Part) -> Part:
    return f"not {inside(part, NOT)}", NOT, lambda row: kleene_not(part[2](row))


conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds(joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)), inner.map(opposite)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(conditions)
def test_having_keeps_what_the_obvious_evaluator_keeps(condition: Part) -> None:
    text, _, value = condition
    wanted = [row for row in ROWS if value(row) is True]
    assert GROUPS.having(text).collect().rows() == wanted


@settings(max_examples=150, deadline=None)
@given(conditions, conditions)
def test_several_conditions_all_hold(a: Part, b: Part) -> None:
    wanted = [row for row in ROWS if a[2](row) is True and b[2](row) is True]
    assert GROUPS.having(a[0], b[0]).collect().rows() == wanted


@settings(max_examples=150, deadline=None)
@given(computed)
def test_derived_columns_are_what_the_obvious_evaluator_gives(part: Part) -> None:
    text, _, value = part
    if any(name in text for name in ("dstport", "srcaddr")):  # of aggregates only
        return
    rows = KEYS.agg(**AGGREGATES, more=text).collect().rows()
    got = [row.pop("more") for row in rows]
    wanted = [value(row) for row in ROWS]
    assert rows == ROWS
    assert got == [None if x is None else float(x) for x in wanted]


def test_old_spellings_keep_their_meaning() -> None:
    for spelling in ("n >= 10", "n>=10", "  n  >=  10.0 ", "n >= 1e1", "10 <= n", "not n < 10", "`n` >= 10"):
        assert GROUPS.having(spelling).collect().rows() == [row for row in ROWS if row["n"] >= 10], spelling
    flows = vf.scan(log()).group_by("srcaddr")
    share = {"n": vf.count(), "small": vf.count(where="bytes < 30")}
    spellings = [vf.ratio("small", "n"), "ratio(small, n)", "small / n", "small/n", " ( small )/ n "]
    first, *others = [flows.agg(**share, x=x).collect() for x in spellings]
    assert first.schema[-1] == ("x", "float64")
    assert all(other.rows() == first.rows() for other in others)
    assert [row["x"] for row in first] == [row["small"] / row["n"] for row in first]
    less = [flows.agg(**share, x=x).collect().rows() for x in (vf.difference("n", "small"), "difference(n, small)", "n - small")]
    assert less[0] == less[1] == less[2]
    assert [row["x"] for row in less[0]] == [row["n"] - row["small"] for row in less[0]]


def test_the_same_question_is_the_same_state() -> None:
    def state(having: str, derived: str) -> bytes:
        return vf.Aggregation.of(KEYS.agg(n="count()", m="count()", x=derived).having(having)).to_bytes()

    assert state("n >= 10", "m / n") == state("n>=10.0", "ratio(m, n)") == state(" `n` >= 1e1", "(m)/n")
    for having, derived in (("n >= 10 and x < 3", "m / n"), ("n >= 10 - m", "(m + 1) / n * 2"), ("srcaddr in '10.0.0.0/24'", "-n")):
        saved = state(having, derived)
        again = vf.Aggregation.from_bytes(saved)
        assert again.to_bytes() == saved
        assert again.update(log()).collect().rows() == vf.Aggregation.from_bytes(saved).update(log()).collect().rows()
        assert f"having    {having}\n" in again._core.plan.explain()


@pytest.mark.parametrize("name", ["my col", "95th", "größe", "a/b", "a-b", "like", "matches", "`x`", "sum(b)", "in"])
def test_names_of_any_bytes(name: str) -> None:
    flows = vf.scan(log()).group_by("srcaddr").agg(**{name: vf.count(), "m": "count()", "r": vf.ratio(name, "m")})
    rows = flows.collect().rows()
    assert {row["r"] for row in rows} == {1.0}
    quoted = "`" + name.replace("`", "``") + "`"
    for spelling in (quoted, name) if "`" not in name and "(" not in name else (quoted,):
        got = flows.having(f"{spelling} > 60 and m > 0", f"{spelling} > 60").collect().rows()
        assert got == [row for row in rows if row[name] > 60], spelling
    saved = vf.Aggregation.of(flows.having(f"{quoted} > 60")).to_bytes()
    assert vf.Aggregation.from_bytes(saved).to_bytes() == saved


def test_built_from_columns() -> None:
    col = vf.col
    condition = ((col("n") > 10) | (col("m") <= 12.5)) & ~col("srcaddr").is_in("10.0.1.0/24") & (col("t") != "eni-b")
    wanted = [
        row for row in ROWS
        if (row["n"] > 10 or (row["m"] is not None and row["m"] <= 12.5)) and row["srcaddr"].startswith("10.0.0.") and row["t"] != "eni-b"
    ]  # fmt: skip
    assert GROUPS.having(condition).collect().rows() == wanted
    assert GROUPS.having(col("f") == col("g")).collect().rows() == [row for row in ROWS if row["f"] == row["g"]]
    assert GROUPS.having(col("m").is_null()).collect().rows() == [row for row in ROWS if row["m"] is None]


WRONG = [
    ("", "expected a column or a value, found the end", 0), ("n", "expected a test behind n", 1),
    ("n >", "found the end", 3), ("> 3", "expected a column or a value, found '>'", 0), ("n > 3 4", "'4' is not expected here", 6),
    ("n ~ 3", "'matches' needs text; n is a number", 2), ("n > x", "no aggregate 'x'", 4), ("m > 'x'", "'x' is no number", 4),
    ("bb > 3", "did you mean 'b'", 0), ("srcaddr > 3", "srcaddr is an address: use =, != or in", 0),
    ("t > 'a'", "t is text: use =, !=, in, like or matches", 0), ("t = eni", "texts need quotes: 'eni'", 4),
    ("t = f", "t is text, f is an address: they cannot be compared", 4), ("t + 1 > 2", "'t' is text, neither a number nor a time", 0),
    ("n = null", "write 'n is null' or 'n is not null'", 4), ("f = '10.0.0.300'", "neither an address nor a prefix", 4),
    ("(n > 1", "this '(' is never closed", 0), ("n in ()", "this list is empty", 6), ("n > 1 and", "found the end", 9),
    ("last_end > 'yesterday'", "neither Unix seconds nor a time", 11), ("sum(b) > 2", "give it a name among the aggregates", 0),
    ("n > 1/b", "operators behind a number need a blank before them", 4), ("n > 'a", "this quote is never closed", 4),
    ("n > 1; b > 2", "';' is not part of the language", 5), ("(n > 1) + 2 > 3", "a test is no number", 8),
    ("n > (b > 2)", "expected a value, found a test", 5), ("not n", "expected a test behind n", 5),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "position"), WRONG)
def test_errors_show_the_place(text: str, words: str, position: int) -> None:
    with pytest.raises(vf.PlanError) as caught:
        GROUPS.having(text).collect()
    error = caught.value
    first, *shown = str(error).splitlines()
    assert first.startswith("having: ")
    assert words in first
    assert shown == [f"  {text}", f"  {' ' * position}^"]
    assert error.position == position


def test_bounds() -> None:
    for text in ("(" * 65 + "n > 1" + ")" * 65, "not " * 65 + "n > 1", "-" * 70 + "n > 1"):
        with pytest.raises(vf.PlanError, match="nested deeper than 64 levels"):
            GROUPS.having(text).collect()
    with pytest.raises(vf.PlanError, match="more than 256 operators"):
        GROUPS.having("n" + " + n" * 300 + " > 1").collect()
    with pytest.raises(vf.PlanError, match="longer than 65536 bytes"):
        GROUPS.having("n > 1 or " * 10_000 + "n > 1").collect()
