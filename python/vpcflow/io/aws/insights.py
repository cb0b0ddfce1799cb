"""Queries of Logs Insights: filters of this library in its language, and the running of a query."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

from ... import _core
from ..._units import unix_seconds
from ...errors import PlanError, SourceError, VpcflowError
from .cloudwatch import LogGroup

MOST_ROWS = 10_000  # that Insights gives
_PATIENCE = 3600.0  # seconds; as long as Insights lets a query run
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<bare>[0-9][0-9a-fA-F.:]*[.:/][0-9a-fA-F.:/TZ+-]*)"""
    r"""|(?P<number>\d+(?![\w.]))|(?P<name>[A-Za-z][\w-]*)|(?P<sign>==|!=|<>|<=|>=|<|>|=)|(?P<mark>[(),]))"""
)
_SHORT = {"src": "srcaddr", "dst": "dstaddr", "sport": "srcport", "dport": "dstport", "proto": "protocol"}
_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_SAFE = re.compile(r"[A-Za-z0-9._:/ -]+")
_DEEPEST = 50
# Texts that are compared as they stand, or in the one case that AWS writes.
_WORDS: dict[str, Callable[[str], str]] = {
    "action": str.upper, "flow-direction": str.lower, "interface-id": str, "vpc-id": str, "subnet-id": str,
    "instance-id": str, "az-id": str, "region": str, "account-id": str,
}  # fmt: skip


class CannotPushError(PlanError):
    """A question that Logs Insights cannot be asked so that the answer is the same."""

    def __init__(self, why: str) -> None:
        super().__init__(f"--pushdown: {why}; without it all records are read")


def field_name(name: str) -> str:
    """Returns the name of AWS of a field of the catalogue. Raises :class:`CannotPushError` for other columns."""
    found = _core.find_field(_SHORT.get(name.lower(), name))
    if found is None:
        raise CannotPushError(f"{name!r} is no field of the catalogue")
    return found


def alias(field: str) -> str:
    """Returns the name that a field has in queries, which none of those that Insights finds has."""
    return "f_" + field.replace("-", "_")


def parse_clause(fields: Sequence[str]) -> str:
    """Returns the part of a query that cuts a line into fields."""
    return f'parse @message "{" ".join("*" * len(fields))}" as {", ".join(map(alias, fields))}'


def condition(text: str) -> str:
    """Translates a filter. A test on null passes nothing, also negated, so each is of a value.

    Raises :class:`CannotPushError` for what cannot be said.

    >>> condition("dstport = 22 and not srcaddr in '10.0.0.0/8'")
    '(f_dstport != "-" and f_dstport = 22) and (f_srcaddr != "-" and not isIpv4InSubnet(f_srcaddr, "10.0.0.0/8"))'
    """
    return _Reader(text).whole()


class _Reader:
    """Reads a filter. Negation goes down to the tests, as that of null is null."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise self._unknown()
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self._at = self._depth = 0

    def _unknown(self) -> CannotPushError:
        return CannotPushError(f"Logs Insights is not asked for {self._text!r}")

    def whole(self) -> str:
        found = self._any(False)
        if self._at != len(self._tokens):
            raise self._unknown()
        return found

    def _peek(self) -> str:
        kind, word = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        return word.lower() if kind == "name" else word

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise self._unknown()
        self._at += 1
        return self._tokens[self._at - 1]

    def _took(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self._unknown()

    def _joined(self, word: str, each: Callable[[bool], str], negated: bool) -> str:
        parts = [each(negated)]
        while self._took(word):
            parts.append(each(negated))
        joint = {"and": "or", "or": "and"}[word] if negated else word
        return parts[0] if len(parts) == 1 else f" {joint} ".join(f"({part})" for part in parts)

    def _any(self, negated: bool) -> str:
        return self._joined("or", self._all, negated)

    def _all(self, negated: bool) -> str:
        return self._joined("and", self._one, negated)

    def _one(self, negated: bool) -> str:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._unknown()
        if self._took("not"):
            found = self._one(not negated)
        elif self._took("("):
            found = self._any(negated)
            self._expect(")")
        else:
            found = self._test(negated)
        self._depth -= 1
        return found

    def _test(self, negated: bool) -> str:
        kind, name = self._next()
        if kind != "name":
            raise self._unknown()
        field = field_name(name)
        own = alias(field)
        if self._took("is"):
            negated ^= self._took("not")
            self._expect("null")
            return f'{own} {"!=" if negated else "="} "-"'
        negated ^= self._took("not")
        if self._took("in"):
            found = self._member(field, own, negated)
        elif self._took("between"):
            least = self._literal(field)
            self._expect("and")
            most = self._literal(field)
            found = f"({own} < {least} or {own} > {most})" if negated else f"{own} >= {least} and {own} <= {most}"
        else:
            sign = {"==": "=", "<>": "!="}.get(self._peek(), self._peek())
            if self._next()[0] != "sign":
                raise self._unknown()
            literal = self._literal(field)
            if sign not in ("=", "!=") and literal.startswith('"'):
                raise self._unknown()
            found = f"{own} {_OPPOSITE[sign] if negated else sign} {literal}"
        return f'{own} != "-" and {found}'

    def _member(self, field: str, own: str, negated: bool) -> str:
        is_list = self._took("(")
        raw = [self._next()]
        while is_list and self._took(","):
            raw.append(self._next())
        if is_list:
            self._expect(")")
        networks = [_network(word) for _, word in raw] if _type_of(field) == "address" else []
        no = "not " if negated else ""
        if networks and all(one is not None for one in networks):
            tests = [
                f'{no}isIpv{one.version}InSubnet({own}, "{one}")' for one in networks if one is not None
            ]
            return tests[0] if len(tests) == 1 else f"({(' and ' if negated else ' or ').join(tests)})"
        values = ", ".join(self._value(field, *one) for one in raw)
        return f"{own} {no}in [{values}]"

    def _literal(self, field: str) -> str:
        return self._value(field, *self._next())

    def _value(self, field: str, kind: str, word: str) -> str:
        """Returns a literal that a field is compared with."""
        type_ = _type_of(field)
        quoted = kind == "text"
        text = word[1:-1].replace(word[0] * 2, word[0]) if quoted else word
        if type_ == "address" and (quoted or kind in ("bare", "name")):
            try:
                return f'"{ipaddress.ip_address(text)}"'
            except ValueError:
                raise self._unknown() from None
        if type_ == "time" and kind in ("text", "bare"):
            try:
                return str(unix_seconds(field, text))
            except VpcflowError:
                raise self._unknown() from None
        if type_ == "text":
            known = _WORDS.get(field)
            if known is None or not quoted or not _SAFE.fullmatch(text):
                raise self._unknown()
            if field == "account-id" and not re.fullmatch(r"\d{12}", text):
                raise self._unknown()
            return f'"{known(text)}"'
        if kind != "number":
            raise self._unknown()
        return text


def _type_of(field: str) -> str:
    return str(next(one["type"] for one in _core.fields() if one["name"] == field))


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    text = word[1:-1] if word[0] in "'\"" else word
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


class Answer(NamedTuple):
    """What a query gave: rows of texts by name; the bytes and records that it went through, and those that passed."""

    rows: list[dict[str, str]]
    scanned_bytes: int
    scanned: int
    matched: int


def ask(group: LogGroup, query: str, start: int, end: int) -> Answer:
    """Runs a query over the events of [start, end], Unix seconds. One that is given up is stopped.

    Raises :class:`~vpcflow.SourceError` for a query that fails.
    """
    id = group.call("start_query", logGroupName=group.name, startTime=start, endTime=end, queryString=query)["queryId"]
    done = False
    try:
        pause, waited = 0.25, 0.0
        while waited < _PATIENCE:
            found = group.call("get_query_results", queryId=id)
            status = found["status"]
            if status == "Complete":
                done = True
                return _answer(found)
            if status not in ("Scheduled", "Running", "Unknown"):
                done = True
                raise SourceError(f"{group.url}: Logs Insights ended the query: {status}")
            _sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 5.0)
        raise SourceError(f"{group.url}: Logs Insights did not answer within {_PATIENCE / 60:.0f} minutes")
    finally:
        if not done:
            group.call("stop_query", queryId=id)


_sleep = time.sleep


def _answer(found: dict[str, Any]) -> Answer:
    rows = [{one["field"]: one["value"] for one in row if "value" in one} for row in found.get("results", ())]
    counts = found.get("statistics", {})
    return Answer(
        rows, int(counts.get("bytesScanned", 0)), int(counts.get("recordsScanned", 0)),
        int(counts.get("recordsMatched", 0)),
    )  # fmt: skip
