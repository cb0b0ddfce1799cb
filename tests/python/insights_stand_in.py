"""A stand-in of Logs Insights: the part of its query language that vpcflow writes, read anew from AWS's description of
it. Not AWS itself."""

import ipaddress
import math
import re
from collections import defaultdict

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?|[A-Za-z_]\w*|!=|<=|>=|[=<>()\[\],*/])')


def number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def equal(a, b):
    if number(a) is not None and number(b) is not None:
        return number(a) == number(b)
    return str(a) == str(b)


def less(a, b):
    return number(a) is not None and number(b) is not None and number(a) < number(b)


def in_subnet(version):
    def test(address, network):
        try:
            one = ipaddress.ip_address(address)
        except ValueError:
            return False
        return one.version == version and one in ipaddress.ip_network(network)

    return test


class Expression:
    """A condition or a computation, as a function of a row."""

    def __init__(self, text):
        self.tokens = [t for t in TOKEN.findall(text)]
        assert "".join(self.tokens) == re.sub(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', "", text), text
        self.at = 0
        self.run = self.either()
        assert self.at == len(self.tokens), text

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *words):
        if self.peek() in words:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def either(self):
        left = self.both()
        while self.take("or"):
            left = (lambda a, b: lambda row: a(row) or b(row))(left, self.both())
        return left

    def both(self):
        left = self.test()
        while self.take("and"):
            left = (lambda a, b: lambda row: a(row) and b(row))(left, self.test())
        return left

    def test(self):
        if self.take("not"):
            inner = self.test()
            return lambda row: not inner(row)
        left = self.product()
        negated = bool(self.take("not"))
        if self.take("in"):
            assert self.take("[")
            values = [self.value()]
            while self.take(","):
                values.append(self.value())
            assert self.take("]")
            return lambda row: negated ^ any(equal(left(row), value(row)) for value in values)
        assert not negated
        sign = self.take("=", "!=", "<", "<=", ">", ">=")
        if sign is None:
            return left
        right = self.product()
        return {
            "=": lambda row: equal(left(row), right(row)), "!=": lambda row: not equal(left(row), right(row)),
            "<": lambda row: less(left(row), right(row)), ">": lambda row: less(right(row), left(row)),
            "<=": lambda row: less(left(row), right(row)) or equal(left(row), right(row)),
            ">=": lambda row: less(right(row), left(row)) or equal(left(row), right(row)),
        }[sign]  # fmt: skip

    def product(self):
        left = self.value()
        while sign := self.take("*", "/"):
            right = self.value()
            left = (lambda a, b, s: lambda row: number(a(row)) * number(b(row)) if s == "*" else number(a(row)) / number(b(row)))(left, right, sign)
        return left

    def value(self):
        if self.take("("):
            inner = self.either()
            assert self.take(")")
            return inner
        word = self.tokens[self.at]
        self.at += 1
        if word[0] == '"':
            return lambda row: word[1:-1]
        if word[0].isdigit():
            return lambda row: float(word)
        if not self.take("("):
            return lambda row: row[word]
        given = [self.either()]
        while self.take(","):
            given.append(self.either())
        assert self.take(")")
        call = {"floor": lambda x: math.floor(number(x)), "isIpv4InSubnet": in_subnet(4), "isIpv6InSubnet": in_subnet(6)}[word]
        return lambda row: call(*(one(row) for one in given))


def said(value):
    """A number as Insights writes it."""
    return f"{value:.0f}" if value == int(value) else repr(value)


def aggregate(function, values):
    numbers = [number(value) for value in values if number(value) is not None]
    return {"count": len(values), "sum": sum(numbers), "min": min(numbers, default=0), "max": max(numbers, default=0)}[function]


def answer(query, messages):
    """The rows of a query over lines, each a dictionary of texts, and how many lines passed its filters."""
    rows = [{"@message": message} for message in messages]
    matched = len(rows)
    for command in query.split("\n| "):
        verb, _, rest = command.partition(" ")
        if verb == "parse":
            pattern, names = re.fullmatch(r'@message "([^"]*)" as (.*)', rest).groups()
            form = re.compile(re.escape(pattern).replace(r"\*", "(.*?)"))
            kept = []
            for row in rows:
                found = form.fullmatch(row["@message"])
                if found:
                    kept.append({**row, **dict(zip(names.split(", "), found.groups()))})
            rows = kept
        elif verb == "filter":
            test = Expression(rest).run
            rows = [row for row in rows if test(row)]
            matched = len(rows)
        elif verb == "fields":
            text, name = rest.rsplit(" as ", 1)
            computed = Expression(text).run
            rows = [{**row, name: said(computed(row))} for row in rows]
        elif verb == "stats":
            stats, _, by = rest.partition(" by ")
            groups = defaultdict(list)
            keys = by.split(", ") if by else []
            for row in rows:
                groups[tuple(row[key] for key in keys)].append(row)
            out = []
            for values, members in groups.items():
                row = dict(zip(keys, values))
                for one in stats.split(", "):
                    function, of, name = re.fullmatch(r"(\w+)\((\*|\w+)\) as (\w+)", one).groups()
                    row[name] = said(aggregate(function, [1 if of == "*" else member[of] for member in members]))
                out.append(row)
            rows = out
        else:
            assert verb == "limit", command
            rows = rows[: int(rest)]
    return rows, matched
